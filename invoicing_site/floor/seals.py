"""Seals: one chain of hashes over all rows that may no longer change, in all tables (PST-7).

Triggers note each row as soon as it is guarded (`guards.Note`). Every few minutes, `seal` hashes the noted
rows into a segment: the ids, eight bytes of each row's hash so that a changed row can be named, a digest of
the full hashes, the digest of the previous segment, and the heads of other chains. An owner of the database
could hash all of it again; a digest that was kept elsewhere reveals that.
"""

import datetime
import hashlib
import json
import logging
import re
import sys
from array import array
from collections import defaultdict
from collections.abc import Callable
from contextlib import contextmanager
from itertools import count

from django.db import connection
from django.db.models import Sum, Value
from django.db.models.functions import Length, Replace
from django.utils import timezone

from invoicing_site.floor import guards, transaction
from invoicing_site.floor.querysets import in_chunks
from invoicing_site.models import Seal, SealedRows, SealPending

logger = logging.getLogger(__name__)

# The number of noted rows in one segment, which is one transaction. On SQLite no other transaction can write
# meanwhile.
MOST = 100_000 if connection.vendor == "postgresql" else 20_000
_LOCK = 0x5EA1  # the key of the advisory lock for the head of the chain
WIDTH = 8
_CHUNK = 5_000
_LARGEST = 2**63 - 1

_AUDITED = "audited"

# Other chains in a segment: a name, a function that reads their heads, and one that finds a lost head.
_heads: dict[str, tuple[Callable[[], dict[str, str]], Callable[[str, str], str | None]]] = {}
_unguarded: list[guards.Guard] = []


def include_chain(name: str, heads: Callable[[], dict[str, str]], lost: Callable[[str, str], str | None]):
    """Include the heads of another chain in every segment, with a name and a function that reads them.

    `lost` takes the key and the value of a stored head. It returns None if the chain still contains the head,
    otherwise the reference of the changed row.
    """
    _heads[name] = heads, lost


def lost_heads(seal: Seal) -> list[tuple[str, str]]:
    """The heads in a seal that are no longer in their chains: the key, and the reference of the row."""
    return [
        (key, row)
        for name, (_, lost) in sorted(_heads.items())
        for key, head in sorted(seal.heads.get(name, {}).items())
        if (row := lost(key, head)) is not None
    ]


def also(model, columns, *, name: str, when: str, sealed_with: str = "", unguarded: str = ""):
    """Seal columns that no trigger guards; the arguments are those of `guards.frozen`.

    The rows are noted with those of a guard that has the same `when`.
    """
    _unguarded.append(guards.Guard(model, name, when, tuple(columns), (), "", sealed_with, unguarded))


def audited(model, column: str, *, when: str, sealed_with: str):
    """Seal a column that may change only with an audit event that has the new value."""
    also(model, [column], name=_AUDITED, when=when, sealed_with=sealed_with)


def is_audited(guard: guards.Guard) -> bool:
    return guard.name == _AUDITED


def declared() -> list[guards.Guard]:
    """Everything that is sealed: guarded columns, and columns that are only sealed."""
    return [guard for guard in guards.declared() if guard.is_sealed] + _unguarded


def seal_all() -> list[Seal]:
    """Seal all noted rows, segment by segment, each in one transaction."""
    made, is_more = [], True
    while is_more:
        one, is_more = _seal_next()
        made += filter(None, [one])
    return made


def seal() -> Seal | None:
    """Seal the next noted and committed rows, or return None if none of them is guarded."""
    return _seal_next()[0]


