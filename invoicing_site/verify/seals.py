"""The seals against the rows as they stand: nothing was changed, deleted or put beside them (PST-7)."""

from array import array
from bisect import bisect_left
from itertools import count

from django.db import connection

from invoicing_site import seals
from invoicing_site.models import AuditEvent, Seal, SealedRows, SealPending
from invoicing_site.querysets import in_chunks
from invoicing_site.verify.finding import Finding

_ROWS = 20_000  # whose hashes are asked for at a time


def sealed():
    """SEAL: each segment is what it was and follows the one before; its rows are as they were sealed."""
    yield from _chain()
    for kind in seals.kinds():
        yield from _rows(kind)
    yield from _waiting()


def compared(text: str):
    """SEAL: the chain holds the seal that was kept outside of the database, as `seals.in_words` wrote it."""
    number, digest = seals.read(text)
    last = Seal.objects.first()
    if last is None or last.number < number:
        has = f"the newest one here is {last.number}" if last else "there is none here"
        yield _said(
            number, f"Seal {number} was made, and {has}: the database was restored or its end was cut off."
        )
    elif not Seal.objects.filter(number=number, digest=digest).exists():
        yield _said(number, f"Seal {number} has another digest than the one that was kept: it was made anew.")


def _said(number, sentence, where=""):
    return Finding("SEAL", "", str(number), where, sentence)


def _chain():
    before, number = "", 0
    for one in Seal.objects.order_by("number").prefetch_related("parts").iterator(chunk_size=20):
        if one.number != number + 1:
            yield _said(number + 1, f"Seal {number + 1} is missing before seal {one.number}.")
        elif one.previous != before:
            yield _said(one.number, f"Seal {one.number} does not follow the one before it.")
        if one.digest != seals.digest_of(one, one.parts.all()):
            yield _said(
                one.number, f"Seal {one.number} is not what was sealed: its content has another hash."
            )
        before, number = one.digest, one.number


def _rows(kind):
    """The rows of one kind against their newest seal; and that none is missing, or in no seal."""
    here = _keys_held(kind)
    noted = _keys_noted(kind)
    known = array("q")
    parts = SealedRows.objects.filter(table_name=kind.table, guard=kind.guard).order_by("-seal__number")
    seen = set() if _comes_again(kind) else None
    for part in parts.select_related("seal").iterator(chunk_size=5):
        ids, short = seals.unpacked(part.ids), bytes(part.hashes)
        hashes = {key: short[at : at + seals.WIDTH] for key, at in zip(ids, count(0, seals.WIDTH))}
        if seen is not None:
            ids = [key for key in ids if key not in seen]
            seen.update(ids)
        known.extend(ids)
        # What is noted again is sealed again: it was let go, and may have changed, in between.
        yield from _unlike(kind, part, [key for key in ids if key not in noted], hashes)
    known = array("q", sorted(known))
    for key in here:
        if not _has(known, key) and key not in noted:
            yield _said(
                "", f"{_row(kind, key)} is in no seal: it was inserted past the triggers.", _where(kind, key)
            )


def _unlike(kind, part, ids, hashes):
    columns = part.columns.split()
    for chunk in in_chunks(ids, _ROWS):
        stands = seals.row_hashes(kind.table, columns, chunk)
        held = seals.row_hashes(kind.table, columns[:1], chunk, when=kind.when)
        for key in chunk:
            trouble = ""
            if key not in stands:
                trouble = "was deleted after it was sealed"
            elif key not in held or stands[key][: seals.WIDTH] == hashes[key]:
                continue
            elif not _is_audited(kind, part, key):
                trouble = "is not what was sealed: it was changed since"
            if trouble:
                yield _said(part.seal.number, f"{_row(kind, key)} {trouble}.", _where(kind, key))


def _comes_again(kind):
    """Whether a row may be sealed more than once: let go in between, or sealed with each of many others."""
    return not kind.is_from_birth


def _is_audited(kind, part, key):
    """Whether the trail has the present value of what may be changed, as the newest one since the seal."""
    if not kind.is_audited:
        return False
    (name,) = kind.columns[1:]
    label = kind.model._meta.label_lower
    events = AuditEvent.objects.filter(subject_type=label, subject_id=str(key), at__gte=part.seal.at)
    new = [
        event.detail["after"][name]
        for event in events.order_by("pk")
        if name in event.detail.get("after", ())
    ]
    return bool(new) and kind.model._base_manager.filter(pk=key, **{name: new[-1]}).exists()


def _keys_held(kind):
    """The keys of the rows that the guard holds now; read before what is noted and what is sealed."""
    with connection.cursor() as cursor:
        when = kind.when.replace("OLD.", "old.")
        cursor.execute(f'SELECT old."{kind.columns[0]}" FROM "{kind.table}" old WHERE {when} ORDER BY 1')
        return array("q", (key for (key,) in cursor.fetchall()))


def _keys_noted(kind):
    by_table = {}
    for table, ids in SealPending.objects.values_list("table_name", "ids"):
        by_table.setdefault(table, set()).update(map(int, ids.split(",")))
    if connection.vendor == "sqlite":
        for each in seals.kinds():
            if each.is_from_birth and each.table in (kind.table, kind.sealed_with and kind.with_table):
                by_table.setdefault(each.table, set()).update(seals.behind_the_mark(each))
    return seals.keys_of(kind, by_table)


def _has(keys, key):
    at = bisect_left(keys, key)
    return at < len(keys) and keys[at] == key


def _row(kind, key):
    name = str(kind.model._meta.verbose_name)
    return f"{name[:1].upper()}{name[1:]} {key}"


def _where(kind, key):
    return f"{kind.model._meta.label_lower}:{key}"


def _waiting():
    with connection.cursor() as cursor:
        ago = "now() - interval '1 hour'"
        if connection.vendor == "sqlite":
            ago = "datetime('now', '-1 hour')"
        cursor.execute(f"SELECT count(*) FROM {SealPending._meta.db_table} WHERE noted_at < {ago}")
        (n,) = cursor.fetchone()
    if n:
        yield _said("", "Rows wait for over an hour to be sealed: does the clock run?")
