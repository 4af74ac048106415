"""Writes rows that a function created before from memory, in a fraction of the time.

Most tests begin in the same way: a company, its contract, work, a proposal. A function decorated with
`remembered` creates its rows once. If a later test is in the same state and calls it with the same arguments,
the rows are written from memory and equal objects are returned. A state is identified by the calls that led
to it from the empty database; after any other write the state is unknown, and the functions are called
normally. They are also called normally if a test has replaced something (monkeypatch, settings, the clock),
counts queries, or commits.
"""

import contextlib
import functools
import io
import pickle
import re
import types
from functools import partial
from types import MappingProxyType
from unittest import mock

import time_machine
from django.apps import apps
from django.conf import UserSettingsHolder, settings
from django.db import connection, models, transaction
from django.utils.translation import get_language

from contracts.models import LegalEntity
from invoicing_site.floor import querysets
from invoicing_site.floor.guards import PENDING
from invoicing_site.models import StoredFile, User

_WRITES = re.compile(r'(?:UPDATE|DELETE FROM|INSERT INTO|INSERT OR IGNORE INTO) "?(\w+)')
_CHANGE = re.compile(r"\b(UPDATE|DELETE|INSERT)\b")
_READS = {"BEGIN", "SELECT", "RELEASE", "PRAGMA", "SET", "EXPLAIN", "SHOW", "DECLARE", "FETCH", "CLOSE"}

_HARMLESS = {"default_settings", "_deleted", "DATA"}  # files are not remembered


def remembered(make):
    """Decorate a function that only creates rows, depending only on its arguments and the database.

    Changes of existing rows and of given objects are remembered too. It is called each time if an argument or
    the result can't be pickled, and if it stores files.
    """

    @functools.wraps(make)
    def made(*args, **kwargs):
        return _test.made(make, args, kwargs) if _test else make(*args, **kwargs)

    return made


@contextlib.contextmanager
def following(monkeypatch, *, on_commit: bool):
    """Follow the statements of one test; `on_commit` is True if the test looks at on-commit callbacks."""
    global _test
    _test = _Test(monkeypatch, on_commit)
    copies = mock.patch.object(querysets, "_copy", partial(_test.copies, querysets._copy))
    try:
        with copies, connection.execute_wrapper(_test.executes):
            yield
    finally:
        _test = None


_test = None  # the running test; outside of tests, as in fixtures of a module, functions are called normally


class _State:
    """A known content of the database: the previous state, and the tables that changed since."""

    def __init__(self, before, tables):
        self.before, self.tables = before, tables
        self.pictures = {}  # by function and arguments

    def rows(self, table) -> dict:
        """The rows of a table by key."""
        state = self
        while state is not None:
            if table in state.tables:
                return state.tables[table]
            state = state.before
        return {}


_EMPTY = _State(None, {})


