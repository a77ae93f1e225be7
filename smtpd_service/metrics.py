"""Counting, in well under a microsecond each: every process has a seat on a board of shared memory.

The supervisor makes the board before it starts any process; whoever is started in the place of one that died takes
over its seat, so that a counter never goes back. What is shown is the sum over the seats. A program that has no
board counts for itself, and nobody asks.

A figure of one process is written by one thread of it (`+=` is no single step): those of a listener's sessions in
its event loop, those of transactions in the writer's thread.
"""

import asyncio
import mmap
import os
import threading
import time
from bisect import bisect_left
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from typing import Final

from smtpd_service.beside import beside
from smtpd_service.figures import FIGURES, OUTCOMES, PLACES, SLOTS, Figure, Labels

BEAT_EVERY = 1.0

# What stands before the figures in a row: who sits there, since when, and when it was last heard of.
PID, STARTS, STARTED_AT, BEATEN_AT, LOOKED_AT, AWAY, LOW = range(7)
_HEAD: Final = 7
_ROW: Final = _HEAD + SLOTS
_GAUGES = tuple(_HEAD + slot for figure in FIGURES if figure.kind == "gauge" for slot in PLACES[figure.name].values())
_OCTETS: Final = 8


def _slot(name: str, *series: str) -> int:
    return _HEAD + PLACES[name][series]


_ONLY: Final[dict[str, int]] = {figure.name: _slot(figure.name) for figure in FIGURES if figure.series == ((),)}
_BOUNDS: Final = {figure.name: figure.bounds for figure in FIGURES if figure.bounds}
_REFUSED: Final = {
    (stage, outcome): _HEAD + PLACES["pulsebox_refusals"][stage, reason]
    for outcome, reason in OUTCOMES.items()
    for stage in ("mail", "rcpt", "data")
    if (stage, reason) in PLACES["pulsebox_refusals"]
}
_TURNED_AWAY: Final = {reason: _HEAD + slot for (reason,), slot in PLACES["pulsebox_connections_refused"].items()}
_READ: Final = {status.upper(): _HEAD + slot for (status,), slot in PLACES["pulsebox_messages_read"].items()}
_BATCHES: Final = next(figure for figure in FIGURES if figure.name == "pulsebox_batch_messages")
_BULLETS: Final = _ONLY["pulsebox_bullets_read"]
_ACCEPTED, _ACCEPTED_OCTETS, _REPEATED = (
    _ONLY[name] for name in ("pulsebox_messages_accepted", "pulsebox_accepted_octets", "pulsebox_messages_repeated")
)

# This process's own row, and the CPU time that it has counted there.
_row = memoryview(bytearray(_ROW * _OCTETS)).cast("d")
_cpu = 0.0
# Where it sits, if anywhere.
_board: "Board | None" = None