@transaction.atomic
def _seal_next() -> tuple[Seal | None, bool]:
    """Make one segment; also whether it was full, so that there may be more to seal.

    The head is locked first, so two calls at the same time run one after the other. The notes of the sealed
    rows are deleted in the same transaction, so a killed task leaves neither a gap nor an overlap.
    """
    _lock()
    notes, rest = _next_notes()
    noted, left = keys_noted(notes, MOST)
    is_full = bool(rest or left) or sum(map(len, noted.values())) >= MOST
    parts = [part for kind in declared() if (part := _hashed(kind, _keys_to_seal(kind, noted)))]
    _forget(notes, rest, left)
    if not parts:
        return None, is_full
    last = Seal.objects.first()
    new = Seal(
        number=last.number + 1 if last else 1,
        at=timezone.now(),
        rows=sum(len(part.ids) // WIDTH for part in parts),
        heads={name: heads() for name, (heads, _) in sorted(_heads.items())},
        previous=last.digest if last else "",
    )
    new.digest = digest_of(new, parts)
    new.save(force_insert=True)
    for part in parts:
        part.seal = new
    SealedRows.objects.bulk_create(parts)
    # After the commit, because the log must not name a seal that was rolled back.
    said = (new.number, new.rows, new.digest)
    transaction.on_commit(lambda: logger.info("Seal %s over %s rows: %s", *said))
    return new, is_full


def digest_of(seal: Seal, parts) -> str:
    """The hash of a segment: its content and the digest of the previous one."""
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
    all_said = ["ledgerline seal 1", seal.number, at, seal.rows, seal.heads, seal.previous, said]
    return _sha(json.dumps(all_said, sort_keys=True).encode())


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _lock():
    """Lock the head of the chain. On SQLite, a transaction is the only writer anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _next_notes() -> tuple[list[SealPending], str]:
    """The oldest notes for the rows of one segment, and the surplus ids of the last one."""
    notes, n = [], 0
    for note in SealPending.objects.order_by("pk").iterator(chunk_size=_CHUNK):
        notes.append(note)
        n += note.ids.count(",") + 1
        if n >= MOST:
            break
    if n <= MOST:
        return notes, ""
    ids = notes[-1].ids.split(",")
    notes[-1].ids = ",".join(ids[: MOST - n])
    return notes, ",".join(ids[MOST - n :])


def keys_noted(notes, most: int | None = None):
    """The keys that notes name, by table and guard, and by table the first id that exceeds `most` rows."""
    keys, begin, left = defaultdict(set), {}, {}
    for note in notes:
        if first := first_id(note):
            begin[note.table_name] = min(first, begin.get(note.table_name, first))
        else:
            keys[note.table_name, note.guard].update(noted_ids(note))
    room = None if most is None else most - sum(map(len, keys.values()))
    models = {kind.table: kind.model for kind in declared()}
    for table, first in begin.items():
        if table not in models:
            continue
        rows = models[table]._base_manager.filter(pk__gte=first).order_by("pk").values_list("pk", flat=True)
        new = list(rows if room is None else rows[: max(room, 0) + 1])
        if room is not None:
            if len(new) > max(room, 0):
                left[table] = new.pop()
            room -= len(new)
        keys[table, ""].update(new)
    return keys, left


def noted_ids(note) -> list[int]:
    """The ids in a note; other text is ignored, because anybody could have written it."""
    ids = (int(each) for each in note.ids.split(",") if re.fullmatch(r"-?\d{1,19}", each))
    return [key for key in ids if abs(key) <= _LARGEST]


def first_id(note) -> int | None:
    """The first id in a note of SQLite, which means this row and all later ones."""
    found = re.fullmatch(r"(\d{1,18})-", note.ids)
    return int(found[1]) if found else None


def keys_of(kind: guards.Guard, noted) -> set[int]:
    """The keys from `keys_noted` for a kind: its own, and those of the rows that it is sealed with."""
    found = set(noted.get((kind.table, ""), ())).union(noted.get((kind.table, kind.name), ()))
    if kind.sealed_with:
        for chunk in in_chunks(sorted(noted.get((kind.noted_in, ""), ())), _CHUNK):
            rows = kind.model._base_manager.filter(**{f"{kind.sealed_with}__in": chunk})
            found.update(rows.order_by().values_list("pk", flat=True).distinct())
    return found


def _keys_to_seal(kind, noted):
    keys = keys_of(kind, noted)
    if not keys or not kind.is_sealed_with_many:
        return keys
    # Such a row is noted with each row that refers to it, but sealed only once while it is unchanged.
    names, known = " ".join(kind.sealed_columns), {}
    for part in parts_of(kind).iterator(chunk_size=1):
        known.update((key, (part.columns, short)) for key, short in rows_of(part))
    hashes = row_hashes(kind.table, kind.sealed_columns, keys, when=kind.when)
    return {key for key, full in hashes.items() if known.get(key) != (names, full[:WIDTH])}


def unsealed() -> int:
    """The number of rows that wait for the next seal. A row that was noted twice counts twice."""
    commas = Length("ids") - Length(Replace("ids", Value(","), Value("")))
    n = SealPending.objects.exclude(ids__endswith="-").aggregate(n=Sum(commas + 1))["n"] or 0
    begin = {}
    for note in SealPending.objects.filter(ids__endswith="-").order_by("-pk"):
        begin[note.table_name] = first_id(note)
    models = {kind.table: kind.model for kind in declared()}
    return n + sum(
        models[table]._base_manager.filter(pk__gte=first).count()
        for table, first in begin.items()
        if table in models and first
    )


def note_before_migrate(sender, using, plan=(), **kwargs):
    """Receiver of `pre_migrate`: note the rows that a migration inserts on SQLite.

    Before a migration the triggers are dropped there, so they note nothing.
    """
    if not plan or connection.vendor != "sqlite" or not _is_there():
        return
    kinds = {kind.table: kind for kind in declared() if kind.is_from_birth}
    begun = {note.table_name for note in SealPending.objects.all() if first_id(note)}
    with connection.cursor() as cursor:
        for table in sorted(kinds.keys() & set(connection.introspection.table_names(cursor)) - begun):
            cursor.execute(f'SELECT coalesce(max("{kinds[table].sealed_columns[0]}"), 0) + 1 FROM "{table}"')
            _note(table, f"{cursor.fetchone()[0]}-")


def note_after_migrate(sender, using, **kwargs):
    """Receiver of `post_migrate`: have rows sealed again, with the columns that they have now.

    Seals from before the migration can't be compared for a column that it removed, and contain no column that
    it added.
    """
    if not _is_there():
        return
    for kind in declared():
        names = " ".join(kind.sealed_columns)
        newest = parts_of(kind).order_by("-seal_id").values_list("columns", flat=True).first()
        if newest in (None, names):
            continue
        notes = SealPending.objects.filter(table_name=kind.table, guard=kind.name)
        done = {key for note in notes for key in noted_ids(note)}
        for part in parts_of(kind).exclude(columns=names).iterator(chunk_size=1):
            keys = [key for key in unpacked(part.ids) if key not in done]
            done.update(keys)
            for chunk in in_chunks(keys, _CHUNK):
                _note(kind.table, ",".join(map(str, chunk)), kind.name)


def _is_there():
    return SealPending._meta.db_table in connection.introspection.table_names()


def _note(table, ids, guard=""):
    SealPending.objects.create(table_name=table, guard=guard, ids=ids, noted_at=timezone.now())


def parts_of(kind):
    """The parts of all seals with rows of a kind, oldest first. Read them one at a time."""
    parts = SealedRows.objects.filter(table_name=kind.table, guard=kind.name)
    return parts.order_by("seal__number").select_related("seal")


def rows_of(part: SealedRows) -> list[tuple[int, bytes]]:
    """The key and the eight bytes of the hash of each row in a part of a seal."""
    short = bytes(part.hashes)
    return [(key, short[at : at + WIDTH]) for key, at in zip(unpacked(part.ids), count(0, WIDTH))]


def _forget(notes, rest, left):
    """Delete the notes of the sealed rows, and keep those of rows that did not fit into the segment."""
    done = [note.pk for note in notes]
    if rest:
        SealPending.objects.filter(pk=done.pop()).update(ids=rest)
    for table, first in left.items():
        note = max((note for note in notes if note.table_name == table and first_id(note)), key=first_id)
        done.remove(note.pk)
        SealPending.objects.filter(pk=note.pk).update(ids=f"{max(first, first_id(note))}-")
    for chunk in in_chunks(done, _CHUNK):
        SealPending.objects.filter(pk__in=chunk).delete()


def _hashed(kind, keys) -> SealedRows | None:
    """The unsaved part of a segment for those of these keys that are guarded now."""
    ids, hashes, digest = _content(kind.table, kind.sealed_columns, keys, kind.when)
    if not ids:
        return None
    columns = " ".join(kind.sealed_columns)
    return SealedRows(
        table_name=kind.table, guard=kind.name, columns=columns, ids=ids, hashes=hashes, digest=digest
    )


def is_unchanged(part: SealedRows) -> bool:
    """Whether all rows of a part of a seal are as they were sealed; the table must have all its columns."""
    ids, hashes = bytes(part.ids), bytes(part.hashes)
    found = _content(part.table_name, part.columns.split(), unpacked(ids))
    return tuple(map(bytes, found[:2])) == (ids, hashes) and found[2] == part.digest


def _content(table, columns, keys, when="1 = 1"):
    """The packed keys and short hashes of the rows for which `when` is true, and the digest of the hashes."""
    if not keys:
        return b"", b"", ""
    with _rows(table, columns, keys, when) as (cursor, sql, keys):
        if connection.vendor == "postgresql":
            cursor.execute(
                f"""SELECT string_agg(int8send(key), '' ORDER BY key),
                string_agg(substring(said FOR {WIDTH}), '' ORDER BY key),
                encode(sha256(string_agg(said, '' ORDER BY key)), 'hex') FROM ({sql}) AS rows""",
                [keys],
            )
            return tuple(value or b"" for value in cursor.fetchone())
        cursor.execute(sql, [keys])
        rows = [(key, hashlib.sha256(said.encode()).digest()) for key, said in cursor.fetchall()]
        ids, hashes = packed(key for key, _ in rows), b"".join(said[:WIDTH] for _, said in rows)
        return ids, hashes, digest_of_rows(said for _, said in rows)


# The text of a value must not depend on the session's settings.
_SETTINGS = ("timezone = 'UTC'", "datestyle = 'ISO'", "intervalstyle = 'postgres'", "bytea_output = 'hex'")


def digest_of_rows(hashes) -> str:
    """One digest over the full hashes of rows, in the order of their keys."""
    return _sha(b"".join(hashes))


def row_hashes(table: str, columns, keys, *, when: str = "1 = 1") -> dict[int, bytes]:
    """The SHA-256 hash of each row with one of the keys for which `when` is true, by key."""
    with _rows(table, columns, keys, when) as (cursor, sql, keys):
        cursor.execute(sql, [keys])
        if connection.vendor == "postgresql":
            return {key: bytes(said) for key, said in cursor.fetchall()}
        return {key: hashlib.sha256(said.encode()).digest() for key, said in cursor.fetchall()}


def hash_of(key: int, text: str) -> bytes:
    """The result of `row_hashes` for a row with this key and one column with this text."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT sha256(convert_to(ROW(%s::bigint, %s::text)::text, 'UTF8'))", [key, text])
            return bytes(cursor.fetchone()[0])
    return hashlib.sha256(f"{key},x{text.encode().hex().upper()}".encode()).digest()