class _Test:
    """The state of a test, if it is a known one."""

    def __init__(self, monkeypatch, on_commit):
        self._monkeypatch, self._on_commit = monkeypatch, on_commit
        self._at, self._has_written = None, False
        self._savepoints = {}
        self._recordings = []  # the tables that the function has written so far; None is an unknown one

    def executes(self, execute, sql, params, many, context):
        """Wraps each statement."""
        word, _, rest = sql.lstrip("( \n").partition(" ")
        if word == "SAVEPOINT":
            self._savepoints[rest] = self._at, self._has_written
        elif word == "ROLLBACK":
            name = rest.removeprefix("TO SAVEPOINT ")
            self._at, self._has_written = self._savepoints.get(name, (None, True))
        elif word not in _READS and not (word == "WITH" and not _CHANGE.search(sql)):
            found = _WRITES.match(sql)
            self._writes(found and found[1])
        return execute(sql, params, many, context)

    def copies(self, copy, model, *rest):
        """Wraps COPY, which `write_rows` runs without Django's cursor."""
        self._writes(model._meta.db_table)
        copy(model, *rest)

    def _writes(self, table):
        self._at, self._has_written = None, True
        self._note({table} - {"sqlite_sequence"})

    def replaced(self):
        """The things that the test has replaced; raises _Unfit if they may differ between tests."""
        if (
            self._monkeypatch._setitem
            or len(time_machine.traveller_stack) > 1
            or connection.force_debug_cursor
        ):
            raise _Unfit
        holder = settings._wrapped
        while isinstance(holder, UserSettingsHolder):
            if not vars(holder).keys() <= _HARMLESS:
                raise _Unfit
            holder = holder.default_settings
        return tuple(
            (id(target), name, _code_of(vars(target).get(name)))
            for target, name, _ in self._monkeypatch._setattr
        )

    def made(self, make, args, kwargs):
        """The result of the function, remembered or new."""
        if self._at is None and not self._has_written and _may_write() and _is_empty():
            self._at = _EMPTY
        if (state := self._at) is None:
            return make(*args, **kwargs)
        try:
            arguments, given = _pickled((args, sorted(kwargs.items())))
            key = make, arguments, get_language(), self.replaced()
        except _Unfit:
            return make(*args, **kwargs)
        if key not in state.pictures:
            return self._make(state, key, given, args, kwargs)
        picture = state.pictures[key]
        if picture is None or (picture.on_commit and self._on_commit):
            return make(*args, **kwargs)
        picture.write()
        self._note(picture.state.tables)
        self._go(picture.state)
        return picture.objects(given)

    def _make(self, state, key, given, args, kwargs):
        """Call the function, and remember its rows if that is possible."""
        state.pictures[key] = None
        try:
            before = _contents(given)
        except _Unfit:
            return key[0](*args, **kwargs)
        callbacks = len(connection.run_on_commit)
        self._recordings.append(tables := set())
        try:
            result = key[0](*args, **kwargs)
        finally:
            self._recordings.pop()
        if None in tables or StoredFile._meta.db_table in tables:
            return result
        if tables:
            tables.add(PENDING)  # tables that triggers write
        try:
            changed = [place for place, content in enumerate(_contents(given)) if content != before[place]]
            picture = _Picture(state, tables, given, changed, result)
        except _Unfit:
            return result
        picture.on_commit = len(connection.run_on_commit) > callbacks
        state.pictures[key] = picture
        self._go(picture.state)
        return picture.objects(given)

    def _go(self, state):
        """Go to a state.

        Writes of other connections are not seen, so a test that commits has no state any more.
        """
        self._at, self._has_written = state if connection.in_atomic_block else None, True

    def _note(self, tables):
        for recording in self._recordings:
            recording.update(tables)


class _Picture:
    """The step from one state to the next: the rows to write, and the objects to return."""

    def __init__(self, before, tables, given, changed, result):
        rows = {table: _rows(table) for table in tables}
        self.state = _State(
            before, {table: rows[table] for table in rows if rows[table] != before.rows(table)}
        )
        self._result, _ = _pickled(
            (result, changed, [given[place].__dict__ for place in changed]), _places(given)
        )
        self._write = (_for_postgresql if connection.vendor == "postgresql" else _for_sqlite)(self.state)

    def write(self):
        """Write with the database driver, so that Django and its wrappers do not see these statements."""
        with transaction.atomic(savepoint=False):
            connection.ensure_connection()
            cursor = connection.connection.cursor()
            self._write(cursor)
            cursor.close()

    def objects(self, given):
        """The result of the function; given objects get the same changes."""
        result, changed, contents = _unpickled(self._result, given)
        for place, content in zip(changed, contents, strict=True):
            given[place].__dict__.clear()
            given[place].__dict__.update(content)
        return result


# Objects


class _Unfit(Exception):
    """Something can't be pickled."""


class _Pickler(pickle.Pickler):
    """Collects the objects that it meets; given objects are stored by their position."""

    def __init__(self, file, places):
        super().__init__(file, 5)
        self.met, self._places = [], places

    def reducer_override(self, thing):
        if (place := self._places.get(id(thing))) is not None:
            return _the_given, (place,)
        if isinstance(thing, models.QuerySet) and thing._result_cache is None:
            raise _Unfit  # it would be evaluated now and not later
        if hasattr(thing, "__dict__") and not callable(thing):
            self.met.append(thing)
        return NotImplemented


_given_now = []


def _the_given(place):
    return _given_now[place]


def _pickled(what, places=MappingProxyType({})):
    """A pickle, and its mutable objects; positions of given objects are by their id()."""
    pickler = _Pickler(file := io.BytesIO(), places)
    try:
        pickler.dump(what)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise _Unfit from error
    return file.getvalue(), pickler.met


