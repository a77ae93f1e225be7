"""The figures to reach: what each is made of, what it must be and what is aimed at, and whether it was reached."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from benchmarks.digits import shown
from benchmarks.results import Result
from benchmarks.workloads import IDLE, REST, stored

Results = Mapping[str, Result]


class Quantity(Protocol):
    """Something that each round of one row gives a value of."""

    def each(self, result: Result) -> Sequence[float | None]: ...


@dataclass(frozen=True, slots=True)
class Value:
    """One measure of one peer under one workload."""

    peer: str
    workload: str
    measure: str

    def each(self, result: Result) -> Sequence[float | None]:
        return result.each(self.peer, self.workload, self.measure)


@dataclass(frozen=True, slots=True)
class Ratio:
    """The first divided by the second, of the same round."""

    of: Quantity
    to: Quantity

    def each(self, result: Result) -> Sequence[float | None]:
        pairs = zip(self.of.each(result), self.to.each(result), strict=True)
        return [of / to if of is not None and to else None for of, to in pairs]


@dataclass(frozen=True, slots=True)
class Figure:
    """One line: `must` and `aim` are bounds, from below where `at_least`; None where there is none."""

    text: str
    row: str
    quantity: Quantity
    unit: str
    must: float | None
    aim: float | None
    at_least: bool = False

    def holds(self, value: float, bound: float | None) -> bool:
        return bound is None or (value >= bound if self.at_least else value <= bound)


@dataclass(frozen=True, slots=True)
class Reached:
    """A figure as it was measured: the median of the rounds, the least and the most; None where it was not."""

    figure: Figure
    value: float | None = None
    least: float = 0.0
    most: float = 0.0

    @property
    def verdict(self) -> str:
        if self.value is None:
            return "not measured"
        if not self.figure.holds(self.value, self.figure.must):
            return "missed"
        if self.figure.aim is None:
            return "must"
        if self.figure.holds(self.value, self.figure.aim):
            return "aim"
        return "must" if self.figure.must is not None else "aim missed"


_RATE = "800/s conn"
_BURST = "burst of 3,000/s conn"
_P50, _P99 = "dot to 250, p50", "dot to 250, p99"
Bounds = tuple[float | None, float | None]


def _more(row: str, text: str, quantity: Quantity, bounds: Bounds) -> Figure:
    return Figure(text, row, quantity, "times", *bounds, at_least=True)


def _less(row: str, text: str, quantity: Quantity, unit: str, bounds: Bounds) -> Figure:
    return Figure(text, row, quantity, unit, *bounds)


def _speed(peer: str, measure: str, way: str) -> Ratio:
    return Ratio(Value(peer, f"2 kB {way}", measure), Value("postfix", f"2 kB {way}", "done"))


def _quota(way: str) -> Ratio:
    return Ratio(Value("pulsebox", f"2 kB {way}", "done"), Value("dovecot", f"2 kB {way}", "done"))


def _accepted(peer: str, workload: str) -> Value:
    return Value(peer, workload, "accepted")


def _storing(step: int, measure: str) -> Value:
    return Value("pulsebox-taking", stored(step), measure)


_MOST, _FEW = 1_000_000, 10_000
_HTML = Ratio(_accepted("pulsebox", "45 kB reuse"), _accepted("postfix", "45 kB reuse"))
_WAIT = Value("pulsebox", _RATE, _P99)
_READING = Value("pulsebox", "2 kB conn", "CPU reader beyond mail-parser")
_GROWTH = Ratio(_storing(_MOST, "CPU"), _storing(_FEW, "CPU"))
_SLOWER = Ratio(_storing(_FEW, "accepted"), _storing(_MOST, "accepted"))
_DEFERRED = Value("pulsebox", _BURST, "deferred")
_PG = "pulsebox-postgresql"

FIGURES: tuple[Figure, ...] = (
    _more("speed", "accepted, SQLite, conn ÷ Postfix done", _speed("pulsebox", "accepted", "conn"), (2.2, 4)),
    _more("speed", "accepted, SQLite, reuse ÷ Postfix done", _speed("pulsebox", "accepted", "reuse"), (4, 7)),
    _more("speed", "accepted, PostgreSQL, conn ÷ Postfix done", _speed(_PG, "accepted", "conn"), (1.8, 3.5)),
    _more("speed", "accepted, PostgreSQL, reuse ÷ Postfix done", _speed(_PG, "accepted", "reuse"), (3, 4.5)),
    _more("speed", "done, conn ÷ Postfix done", _speed("pulsebox", "done", "conn"), (1.3, 2)),
    _more("speed", "done, reuse ÷ Postfix done", _speed("pulsebox", "done", "reuse"), (1.3, 2)),
    _more("quota", "done, conn ÷ Dovecot with quota", _quota("conn"), (4, 6)),
    _more("quota", "done, reuse ÷ Dovecot with quota", _quota("reuse"), (4.5, 7)),
    _more("html", "accepted, 45 kB of HTML, reuse ÷ Postfix", _HTML, (2, 3.5)),
    _less("speed", "CPU of the listener, conn", Value("pulsebox", "2 kB conn", "CPU listener"), "µs/msg", (300, 200)),
    _less("speed", "CPU of the reader beyond mail-parser", _READING, "µs/msg", (500, 350)),
    _less("latency", "final dot to 250 at 800/s conn, p50", Value("pulsebox", _RATE, _P50), "ms", (1, None)),
    _less("latency", "the same, p99 ÷ Postfix's", Ratio(_WAIT, Value("postfix", _RATE, _P99)), "times", (1, None)),
    _less("latency", "the same, p99", _WAIT, "ms", (None, 3)),
    _less("idle", "the listener with 10,000 idle connections", Value("pulsebox", IDLE, "memory"), "MB", (150, 110)),
    _less("speed", "memory at rest, all processes", Value("pulsebox", REST, "memory"), "MB", (250, 150)),
    _less("stored", "CPU of storing at 1,000,000 ÷ that at 10,000 stored", _GROWTH, "times", (3, 1.5)),
    _less("stored", "time of storing at 1,000,000 ÷ that at 10,000 stored", _SLOWER, "times", (3, 1.5)),
    _less("burst", "a burst of 60 s at 3,000/s conn: deferred", _DEFERRED, "messages", (0, 0)),
    _less("burst", "the same: seconds until all is read", Value("pulsebox", _BURST, "all done after"), "s", (240, 120)),
)


def reached(figure: Figure, results: Results) -> Reached:
    """Return what the results say of a figure."""
    result = results.get(figure.row)
    values = [value for value in figure.quantity.each(result) if value is not None] if result else []
    if not values:
        return Reached(figure)
    return Reached(figure, statistics.median(values), min(values), max(values))


def bound(figure: Figure, value: float | None) -> str:
    """Return a bound as it is written in the table; "" where there is none."""
    if value is None:
        return ""
    return f"{'≥' if figure.at_least else '≤'} {shown(value)}"
