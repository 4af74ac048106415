"""Seals: one chain of hashes over every row that may not change any more, whatever its table (PST-7).

Triggers note each row that a guard begins to hold (`guards.Note`). Every few minutes `seal` hashes what is
noted into a segment: the ids, eight bytes of each row's hash so that a changed one can be named, a digest of
the full hashes, the digest of the segment before, and the heads of other chains. Whoever owns the database
can hash all of it anew; a digest that was kept elsewhere shows that.
"""

import datetime
import functools
import hashlib
import json
import logging
import re
from collections import defaultdict
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass

from django.apps import apps
from django.db import connection
from django.utils import timezone

from invoicing_site import guards, transaction
from invoicing_site.models import Seal, SealedRows, SealPending

logger = logging.getLogger(__name__)

MOST = 100_000  # rows of one segment, more or less: what one transaction hashes and writes
_LOCK = 0x5EA1  # the head of the chain; PostgreSQL knows it by number
WIDTH = 8

# What else a segment vouches for: a name, and what gives that chain's heads.
_heads: dict[str, Callable[[], dict[str, str]]] = {}
_audited: list["Kind"] = []


def witness(name: str, heads: Callable[[], dict[str, str]]):
    """Have every segment keep the heads of another chain, by a name and a function that reads them."""
    _heads[name] = heads


def audited(model, columns, *, when: str, sealed_with: str):
    """Seal columns that may change, but not without an audit event that has the new value.

    `when` and `sealed_with` are those of `guards.frozen`.
    """
    key = model._meta.pk.column
    _audited.append(
        Kind(model._meta.db_table, "audited", (key, *columns), when, sealed_with, is_audited=True)
    )


@dataclass(frozen=True)
class Kind:
    """The columns that one guard holds, and when: what is hashed of a row."""

    table: str
    guard: str
    columns: tuple[str, ...]
    when: str
    sealed_with: str
    is_from_birth: bool = False
    is_audited: bool = False

    @property
    def model(self):
        return _models()[self.table]

    @property
    def with_table(self) -> str:
        """The table of the row that this one is sealed with."""
        model = self.model
        for step in self.sealed_with.split("__"):
            model = model._meta.get_field(step).related_model
        return model._meta.db_table


def kinds() -> list[Kind]:
    """All that is sealed, in the order in which it is declared."""
    found = []
    for guard in guards.declared():
        key = guard.model._meta.pk.column
        columns = key, *(name for name in guard.columns if name != key)
        found.append(
            Kind(guard.table, guard.name, columns, guard.when, guard.sealed_with, guard.is_from_birth)
        )
    return found + _audited


@functools.cache
def _models():
    return {model._meta.db_table: model for model in apps.get_models(include_auto_created=True)}


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
    pending, taken = _noted()
    parts = [part for kind in kinds() if (part := _hashed(kind, pending.get((kind.table, kind.guard), ())))]
    SealPending.objects.filter(pk__in=taken).delete()
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


def _noted():
    """The keys to seal now, by table and guard, and the notes that name them."""
    by_table, taken, n = defaultdict(set), [], 0
    for note in SealPending.objects.order_by("pk").iterator():
        ids = [int(key) for key in note.ids.split(",")]
        by_table[note.table_name].update(ids)
        taken.append(note.pk)
        n += len(ids)
        if n >= MOST:
            break
    for kind in kinds():
        if connection.vendor == "sqlite" and kind.is_from_birth:
            by_table[kind.table].update(behind_the_mark(kind)[:MOST])
    return {(kind.table, kind.guard): keys_of(kind, by_table) for kind in kinds()}, taken


def keys_of(kind: Kind, by_table) -> set[int]:
    """Of the keys by table that were noted, those of the kind: its own, or of the rows it is sealed with."""
    if not kind.sealed_with:
        return by_table.get(kind.table, set())
    keys = by_table.get(kind.with_table)
    if not keys:
        return set()
    rows = kind.model._base_manager.filter(**{f"{kind.sealed_with}__in": list(keys)})
    return set(rows.order_by().values_list("pk", flat=True))


def behind_the_mark(kind: Kind):
    """On SQLite, whose writers wait for each other: the keys behind the last one that is sealed, in order."""
    parts = SealedRows.objects.filter(table_name=kind.table, guard=kind.guard)
    last = parts.order_by("-seal__number").first()
    mark = unpacked(last.ids)[-1] if last else 0
    return kind.model._base_manager.filter(pk__gt=mark).order_by("pk").values_list("pk", flat=True)


def _hashed(kind, keys) -> SealedRows | None:
    """The unsaved part of a segment for the rows among these keys that are held now."""
    if not keys:
        return None
    with _rows(kind.table, kind.columns, keys, kind.when) as (cursor, sql, keys):
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
            digest = _sha(b"".join(said for _, said in rows))
    if not ids:
        return None
    columns = " ".join(kind.columns)
    return SealedRows(
        table_name=kind.table, guard=kind.guard, columns=columns, ids=ids, hashes=hashes, digest=digest
    )


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