def _unpickled(pickled, given):
    global _given_now
    _given_now = given
    return pickle.loads(pickled)


def _code_of(function):
    """The code of a function that does not use variables of its test."""
    if not isinstance(function, types.FunctionType) or function.__closure__:
        raise _Unfit
    return function.__code__


def _contents(given) -> list[bytes]:
    places = _places(given)
    return [_pickled(thing.__dict__, places)[0] for thing in given]


def _places(given) -> dict[int, int]:
    return {id(thing): place for place, thing in enumerate(given)}


# Rows


@functools.cache
def _may_write() -> bool:
    """PostgreSQL allows only a superuser to disable triggers."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SHOW is_superuser")
        return cursor.fetchone()[0] == "on"


def _is_empty() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT EXISTS (SELECT 1 FROM "{User._meta.db_table}"'
            f' UNION ALL SELECT 1 FROM "{LegalEntity._meta.db_table}")'
        )
        return not cursor.fetchone()[0]


@functools.cache
def _columns() -> dict[str, list[str]]:
    """The writable columns of each table; the key is the first."""
    return {
        meta.db_table: [
            meta.pk.column,
            *(f.column for f in meta.local_concrete_fields if not f.generated and f is not meta.pk),
        ]
        for meta in (model._meta for model in apps.get_models(include_auto_created=True))
        if not meta.proxy
    }


def _rows(table) -> dict:
    """The rows as the database stores them, by key."""
    mark = "+" if connection.vendor == "sqlite" else ""  # an expression, so that no converter is applied
    columns = ", ".join(f'{mark}"{column}"' for column in _columns()[table])
    cursor = connection.connection.cursor()
    cursor.execute(f'SELECT {columns} FROM "{table}"')
    rows = {row[0]: row for row in cursor.fetchall()}
    cursor.close()
    return rows


def _changes(state):
    """Each table with the keys to delete and the rows to write."""
    for table, after in state.tables.items():
        before = state.before.rows(table)
        yield (
            table,
            [key for key in before if key not in after],
            [row for key, row in after.items() if before.get(key) != row],
        )


def _for_postgresql(state):
    """Triggers are disabled, because the rows that they wrote are remembered."""
    statements = ["SET LOCAL session_replication_role = replica"]
    with connection.cursor() as cursor:
        for table, gone, rows in _changes(state):
            columns = _columns()[table]
            keys = [*gone, *(row[0] for row in rows if row[0] in state.before.rows(table))]
            if keys:
                delete = cursor.mogrify(f'DELETE FROM "{table}" WHERE "{columns[0]}" IN %s', [tuple(keys)])
                statements.append(delete.decode())
            if rows:
                names = ", ".join(f'"{column}"' for column in columns)
                marks = f"({', '.join(['%s'] * len(columns))})"
                values = ", ".join(cursor.mogrify(marks, row).decode() for row in rows)
                statements.append(f'INSERT INTO "{table}" ({names}) VALUES {values}')
    text = ";\n".join([*statements, "SET LOCAL session_replication_role = DEFAULT"])
    return lambda cursor: cursor.execute(text)


def _for_sqlite(state):
    """Rows are replaced and not updated: this does not run the guards while recursive triggers are off."""
    statements = []
    for table, gone, rows in _changes(state):
        key, *_ = columns = _columns()[table]
        if gone:
            statements.append((f'DELETE FROM "{table}" WHERE "{key}" = ?', [(each,) for each in gone]))
        statements.append((_insert(table, columns), rows))
    pending = state.rows(PENDING).values()

    def write(cursor):
        cursor.execute("PRAGMA recursive_triggers = OFF")
        for statement, rows in statements:
            cursor.executemany(statement, rows)
        cursor.execute("PRAGMA recursive_triggers = ON")
        cursor.execute(f"DELETE FROM {PENDING}")  # rows that triggers have just written
        cursor.executemany(_insert(PENDING, _columns()[PENDING]), pending)

    return write


def _insert(table, columns):
    names, marks = ", ".join(f'"{column}"' for column in columns), ", ".join("?" * len(columns))
    return f'INSERT OR REPLACE INTO "{table}" ({names}) VALUES ({marks})'
