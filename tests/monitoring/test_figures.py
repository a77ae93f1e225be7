"""What is counted: by any process, also one that is killed, and shown as Prometheus and our document call it."""

import multiprocessing
import os
import re
import signal
from pathlib import Path
from typing import get_args

import pytest
from prometheus_client.parser import text_string_to_metric_families

from parsers.model import Status
from smtpd_service import metrics
from smtpd_service.domain import outcomes
from smtpd_service.domain.replies import Session
from smtpd_service.figures import FIGURES, PLACES, SLOTS, TURNED_AWAY
from smtpd_service.metrics import BEATEN_AT, PID, STARTED_AT, STARTS, Board
from smtpd_service.monitoring.exposition import Figures
from smtpd_service.monitoring.outlook import Outlook
from smtpd_service.monitoring.state import hanging, unhealthy
from storage.engine import Store
from storage.records import NoticeKind, NoticeState

ROOT = Path(__file__).parents[2]
ACCEPTED = next(each for each in FIGURES if each.name == "pulsebox_messages_accepted")
CONNECTIONS = next(each for each in FIGURES if each.name == "pulsebox_connections")


def count_and_be_killed(board: Board) -> None:
    board.sit("listener 0")
    metrics.answered(["Stored"], 1000, 0.002)
    metrics.stand("pulsebox_connections", 7)
    metrics.beat()
    os.kill(os.getpid(), signal.SIGKILL)


def run(board: Board) -> int:
    process = multiprocessing.get_context("fork").Process(target=count_and_be_killed, args=(board,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert process.pid is not None
    return process.pid


def test_a_counter_goes_on_where_a_killed_process_left_it_and_a_gauge_does_not() -> None:
    board = Board(["listener 0", "reader 0"])
    first = run(board)
    board.survey([first, 0])
    second = run(board)
    assert board.total(ACCEPTED, ()) == [2]
    assert board.total(CONNECTIONS, ()) == [7]
    board.survey([second, 0])
    board.survey([0, 0])
    assert board.total(ACCEPTED, ()) == [2]
    assert board.total(CONNECTIONS, ()) == [0]
    assert board.head("listener 0")[STARTS] == 2


def test_who_is_silent_for_too_long_hangs_and_who_has_died_is_not_healthy() -> None:
    board = Board(["listener 0", "reader 0"])
    board.survey([os.getpid(), 4711])
    board.sit("listener 0")
    metrics.beat()
    begun = board.head("reader 0")[STARTED_AT]
    assert hanging(board, begun + 5) == []
    assert hanging(board, begun + 20) == ["listener 0"]
    assert hanging(board, begun + 60) == ["listener 0", "reader 0"]
    assert unhealthy(board) == []
    board.survey([os.getpid(), 0])
    assert unhealthy(board) == ["reader 0 is not running"]
    assert board.head("listener 0")[BEATEN_AT] > 0
    assert board.head("reader 0")[PID] == 0


def test_every_outcome_status_and_kind_has_its_series() -> None:
    for stage in ("mail", "rcpt"):
        for kind in set(get_args(outcomes.Outcome)) - {outcomes.Stored, outcomes.Repeated}:
            metrics.refused(stage, kind.__name__)
    metrics.answered([kind.__name__ for kind in get_args(outcomes.Outcome)], 1, 1.0)
    for status in set(Status) - {Status.UNREADABLE}:
        metrics.read(status.name, 1)
    for notice in NoticeKind:
        for end in (NoticeState.SENT, NoticeState.GIVEN_UP, "postponed"):
            metrics.add_to("pulsebox_notice_tries", notice, end)
    with pytest.raises(KeyError):
        metrics.add_to("pulsebox_refusals", "data", "ann@agency.test")


def test_connections_that_are_turned_away_are_counted_by_replies_that_exist() -> None:
    assert {"too_many_connections", "shutting_down", "early_talker"} <= {each.name.lower() for each in Session}
    assert {"too_many_connections", "shutting_down", "early_talker"} <= set(TURNED_AWAY)


def test_no_two_figures_share_a_place() -> None:
    taken = sorted(
        slot
        for figure in FIGURES
        for first in PLACES[figure.name].values()
        for slot in range(first, first + figure.slots)
    )
    assert taken == list(range(SLOTS))


def test_a_histogram_counts_each_value_in_all_buckets_that_hold_it() -> None:
    board = Board(["listener 0"])
    board.sit("listener 0")
    for messages in (1, 2, 3, 1000):
        metrics.committed(messages, 0.0)
    [family] = [
        each
        for each in text_string_to_metric_families(Figures(board, Outlook(store=None), 0).exposition().decode())  # type: ignore[arg-type]
        if each.name == "pulsebox_batch_messages"
    ]
    buckets = {sample.labels["le"]: sample.value for sample in family.samples if sample.name.endswith("_bucket")}
    assert (buckets["1.0"], buckets["2.0"], buckets["5.0"], buckets["500.0"], buckets["+Inf"]) == (1, 2, 3, 3, 4)


def test_the_document_names_every_figure_as_it_is_and_no_other(sqlite_store: Store) -> None:
    outlook = Outlook(sqlite_store)
    outlook.look()
    exposition = Figures(Board(["listener 0"]), outlook, 20).exposition().decode()
    shown = {
        (name + ("_total" if kind == "counter" else ""), kind)
        for name, kind in re.findall(r"^# TYPE (\w+?)(?:_total)? (\w+)$", exposition, re.MULTILINE)
    }
    rows = re.findall(
        r"^\| `(pulsebox_\w+)` \| (\w+) \| (.*?) \|", (ROOT / "docs/monitoring.md").read_text(), re.MULTILINE
    )
    assert {(name, kind) for name, kind, _ in rows} == shown
    labelled = {
        figure.name + ("_total" if figure.kind == "counter" else ""): ", ".join(f"`{each}`" for each in figure.labels)
        for figure in FIGURES
    }
    assert {name: labels for name, _, labels in rows if name in labelled} == labelled
