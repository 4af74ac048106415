"""Triggers that refuse changes of final rows, on both databases, independent of the operations.

Models declare their guards at the bottom of models.py. `post_migrate` installs them; `missing()` lists the
inactive ones for `verify_ledger`. A refused statement raises an `IntegrityError` that begins "<table> rows
are never changed".
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connections, transaction

_PREFIX = "guard_"
_LONGEST = 60  # PostgreSQL cuts names after 63 bytes; a suffix is added.
_ALWAYS = "1 = 1"
PENDING = "invoicing_site_sealpending"
_STAMP = "'%Y-%m-%d %H:%M:%f'"  # the format in which Django stores a moment on SQLite


@dataclass(frozen=True)
class Guard:
    """Rows that can't be deleted, and whose named columns can't change, while `when` is true."""

    model: type
    name: str
    when: str
    fields: tuple[str, ...] | None
    except_: tuple[str, ...]
    because: str
    sealed_with: str = ""
    unguarded: str = ""
    is_sealed: bool = True

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def is_from_birth(self) -> bool:
        """Whether rows are guarded as soon as they are inserted."""
        return self.when == _ALWAYS

    @property
    def noted_in(self) -> str:
        """The table whose notes list the rows to be sealed: its own, or the one it is sealed with."""
        model = self.model
        for step in filter(None, self.sealed_with.split("__")):
            model = model._meta.get_field(step).related_model
        return model._meta.db_table

    @property
    def is_sealed_with_many(self) -> bool:
        """Whether a row is noted again with each row that refers to it, and so more than once."""
        model, many = self.model, False
        for step in filter(None, self.sealed_with.split("__")):
            field = model._meta.get_field(step)
            many, model = many or field.one_to_many, field.related_model
        return many

    @property
    def sealed_columns(self) -> tuple[str, ...]:
        """The key and the guarded columns."""
        key = self.model._meta.pk.column
        return key, *(name for name in self.columns if name != key)

    @property
    def trigger(self) -> str:
        return _short(f"{_PREFIX}{self.table}_{self.name}")

    @property
    def columns(self) -> list[str]:
        meta = self.model._meta
        chosen = {meta.get_field(name) for name in self.fields} if self.fields else set(meta.concrete_fields)
        chosen -= {meta.get_field(name) for name in self.except_}
        return [field.column for field in meta.concrete_fields if field in chosen and not field.generated]

    @property
    def message(self) -> str:
        return f"{self.table} rows are never changed: {self.because}".replace("'", "''")

    def changes(self, operator: str) -> str:
        return " OR ".join(f'OLD."{column}" {operator} NEW."{column}"' for column in self.columns)

    def sqlite(self) -> dict[str, str]:
        refuse = f"BEGIN SELECT RAISE(ABORT, '{self.message}'); END"
        update, delete = f"{self.trigger}_u", f"{self.trigger}_d"
        return {
            update: f'CREATE TRIGGER "{update}" BEFORE UPDATE ON "{self.table}" '
            f"WHEN ({self.when}) AND ({self.changes('IS NOT')}) {refuse}",
            delete: f'CREATE TRIGGER "{delete}" BEFORE DELETE ON "{self.table}" WHEN ({self.when}) {refuse}',
        }

    def postgresql(self) -> dict[str, tuple[str, str]]:
        # Name the columns in the function and not in WHEN or UPDATE OF, which would prevent dropping them.
        refuse = f"RAISE EXCEPTION USING ERRCODE = 'restrict_violation', MESSAGE = '{self.message}';"
        function = f"""
            CREATE OR REPLACE FUNCTION "{self.trigger}"() RETURNS trigger LANGUAGE plpgsql AS $guard$
            BEGIN
                IF TG_OP = 'UPDATE' THEN
                    IF ({self.when}) AND ({self.changes("IS DISTINCT FROM")}) THEN {refuse} END IF;
                    RETURN NEW;
                ELSIF TG_OP = 'DELETE' THEN
                    IF ({self.when}) THEN {refuse} END IF;
                    RETURN OLD;
                END IF;
                {refuse}
            END $guard$;"""
        row, whole = self.trigger, f"{self.trigger}_t"
        return {
            row: (
                f'{function} CREATE TRIGGER "{row}" BEFORE UPDATE OR DELETE ON "{self.table}" '
                f'FOR EACH ROW EXECUTE FUNCTION "{self.trigger}"()',
                f'DROP TRIGGER IF EXISTS "{row}" ON "{self.table}"',
            ),
            whole: (
                f'{function} CREATE TRIGGER "{whole}" BEFORE TRUNCATE ON "{self.table}" '
                f'FOR EACH STATEMENT EXECUTE FUNCTION "{self.trigger}"()',
                f'DROP TRIGGER IF EXISTS "{whole}" ON "{self.table}"',
            ),
        }


@dataclass(frozen=True)
class Note:
    """Triggers that note rows for the next seal as soon as they are guarded (see seals.py).

    SQLite has one writer at a time, so rows that are guarded from their insert have ids in the order of their
    commits. There a note has only the first id, and the next note is written ten minutes later at the
    earliest.
    """

    guard: Guard

    @property
    def table(self) -> str:
        return self.guard.table

    @property
    def trigger(self) -> str:
        return _short(f"{_PREFIX}{self.table}_{self.guard.name}_note")

    def _holds(self, row: str) -> str:
        return "(" + self.guard.when.replace("OLD.", f"{row}.") + ")"

    def sqlite(self) -> dict[str, str]:
        note = (
            f"BEGIN INSERT INTO {PENDING} (table_name, guard, ids, noted_at) "
            f"VALUES ('{self.table}', '', {{ids}}, strftime({_STAMP}, 'now')); END"
        )
        insert, update = f"{self.trigger}_i", f"{self.trigger}_u"
        if self.guard.is_from_birth:
            lately = (
                f"SELECT 1 FROM {PENDING} WHERE table_name = '{self.table}' "
                f"AND noted_at > strftime({_STAMP}, 'now', '-10 minutes')"
            )
            return {
                insert: f'CREATE TRIGGER "{insert}" AFTER INSERT ON "{self.table}" '
                f"WHEN NOT EXISTS ({lately}) " + note.format(ids="NEW.id || '-'")
            }
        begins = f"{self._holds('NEW')} AND NOT {self._holds('OLD')}"
        note = note.format(ids="NEW.id")
        return {
            insert: f'CREATE TRIGGER "{insert}" AFTER INSERT ON "{self.table}" '
            f"WHEN {self._holds('NEW')} {note}",
            update: f'CREATE TRIGGER "{update}" AFTER UPDATE ON "{self.table}" WHEN {begins} {note}',
        }

    def postgresql(self) -> dict[str, tuple[str, str]]:
        insert, update = f"{self.trigger}_i", f"{self.trigger}_u"
        triggers = {insert: self._statement(insert, "INSERT", "new_rows n", self._holds("n"))}
        if not self.guard.is_from_birth:
            rows = "new_rows n JOIN old_rows o ON o.id = n.id"
            begins = f"{self._holds('n')} AND NOT {self._holds('o')}"
            triggers[update] = self._statement(update, "UPDATE", rows, begins)
        return triggers

    def _statement(self, name, event, rows, condition):
        old = "OLD TABLE AS old_rows " if event == "UPDATE" else ""
        return (
            f"""
            CREATE OR REPLACE FUNCTION "{name}"() RETURNS trigger LANGUAGE plpgsql AS $note$
            BEGIN
                INSERT INTO {PENDING} (table_name, guard, ids, noted_at)
                SELECT '{self.table}', '', string_agg(n.id::text, ','), now() FROM {rows} WHERE {condition}
                HAVING count(*) > 0;
                RETURN NULL;
            END $note$;
            CREATE TRIGGER "{name}" AFTER {event} ON "{self.table}"
            REFERENCING {old}NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION "{name}"()""",
            f'DROP TRIGGER IF EXISTS "{name}" ON "{self.table}"',
        )


@dataclass(frozen=True)
class Fixed:
    """Columns that never change; rows can be deleted, and are not sealed."""

    model: type
    fields: tuple[str, ...]

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def trigger(self) -> str:
        return _short(f"{_PREFIX}{self.table}_fixed")

    def _body(self, operator: str) -> tuple[str, str]:
        columns = [self.model._meta.get_field(name).column for name in self.fields]
        changes = " OR ".join(f'OLD."{column}" {operator} NEW."{column}"' for column in columns)
        return changes, f"{self.table} rows are never changed: the row that waits is the key."

    def sqlite(self) -> dict[str, str]:
        changes, message = self._body("IS NOT")
        return {
            self.trigger: f'CREATE TRIGGER "{self.trigger}" BEFORE UPDATE ON "{self.table}" '
            f"WHEN {changes} BEGIN SELECT RAISE(ABORT, '{message}'); END"
        }

    def postgresql(self) -> dict[str, tuple[str, str]]:
        changes, message = self._body("IS DISTINCT FROM")
        return {
            self.trigger: (
                f"""
            CREATE OR REPLACE FUNCTION "{self.trigger}"() RETURNS trigger LANGUAGE plpgsql AS $guard$
            BEGIN
                IF {changes} THEN
                    RAISE EXCEPTION USING ERRCODE = 'restrict_violation', MESSAGE = '{message}';
                END IF;
                RETURN NEW;
            END $guard$;
            CREATE TRIGGER "{self.trigger}" BEFORE UPDATE ON "{self.table}"
            FOR EACH ROW EXECUTE FUNCTION "{self.trigger}"()""",
                f'DROP TRIGGER IF EXISTS "{self.trigger}" ON "{self.table}"',
            )
        }


@dataclass(frozen=True)
class PostgresTrigger:
    """A trigger with its own SQL; its name is that of the trigger."""

    model: type
    trigger: str
    create_sql: str
    drop_sql: str

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    def sqlite(self) -> dict[str, str]:
        return {}

    def postgresql(self) -> dict[str, tuple[str, str]]:
        return {self.trigger: (self.create_sql, self.drop_sql)}


_declared: dict[tuple[str, str], Guard | Note | Fixed | PostgresTrigger] = {}


def insert_only(model, *, because: str = "a new row says what is different.", is_sealed: bool = True):
    """Rows of the model can only be inserted: updates that change a column and deletes are refused."""
    _declare(Guard(model, "insert_only", _ALWAYS, None, (), because, is_sealed=is_sealed))


def frozen(
    model,
    when: str,
    columns: Iterable[str] | None = None,
    except_: Iterable[str] = (),
    *,
    name: str = "frozen",
    because: str = "what is settled stays as it was.",
    sealed_with: str = "",
    unguarded: str = "",
    is_sealed: bool = True,
):
    """Rows for which `when` is true can't be deleted, and their columns can't change.

    These are all columns, or the named ones, or all but `except_`. `when` is SQL over OLD that SQLite and
    PostgreSQL both understand, such as "OLD.status = 'posted'". Columns are given by field name. A second
    guard on the same model needs a `name`. If `when` reads another table, `sealed_with` is the path to that
    table's row, with which this one is sealed. `unguarded` is for rows that can become unguarded: SQL that
    counts how often that happened to OLD, from rows that are sealed themselves.
    """
    if ("EXISTS" in when) != bool(sealed_with):
        raise ValueError("A condition on another row needs sealed_with.")
    fields = None if columns is None else tuple(columns)
    _declare(Guard(model, name, when, fields, tuple(except_), because, sealed_with, unguarded, is_sealed))


def fixed(model, *fields: str):
    """These columns never change; the rows may be deleted."""
    _declare(Fixed(model, fields))


def postgres_only(name: str, model, create_sql: str, drop_sql: str = ""):
    """A trigger `name` for PostgreSQL only; it must be possible to run `drop_sql` twice."""
    if not name.startswith(_PREFIX) or len(name) > _LONGEST:
        raise ValueError(f"The name of a guard begins with {_PREFIX} and has at most {_LONGEST} letters.")
    drop_sql = drop_sql or f'DROP TRIGGER IF EXISTS "{name}" ON "{model._meta.db_table}"'
    _declare(PostgresTrigger(model, name, create_sql, drop_sql))


def notes() -> list[Note]:
    """The triggers that note rows for the next seal."""
    return [note for note in _declared.values() if isinstance(note, Note)]


def _declare(guard):
    if isinstance(guard, Guard) and not guard.columns:
        raise ValueError(f"{guard.trigger} guards no column.")
    key = guard.table, guard.trigger
    if key in _declared:
        raise ValueError(f"{guard.trigger} is declared twice.")
    _declared[key] = guard
    if isinstance(guard, Guard) and guard.is_sealed and not guard.sealed_with:
        note = Note(guard)
        _declared[note.table, note.trigger] = note


def declared() -> list[Guard]:
    """The guards, in the order of declaration: each has a model, columns, and a condition."""
    return [guard for guard in _declared.values() if isinstance(guard, Guard)]


def install(connection):
    """Install every declared guard and remove all others; does nothing if they are up to date."""
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        dialect = _dialect(connection)
        wanted, present = dialect.wanted(_tables(connection, cursor)), dialect.present(cursor)
        for key in present.keys() - wanted.keys():
            dialect.remove(cursor, key)
        late = {key: sql for key, sql in wanted.items() if not dialect.agrees(present.get(key), sql)}
        if late:
            dialect.create(cursor, late)


def drop(connection):
    """Remove every guard, to flush the test database; `install` creates them again."""
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        dialect = _dialect(connection)
        for key in dialect.present(cursor):
            dialect.remove(cursor, key)


def missing(connection) -> list[str]:
    """A sentence for each declared guard that is missing, switched off or different from its declaration."""
    dialect = _dialect(connection)
    with connection.cursor() as cursor:
        wanted, present = dialect.wanted(None), dialect.present(cursor)
        found = dialect.problems(cursor)
    for (table, name), declaration in wanted.items():
        if (table, name) not in present:
            found.append(f"The guard {name} on {table} is missing.")
        elif not dialect.agrees(present[table, name], declaration):
            found.append(f"The guard {name} on {table} is switched off or differs from its declaration.")
    return found


def install_after_migrate(sender, using, **kwargs):
    """Receiver of `post_migrate`: a migration that recreates a SQLite table drops its triggers."""
    install(connections[using])


def drop_before_migrate(sender, using, plan=(), **kwargs):
    """Receiver of `pre_migrate`: drop triggers, because SQLite can't change a column that a trigger uses."""
    if plan and connections[using].vendor == "sqlite":
        drop(connections[using])


