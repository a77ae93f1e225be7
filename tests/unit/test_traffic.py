"""Accept first, read after: when a reader stands back for the listeners beside it, and for how long."""

import multiprocessing

import pytest

from smtpd_service import metrics
from smtpd_service.metrics import Board
from smtpd_service.traffic import CALM, LOOK_EVERY, LOOKS, Traffic
from tests.unit.listeners import MANY, Listeners

LONGEST = 60.0


@pytest.fixture
def listeners() -> Listeners:
    return Listeners()


def watching(listeners: Listeners, longest: float = LONGEST) -> Traffic:
    return Traffic(longest, listeners.taken, listeners.clock)


def in_burst(listeners: Listeners, longest: float = LONGEST) -> Traffic:
    """Return what a reader knows once a burst has begun."""
    traffic = watching(listeners, longest)
    for _ in range(LOOKS):
        assert not traffic.first()
        listeners.burst()
        traffic.first()
    assert traffic.first()
    return traffic


def looks(traffic: Traffic, listeners: Listeners, seconds: float, *each: tuple[int, int]) -> list[bool]:
    """Let so long pass, the same happening in each tenth of a second; return what the reader did meanwhile."""
    did = []
    for _ in range(round(seconds / LOOK_EVERY)):
        listeners.take(*each)
        did.append(traffic.first())
    return did


def test_where_no_mail_comes_a_reader_reads(listeners: Listeners) -> None:
    assert not any(looks(watching(listeners), listeners, 5))


def test_mail_that_comes_few_at_a_time_is_read_meanwhile(listeners: Listeners) -> None:
    assert not any(looks(watching(listeners), listeners, 5, (3 * MANY - 1, 3)))


def test_what_a_relay_has_gathered_is_no_burst(listeners: Listeners) -> None:
    traffic = watching(listeners)
    for _ in range(10):
        listeners.take((10 * MANY, 2))
        assert not traffic.first()
        assert not any(looks(traffic, listeners, CALM, (1, 1)))


def test_a_burst_is_over_when_there_was_no_crowd_for_a_while(listeners: Listeners) -> None:
    traffic = in_burst(listeners)
    did = looks(traffic, listeners, 2 * CALM, (5, 5))
    assert did.index(False) == pytest.approx(CALM / LOOK_EVERY, abs=1)
    assert not any(did[did.index(False) :])


def test_a_lull_of_a_moment_does_not_end_a_burst(listeners: Listeners) -> None:
    traffic = in_burst(listeners)
    for _ in range(20):
        assert all(looks(traffic, listeners, CALM / 2, (MANY - 1, 1)))
        listeners.burst()
        assert traffic.first()


def test_a_slow_disk_takes_many_at_a_time_and_makes_no_end_of_a_burst(listeners: Listeners) -> None:
    """Each commit takes a second, and none ends in most looks."""
    traffic = in_burst(listeners)
    for _ in range(10):
        assert all(looks(traffic, listeners, 1.0))
        listeners.take((500, 1))


def test_a_crowd_at_one_listener_is_not_hidden_by_another_that_has_none(listeners: Listeners) -> None:
    traffic = watching(listeners)
    assert looks(traffic, listeners, 1.0, (20, 20), (3 * MANY, 3))[-1]


def test_the_counters_are_not_read_at_every_question(listeners: Listeners) -> None:
    traffic = in_burst(listeners)
    listeners.take((1, 1), seconds=LOOK_EVERY / 10)
    listeners.counted.clear()
    assert traffic.first()


def test_of_an_endless_burst_a_reader_stands_back_for_half_of_the_time(listeners: Listeners) -> None:
    traffic = in_burst(listeners, longest=10.0)
    did = looks(traffic, listeners, 40, (3 * MANY, 3))
    assert did.index(False) == pytest.approx(100, abs=LOOKS + 1)
    assert sum(did) == pytest.approx(200, abs=10)


@pytest.mark.parametrize("lull", [0.3, 1.0, CALM + 0.5])
def test_lulls_do_not_begin_the_time_anew(listeners: Listeners, lull: float) -> None:
    """A rush of an hour is no even one; somebody wants to see something of it all the same."""
    traffic = in_burst(listeners, longest=10.0)
    did = []
    for _ in range(100):
        did += looks(traffic, listeners, 5, (3 * MANY, 3))
        did += looks(traffic, listeners, lull, (MANY - 1, 1))
    assert sum(did) / len(did) == pytest.approx(0.5, abs=0.03)


def test_what_was_read_since_the_last_burst_makes_up_for_it(listeners: Listeners) -> None:
    traffic = in_burst(listeners, longest=10.0)
    assert all(looks(traffic, listeners, 8, (3 * MANY, 3)))
    looks(traffic, listeners, 15)
    assert sum(looks(traffic, listeners, 9, (3 * MANY, 3))) == pytest.approx(90, abs=LOOKS)


def test_zero_seconds_mean_that_readers_never_stand_back(listeners: Listeners) -> None:
    assert not any(looks(watching(listeners, longest=0), listeners, 5, (3 * MANY, 3)))


def test_where_there_are_no_listeners_nobody_stands_back() -> None:
    assert not Traffic(LONGEST, list, iter(range(100)).__next__).first()


def test_how_long_readers_stood_back_is_counted_and_logged(
    listeners: Listeners, caplog: pytest.LogCaptureFixture
) -> None:
    board = Board(["reader 0"])

    def stand() -> None:
        board.sit("reader 0")
        traffic = in_burst(listeners)
        looks(traffic, listeners, 3, (3 * MANY, 3))
        looks(traffic, listeners, CALM + 1)

    in_a_process(stand)
    [seconds] = board.total(next(each for each in metrics.FIGURES if "stood_back" in each.name), ())
    assert seconds == pytest.approx(3 + CALM, abs=0.3)

    with caplog.at_level("INFO"):
        looks(in_burst(listeners), listeners, CALM + 1)
    assert [each.getMessage() for each in caplog.records] == ["reader_stands_back", "reader_reads_on"]


def test_a_reader_sees_what_each_listener_of_its_service_has_taken() -> None:
    board = Board(["listener 0", "listener 1", "reader 0"])

    def take(name: str, *batches: int) -> None:
        board.sit(name)
        for messages in batches:
            metrics.committed(messages, 0.001)

    def see() -> None:
        board.sit("reader 0")
        assert metrics.taken()[:3] == [(30.0, 1.0), (4.0, 2.0), (0.0, 0.0)]

    in_a_process(lambda: take("listener 0", 30))
    in_a_process(lambda: take("listener 1", 1, 3))
    in_a_process(see)


def in_a_process(work: object) -> None:
    process = multiprocessing.get_context("fork").Process(target=work)  # type: ignore[arg-type]
    process.start()
    process.join()
    assert process.exitcode == 0
