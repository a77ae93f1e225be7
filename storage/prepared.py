"""Statements of the readers, compiled once for each dialect and run by the driver with plain values.

A list is one parameter, so that the text stays the same however long it is: SQLAlchemy's way from a construct with a
list to the driver costs 100 to 400 µs, the statement itself 10 to 50 (measured).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, ClauseElement, ColumnElement, bindparam, func, select
from sqlalchemy import any_ as any_of
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import Text, TypeDecorator, TypeEngine

from storage.engine import Tx
from storage.statement import Processor, processors


class _List(TypeDecorator[list[Any]]):
    """A list of values of one type: an array on PostgreSQL, JSON on SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, of: TypeEngine[Any]) -> None:
        super().__init__()
        self.of = of

    def load_dialect_impl(self, dialect: Any) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.ARRAY(self.of))  # type: ignore[no-any-return]
        return dialect.type_descriptor(Text())  # type: ignore[no-any-return]

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return list(value) if dialect.name == "postgresql" else json.dumps(list(value))


def many(name: str, of: TypeEngine[Any]) -> BindParameter[Any]:
    """Return the parameter `name`, which is a list of such values."""
    return bindparam(name, type_=_List(of))


def among(column: ColumnElement[Any], name: str, dialect: str) -> ColumnElement[bool]:
    """Return the condition that a column is one of the list `name`."""
    if dialect == "postgresql":
        return column == any_of(many(name, column.type))
    return column.in_(select(func.json_each(many(name, column.type)).table_valued("value").c.value))


@dataclass(frozen=True, slots=True)
class _Compiled:
    sql: str
    positions: tuple[str, ...] | None
    given: Mapping[str, Processor]
    constants: Mapping[str, Any]
    taken: tuple[Processor | None, ...]


class Prepared:
    """One statement; `build` makes it for a dialect's name, `names` are the parameters that are given at each run."""

    def __init__(self, build: Callable[[str], ClauseElement], *names: str) -> None:
        self._build = build
        self._names = names
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, tx: Tx, **values: Any) -> list[tuple[Any, ...]]:
        """Run it in the caller's transaction, and return its rows."""
        ready = self._compiled.get(tx.dialect.name) or self._compile(tx)
        found = tx.exec_driver_sql(ready.sql, _parameters(ready, values)).fetchall()
        if not any(ready.taken):
            return [tuple(row) for row in found]
        return [tuple(map(_taken, ready.taken, row)) for row in found]

    def run(self, tx: Tx, **values: Any) -> None:
        """Run what gives no rows."""
        ready = self._compiled.get(tx.dialect.name) or self._compile(tx)
        tx.exec_driver_sql(ready.sql, _parameters(ready, values))

    def _compile(self, tx: Tx) -> _Compiled:
        compiled = self._build(tx.dialect.name).compile(dialect=tx.dialect)
        assert isinstance(compiled, SQLCompiler)  # noqa: S101  # no DDL comes here
        given = processors(compiled, tx)
        constants = {
            name: bind.value if (made := given.get(name)) is None or bind.value is None else made(bind.value)
            for name, bind in compiled.binds.items()
            if name not in self._names
        }
        # What the compiler knows of the columns that come back; nothing public tells their types in order.
        columns = compiled._result_columns  # noqa: SLF001  # as above
        taken = tuple(entry.type.dialect_impl(tx.dialect).result_processor(tx.dialect, None) for entry in columns)
        positions = tuple(compiled.positiontup) if compiled.positiontup is not None else None
        self._compiled[tx.dialect.name] = _Compiled(str(compiled), positions, given, constants, taken)
        return self._compiled[tx.dialect.name]


def _taken(take: Processor | None, value: Any) -> Any:
    return value if take is None or value is None else take(value)


def _parameters(ready: _Compiled, values: Mapping[str, Any]) -> Any:
    given = dict(ready.constants)
    for name, value in values.items():
        made = ready.given.get(name)
        given[name] = value if made is None or value is None else made(value)
    return given if ready.positions is None else tuple([given[name] for name in ready.positions])