def _tables(connection, cursor) -> set[str]:
    return set(connection.introspection.table_names(cursor))


def _dialect(connection):
    return _PostgreSQL if connection.vendor == "postgresql" else _SQLite


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 9]}_{_hash(name)[:8]}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class _SQLite:
    """Stores the text of a trigger, which is compared."""

    @staticmethod
    def wanted(tables):
        return {
            (guard.table, name): sql
            for guard in _declared.values()
            if tables is None or guard.table in tables
            for name, sql in guard.sqlite().items()
        }

    @staticmethod
    def present(cursor):
        cursor.execute("SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger'")
        return {(table, name): sql for table, name, sql in cursor.fetchall() if name.startswith(_PREFIX)}

    @staticmethod
    def agrees(found, declaration):
        return found == declaration

    @staticmethod
    def create(cursor, declarations):
        for key, declaration in declarations.items():
            _SQLite.remove(cursor, key)
            cursor.execute(declaration)

    @staticmethod
    def remove(cursor, key):
        cursor.execute(f'DROP TRIGGER IF EXISTS "{key[1]}"')

    @staticmethod
    def problems(cursor):
        cursor.execute("PRAGMA recursive_triggers")
        if cursor.fetchone()[0]:
            return []
        return ["PRAGMA recursive_triggers is off: INSERT OR REPLACE could bypass the guards."]


