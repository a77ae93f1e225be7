"""Statements of the hot path: compiled once for each dialect, then run with plain values.

SQLAlchemy's way from a construct to the driver costs 70 to 230 µs a statement, the statement itself 5 to 30
(measured): alone, a message would pay that six times over while the mailboxes are locked.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import UpdateBase
from sqlalchemy.sql.compiler import SQLCompiler

from storage.engine import Tx

Processor = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Compiled:
    """`positions` is the order of parameters where the driver takes them by place, None where by name."""

    sql: str
    positions: tuple[str, ...] | None
    processors: Mapping[str, Processor]
    constants: Mapping[str, Any]


class Statement:
    """An INSERT or UPDATE that is run once for each of many rows."""

    def __init__(self, build: Callable[[str], UpdateBase], names: Sequence[str]) -> None:
        """`build` makes the construct for a dialect's name; `names` are the parameters that each row has."""
        self._build = build
        self._names = tuple(names)
        self._compiled: dict[str, _Compiled] = {}

    def run(self, tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run for each of `rows`, in the caller's transaction; nothing for none."""
        if not rows:
            return
        ready = self._compiled.get(tx.dialect.name) or self._compile(tx)
        values = [self._values(ready, row) for row in rows]
        if ready.positions is None:
            tx.exec_driver_sql(ready.sql, values)
        else:
            tx.exec_driver_sql(ready.sql, [tuple(row[name] for name in ready.positions) for row in values])

    def _values(self, ready: _Compiled, row: Mapping[str, Any]) -> dict[str, Any]:
        processors = ready.processors
        given = {name: _processed(row[name], processors.get(name)) for name in self._names}
        return {**ready.constants, **given}

    def _compile(self, tx: Tx) -> _Compiled:
        construct = self._build(tx.dialect.name)
        compiled = construct.compile(dialect=tx.dialect, column_keys=list(self._names))
        assert isinstance(compiled, SQLCompiler)  # noqa: S101  # no DDL comes here
        processors = _processors(compiled, tx)
        constants = {
            name: _processed(bind.value, processors.get(name))
            for name, bind in compiled.binds.items()
            if name not in self._names
        }
        positions = tuple(compiled.positiontup) if compiled.positiontup is not None else None
        self._compiled[tx.dialect.name] = _Compiled(str(compiled), positions, processors, constants)
        return self._compiled[tx.dialect.name]


def _processors(compiled: SQLCompiler, tx: Tx) -> dict[str, Processor]:
    """Return what turns a Python value into the driver's, by parameter."""
    found: dict[str, Processor] = {}
    for name, bind in compiled.binds.items():
        processor = bind.type.dialect_impl(tx.dialect).bind_processor(tx.dialect)
        if processor is not None:
            found[name] = processor
    return found


def _processed(value: Any, processor: Processor | None) -> Any:
    return value if processor is None or value is None else processor(value)


def marks(tx: Tx, count: int) -> str:
    """Return `count` parameter marks in the driver's style, for an IN of plain values."""
    return ", ".join(["?" if tx.dialect.name == "sqlite" else "%s"] * count)


def row_of(record: Any) -> dict[str, Any]:
    """Return a frozen record as a row: `dataclasses.asdict` copies deeply, at 20 times the cost (measured)."""
    return {name: getattr(record, name) for name in record.__slots__}
