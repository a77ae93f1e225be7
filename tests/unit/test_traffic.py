"""Accept first, read after: when a reader stands back for the listeners beside it, and for how long."""

import multiprocessing
import threading

import pytest

from smtpd_service import metrics
from smtpd_service.metrics import Board
from smtpd_service.traffic import LOOK_EVERY, Traffic
from tests.unit.listeners import MANY, Listeners


@pytest.fixture
def listeners() -> Listeners:
    return Listeners()


def traffic(listeners: Listeners, longest: float = 2.0) -> Traffic:
    return Traffic(longest, listeners.taken, listeners.clock)


def test_where_no_mail_comes_a_reader_reads(listeners: Listeners) -> None:
    watched = traffic(listeners)
    listeners.take(0, 0)
    assert (watched.first(), watched.arriving()) == (False, False)


def test_mail_that_comes_few_at_a_time_arrives_and_is_read_meanwhile(listeners: Listeners) -> None:
    watched = traffic(listeners)
    listeners.take(3 * MANY - 1, 3)
    assert (watched.first(), watched.arriving()) == (False, True)


def test_a_burst_comes_first_and_is_over_when_few_or_none_come(listeners: Listeners) -> None:
    watched = traffic(listeners)
    listeners.burst()
    assert watched.first()
    listeners.take(3, 3)
    assert not watched.first()
    listeners.burst()
    assert watched.first()
    listeners.take(0, 0)
    assert not watched.first()


def test_mail_has_stopped_arriving_a_quarter_of_a_second_after_the_last(listeners: Listeners) -> None:
    watched = traffic(listeners)
    listeners.take(1, 1)
    assert watched.arriving()
    listeners.take(0, 0)
    assert watched.arriving()
    listeners.take(0, 0)
    listeners.take(0, 0)
    assert not watched.arriving()


def test_the_counters_are_not_read_at_every_question(listeners: Listeners) -> None:
    watched = traffic(listeners)
    listeners.burst()
    assert watched.first()
    listeners.messages += 1
    listeners.transactions += 1
    listeners.at += LOOK_EVERY / 10
    assert watched.first()


def test_who_has_stood_back_for_so_long_reads_for_as_long_beside_the_burst(listeners: Listeners) -> None:
    watched = traffic(listeners, longest=1.0)
    stood_back = []
    for _ in range(40):
        listeners.burst()
        stood_back.append(watched.first())
    assert stood_back == [True] * 10 + [False] * 10 + [True] * 10 + [False] * 10


def test_each_burst_is_counted_from_its_beginning(listeners: Listeners) -> None:
    watched = traffic(listeners, longest=1.0)
    for _ in range(5):
        for _ in range(4):
            listeners.burst()
            assert watched.first()
        listeners.take(0, 0)
        assert not watched.first()


def test_zero_seconds_mean_that_readers_never_stand_back(listeners: Listeners) -> None:
    watched = traffic(listeners, longest=0)
    listeners.burst()
    assert not watched.first()
    assert watched.arriving()


def test_a_reader_that_is_told_to_stop_does_not_wait_for_the_end_of_a_burst(listeners: Listeners) -> None:
    watched = traffic(listeners)
    listeners.burst()
    stopping = threading.Event()
    stopping.set()
    watched.let_pass(stopping)


def test_a_reader_sees_what_the_listeners_of_its_own_machine_have_taken() -> None:
    board = Board(["listener 0", "listener 1", "reader 0"])

    def take(name: str, batches: tuple[int, ...]) -> None:
        board.sit(name)
        for messages in batches:
            metrics.committed(messages, 0.001)

    def see() -> None:
        board.sit("reader 0")
        assert metrics.taken() == (34.0, 3.0)

    for work in (lambda: take("listener 0", (30,)), lambda: take("listener 1", (1, 3)), see):
        process = multiprocessing.get_context("fork").Process(target=work)
        process.start()
        process.join()
        assert process.exitcode == 0
