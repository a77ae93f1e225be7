"""Ten thousand bounces and a relay that is dead, misbehaves, or loses its courier: none lost, none twice, in turns."""

import asyncio
import os
import re
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import text

from smtpd_service.identity import now
from smtpd_service.outbound.courier import LEASE, Courier
from storage import mailboxes, notices, outages
from storage.engine import Store, open_store
from storage.query import run
from storage.records import Mailbox
from storage.upgrade import upgrade
from tests.posting import bounce, carrier, smarthost, states
from tests.relay import OF_THE_MAIL, TROUBLES, RelayServer, Taken, relay
from tests.servers import PostgresServer
from tests.service import Service, eventually
from tests.storage.stock import add_box, box

pytestmark = pytest.mark.acceptance

MANY, DOMAINS = 10_000, 50
# What this many deliveries must have reached: every destination.
FIRST = 500
MEMORY = 200_000_000


def start(service: Service, server: RelayServer, **outbound: object) -> Mailbox:
    """Start the courier alone, with one mailbox; return that."""
    service.mailbox("hr@agency.test")
    service.set("outbound", smarthost=server.smarthost, **outbound)
    service.start("courier")
    with service.store() as store, store.reading() as tx:
        found = mailboxes.find(tx, "hr@agency.test")
    assert found is not None
    return found


