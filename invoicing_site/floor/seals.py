"""Seals: one chain of hashes over every row that may not change any more, whatever its table (PST-7).

Triggers note each row that a guard begins to hold (`guards.Note`). Every few minutes `seal` hashes what is
noted into a segment: the ids, eight bytes of each row's hash so that a changed one can be named, a digest of
the full hashes, the digest of the segment before, and the heads of other chains. Whoever owns the database
can hash all of it anew; a digest that was kept elsewhere shows that.
"""

import datetime
import hashlib
import json
import logging
import re
from collections import defaultdict
from collections.abc import Callable
from contextlib import contextmanager

from django.db import connection
from django.db.models import BinaryField, Func, Sum, Value
from django.db.models.functions import Length, Replace
from django.utils import timezone

from invoicing_site.floor import guards, transaction
from invoicing_site.models import Seal, SealedRows, SealPending

logger = logging.getLogger(__name__)

MOST = 100_000  # rows of one segment, more or less: what one transaction hashes and writes
_LOCK = 0x5EA1  # the head of the chain; PostgreSQL knows it by number
WIDTH = 8

_AUDITED = "audited"  # the name of what no trigger guards

# What else a segment vouches for: a name, and what gives that chain's heads.
_heads: dict[str, Callable[[], dict[str, str]]] = {}
_audited: list[guards.Guard] = []


def witness(name: str, heads: Callable[[], dict[str, str]]):
    """Have every segment keep the heads of another chain, by a name and a function that reads them."""
    _heads[name] = heads


def audited(model, columns, *, when: str, sealed_with: str):
    """Seal columns that may change, but not without an audit event that has the new value.

    `when` and `sealed_with` are those of `guards.frozen`.
    """
    _audited.append(guards.Guard(model, _AUDITED, when, tuple(columns), (), "", sealed_with))


def is_audited(guard: guards.Guard) -> bool:
    return guard.name == _AUDITED


def declared() -> list[guards.Guard]:
    """All that is sealed: what is guarded, and what may change with an audit event."""
    return guards.declared() + _audited


def seal_all() -> list[Seal]:
    """Seal everything that is noted, a segment after the other; one transaction each."""
    made = []
    while one := seal():
        made.append(one)
    return made


