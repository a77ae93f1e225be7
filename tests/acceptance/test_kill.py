"""kill -9 under load: what was acknowledged is there once, the counters are right, and it answers again soon."""

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice

import pytest
from sqlalchemy import text

from storage.engine import Store
from tests.acceptance.books import check, rows, settled, usage
from tests.acceptance.killing import ANSWERING_WITHIN, CHILDREN, child, family, free_port, gone, strike
from tests.load import Load, running, until_answered
from tests.service import Service, eventually, mail

ROOMY, SMALL = "hr@agency.test", "full@agency.test"


@contextmanager
def under_load(service: Service, processes: int, sessions: int) -> Iterator[list[Load]]:
    logs = [service.folder / f"client{number}.log" for number in range(processes)]
    with running([Load(service.port, log, ROOMY, SMALL, sessions=sessions, largest=2000) for log in logs]) as loads:
        yield list(loads)


def kills(service: Service, victims: Sequence[str], *, processes: int, sessions: int) -> list[float]:
    """Kill one victim after the other under load, check the books, and return how long each was missed."""
    service.set("smtp", listen=[f"127.0.0.1:{free_port()}"])
    service.mailbox(ROOMY, quota="10 GB")
    service.mailbox(SMALL, quota=5000)
    service.start()
    chance = random.Random(len(victims))
    away: list[float] = []
    with service.store() as store:
        with under_load(service, processes, sessions) as loads:
            for victim in victims:
                until_answered(loads, sum(load.answered for load in loads) + chance.randint(20, 120))
                away.append(strike(service, victim))
            for load in loads:
                load.end()
        settled(store, 60 + len(victims))
        told = [each for load in loads for each in load.told()]
        tally = check(service, store, told)
        assert usage(store, ROOMY).messages + usage(store, SMALL).messages == tally["stored"]
        assert usage(store, SMALL).octets <= 5000
    assert min(tally["stored"], tally["bounced"]) > 10 * len(victims)
    assert tally["refused"] == 0
    assert service.stop() == 0
    return away


def twenty_kills_of_all_and_some_of_children() -> Iterator[str]:
    children = cycle(CHILDREN)
    for number in range(1, 21):
        yield "main"
        if number % 3 == 0:
            yield next(children)


def test_nothing_acknowledged_is_lost_or_doubled_by_kills(service: Service) -> None:
    kills(service, ["main", "listener"], processes=1, sessions=8)


@pytest.mark.acceptance
@pytest.mark.timeout(600)
def test_nothing_acknowledged_is_lost_or_doubled_by_twenty_kills_of_the_service(service_on_each: Service) -> None:
    victims = list(twenty_kills_of_all_and_some_of_children())
    assert victims.count("main") == 20

    away = kills(service_on_each, victims, processes=2, sessions=10)

    assert max(away) < ANSWERING_WITHIN


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("count", [100])
def test_nothing_acknowledged_is_lost_or_doubled_by_so_many_kills(service_on_each: Service, count: int) -> None:
    victims = list(islice(cycle(("main", *CHILDREN)), count))

    away = kills(service_on_each, victims, processes=2, sessions=10)

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
    gone([parsing])


def leased(store: Store) -> bool:
    with store.reading() as tx:
        return bool(tx.scalar(text("SELECT count(*) FROM message WHERE lease_owner IS NOT NULL")))