def times_unguarded(kind, keys) -> dict[int, int]:
    """How often each of these rows of a kind became unguarded again, by key."""
    found = {}
    for chunk in in_chunks(keys, _CHUNK):
        with _rows(kind.table, kind.sealed_columns[:1], chunk, "1 = 1", kind.unguarded) as (
            cursor,
            sql,
            chosen,
        ):
            cursor.execute(sql, [chosen])
            found.update(cursor.fetchall())
    return found


@contextmanager
def _rows(table, columns, keys, when, said=""):
    """A cursor, the SQL for key and hash of each row (on SQLite the text to hash), and its one parameter.

    `said` is SQL over OLD for a value other than the hash.
    """
    key, names = columns[0], [f'old."{column}"' for column in columns]
    when, said = (sql.replace("OLD.", "old.").replace("%", "%%") for sql in (when, said))
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for setting in _SETTINGS:
                cursor.execute(f"SET LOCAL {setting}")
            full = f"sha256(convert_to(ROW({', '.join(names)})::text, 'UTF8'))"
            among = f'JOIN unnest(%s::bigint[]) AS chosen(key) ON chosen.key = old."{key}"'
            # Without these bounds, a few keys would be found by reading the whole table.
            when = f'old."{key}" BETWEEN {min(keys, default=0)} AND {max(keys, default=0)} AND ({when})'
            keys = "{" + ",".join(map(str, keys)) + "}"
        else:
            # quote() ends a text at a zero byte.
            texts = (f"CASE typeof({n}) WHEN 'text' THEN 'x' || hex({n}) ELSE quote({n}) END" for n in names)
            full = " || ',' || ".join(texts)
            among = f'JOIN json_each(%s) AS chosen ON chosen.value = old."{key}"'
            keys = json.dumps(list(keys))
        said = said or full
        sql = f'SELECT old."{key}" AS key, {said} AS said FROM "{table}" old {among} WHERE {when} ORDER BY 1'
        yield cursor, sql, keys


def packed(keys) -> bytes:
    return b"".join(key.to_bytes(WIDTH, signed=True) for key in keys)


def unpacked(data) -> list[int]:
    keys = array("q", bytes(data)[: len(data) // WIDTH * WIDTH])
    if sys.byteorder == "little":
        keys.byteswap()
    return keys.tolist()


def in_words(seal: Seal) -> str:
    """A seal as text, to keep in a mail, a log or on paper."""
    return (
        f"Ledgerline seal\nNumber: {seal.number}\nSealed at: "
        f"{seal.at.astimezone(datetime.UTC).isoformat(' ', 'seconds')[:19]} UTC\n"
        f"Rows: {seal.rows}\nDigest: {seal.digest}\n"
    )


def read(text: str) -> list[tuple[int, str]]:
    """Number and digest of each seal that `in_words` wrote; ValueError if the text has none."""
    found = re.findall(r"Number: (\d{1,18})\b.*?Digest: ([0-9a-f]{64})\b", text, re.DOTALL)
    if not found:
        raise ValueError("This file contains no seal: the lines “Number: …” and “Digest: …” are missing.")
    return [(int(number), digest) for number, digest in found]