@transaction.atomic
def seal() -> Seal | None:
    """Seal the next rows that are noted and committed, or return None where there are none.

    The head is locked first, so two at once seal one after the other. What is sealed is no longer noted, in
    the same transaction: killed at any moment, it leaves neither a gap nor an overlap.
    """
    _lock()
    notes, kinds = _next_notes(), declared()
    noted = keys_noted(notes, kinds, MOST)
    parts = [part for kind in kinds if (part := _hashed(kind, keys_of(kind, noted)))]
    SealPending.objects.filter(pk__in=[note.pk for note in notes]).delete()
    if not parts:
        return None
    last = Seal.objects.first()
    new = Seal(
        number=last.number + 1 if last else 1,
        at=timezone.now(),
        rows=sum(len(part.ids) // WIDTH for part in parts),
        heads={name: heads() for name, heads in sorted(_heads.items())},
        previous=last.digest if last else "",
    )
    new.digest = digest_of(new, parts)
    new.save(force_insert=True)
    for part in parts:
        part.seal = new
    SealedRows.objects.bulk_create(parts)
    logger.info("Seal %s over %s rows: %s", new.number, new.rows, new.digest)
    return new


def digest_of(seal: Seal, parts) -> str:
    """What a segment hashes to: all that it says, and the digest of the one before."""
    said = [
        [
            part.table_name,
            part.guard,
            part.columns,
            _sha(bytes(part.ids)),
            _sha(bytes(part.hashes)),
            part.digest,
        ]
        for part in sorted(parts, key=lambda part: (part.table_name, part.guard))
    ]
    at = seal.at.astimezone(datetime.UTC).isoformat(timespec="microseconds")
    text = json.dumps(["ledgerline seal 1", seal.number, at, seal.rows, seal.heads, seal.previous, said])
    return _sha(text.encode())


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _lock():
    """The head of the chain. On SQLite a transaction begins as the only writer."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _next_notes() -> list[SealPending]:
    """The oldest notes, of about as many rows as one segment has."""
    notes, n = [], 0
    for note in SealPending.objects.order_by("pk").iterator():
        notes.append(note)
        n += note.ids.count(",") + 1
        if n >= MOST:
            break
    return notes


def unsealed() -> int:
    """How many rows wait for the next seal. One that was noted twice counts twice."""
    commas = Length("ids") - Length(Replace("ids", Value(","), Value("")))
    noted = SealPending.objects.aggregate(n=Sum(commas + 1))["n"] or 0
    if connection.vendor == "postgresql":
        return noted
    return noted + sum(_behind_the_mark(kind).count() for kind in declared() if kind.is_from_birth)


def keys_noted(notes, kinds, most: int | None = None) -> dict[str, set[int]]:
    """The keys to seal by table: those that notes name, and on SQLite so many behind the last sealed one."""
    by_table = defaultdict(set)
    for note in notes:
        by_table[note.table_name].update(map(int, note.ids.split(",")))
    for kind in kinds:
        if connection.vendor == "sqlite" and kind.is_from_birth:
            by_table[kind.table].update(_behind_the_mark(kind)[:most])
    return by_table


def keys_of(kind: guards.Guard, noted) -> set[int]:
    """Of the keys by table that were noted, those of the kind: its own, or of the rows it is sealed with."""
    keys = noted.get(kind.noted_in, set())
    if not keys or not kind.sealed_with:
        return keys
    rows = kind.model._base_manager.filter(**{f"{kind.sealed_with}__in": list(keys)})
    return set(rows.order_by().values_list("pk", flat=True))


def _behind_the_mark(kind):
    """On SQLite, whose writers wait for each other: the keys behind the last one that is sealed, in order."""
    parts = SealedRows.objects.filter(table_name=kind.table, guard=kind.name).order_by("-seal__number")
    last_id = Func("ids", Value(-WIDTH), function="SUBSTR", output_field=BinaryField())
    last = parts.values_list(last_id, flat=True).first()
    mark = unpacked(last)[0] if last else 0
    return kind.model._base_manager.filter(pk__gt=mark).order_by("pk").values_list("pk", flat=True)


def _hashed(kind, keys) -> SealedRows | None:
    """The unsaved part of a segment for the rows among these keys that are held now."""
    if not keys:
        return None
    with _rows(kind.table, kind.sealed_columns, keys, kind.when) as (cursor, sql, keys):
        if connection.vendor == "postgresql":
            cursor.execute(
                f"""SELECT string_agg(int8send(key), '' ORDER BY key),
                string_agg(substring(said FOR {WIDTH}), '' ORDER BY key),
                encode(sha256(string_agg(said, '' ORDER BY key)), 'hex') FROM ({sql}) AS rows""",
                [keys],
            )
            ids, hashes, digest = cursor.fetchone()
        else:
            cursor.execute(sql, [keys])
            rows = [(key, hashlib.sha256(said.encode()).digest()) for key, said in cursor.fetchall()]
            ids, hashes = packed(key for key, _ in rows), b"".join(said[:WIDTH] for _, said in rows)
            digest = digest_of_rows(said for _, said in rows)
    if not ids:
        return None
    columns = " ".join(kind.sealed_columns)
    return SealedRows(
        table_name=kind.table, guard=kind.name, columns=columns, ids=ids, hashes=hashes, digest=digest
    )


def digest_of_rows(hashes) -> str:
    """One digest over the full hashes of rows, in the order of their keys."""
    return _sha(b"".join(hashes))


def row_hashes(table: str, columns, keys, *, when: str = "1 = 1") -> dict[int, bytes]:
    """SHA-256 of each row of a table among the keys for which `when` holds, by key."""
    with _rows(table, columns, keys, when) as (cursor, sql, keys):
        cursor.execute(sql, [keys])
        if connection.vendor == "postgresql":
            return {key: bytes(said) for key, said in cursor.fetchall()}
        return {key: hashlib.sha256(said.encode()).digest() for key, said in cursor.fetchall()}


@contextmanager
def _rows(table, columns, keys, when):
    """A cursor, the SQL for key and hash of each row (on SQLite its text), and the one parameter of that."""
    key, names = columns[0], [f'old."{column}"' for column in columns]
    when = when.replace("OLD.", "old.").replace("%", "%%")
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # How a value is written must not depend on who asks.
            for setting in ("timezone = 'UTC'", "datestyle = 'ISO'", "bytea_output = 'hex'"):
                cursor.execute(f"SET LOCAL {setting}")
            said = f"sha256(convert_to(ROW({', '.join(names)})::text, 'UTF8'))"
            among = f'JOIN unnest(%s::bigint[]) AS chosen(key) ON chosen.key = old."{key}"'
            keys = "{" + ",".join(map(str, keys)) + "}"
        else:
            said = " || ',' || ".join(f"quote({name})" for name in names)
            among = f'JOIN json_each(%s) AS chosen ON chosen.value = old."{key}"'
            keys = json.dumps(list(keys))
        yield (
            cursor,
            f'SELECT old."{key}" AS key, {said} AS said FROM "{table}" old {among} WHERE {when} ORDER BY 1',
            keys,
        )


def packed(keys) -> bytes:
    return b"".join(key.to_bytes(WIDTH) for key in keys)


def unpacked(data) -> list[int]:
    data = bytes(data)
    return [int.from_bytes(data[at : at + WIDTH]) for at in range(0, len(data), WIDTH)]


def in_words(seal: Seal) -> str:
    """A seal as it is kept elsewhere, in a mail, a log or on paper."""
    return (
        f"Ledgerline seal\nNumber: {seal.number}\nSealed at: {seal.at:%Y-%m-%d %H:%M:%S} UTC\n"
        f"Rows: {seal.rows}\nDigest: {seal.digest}\n"
    )


def read(text: str) -> tuple[int, str]:
    """Number and digest of a seal as `in_words` wrote it; ValueError where the text holds none."""
    number, digest = re.search(r"Number: (\d+)", text), re.search(r"Digest: ([0-9a-f]{64})", text)
    if not number or not digest:
        raise ValueError("This file holds no seal: the lines “Number: …” and “Digest: …” are missing.")
    return int(number[1]), digest[1]
