"""The figures as Prometheus reads them, made afresh for each scrape from the board and from the last look."""

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from importlib.metadata import version
from itertools import accumulate

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from smtpd_service.domain.forecast import standing
from smtpd_service.figures import FIGURES, Figure
from smtpd_service.identity import now
from smtpd_service.metrics import AWAY, BEATEN_AT, PID, STARTS, Board
from smtpd_service.monitoring.outlook import Outlook
from smtpd_service.monitoring.state import unready
from storage.records import Mailbox
from storage.vitals import Vitals

STATES = ("accepting", "full", "frozen")


class Figures(Collector):
    """All that is told; of `mailboxes` mailboxes, the fullest first."""

    def __init__(self, board: Board, outlook: Outlook, mailboxes: int) -> None:
        self._board = board
        self._outlook = outlook
        self._mailboxes = mailboxes

    def exposition(self) -> bytes:
        return generate_latest(self)

    def collect(self) -> Iterator[Metric]:
        yield from (_of_board(self._board, figure) for figure in FIGURES)
        yield from self._processes()
        seen = self._outlook.seen
        yield _gauge("pulsebox_ready", "whether mail is to be sent here, as `/ready` says", not self._unready())
        yield _gauge("pulsebox_database_up", "whether the last look at the database succeeded", self._database_up())
        if seen is not None:
            age = time.monotonic() - seen.at
            yield _gauge("pulsebox_database_look_age_seconds", "age of what is told of the database", age)
            yield _gauge("pulsebox_database_look_seconds", "how long that look took", seen.took)
        if seen is not None and seen.vitals is not None:
            yield from _waiting(seen.vitals, now())
            yield from _boxes(seen.vitals.mailboxes, self._mailboxes)

    def _unready(self) -> list[str]:
        return unready(self._board, self._outlook.seen, self._outlook.trouble)

    def _database_up(self) -> bool:
        return self._outlook.seen is not None and not self._outlook.trouble

    def _processes(self) -> Iterator[Metric]:
        yield _info("pulsebox_build", "the version that runs", version=version("pulsebox"))
        up = GaugeMetricFamily("pulsebox_process_up", "whether a process runs", labels=["process"])
        starts = CounterMetricFamily("pulsebox_process_starts", "how often it was started", labels=["process"])
        beats = GaugeMetricFamily("pulsebox_process_silent_seconds", "since it was last heard of", labels=["process"])
        at = time.monotonic()
        for name in self._board.names:
            head = self._board.head(name)
            up.add_metric([name], bool(head[PID]))
            starts.add_metric([name], head[STARTS])
            if head[BEATEN_AT]:
                beats.add_metric([name], max(0.0, at - head[BEATEN_AT]))
        yield from (up, starts, beats)
        yield _gauge("pulsebox_draining", "whether the service is ending", bool(self._board.supervisor[AWAY]))


def _of_board(board: Board, figure: Figure) -> Metric:
    if figure.kind == "histogram":
        *buckets, total = board.total(figure, ())
        ends = [*(str(bound) for bound in figure.bounds), "+Inf"]
        return HistogramMetricFamily(
            figure.name, figure.help, buckets=list(zip(ends, accumulate(buckets), strict=True)), sum_value=total
        )
    kind = CounterMetricFamily if figure.kind == "counter" else GaugeMetricFamily
    family = kind(figure.name, figure.help, labels=list(figure.labels))
    for series in figure.series:
        family.add_metric(list(series), board.total(figure, series)[0])
    return family


def _waiting(vitals: Vitals, at: datetime) -> Iterable[Metric]:
    """Return what waits, and for how long."""
    nodes = GaugeMetricFamily("pulsebox_nodes", "processes on all machines, heard of lately", labels=["role"])
    for role, count in sorted(vitals.nodes.items()):
        nodes.add_metric([role], count)
    return (
        _gauge("pulsebox_pending_messages", "messages that wait to be read, counted to 100,000", vitals.pending),
        _gauge("pulsebox_reading_lag_seconds", "age of the oldest of them", _age(vitals.pending_since, at)),
        _gauge("pulsebox_parked_messages", "messages set aside, counted to 100,000", vitals.parked),
        _gauge("pulsebox_due_notices", "notices that are still to be delivered, counted to 100,000", vitals.due),
        _gauge("pulsebox_notice_lag_seconds", "how long a notice has been due at the most", _age(vitals.due_since, at)),
        nodes,
    )


def _age(since: datetime | None, at: datetime) -> float:
    return max(0.0, (at - since).total_seconds()) if since is not None else 0.0


def _boxes(boxes: Sequence[Mailbox], most: int) -> Iterable[Metric]:
    """Return how many mailboxes are in which state, and the use of the fullest."""
    states = GaugeMetricFamily("pulsebox_mailboxes", "mailboxes by state", labels=["state"])
    counted = [standing(box) for box in boxes]
    for state in STATES:
        states.add_metric([state], counted.count(state))
    used = GaugeMetricFamily("pulsebox_mailbox_used_octets", "what a mailbox holds", labels=["mailbox"])
    quota = GaugeMetricFamily("pulsebox_mailbox_quota_octets", "what it may hold", labels=["mailbox"])
    messages = GaugeMetricFamily("pulsebox_mailbox_used_messages", "messages that it holds", labels=["mailbox"])
    # A postmaster's has no quota.
    for box in sorted((box for box in boxes if not box.exempt), key=_fullness, reverse=True)[:most]:
        used.add_metric([box.address], box.used.octets)
        quota.add_metric([box.address], box.quota.octets)
        messages.add_metric([box.address], box.used.messages)
    return states, used, quota, messages


def _fullness(box: Mailbox) -> float:
    return box.used.octets / max(1, box.quota.octets)


def _gauge(name: str, help_: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_, value=float(value))


def _info(name: str, help_: str, **facts: str) -> Metric:
    family = GaugeMetricFamily(f"{name}_info", help_, labels=list(facts))
    family.add_metric(list(facts.values()), 1.0)
    return family
