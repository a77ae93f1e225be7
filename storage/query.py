"""Reads the auditors' views: one statement, on a connection that can do nothing else.

SQLite: a read-only connection whose authorizer admits the views, and below them only the columns that the
views show (a name in the statement can pose as a view, so the columns are what is checked); `query_only`;
a time limit. PostgreSQL: one statement in a READ ONLY transaction under a role that sees the views only, or,
where the database did not let us make that role, one that was found to name the views only; what would leave
the role or lift the time limit is refused by name.
`mode=ro` alone is no sandbox: ATTACH wrote files (measured).
"""

import contextlib
import re
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from uuid import UUID

from sqlalchemy import exc, text

from storage import reach
from storage.columns import instant_text
from storage.engine import Store, Tx, storage_error
from storage.views import VIEWS

AUDITOR = "pulsebox_auditor"
TIME_LIMIT = 30.0
ROW_LIMIT = 100_000
TOOK_TOO_LONG = "the statement took too long and was stopped"
# The longest value that a statement may make on SQLite, in octets: else one zeroblob() takes all memory.
_LONGEST_VALUE = 100_000_000
# How many of SQLite's virtual instructions pass between two looks at the clock.
_STEPS = 10_000


class QueryError(Exception):
    """The statement was refused or failed; the text says why in one line."""


