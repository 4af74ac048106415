"""The seals compared with the present rows: nothing was changed, deleted or inserted (PST-7)."""

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise

from django.db import connection

from invoicing_site.floor import seals, wording
from invoicing_site.floor.querysets import in_chunks
from invoicing_site.models import AuditEvent, Seal, SealPending
from invoicing_site.verify.finding import Finding, where

_ROWS = 20_000  # number of rows that are hashed at a time
_KEYS = 200_000  # number of keys in one set
_PARTS = 5  # number of seals whose rows one process compares

_CHANGED = "was changed after it was sealed"
_DELETED = "was deleted after it was sealed"
_INSERTED = "is in no seal: it was inserted with the triggers off"
_NOT_UNGUARDED = "differs from its last approval, or was sealed again without a new approval"
_WAITS = "has been waiting for a seal for over an hour; check whether the clock runs"
_UNEXPLAINED = "has another name than when it was sealed, and the audit trail has no event for it"


def checks(since: Seal | None = None) -> Iterator[tuple]:
    """SEAL, in parts that can run at the same time: each a function and its arguments.

    Each segment is unchanged and follows the previous one, and its rows are unchanged. With `since`, only
    this segment and the later ones are read, and rows that are newer than it.
    """
    after = since.number if since else 0
    yield _chain, after
    for place, kind in enumerate(seals.declared()):
        yield _inserted, place, after
        if kind.unguarded or seals.is_audited(kind):
            if not since:
                yield _checked, place
        else:
            parts = seals.parts_of(kind).filter(seal__number__gt=after)
            for keys in in_chunks(list(parts.values_list("pk", flat=True)), _PARTS):
                yield _compared, place, keys
    yield (_waiting,)


def sealed():
    """SEAL: all parts, one after the other."""
    for check, *args in checks():
        yield from check(*args)


def compared(text: str):
    """SEAL: the chain contains each seal that was kept outside the database (see `seals.in_words`)."""
    last = Seal.objects.first()
    for number, digest in seals.read(text):
        if last is None or last.number < number:
            has = f"the newest one here is {last.number}" if last else "there is none here"
            yield _said(
                number,
                f"Seal {number} existed, but {has}: the database was restored or its end was cut off.",
            )
        elif not Seal.objects.filter(number=number, digest=digest).exists():
            yield _said(
                number, f"Seal {number} has another digest than the one that you kept: it was made again."
            )


def _said(number, sentence, row=""):
    return Finding("SEAL", "", str(number), row, sentence)


def _chain(after):
    """The links of all segments, and the content of those from `after` on."""
    before, number, is_whole, one = "", 0, True, None
    for one in Seal.objects.order_by("number").iterator(chunk_size=20):
        if one.number != number + 1:
            yield _said(number + 1, f"Seal {number + 1} is missing before seal {one.number}.")
        elif one.previous != before:
            yield _said(one.number, f"Seal {one.number} does not follow the previous one.")
        is_whole = one.number < after or one.digest == seals.digest_of(one, one.parts.all())
        if not is_whole:
            yield _said(one.number, f"Seal {one.number} was changed: its content has another hash.")
        before, number = one.digest, one.number
    for code, row in seals.lost_heads(one) if one and is_whole else ():
        yield _said(number, f"Seal {number} contains a last voucher of {code} that is not in its chain.", row)


def _inserted(place, after):
    """Rows in no seal; behind a segment only those with a higher key than its newest row of the kind."""
    kind = seals.declared()[place]
    before = seals.parts_of(kind).filter(seal__number__lte=after).last() if after else None
    above = max(seals.unpacked(before.ids), default=0) if before else None
    # Read in this order: a row that is sealed meanwhile is still in the notes, or already in a seal.
    held, noted, known = _keys_held(kind, above), _keys_noted(kind), _keys_sealed(kind, after)
    known = [keys for columns, keys in known.items() if _is_comparable(kind, columns)]
    for at in range(0, len(held), _KEYS):
        some = held[at : at + _KEYS]
        within = [keys[bisect_left(keys, some[0]) : bisect_right(keys, some[-1])] for keys in known]
        for key in sorted(set(some).difference(noted, *within)):
            yield _named(kind.model, "", key, _INSERTED)