class _PostgreSQL:
    """Stores a parsed trigger and its function; its comment has a hash of both and of the declaration."""

    @staticmethod
    def wanted(tables):
        return {
            (guard.table, name): sqls
            for guard in _declared.values()
            if tables is None or guard.table in tables
            for name, sqls in guard.postgresql().items()
        }

    @staticmethod
    def present(cursor):
        cursor.execute(
            """
            SELECT relname, tgname, tgenabled,
                   obj_description(t.oid, 'pg_trigger'), pg_get_triggerdef(t.oid), prosrc
            FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid JOIN pg_proc p ON p.oid = tgfoid
            WHERE NOT tgisinternal AND starts_with(tgname, %s) AND pg_table_is_visible(c.oid)
            """,
            [_PREFIX],
        )
        return {(table, name): rest for table, name, *rest in cursor.fetchall()}

    @staticmethod
    def agrees(found, declaration):
        if found is None:
            return False
        enabled, comment, definition, body = found
        return enabled in "OA" and comment == _PostgreSQL.seal(declaration, definition, body)

    @staticmethod
    def problems(cursor):
        return []

    @staticmethod
    def seal(declaration, definition, body):
        return "Ledgerline guard " + _hash("\n".join([*declaration, definition, body]))

    @staticmethod
    def create(cursor, declarations):
        for create_sql, drop_sql in declarations.values():
            cursor.execute(drop_sql)
            cursor.execute(create_sql)
        present = _PostgreSQL.present(cursor)
        for (table, name), declaration in declarations.items():
            _, _, definition, body = present[table, name]
            seal = _PostgreSQL.seal(declaration, definition, body)
            cursor.execute(f"""COMMENT ON TRIGGER "{name}" ON "{table}" IS '{seal}'""")

    @staticmethod
    def remove(cursor, key):
        table, name = key
        cursor.execute(f'DROP TRIGGER IF EXISTS "{name}" ON "{table}"')
