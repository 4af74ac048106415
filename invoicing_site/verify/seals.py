"""The seals against the rows as they stand: nothing was changed, deleted or put beside them (PST-7)."""

from array import array
from bisect import bisect_left
from itertools import count

from django.db import connection

from invoicing_site.floor import seals, wording
from invoicing_site.floor.querysets import in_chunks
from invoicing_site.models import AuditEvent, Seal, SealedRows, SealPending
from invoicing_site.verify.finding import Finding, where

_ROWS = 20_000  # whose hashes are asked for at a time


def sealed():
    """SEAL: each segment is what it was and follows the one before; its rows are as they were sealed."""
    yield from _chain()
    for kind in seals.declared():
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


def _said(number, sentence, row=""):
    return Finding("SEAL", "", str(number), row, sentence)


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
    known, seen = array("q"), set()
    parts = SealedRows.objects.filter(table_name=kind.table, guard=kind.name).order_by("-seal__number")
    for part in parts.select_related("seal").iterator(chunk_size=5):
        ids, short = seals.unpacked(part.ids), bytes(part.hashes)
        hashes = {key: short[at : at + seals.WIDTH] for key, at in zip(ids, count(0, seals.WIDTH))}
        if not kind.is_from_birth:  # it may be let go in between, or be sealed with each of many others
            ids = [key for key in ids if key not in seen]
            seen.update(ids)
        known.extend(ids)
        # What is noted again is sealed again: it was let go, and may have changed, in between.
        yield from _unlike(kind, part, [key for key in ids if key not in noted], hashes)
    known = array("q", sorted(known))
    for key in here:
        if not _has(known, key) and key not in noted:
            sentence = f"{_row(kind, key)} is in no seal: it was inserted past the triggers."
            yield _said("", sentence, where(kind.model, key))


def _unlike(kind, part, ids, hashes):
    columns, full = part.columns.split(), []
    for chunk in in_chunks(ids, _ROWS):
        stands = seals.row_hashes(kind.table, columns, chunk)
        held = seals.row_hashes(kind.table, columns[:1], chunk, when=kind.when)
        for key in chunk:
            trouble = ""
            if key not in stands:
                trouble = "was deleted after it was sealed"
            elif stands[key][: seals.WIDTH] == hashes[key]:
                full.append(stands[key])
            elif key in held and not _is_in_the_trail(kind, part, key):
                trouble = "is not what was sealed: it was changed since"
            if trouble:
                yield _said(part.seal.number, f"{_row(kind, key)} {trouble}.", where(kind.model, key))
    if len(full) == len(hashes) and seals.digest_of_rows(full) != part.digest:
        number = part.seal.number
        yield _said(number, f"The rows of {part.table_name} in seal {number} have another digest than it.")


def _is_in_the_trail(kind, part, key):
    """Whether the trail has the present value of what may be changed, as the newest one since the seal."""
    if not seals.is_audited(kind):
        return False
    (name,) = kind.columns
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
        cursor.execute(
            f'SELECT old."{kind.model._meta.pk.column}" FROM "{kind.table}" old WHERE {when} ORDER BY 1'
        )
        return array("q", (key for (key,) in cursor.fetchall()))


def _keys_noted(kind):
    notes = SealPending.objects.filter(table_name=kind.noted_in)
    others = [each for each in seals.declared() if each.table == kind.noted_in]
    return seals.keys_of(kind, seals.keys_noted(notes, others))


def _has(keys, key):
    at = bisect_left(keys, key)
    return at < len(keys) and keys[at] == key


def _row(kind, key):
    return f"{wording.capital(str(kind.model._meta.verbose_name))} {key}"


def _waiting():
    with connection.cursor() as cursor:
        ago = "now() - interval '1 hour'"
        if connection.vendor == "sqlite":
            ago = "datetime('now', '-1 hour')"
        cursor.execute(f"SELECT count(*) FROM {SealPending._meta.db_table} WHERE noted_at < {ago}")
        (n,) = cursor.fetchone()
    if n:
        yield _said("", "Rows wait for over an hour to be sealed: does the clock run?")
