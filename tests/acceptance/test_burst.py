"""A burst of many clients on a real service: accepted first, read after, with nothing lost or read twice."""

import itertools

import pytest

from benchmarks.loader import Load, Order, send
from tests.acceptance.books import rows, settled, usage
from tests.acceptance.killing import strike
from tests.service import Service, eventually

pytestmark = pytest.mark.acceptance

HR = "hr@agency.test"
SESSIONS = 300
PENDING = "SELECT count(id) FROM messages WHERE state = 'pending'"
_seeds = itertools.count(1)


def roomy(service: Service) -> Service:
    service.mailbox(HR, quota="1 GB")
    service.set("smtp", max_connections_per_address=SESSIONS)
    service.start()
    return service


def burst(service: Service, messages: int) -> Load:
    """Send from so many sessions at one time, each as fast as it is answered."""
    return send(Order(service.port, messages, next(_seeds), sessions=SESSIONS, reuse=messages))


def test_in_a_burst_mail_is_accepted_first_and_read_after(service_on_each: Service) -> None:
    service = roomy(service_on_each)
    with service.store() as store:
        burst(service, 12_000)
        [(waiting,)] = rows(store, PENDING)
        assert "reader_stands_back" in service.log.read_text()
        assert waiting > 12_000 / 2
        settled(store)
        assert usage(store, HR).messages == 12_000
        assert rows(store, "SELECT count(*), count(DISTINCT message) FROM submissions") == [(12_000, 12_000)]
    log = service.log.read_text()
    assert log.count("reader_stands_back") == log.count("reader_reads_on")
    assert service.stop() == 0


def test_a_reader_that_is_told_to_stand_back_for_a_second_reads_beside_a_longer_burst(service: Service) -> None:
    service.set("reader", stand_back="1 s")
    roomy(service)
    with service.store() as store:
        burst(service, 12_000)
        log = service.log.read_text()
        assert log.index("reader_stands_back") < log.index("reader_reads_on")
        settled(store)


def test_a_reader_and_a_listener_that_are_killed_in_a_burst_lose_nothing_and_it_is_read_after(
    service: Service,
) -> None:
    roomy(service)
    with service.store() as store:
        burst(service, 3000)
        eventually(lambda: "reader_stands_back" in service.log.read_text())
        strike(service, "reader")
        strike(service, "listener")
        burst(service, 3000)
        settled(store)
        assert usage(store, HR).messages == 6000
        assert rows(store, "SELECT count(*), count(DISTINCT message) FROM submissions") == [(6000, 6000)]
