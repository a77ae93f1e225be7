"""The one table of what is counted, and where each number lies in a process's row.

Names follow Prometheus: a unit that is a base unit, `_total` (added where it is shown) for what only grows. What a
label may be is settled here, so that nobody who sends mail can make a series of his own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from parsers.model import Status
from smtpd_service.domain import outcomes
from storage.records import NoticeKind

Labels = tuple[str, ...]


def label(name: str) -> str:
    """Return how a label says the name of a class or a constant: `MailboxFull` is `mailbox_full`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


OUTCOMES = {kind.__name__: label(kind.__name__) for kind in get_args(outcomes.Outcome)}
# The commands whose answers refuse mail.
STAGES = ("mail", "rcpt", "data")
TURNED_AWAY = ("too_many_connections", "shutting_down", "early_talker", "proxy_header", "handshake")


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table; `series` holds the values of `labels`, one tuple for each series that there is.

    `bounds` are the upper ends of a histogram's buckets; one more takes what is over the last.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: Labels = ()
    series: tuple[Labels, ...] = ((),)
    bounds: tuple[float, ...] = ()

    @property
    def slots(self) -> int:
        """Return how many numbers one series needs: a histogram has its buckets and their sum."""
        return len(self.bounds) + 2 if self.bounds else 1


def _each(*values: str) -> tuple[Labels, ...]:
    return tuple((value,) for value in values)


def _pairs(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[Labels, ...]:
    return tuple((one, other) for one in first for other in second)


_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_MESSAGES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)
_REASONS = tuple(each for each in OUTCOMES.values() if each not in {"stored", "repeated"})

FIGURES = (
    Figure("pulsebox_connections_opened", "counter", "connections that came to a listener"),
    Figure(
        "pulsebox_connections_refused",
        "counter",
        "connections that ended with the greeting, before it, or in a TLS handshake",
        ("reason",),
        _each(*TURNED_AWAY),
    ),
    Figure("pulsebox_connections", "gauge", "sessions that are open"),
    Figure("pulsebox_in_flight_octets", "gauge", "octets of messages that listeners hold in memory (`in_flight`)"),
    Figure("pulsebox_intake_waiting_messages", "gauge", "messages that wait for the writer's next transaction"),
    Figure("pulsebox_messages_accepted", "counter", "messages that were committed and charged"),
    Figure("pulsebox_accepted_octets", "counter", "octets of those messages"),
    Figure("pulsebox_messages_repeated", "counter", "messages sent again that had met their fate before"),
    Figure(
        "pulsebox_refusals",
        "counter",
        "answers that took no mail, by command and reason; who is `bounced` heard 250, and a DSN followed",
        ("stage", "reason"),
        _pairs(STAGES, _REASONS),
    ),
    Figure("pulsebox_answer_seconds", "histogram", "from the dot that ends a message to its answer", bounds=_SECONDS),
    Figure("pulsebox_batch_messages", "histogram", "messages in one transaction of the writer", bounds=_MESSAGES),
    Figure("pulsebox_commit_seconds", "histogram", "one transaction of the writer, commit included", bounds=_SECONDS),
    Figure(
        "pulsebox_storing_failures",
        "counter",
        "transactions of the writer that failed, by cause",
        ("cause",),
        _each("down", "full", "fault", "slow"),
    ),
    Figure(
        "pulsebox_messages_read",
        "counter",
        "messages that were read, by what they are",
        ("status",),
        _each(*(label(each.name) for each in Status if each is not Status.UNREADABLE)),
    ),
    Figure("pulsebox_bullets_read", "counter", "items in those messages"),
    Figure("pulsebox_messages_parked", "counter", "messages that could not be read and were set aside"),
    Figure("pulsebox_parsing_children_replaced", "counter", "parsing processes that a message made fail"),
    Figure(
        "pulsebox_reading_stood_back_seconds",
        "counter",
        "time in which a reader stood back for a burst, summed over readers",
    ),
    Figure("pulsebox_reading_seconds", "histogram", "what a reader stores at once, parsed and stored", bounds=_SECONDS),
    Figure(
        "pulsebox_notice_tries",
        "counter",
        "tries to deliver a notice, by its kind and how the try ended",
        ("kind", "result"),
        _pairs(tuple(each.value for each in NoticeKind), ("sent", "given_up", "postponed")),
    ),
    Figure("pulsebox_cpu_seconds", "counter", "CPU time of the processes and of the children that they waited for"),
)


def _laid_out() -> tuple[dict[str, Mapping[Labels, int]], int]:
    places: dict[str, Mapping[Labels, int]] = {}
    slot = 0
    for figure in FIGURES:
        places[figure.name] = {series: slot + at * figure.slots for at, series in enumerate(figure.series)}
        slot += len(figure.series) * figure.slots
    return places, slot


# Figure to series to the slot where its number, or its first bucket, lies; and how many slots a row has.
PLACES, SLOTS = _laid_out()
