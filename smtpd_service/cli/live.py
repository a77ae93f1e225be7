"""How a run of letters goes, while it goes: a picture on a terminal, a line a second in a pipe, nothing beside JSON."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from smtpd_service.cli.paper import say, size
from smtpd_service.planning.axis import span
from smtpd_service.planning.curve import Curve
from smtpd_service.planning.tally import Became, Tally, quantile

_BLOCKS = " ▁▂▃▄▅▆▇█"
_CURVE = 72
# What the last seconds' waits are read from.
_RECENT = 2000
_SECONDS = 8
_STYLES = {
    Became.STORED: "green",
    Became.BOUNCED: "magenta",
    Became.DEFERRED: "yellow",
    Became.REFUSED: "red",
    Became.LOST: "bold red",
}


class Shown(Protocol):
    """Is asked to look every so many seconds."""

    @property
    def every(self) -> float: ...

    def look(self, at: float) -> None: ...


@contextmanager
def shown_on(tally: Tally, curve: Curve, moments: Sequence[float], *, json: bool) -> Iterator[Shown]:
    """Give the view that fits standard output; beside JSON there is none."""
    if json:
        yield _Nothing()
    elif not sys.stdout.isatty():
        yield _Lines(tally, curve)
    else:
        with Live(console=Console(highlight=False), auto_refresh=False, transient=True) as live:
            yield OnTerminal(live, tally, curve, bars(moments, _CURVE))


def bars(moments: Sequence[float], columns: int) -> str:
    """Return the curve as a line of blocks: how many letters are due in each part of the run."""
    counts = [0] * columns
    whole = moments[-1] if moments and moments[-1] > 0 else 1.0
    for at in moments:
        counts[min(columns - 1, int(columns * at / whole))] += 1
    most = max(counts) or 1
    # Whatever comes is seen.
    return "".join(_BLOCKS[-(-count * (len(_BLOCKS) - 1) // most)] for count in counts)


class _Nothing:
    every = 1.0

    def look(self, at: float) -> None:
        """Nobody watches."""


class _Lines:
    """One line a second."""

    every = 1.0

    def __init__(self, tally: Tally, curve: Curve) -> None:
        self._tally = tally
        self._curve = curve
        self._told: dict[Became, int] = {}

    def look(self, at: float) -> None:
        tally, before = self._tally, self._told
        self._told = dict(tally.tries)
        new = ", ".join(
            f"{count - before.get(kind, 0)} {kind}" for kind, count in self._told.items() if count - before.get(kind, 0)
        )
        say(f"{at:5.1f} s  {_where(self._curve, tally, at)}  {tally.sent:,} sent; {new or 'nothing'}; {_waits(tally)}")
        sys.stdout.flush()


def _where(curve: Curve, tally: Tally, at: float) -> str:
    return span(curve.window - at * tally.factor)


def _waits(tally: Tally) -> str:
    recent = tally.waits[-_RECENT:]
    half, most = quantile(recent, 0.5), quantile(recent, 0.99)
    return "no answer yet" if half is None or most is None else f"p50 {1000 * half:.1f} ms, p99 {1000 * most:.1f} ms"


class OnTerminal:
    """The curve with how far it is, what was answered in the last seconds, and how fast."""

    every = 0.25

    def __init__(self, live: Live, tally: Tally, curve: Curve, blocks: str) -> None:
        self._live = live
        self._tally = tally
        self._curve = curve
        self._blocks = blocks

    def look(self, at: float) -> None:
        tally, blocks = self._tally, self._blocks
        gone = min(len(blocks), int(len(blocks) * at * tally.factor / self._curve.window))
        curve = Text.assemble((blocks[:gone], "cyan"), (blocks[gone:], "dim"))
        bar = ProgressBar(total=max(1, tally.letters), completed=tally.sent, width=len(blocks))
        told = f"{tally.sent:,} of {tally.letters:,} sent, {size(tally.stored_octets, 2)} stored; {_waits(tally)}"
        foot = f"{at:.0f} s: {_where(self._curve, tally, at)}; Ctrl-C ends"
        self._live.update(Group(curve, bar, Text(told), self._seconds(int(at)), Text(foot, style="dim")), refresh=True)

    def _seconds(self, now: int) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        table.add_column("second", justify="right")
        for kind in Became:
            table.add_column(str(kind), justify="right", style=_STYLES[kind], width=8)
        for second in range(max(0, now - _SECONDS + 1), now + 1):
            counts = [self._tally.seconds[second, kind] for kind in Became]
            table.add_row(str(second), *(f"{count:,}" if count else "" for count in counts))
        table.add_row("all", *(f"{self._tally.tries[kind]:,}" for kind in Became), style="bold")
        return table
