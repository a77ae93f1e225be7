"""kill -9 under load: what was acknowledged is there once, the counters are right, and it answers again soon."""

import itertools
import random
import smtplib
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from sqlalchemy import text

from storage.engine import Store
from tests.acceptance.books import check, rows, settled, usage
from tests.load import Load, running
from tests.service import Service, eventually, mail

ROOMY, SMALL = "hr@agency.test", "full@agency.test"
ANSWERING_WITHIN = 5.0
VICTIMS = ("main", "listener", "main", "reader", "courier")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def family(service: Service) -> list[psutil.Process]:
    assert service.process is not None
    return psutil.Process(service.process.pid).children(recursive=True)


def child(service: Service, role: str) -> psutil.Process:
    """Return the process that fills a post: the listener listens, the reader has a child, the courier neither."""
    assert service.process is not None
    direct = psutil.Process(service.process.pid).children()
    assert len(direct) == 3, service.log.read_text()[-2000:]
    by_sockets = [each for each in direct if any(c.status == psutil.CONN_LISTEN for c in each.net_connections())]
    with_child = [each for each in direct if each.children()]
    match role:
        case "listener":
            return by_sockets[0]
        case "reader":
            return with_child[0]
        case _:
            return next(each for each in direct if each not in by_sockets and each not in with_child)


def answers(service: Service) -> bool:
    try:
        with smtplib.SMTP(service.host, service.port, timeout=2) as client:
            client.ehlo()
            return client.docmd("MAIL FROM:<probe@load.test>")[0] == 250
    except (OSError, smtplib.SMTPException):
        return False


def strike(service: Service, victim: str) -> float:
    """Kill one process of the service, see to it that it runs again, and return how long it did not answer."""
    if victim == "main":
        orphans = family(service)
        service.kill()
        began = time.monotonic()
        eventually(lambda: not any(each.is_running() and each.status() != "zombie" for each in orphans), 2)
        service.start()
    else:
        eventually(lambda: len(family(service)) >= 4)
        killed = child(service, victim)
        own = killed.children()
        killed.kill()
        began = time.monotonic()
        eventually(lambda: not any(each.is_running() and each.status() != "zombie" for each in own), 2)
    eventually(lambda: answers(service), ANSWERING_WITHIN)
    return time.monotonic() - began


@contextmanager
def under_load(service: Service, processes: int, sessions: int) -> Iterator[list[Load]]:
    logs = [service.folder / f"client{number}.log" for number in range(processes)]
    with running([Load(service.port, log, ROOMY, SMALL, sessions=sessions, largest=2000) for log in logs]) as loads:
        yield list(loads)


def kills(service: Service, count: int, *, processes: int, sessions: int) -> list[float]:
    service.set("smtp", listen=[f"127.0.0.1:{free_port()}"])
    service.mailbox(ROOMY, quota="10 GB")
    service.mailbox(SMALL, quota=5000)
    service.start()
    chance = random.Random(count)
    away: list[float] = []
    with service.store() as store:
        with under_load(service, processes, sessions) as loads:
            for victim in itertools.islice(itertools.cycle(VICTIMS), count):
                goal = sum(load.answered for load in loads) + chance.randint(20, 120)
                eventually(lambda: sum(load.answered for load in loads) >= goal, 30)  # noqa: B023
                away.append(strike(service, victim))
            for load in loads:
                load.end()
        settled(store, 60)
        told = [each for load in loads for each in load.told()]
        tally = check(service, store, told)
        assert usage(store, ROOMY).messages + usage(store, SMALL).messages == tally["stored"]
        assert usage(store, SMALL).octets <= 5000
    assert min(tally["stored"], tally["bounced"]) > 10 * count
    assert tally["refused"] == 0
    assert service.stop() == 0
    return away


def test_nothing_acknowledged_is_lost_or_doubled_by_kills(service: Service) -> None:
    kills(service, 2, processes=1, sessions=8)


@pytest.mark.acceptance
@pytest.mark.timeout(600)
def test_nothing_acknowledged_is_lost_or_doubled_by_twenty_kills(service_on_each: Service) -> None:
    away = kills(service_on_each, 20, processes=2, sessions=10)
    assert max(away) < ANSWERING_WITHIN


@pytest.mark.parametrize("role", ["listener", "courier"])
def test_a_child_that_is_killed_is_replaced_and_the_service_ends_cleanly(service: Service, role: str) -> None:
    service.mailbox(ROOMY)
    service.start()
    service.send(b"Subject: warm the parser\r\n\r\n- one\r\n- two\r\n- three\r\n", ROOMY)
    eventually(lambda: len(family(service)) == 4)

    strike(service, role)

    service.send(b"Subject: after\r\n\r\n- one\r\n- two\r\n- three\r\n", ROOMY)
    with service.store() as store:
        settled(store)
        assert usage(store, ROOMY).messages == 2
    everybody = family(service)
    assert service.stop() == 0
    assert not any(each.is_running() and each.status() != "zombie" for each in everybody)


def test_what_a_killed_reader_had_claimed_is_read_within_ten_seconds(service: Service) -> None:
    service.mailbox(ROOMY)
    service.set("reader", deadline="60 s")
    service.start()
    service.send(mail(message_id="warms.the.parser@load.test"), ROOMY)
    eventually(lambda: len(family(service)) == 4)
    reader = child(service, "reader")
    [parsing] = reader.children()
    with service.store() as store:
        settled(store)
        parsing.suspend()
        service.send(mail(message_id="claimed@load.test"), ROOMY)
        eventually(lambda: leased(store))

        reader.kill()
        killed = time.monotonic()

        settled(store, 15)
        assert time.monotonic() - killed < 10
        assert rows(store, "SELECT count(*), count(DISTINCT message) FROM submissions") == [(2, 2)]
    eventually(lambda: not parsing.is_running() or parsing.status() == "zombie", 2)


def leased(store: Store) -> bool:
    with store.reading() as tx:
        return bool(tx.scalar(text("SELECT count(*) FROM message WHERE lease_owner IS NOT NULL")))
