"""Statements of the hot path: compiled once for each dialect, then run by the driver itself with plain values.

SQLAlchemy's way from a construct to the driver costs 70 to 230 µs a statement, and 25 to 50 from a text; the statement
itself 5 to 30 (measured): alone, a message would pay that six times over while the mailboxes are locked.

On SQLite many rows go in with one step: the driver lets go of Python's lock at each, and has to wait for it after
while sessions are at work. On PostgreSQL few rows go in one by one, in a pipeline, and many by COPY, which costs a
third of that but cannot be part of a pipeline.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from operator import attrgetter, itemgetter
from typing import Any

from sqlalchemy import Boolean, Float, Insert, LargeBinary, UpdateBase
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

from storage.columns import Instant, instant_text
from storage.engine import PIPE, Tx

Processor = Callable[[Any], Any]
Ready = list[Sequence[Any]]
# Rows in one step on SQLite: as many as there are up to the first, in steps of the first or the second beyond. Each
# number is a text that is kept prepared.
STEP, LONG_STEP = 24, 64
# From so many rows on COPY costs less than one INSERT each, its two round trips included (measured).
COPIED = 20
# Rows of an upsert in one statement on PostgreSQL, which takes 65,535 parameters.
_UPSERTED = 500


def driver(tx: Tx) -> Any:
    """Return the driver's own connection below a unit; what it raises, the unit translates."""
    return tx.connection.driver_connection


def ask(tx: Tx, sql: str, values: Sequence[Any]) -> Any:
    """Run one query and return the driver's cursor; in a pipeline, the answer is waited for when it is fetched."""
    return driver(tx).execute(sql, values)


def pipeline(tx: Tx) -> AbstractContextManager[Any]:
    """Send what is run inside without waiting for each answer, where there is a wire; the end waits for all."""
    if tx.dialect.name == "sqlite" or driver(tx).info.pipeline_status:
        return nullcontext()
    return driver(tx).pipeline()  # type: ignore[no-any-return]


def take_answers(tx: Tx) -> None:
    """Wait for the answers to all that was asked in a pipelined unit.

    The server then knows the unit as idle, and ends it if nothing comes (`storage.liveness`); one whose answers were
    only fetched holds its locks for ever if its process stands still (measured).
    """
    pipe = tx.info.get(PIPE)
    if pipe is not None:
        pipe.sync()


def marks(tx: Tx, count: int) -> str:
    """Return `count` parameter marks in the driver's style, for an IN of plain values."""
    return ", ".join(["?" if tx.dialect.name == "sqlite" else "%s"] * count)


@dataclass(frozen=True, slots=True)
class _Insertion:
    """An INSERT in pieces: table and columns, the parameters of one row, and what stands after them."""

    into: str
    row: str
    after: str


@dataclass(frozen=True, slots=True)
class _Compiled:
    """One statement for one dialect.

    `arrange` puts the values of a row, with the constants behind them, into the order of the parameters;
    `processors` are for those places of that order which the driver does not take as they are.
    """

    sql: str
    arrange: Callable[[tuple[Any, ...]], tuple[Any, ...]]
    constants: tuple[Any, ...]
    processors: tuple[tuple[int, Processor], ...]
    insertion: _Insertion | None

    def values(self, row: tuple[Any, ...]) -> Sequence[Any]:
        arranged = self.arrange(row + self.constants)
        if not self.processors:
            return arranged
        processed = list(arranged)
        for place, processor in self.processors:
            if processed[place] is not None:
                processed[place] = processor(processed[place])
        return processed


