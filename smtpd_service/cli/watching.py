"""`quota watch`: how mailboxes fill, tick by tick: a table that stays on a terminal, lines in a pipe, or JSON lines.

Promises: a database that goes away is said and waited for; Ctrl-C ends it, exit 0.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, tzinfo
from typing import Any, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from smtpd_service.cli.complaint import one_line, printable
from smtpd_service.cli.desk import Desk
from smtpd_service.cli.limits import limit_of, messages_of, rates_of
from smtpd_service.cli.lookout import REFUSALS_COUNTED, Look, Lookout, Sight, facts
from smtpd_service.cli.paper import as_json, moment, print_octets, say, size
from smtpd_service.domain.forecast import in_words
from smtpd_service.domain.quota import percent
from smtpd_service.identity import now
from storage.columns import instant_text
from storage.engine import StorageError
from storage.records import Mailbox

_BAR = 24
# From so many columns on there is room for everything.
_WIDE = 140
_STYLES = {"accepting": "green", "filling": "yellow", "full": "bold red", "frozen": "cyan"}


class Teller(Protocol):
    """Says what was seen, or that the database could not be asked."""

    def seen(self, look: Look) -> None: ...

    def away(self, at: datetime, why: str) -> None: ...


def watch_all(desk: Desk, addresses: list[str], *, interval: float, once: bool, json: bool) -> None:
    """Look and tell every `interval` seconds until Ctrl-C, or `once`.

    Raises Complaint and StorageError at the first look; later the database may be gone for a while.
    """
    lookout = Lookout(desk.store, addresses)
    try:
        with _teller(desk, interval, once=once, json=json) as teller:
            teller.seen(lookout.look())
            while not once:
                time.sleep(interval)
                _tick(lookout, teller)
    except KeyboardInterrupt:
        return


@contextmanager
def _teller(desk: Desk, interval: float, *, once: bool, json: bool) -> Iterator[Teller]:
    if json:
        yield _AsJson()
    elif once or not sys.stdout.isatty():
        yield _AsLines(desk.zone)
    else:
        console = Console(highlight=False, markup=False, emoji=False)
        with Live(console=console, auto_refresh=False, vertical_overflow="ellipsis") as live:
            yield _OnTerminal(live, desk.zone, interval)


def _tick(lookout: Lookout, teller: Teller) -> None:
    try:
        teller.seen(lookout.look())
    except StorageError as error:
        teller.away(now(), one_line(str(error)))


class _AsJson:
    """One object a tick."""

    def seen(self, look: Look) -> None:
        boxes = [facts(each, look.at) for each in look.sights]
        self._say({"at": instant_text(look.at), "listeners": look.listeners, "mailboxes": boxes})

    def away(self, at: datetime, why: str) -> None:
        self._say({"at": instant_text(at), "listeners": None, "mailboxes": None, "database": why})

    def _say(self, facts: dict[str, Any]) -> None:
        print_octets(f"{as_json(facts, indent=None)}\n".encode(errors="replace"))


class _AsLines:
    """One line a mailbox and tick."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone

    def seen(self, look: Look) -> None:
        for each in look.sights or ():
            say("  ".join((moment(look.at, self._zone), each.box.address, *_told(each, look, self._zone))))
        if not look.sights:
            say(f"{moment(look.at, self._zone)}  no mailbox yet")
        sys.stdout.flush()

    def away(self, at: datetime, why: str) -> None:
        say(f"{moment(at, self._zone)}  the database does not answer: {why}")
        sys.stdout.flush()


def _told(of_: Sight, look: Look, zone: tzinfo) -> Iterator[str]:
    box = of_.box
    yield of_.condition
    if not box.exempt:
        yield f"{percent(box.quota, box.used):.1f} %"
    yield use(box)
    yield f"{messages_of(box)} messages"
    yield rate(of_)
    yield from filter(None, rates_of(box, of_.recent))
    yield in_words(of_.forecast, look.at, zone)
    yield f"{refused(of_)} refused in the last hour"
    yield _listeners(look)


def use(box: Mailbox) -> str:
    return f"{size(box.used.octets, 2)}{', limit ' if box.exempt else ' of '}{limit_of(box)}"


def rate(of_: Sight) -> str:
    """Return what comes, in octets and messages an hour as people read it."""
    seen = of_.forecast
    if not seen.known:
        return "?/h"
    if not seen.messages:
        return "0/h"
    return f"{size(round(seen.octets * 3600))}/h, {max(1, round(seen.messages * 3600)):,} messages/h"


def refused(of_: Sight) -> str:
    return f"{of_.refused:,}{'+' if of_.refused >= REFUSALS_COUNTED else ''}"


def _listeners(look: Look) -> str:
    if not look.listeners:
        return "no listener is running"
    return f"{look.listeners} {'listener' if look.listeners == 1 else 'listeners'}"


class _OnTerminal:
    """A table that is drawn anew; what was seen last stays on it while the database is away."""

    def __init__(self, live: Live, zone: tzinfo, interval: float) -> None:
        self._live = live
        self._zone = zone
        self._interval = interval
        self._last: Look | None = None

    def seen(self, look: Look) -> None:
        self._last = look
        foot = f"{moment(look.at, self._zone)}, every {self._interval:g} s; {_listeners(look)}; Ctrl-C ends"
        self._draw(look, Text(foot, style="dim"))

    def away(self, at: datetime, why: str) -> None:
        told = f"{moment(at, self._zone)}: the database does not answer: {why}; looking again"
        self._draw(self._last, Text(printable(told), style="bold red"))

    def _draw(self, look: Look | None, foot: Text) -> None:
        body = (
            (_paper(look, self._zone, wide=self._live.console.width >= _WIDE),)
            if look is not None and look.sights
            else (Text("no mailbox yet"),)
        )
        self._live.update(Group(*body, foot), refresh=True)


def _paper(look: Look, zone: tzinfo, *, wide: bool) -> Table:
    """Return a row a mailbox; a narrow terminal has no room for the bar and for how fast mail comes."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for title in (
        "mailbox",
        *(("", "comes") if wide else ()),
        "used",
        "messages",
        "forecast",
        "state",
        "refused in 1 h",
    ):
        table.add_column(title, overflow="fold", no_wrap=title in {"mailbox", "used", "state"})
    for each in look.sights:
        speed = "; ".join(filter(None, (rate(each), *rates_of(each.box, each.recent))))
        table.add_row(
            Text(printable(each.box.address)),
            *((_bar(each), speed) if wide else ()),
            use(each.box) + ("" if each.box.exempt else f" ({percent(each.box.quota, each.box.used):.1f} %)"),
            messages_of(each.box),
            in_words(each.forecast, look.at, zone),
            Text(each.condition, style=_STYLES[each.condition]),
            refused(each),
        )
    return table


def _bar(each: Sight) -> ProgressBar:
    full = 0.0 if each.box.exempt else percent(each.box.quota, each.box.used)
    return ProgressBar(total=100, completed=min(full, 100), width=_BAR, complete_style=_STYLES[each.condition])