@dataclass(slots=True)
class Rows:
    """Column names and an iterator of rows of plain values; `truncated` turns true at the row limit."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]
    truncated: bool = field(default=False)

    def as_dicts(self) -> Iterator[dict[str, Any]]:
        """Give the rows, as they come, by the names of their columns."""
        return (dict(zip(self.columns, row, strict=True)) for row in self.rows)


@contextmanager
def run(
    store: Store,
    statement: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    row_limit: int = ROW_LIMIT,
    time_limit: float = TIME_LIMIT,
) -> Iterator[Rows]:
    """Run one SELECT over the views; parameters stand as `:name` in it.

    Values come out as JSON has them: ids dashed, times ISO 8601 with `Z`, truth as bool.
    Raises QueryError for a statement that is not allowed or fails, StorageError for a database that is away.
    """
    # A number the driver must not take for a parameter mark, and a trailing semicolon, are common in typed SQL.
    statement = statement.strip().rstrip(";").strip()
    if not statement:
        raise QueryError("the statement is empty; write: SELECT … FROM messages")
    guarded = _sqlite_rows if store.dialect == "sqlite" else _postgresql_rows
    with guarded(store, statement, parameters or {}, time_limit) as (columns, rows):
        found = Rows(columns, iter(()))
        found.rows = _limited(found, rows, row_limit, time.monotonic() + time_limit)
        yield found


def _limited(found: Rows, rows: Iterator[tuple[Any, ...]], limit: int, stop: float) -> Iterator[tuple[Any, ...]]:
    for number, row in enumerate(rows):
        # PostgreSQL's own limit begins anew with each fetch.
        if time.monotonic() > stop:
            raise QueryError(TOOK_TOO_LONG)
        if number >= limit:
            found.truncated = True
            return
        yield tuple(_plain(value) for value in row)


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return instant_text(value if value.tzinfo else value.replace(tzinfo=UTC))
        case UUID() | date():
            return str(value)
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case list() | tuple():
            return [_plain(each) for each in value]
        case bytes() | memoryview():
            return bytes(value).hex()
        case _:
            return value


@contextmanager
def _sqlite_rows(
    store: Store, statement: str, parameters: Mapping[str, Any], time_limit: float
) -> Iterator[tuple[tuple[str, ...], Iterator[tuple[Any, ...]]]]:
    connection = _guarded_sqlite(store, time_limit)
    try:
        cursor = connection.execute(statement, dict(parameters))
        columns = tuple(column[0] for column in cursor.description or ())
        if not columns:
            raise QueryError("only SELECT is allowed here")
        yield columns, iter(cursor)
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise QueryError(_sqlite_reason(error)) from error
    finally:
        connection.close()


def _sqlite_reason(error: Exception) -> str:
    reason = str(error)
    if reason == "interrupted":
        return TOOK_TOO_LONG
    if "prohibited" in reason or "not authorized" in reason:
        return f"{reason}: only SELECT over the views {', '.join(VIEWS)} is allowed"
    return reason


def _guarded_sqlite(store: Store, time_limit: float) -> sqlite3.Connection:
    # A declared type comes through a view only for a plain column: that is how truth shows as truth.
    sqlite3.register_converter("BOOLEAN", lambda value: value == b"1")
    path = store.path
    try:
        connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, detect_types=sqlite3.PARSE_DECLTYPES)
        connection.execute("PRAGMA query_only=ON")
        shown = _columns_shown(connection)
        tables = frozenset(row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'"))
    except sqlite3.Error as error:
        raise storage_error(exc.OperationalError(str(path), {}, error)) from error
    connection.set_authorizer(_Authorizer(shown, tables))
    stop = time.monotonic() + time_limit
    connection.set_progress_handler(lambda: int(time.monotonic() > stop), _STEPS)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
    return connection


def _columns_shown(connection: sqlite3.Connection) -> frozenset[tuple[str, str]]:
    """Return the (table, column) pairs that the views read, as SQLite itself reports them."""
    seen: set[tuple[str, str]] = set()

    def watch(action: int, first: str | None, second: str | None, _db: str | None, _source: str | None) -> int:
        if action == sqlite3.SQLITE_READ and first is not None and second is not None:
            seen.add((first, second))
        return sqlite3.SQLITE_OK

    connection.set_authorizer(watch)
    for name in VIEWS:
        connection.execute(f"SELECT * FROM {name} LIMIT 0")  # noqa: S608  # our own names
    connection.set_authorizer(None)
    return frozenset(seen)


_FUNCTIONS_DENIED = frozenset({"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"})


class _Authorizer:
    """Admits what a SELECT over the views needs, by an allow-list."""

    def __init__(self, shown: frozenset[tuple[str, str]], tables: frozenset[str]) -> None:
        self._shown = shown
        self._hidden = tables - {table for table, _ in shown}

    def __call__(self, action: int, first: str | None, second: str | None, _db: str | None, source: str | None) -> int:
        if action in {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE}:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION:
            return sqlite3.SQLITE_DENY if (second or "").lower() in _FUNCTIONS_DENIED else sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_READ and first is not None:
            return self._read(first, second or "", source)
        return sqlite3.SQLITE_DENY

    def _read(self, table: str, column: str, source: str | None) -> int:
        if table in VIEWS:
            return sqlite3.SQLITE_OK
        if not column:
            # COUNT(*) and the like read no column; what is counted may be a name of the statement's own.
            closed = table in self._hidden or table.lower().startswith(("sqlite_", "pragma_", "dbstat"))
            return sqlite3.SQLITE_DENY if closed else sqlite3.SQLITE_OK
        admitted = source is not None and (table, column) in self._shown
        return sqlite3.SQLITE_OK if admitted else sqlite3.SQLITE_DENY


# A SELECT can leave the auditors' role and lift the time limit by one function, or have a text run as a
# statement by others; U& would write their names in another way.
_ESCAPES = re.compile(r"set_config|_to_xml|ts_stat|ts_rewrite|dblink|\bu&\s*[\"']", re.IGNORECASE)
# The owner of the tables sees samples of their rows in the catalogs.
_CATALOGS = re.compile(r"\bpg_|information_schema", re.IGNORECASE)
_NAMED = re.compile(r"(?<!:):([a-z_]+)")


@contextmanager
def _postgresql_rows(
    store: Store, statement: str, parameters: Mapping[str, Any], time_limit: float
) -> Iterator[tuple[tuple[str, ...], Iterator[tuple[Any, ...]]]]:
    if escape := _ESCAPES.search(statement):
        raise QueryError(f"{escape[0]} is not allowed here")
    with store.reading() as tx:
        if not _guard_postgresql(tx, time_limit) and not parameters:
            _check_reach(store, statement)
        raw: Any = tx.connection.driver_connection
        try:
            # A named cursor is declared by the extended protocol: one statement, and a SELECT.
            with raw.cursor(name="pulsebox_query") as cursor:
                if parameters:
                    cursor.execute(_NAMED.sub(r"%(\1)s", statement.replace("%", "%%")), dict(parameters))
                else:
                    cursor.execute(statement)
                yield tuple(column.name for column in cursor.description or ()), iter(cursor)
        except tx.dialect.loaded_dbapi.Error as error:
            raise QueryError(_postgresql_reason(error)) from error


def _postgresql_reason(error: Exception) -> str:
    reason = str(error).strip().splitlines()[0]
    return TOOK_TOO_LONG if "statement timeout" in reason else reason


def _guard_postgresql(tx: Tx, time_limit: float) -> bool:
    """Make the transaction one that only reads; return whether it also runs under the auditors' role."""
    tx.execute(text("SET TRANSACTION READ ONLY"))
    tx.execute(text(f"SET LOCAL statement_timeout = {int(time_limit * 1000)}"))
    usable = text("SELECT count(*) FROM pg_roles WHERE rolname = :role AND pg_has_role(rolname, 'USAGE')")
    if not tx.scalar(usable, {"role": AUDITOR}):
        return False
    tx.execute(text(f"SET LOCAL ROLE {AUDITOR}"))
    return True


def _check_reach(store: Store, statement: str) -> None:
    """Without the role, see to it that a typed statement names the views and nothing else."""
    if catalog := _CATALOGS.search(statement):
        raise QueryError(f"{catalog[0]} is not allowed here")
    with store.unit() as tx:
        try:
            others = sorted(reach.relations(tx, statement) - VIEWS.keys())
        except tx.dialect.loaded_dbapi.Error as error:
            raise QueryError(_postgresql_reason(error)) from error
        finally:
            tx.rollback()
    if others:
        raise QueryError(f"permission denied for {', '.join(others)}")


def grant_views(tx: Tx) -> None:
    """Let the auditors' role, made where this connection may make one, read the views and nothing else."""
    if tx.dialect.name != "postgresql":
        return
    grants = f"GRANT SELECT ON {', '.join(VIEWS)} TO {AUDITOR}"
    for statement in (f"CREATE ROLE {AUDITOR} NOLOGIN", f"GRANT {AUDITOR} TO CURRENT_USER", grants):
        # Each may fail alone: the role is there, or another database of the server is making it now, or
        # this connection has no right to make it; then each statement is looked at.
        with contextlib.suppress(exc.DBAPIError), tx.begin_nested():
            tx.execute(text(statement))