def _checked(place):
    """Wrong rows of a kind that can change in a way that is explained elsewhere."""
    kind = seals.declared()[place]
    check = _wrong_since_unguarded if kind.unguarded else _wrong_in_the_trail
    # A row can be changed by an operation at this moment, so only errors that are found twice are reported.
    if wrong := {key for key, _, _ in check(kind)}:
        for key, number, problem in check(kind, wrong):
            yield _named(kind.model, number, key, problem)


def _compared(place, keys):
    """Compare the rows of some parts of seals with their hashes."""
    kind = seals.declared()[place]
    for part in seals.parts_of(kind).filter(pk__in=keys).iterator(chunk_size=1):
        if _is_comparable(kind, part.columns) and seals.is_unchanged(part):
            continue
        hashes, full = dict(seals.rows_of(part)), []
        for key, problem in _unlike(kind, part, hashes, full):
            yield _named(kind.model, part.seal.number, key, problem)
        if len(full) == len(hashes) and seals.digest_of_rows(full) != part.digest:
            number = part.seal.number
            yield _said(number, f"The rows of {part.table_name} in seal {number} have another digest.")


def _named(model, number, key, problem):
    row = f"{wording.capital(str(model._meta.verbose_name))} {key}"
    return _said(number, f"{row} {problem}.", where(model, key))


def _unlike(kind, part, hashes, full):
    """Keys of deleted and of changed rows of a part of a seal; adds the hashes of the others to `full`.

    If a migration removed a column of the part, only the keys can be compared.
    """
    is_comparable = _is_comparable(kind, part.columns)
    columns = part.columns.split() if is_comparable else kind.sealed_columns[:1]
    for chunk in in_chunks(hashes, _ROWS):
        stands = seals.row_hashes(kind.table, columns, chunk)
        for key in chunk:
            if key not in stands:
                yield key, _DELETED
            elif is_comparable and stands[key][: seals.WIDTH] != hashes[key]:
                yield key, _CHANGED
            elif is_comparable:
                full.append(stands[key])


def _is_comparable(kind, columns):
    """Whether the table still has all columns of the seal."""
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT * FROM "{kind.table}" WHERE 1 = 0')
        here = {name for name, *_ in cursor.description}
    return columns.split()[:1] == [kind.sealed_columns[0]] and here.issuperset(columns.split())


def _wrong_since_unguarded(kind, only=None):
    """Wrong rows of a kind that can become unguarded again: key, number of the seal, and what is wrong.

    Each time that a row becomes guarded it is noted, and then sealed once with the columns of that time. How
    often it became unguarded is counted from rows that never change.
    """
    noted, held, sealed_keys = _keys_noted(kind), _keys_held(kind), _keys_sealed(kind)
    now = " ".join(kind.sealed_columns)
    times, doubtful, often = Counter(), set(), set()
    for keys in sealed_keys.values():
        twice = {key for key, after in pairwise(keys) if key == after}
        often |= twice
        doubtful |= twice | {key for key in keys if not _has(held, key) or key in noted}
    if len(sealed_keys) > 1:
        often = set().union(*sealed_keys.values())
    for columns, keys in sealed_keys.items():
        for key in doubtful:
            n = bisect_right(keys, key) - bisect_left(keys, key)
            times[key] = max(times[key], n + (columns == now and key in noted))
    unguarded = seals.times_unguarded(kind, doubtful)
    for key in sorted(doubtful if only is None else doubtful & only):
        if times[key] > unguarded.get(key, 0) + _has(held, key):
            yield key, "", _NOT_UNGUARDED
    seen = set()
    for part in seals.parts_of(kind).reverse().iterator(chunk_size=1):
        hashes = {key: short for key, short in seals.rows_of(part) if only is None or key in only}
        newest = {key: short for key, short in hashes.items() if key not in seen}
        seen.update(key for key in newest if key in often)
        for key, problem in _unlike(kind, part, newest, []):
            if problem == _DELETED or (_has(held, key) and key not in noted):
                yield key, part.seal.number, problem