def owe(store: Store, made: Mailbox, many: int, domains: int) -> None:
    """Let the first domain have the oldest half, so that the others would wait behind it in a plain queue."""
    half = [bounce(made, f"a{number}@d0.test") for number in range(many // 2)]
    rest = [bounce(made, f"b{number}@d{number % domains}.test") for number in range(many - len(half))]
    for start_ in range(0, many, 1000):
        with store.unit() as tx:
            notices.owe(tx, (half + rest)[start_ : start_ + 1000])


def message_id(mail: Taken) -> str:
    found = re.search(rb"^Message-ID: (<[^>]+>)", mail.octets, re.MULTILINE)
    assert found is not None
    return found[1].decode()


class Scale:
    """Weighs a process now and then, in a thread of its own."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._weigh)
        self.most = 0

    def _weigh(self) -> None:
        while not self._stop.wait(0.2):
            self.most = max(self.most, self._process.memory_full_info().pss)

    @contextmanager
    def weighing(self) -> Iterator["Scale"]:
        self._thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            self._thread.join()


def rows_of(service: Service, statement: str) -> list[tuple[Any, ...]]:
    with service.store() as store, run(store, statement) as found:
        return list(found.rows)


def count(service: Service, state: str) -> int:
    return int(rows_of(service, f"SELECT count(*) FROM notices WHERE state = '{state}'")[0][0])  # noqa: S608


def look_now(service: Service) -> None:
    """Have the courier look at once, as `pulsebox outbox retry` does, once the outage that it has logged is stored."""
    with service.store() as store:
        eventually(lambda: _known(store))
        with store.unit() as tx:
            outages.look_now(tx, now())


def _known(store: Store) -> bool:
    with store.reading() as tx:
        return bool(outages.known(tx))


def test_ten_thousand_bounces_go_once_each_and_in_turns_when_the_relay_is_back(service_on_each: Service) -> None:
    service = service_on_each
    with relay() as server:
        server.stop()
        made = start(service, server)
        [courier] = service.pids()["children"]
        with service.store() as store, Scale(courier).weighing() as scale:
            owe(store, made, MANY, DOMAINS)
            eventually(lambda: "relay_away" in service.log.read_text())
            [(tried,)] = rows_of(service, "SELECT count(*) FROM notices WHERE attempts > 0")
            assert tried <= 10, "what waits for a dead relay is not tried"

            server.start()
            look_now(service)
            eventually(lambda: len(server.taken) >= MANY, within=100.0)
            eventually(lambda: count(service, "sent") == MANY)
        assert service.stop() == 0

    once = Counter(message_id(mail) for mail in server.taken)
    assert (len(once), max(once.values())) == (MANY, 1)
    reached = {mail.recipients[0].rpartition("@")[2] for mail in server.taken[:FIRST]}
    assert len(reached) == DOMAINS
    assert scale.most < MEMORY
    assert server.most_open <= 4


def test_a_relay_that_misbehaves_loses_nothing_and_gets_nothing_twice(service: Service) -> None:
    """At each stage in each way, one after the other; each lot of bounces goes once it behaves again."""
    owed = 6
    with relay() as server:
        made = start(service, server, timeout="100 ms")
        for number, (name, trouble) in enumerate(TROUBLES.items()):
            # A connection that is still open would miss a trouble of the greeting.
            server.stop()
            server.behave(**trouble)
            server.start()
            before, domain = len(server.taken), f"t{number}.test"
            with service.store() as store:
                owed_now = [bounce(made, f"a{each}@{domain}") for each in range(owed)]
                with store.unit() as tx:
                    notices.owe(tx, owed_now)
            eventually(lambda domain=domain: _tried(service, domain))
            if name not in OF_THE_MAIL:
                assert len(server.taken) == before, name
                server.behave()
            _drive(service, domain)
            ends = _ends(service, domain)
            assert ends == {"given_up" if name in OF_THE_MAIL else "sent": owed}, name
            assert len(server.taken) - before == (0 if name in OF_THE_MAIL else owed), name
        once = Counter(message_id(mail) for mail in server.taken)
    assert max(once.values()) == 1


def _tried(service: Service, domain: str) -> bool:
    query = f"SELECT 1 AS one FROM notices WHERE attempts > 0 AND destination = '{domain}' LIMIT 1"  # noqa: S608
    return bool(rows_of(service, query))


def _ends(service: Service, domain: str) -> dict[str, int]:
    query = f"SELECT state, count(*) FROM notices WHERE destination = '{domain}' GROUP BY state"  # noqa: S608
    return dict(rows_of(service, query))


def _drive(service: Service, domain: str) -> None:
    """Let the waiting times pass until nothing is due."""

    def over() -> bool:
        with service.store() as store, store.unit() as tx:
            tx.execute(text("UPDATE notice SET next_at = created_at WHERE state = 'due' AND lease_owner IS NULL"))
            outages.look_now(tx, now())
        return "due" not in _ends(service, domain)

    eventually(over, within=60.0)


def test_a_courier_that_is_killed_in_the_middle_loses_nothing(service_on_each: Service) -> None:
    """What it had handed over and not yet written down goes again, under the same Message-ID."""
    service, many, kills = service_on_each, 1500, 5
    with relay() as server:
        made = start(service, server)
        with service.store() as store:
            owe(store, made, many, 20)
        for round_ in range(1, kills + 1):
            eventually(lambda goal=round_ * 200: len(server.taken) >= goal, within=60.0)
            [courier] = service.pids()["children"]
            os.kill(courier, signal.SIGKILL)
            eventually(lambda old=courier: service.pids()["children"] not in ([], [old]))
        eventually(lambda: count(service, "sent") == many, within=100.0)

    once = Counter(message_id(mail) for mail in server.taken)
    assert len(once) == many
    # Of each kill: what was under way, and what waited for its commit.
    assert sum(once.values()) - many <= kills * 20
    assert {recipients for mail in server.taken for recipients in mail.recipients} == {
        *(f"a{number}@d0.test" for number in range(many // 2)),
        *(f"b{number}@d{number % 20}.test" for number in range(many - many // 2)),
    }


def test_the_log_says_when_a_relay_goes_and_comes_back(service: Service, tmp_path: Path) -> None:
    with relay() as server:
        server.stop()
        made = start(service, server)
        with service.store() as store:
            owe(store, made, 20, 4)
        eventually(lambda: "relay_away" in service.log.read_text())
        server.start()
        look_now(service)
        eventually(lambda: "relay_back" in service.log.read_text())
        eventually(lambda: count(service, "sent") == 20)


def test_a_database_that_stands_still_for_longer_than_a_lease_has_nothing_sent_twice(postgres: PostgresServer) -> None:
    """What was under way is written down first once it answers again."""
    many = 400

    async def story(store: Store) -> None:
        stopping = asyncio.Event()
        with relay(delay=0.02) as server:
            work = asyncio.create_task(Courier(store, carrier(smarthost(server))).run(stopping))
            await asyncio.to_thread(eventually, lambda: len(server.taken) > many / 8)
            with postgres.hanging():
                await asyncio.sleep(LEASE.total_seconds() + 2)
                assert len(server.taken) < many / 2, "what is not written down stays little"
            await asyncio.to_thread(eventually, lambda: len({mail.recipients for mail in server.taken}) == many)
            stopping.set()
            await work
            assert len(server.taken) == many

    with postgres.database() as url:
        upgrade(url)
        with closing(open_store(url)) as store:
            hr = add_box(store, box())
            owe(store, hr, many, 10)
            asyncio.run(story(store))
            assert {state for state, _, _ in states(store).values()} == {"sent"}