class Board:
    """A row for each of `names`, and one for the supervisor; shared by all that are forked after it is made."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._shared = mmap.mmap(-1, (len(names) + 1) * _ROW * _OCTETS)
        whole = memoryview(self._shared).cast("d")
        self._rows = [whole[at * _ROW : (at + 1) * _ROW] for at in range(len(names) + 1)]

    # What the supervisor writes.

    def survey(self, pids: Sequence[int], *, stopping: bool = False) -> None:
        """Say that the supervisor goes about its work, and who fills each post now; pid 0 is nobody."""
        now = time.monotonic()
        head = self._rows[-1]
        head[PID], head[BEATEN_AT], head[AWAY] = os.getpid(), now, stopping
        for row, pid in zip(self._rows, pids, strict=False):
            if row[PID] == pid:
                continue
            # What the last one had open went with it.
            for slot in (*_GAUGES, BEATEN_AT, LOOKED_AT):
                row[slot] = 0.0
            row[PID], row[STARTED_AT] = pid, now
            row[STARTS] += bool(pid)

    # What each process writes.

    def sit(self, name: str) -> None:
        """Count from now on in the row of `name`."""
        global _row, _cpu, _board  # counting is for all of a process, as logging is
        _row, _cpu, _board = self._rows[self.names.index(name)], 0.0, self

    # What is read.

    def head(self, name: str) -> Sequence[float]:
        """Return PID, STARTS, STARTED_AT, … of a post."""
        return self._rows[self.names.index(name)][:_HEAD].tolist()

    @property
    def supervisor(self) -> Sequence[float]:
        """Return the same of the supervisor; AWAY says there that the service is stopping."""
        return self._rows[-1][:_HEAD].tolist()

    def total(self, figure: Figure, series: Labels) -> list[float]:
        """Return the numbers of one series, summed over all processes."""
        first = _HEAD + PLACES[figure.name][series]
        return [sum(row[slot] for row in self._rows) for slot in range(first, first + figure.slots)]

    def histograms(self, figure: Figure) -> list[tuple[float, float]]:
        """Return the sum and the count of what each process has put into a histogram without labels."""
        first = _ONLY[figure.name]
        last = first + len(figure.bounds) + 1
        return [(row[last], sum(row[first:last])) for row in self._rows]


# Counting.


def add(name: str, by: float = 1.0) -> None:
    """Count one figure that has no labels."""
    _row[_ONLY[name]] += by


def add_to(name: str, *series: str, by: float = 1.0) -> None:
    """Count one figure by its labels, in the order of the table; a value that the table has not is a KeyError."""
    _row[_HEAD + PLACES[name][series]] += by


def stand(name: str, value: float) -> None:
    """Set a gauge."""
    _row[_ONLY[name]] = value


def observe(name: str, value: float) -> None:
    """Put a value into the bucket of a histogram."""
    bounds, first = _BOUNDS[name], _ONLY[name]
    _row[first + bisect_left(bounds, value)] += 1.0
    _row[first + len(bounds) + 1] += value


def refused(stage: str, outcome: str) -> None:
    """Count an answer that took no mail: at `mail`, `rcpt` or `data`, for the class of an outcome."""
    _row[_REFUSED[stage, outcome]] += 1.0


def answered(outcomes: Collection[str], octets: int, seconds: float) -> None:
    """Count a message that intake has answered: the classes of its outcomes, its size, the time since its final dot.

    Recipients that are answered one by one may have several outcomes; a message is accepted once.
    """
    if "Stored" in outcomes or "PartlyStored" in outcomes:
        _row[_ACCEPTED] += 1.0
        _row[_ACCEPTED_OCTETS] += octets
    for outcome in outcomes:
        if outcome == "Repeated":
            _row[_REPEATED] += 1.0
        elif outcome != "Stored":
            _row[_REFUSED["data", outcome]] += 1.0
    observe("pulsebox_answer_seconds", seconds)


def turned_away(reason: str) -> None:
    """Count a connection that ended with its greeting, by the name of the reply; those without a row are not."""
    slot = _TURNED_AWAY.get(reason.lower())
    if slot is not None:
        _row[slot] += 1.0


def read(status: str, bullets: int) -> None:
    """Count a message that was read, by the name of its status."""
    _row[_READ[status]] += 1.0
    _row[_BULLETS] += bullets


def committed(messages: int, seconds: float) -> None:
    """Count a transaction of the writer."""
    observe("pulsebox_batch_messages", messages)
    observe("pulsebox_commit_seconds", seconds)


def taken() -> list[tuple[float, float]]:
    """Return, for each process of this service, how many messages it has ever taken, in how many transactions."""
    return _board.histograms(_BATCHES) if _board is not None else []


# Being heard of.


def beat() -> None:
    """Say that this process goes about its work, and what CPU time it has had."""
    global _cpu  # noqa: PLW0603  # what this process has counted of its own
    times = os.times()
    used = times.user + times.system + times.children_user + times.children_system
    _row[_ONLY["pulsebox_cpu_seconds"]] += used - _cpu
    _cpu = used
    _row[BEATEN_AT] = time.monotonic()


async def beat_for_ever() -> None:
    """Beat as long as the event loop goes round."""
    while True:
        beat()
        await asyncio.sleep(BEAT_EVERY)


def beating() -> AbstractContextManager[None]:
    """Beat from a thread of its own, where the work may wait long for the database."""

    def go_on(end: threading.Event) -> None:
        while not end.is_set():
            beat()
            end.wait(BEAT_EVERY)

    return beside("beating", go_on)


def look(*, at: float, away: bool, low: bool) -> None:
    """Say what a listener last saw of the house: when (monotonic), whether the database is away, the disk low."""
    _row[LOOKED_AT], _row[AWAY], _row[LOW] = at, away, low