def _wrong_in_the_trail(kind, only=None):
    """Rows with an audited column whose changes do not match the audit trail, in order.

    Yields the key, the number of the newest seal, and what is wrong.
    """
    (name,) = kind.columns
    history = defaultdict(list)
    for part in seals.parts_of(kind).filter(columns=" ".join(kind.sealed_columns)).iterator(chunk_size=1):
        for key, short in seals.rows_of(part):
            history[key].append((part.seal, short))
    stands = seals.row_hashes(kind.table, kind.sealed_columns, history)
    for key, steps in sorted(history.items()):
        if key not in stands or (only is not None and key not in only):
            continue  # the check of its other columns reports that
        seal, last = steps[-1]
        changes = list(_changes(kind.model, key, name))
        trail, is_newer = [short for _, short in changes], bool(changes) and changes[-1][0] >= seal.at
        now = stands[key][: seals.WIDTH]
        is_explained = (trail and now == trail[-1]) or (now == last and not is_newer)
        events = iter(trail)
        if not is_explained or not all(short in events for _, short in steps[1:]):
            yield key, seal.number, _UNEXPLAINED


def _changes(model, key, name):
    """The times at which an audit event changed a column of a row, and the hash of each new value."""
    events = AuditEvent.objects.filter(subject_type=model._meta.label_lower, subject_id=str(key))
    for event in events.order_by("pk"):
        after = event.detail.get("after") if isinstance(event.detail, dict) else None
        if isinstance(after, dict) and isinstance(value := after.get(name), str):
            yield event.at, seals.hash_of(key, value)[: seals.WIDTH]


def _keys_held(kind, above=None):
    """The keys of the rows that are guarded now, in order; only those above a key, if there is one."""
    with connection.cursor() as cursor:
        when, key = kind.when.replace("OLD.", "old."), f'old."{kind.model._meta.pk.column}"'
        if above is not None:
            when = f"({when}) AND {key} > {above}"
        cursor.execute(f'SELECT {key} FROM "{kind.table}" old WHERE {when} ORDER BY 1')
        return array("q", (key for (key,) in cursor.fetchall()))


def _keys_noted(kind):
    notes = SealPending.objects.filter(table_name__in={kind.table, kind.noted_in})
    keys, _ = seals.keys_noted(notes.order_by("pk").iterator())
    return seals.keys_of(kind, keys)


def _keys_sealed(kind, after=0):
    """The keys in all later seals, sorted and as often as they were sealed, by the sealed columns."""
    by_columns = defaultdict(lambda: array("q"))
    parts = seals.parts_of(kind).filter(seal__number__gt=after).only("columns", "ids", "seal")
    for part in parts.select_related(None).iterator(chunk_size=1):
        by_columns[part.columns].extend(seals.unpacked(part.ids))
    return {columns: array("q", sorted(keys)) for columns, keys in by_columns.items()}


def _has(keys, key):
    at = bisect_left(keys, key)
    return at < len(keys) and keys[at] == key


def _waiting():
    """Rows that were noted over an hour ago, by the clock of the database, and are in no seal."""
    ago = "now() - interval '1 hour'"
    if connection.vendor == "sqlite":
        ago = "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', '-1 hour')"
    table = SealPending._meta.db_table
    models = {kind.table: kind.model for kind in seals.declared()}
    reached = {}
    for note in SealPending.objects.raw(f"SELECT * FROM {table} WHERE noted_at < {ago} ORDER BY id"):
        keys, first = seals.noted_ids(note), seals.first_id(note)
        if first is not None:
            # The ids up to this one are certain. Later ids may be up to ten minutes younger than the note.
            keys = range(reached.get(note.table_name, first), first + 1)
            reached[note.table_name] = first + 1
        if note.table_name not in models or not keys:
            yield _said("", f"Note {note.pk} for the next seal names no row that can be sealed.")
            continue
        for key in keys:
            yield _named(models[note.table_name], "", key, _WAITS)