class Statement:
    """An INSERT or UPDATE that is run once for each of many rows."""

    def __init__(self, build: Callable[[str], UpdateBase], names: Sequence[str]) -> None:
        """`build` makes the construct for a dialect's name; `names` are the parameters of each row, two or more."""
        self._build = build
        self._names = tuple(names)
        self._of_row: Callable[[Any], tuple[Any, ...]] = itemgetter(*names)
        self._of_record: Callable[[Any], tuple[Any, ...]] = attrgetter(*names)
        self._compiled: dict[str, _Compiled] = {}

    def run(self, tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run for each of `rows`, in the caller's transaction; nothing for none."""
        if rows:
            self._run(tx, map(self._of_row, rows))

    def run_rows(self, tx: Tx, rows: Sequence[tuple[Any, ...]]) -> None:
        """Run for each of `rows`, whose values stand in the order of the names."""
        if rows:
            self._run(tx, rows)

    def run_of(self, tx: Tx, records: Sequence[Any]) -> None:
        """Run for each of `records`, whose attributes have the names."""
        if records:
            self._run(tx, map(self._of_record, records))

    def _run(self, tx: Tx, rows: Iterable[tuple[Any, ...]]) -> None:
        self.run_ready(tx, self.ready(tx, rows))

    def ready(self, tx: Tx, rows: Iterable[tuple[Any, ...]]) -> Ready:
        """Return rows as the driver takes them: made before a unit, they hold up nobody who waits for it."""
        ready = self._compiled.get(tx.dialect.name) or self._compile(tx)
        return list(map(ready.values, rows))

    def run_ready(self, tx: Tx, values: Ready) -> None:
        """Run for each of the rows that `ready` gave; nothing for none."""
        if not values:
            return
        ready = self._compiled.get(tx.dialect.name) or self._compile(tx)
        if ready.insertion is None:
            driver(tx).cursor().executemany(ready.sql, values)
        elif tx.dialect.name == "sqlite":
            _step(driver(tx), ready.insertion, values)
        else:
            _send(driver(tx), ready.sql, ready.insertion, values)

    def _compile(self, tx: Tx) -> _Compiled:
        construct = self._build(tx.dialect.name)
        compiled = construct.compile(dialect=tx.dialect, column_keys=list(self._names))
        assert isinstance(compiled, SQLCompiler)  # noqa: S101  # no DDL comes here
        sql, order = _positional(compiled)
        driven = processors(compiled, tx)
        constants = [name for name in compiled.binds if name not in self._names]
        given = [*self._names, *constants]
        ready = _Compiled(
            sql,
            itemgetter(*(given.index(name) for name in order)),
            tuple(compiled.binds[name].value for name in constants),
            tuple((place, driven[name]) for place, name in enumerate(order) if name in driven),
            _insertion(sql) if isinstance(construct, Insert) else None,
        )
        self._compiled[tx.dialect.name] = ready
        return ready


@lru_cache(256)
def _text(insertion: _Insertion, rows: int) -> str:
    """Return what inserts so many rows; the driver knows what it has prepared by the text."""
    return f"INSERT INTO {insertion.into} VALUES {', '.join([insertion.row] * rows)}{insertion.after}"  # noqa: S608  # our own names


def _step(connection: Any, insertion: _Insertion, values: Sequence[Sequence[Any]]) -> None:
    """Insert with as few steps as there are texts for."""
    start, end = 0, len(values)
    while start < end:
        left = end - start
        rows = left if left <= STEP else LONG_STEP if left >= LONG_STEP else STEP
        some = values[start : start + rows]
        connection.execute(_text(insertion, rows), list(chain.from_iterable(some)))
        start += rows


def _send(connection: Any, sql: str, insertion: _Insertion, values: Sequence[Sequence[Any]]) -> None:
    """Insert by COPY, one by one, or, where rows may be there already, many at a time."""
    if insertion.after:
        for start in range(0, len(values), _UPSERTED):
            some = values[start : start + _UPSERTED]
            connection.execute(_text(insertion, len(some)), list(chain.from_iterable(some)))
    elif len(values) < COPIED or connection.info.pipeline_status:
        connection.cursor().executemany(sql, values)
    else:
        with connection.cursor().copy(f"COPY {insertion.into} FROM STDIN") as copy:
            for row in values:
                copy.write_row(row)


def _positional(compiled: SQLCompiler) -> tuple[str, Sequence[str]]:
    """Return the text with its parameters marked by place, and their names in that order."""
    if compiled.positiontup is not None:
        return str(compiled), compiled.positiontup
    named = re.compile(r"%\((\w+)\)s")
    return named.sub("%s", str(compiled)), named.findall(str(compiled))


def _insertion(sql: str) -> _Insertion:
    """Take an INSERT of one row to pieces; its values have no parentheses of their own."""
    taken = re.fullmatch(r"INSERT INTO (\w+ \([^)]*\)) VALUES (\([^)]*\))(.*)", sql, re.DOTALL)
    assert taken is not None, sql  # noqa: S101  # SQLAlchemy writes it so
    return _Insertion(*taken.groups())


def processors(compiled: SQLCompiler, tx: Tx) -> dict[str, Processor]:
    """Return what turns a Python value into the driver's, by parameter, for those that it does not take as they are."""
    found = {name: _processor(bind.type, tx) for name, bind in compiled.binds.items()}
    return {name: processor for name, processor in found.items() if processor is not None}


def _processor(kind: TypeEngine[Any], tx: Tx) -> Processor | None:
    if isinstance(kind, LargeBinary | Float):
        return None
    if isinstance(kind, Boolean | Instant):
        on_sqlite: Processor = int if isinstance(kind, Boolean) else instant_text
        return on_sqlite if tx.dialect.name == "sqlite" else None
    return kind.dialect_impl(tx.dialect).bind_processor(tx.dialect)
