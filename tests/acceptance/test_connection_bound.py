"""A service of several processes under load: no more connections than docs/operations.md says, and two are enough."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.acceptance.books import check, settled, usage
from tests.foreign.programs import needs
from tests.load import Load, running, until_answered
from tests.pgbouncer import POOL, pgbouncer
from tests.servers import PostgresServer
from tests.service import Service
from tests.session.dialogue import HR

LISTENERS, READERS = 2, 2
BOUND = 2 * LISTENERS + 2 * READERS + 3
# A verb and this test's own look have two each.
OTHERS = 4
SMALL = "small@agency.test"


class Counted(threading.Thread):
    """Looks again and again how many connections a database has; notes the most."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url.replace("+psycopg", "")
        self._end = threading.Event()
        self.most = 0

    def run(self) -> None:
        others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        with psycopg.connect(self._url, autocommit=True) as connection:
            while not self._end.wait(0.02):
                [count] = connection.execute(others).fetchone() or [0]
                self.most = max(self.most, count)

    def end(self) -> None:
        self._end.set()
        self.join(30)


@contextmanager
def counted(url: str) -> Iterator[Counted]:
    made = Counted(url)
    made.start()
    try:
        yield made
    finally:
        made.end()


def serve(service: Service, messages: int) -> None:
    """Run a service of several processes under load, with verbs meanwhile, and check the books."""
    service.set("service", listeners=LISTENERS)
    service.set("reader", processes=READERS)
    service.mailbox(HR, quota="10 GB")
    service.mailbox(SMALL, quota=20_000)
    service.start()
    log = service.folder / "client.log"
    with running([Load(service.port, log, HR, SMALL, sessions=16, messages=messages // 16, largest=2000)]) as [load]:
        until_answered([load], messages // 4)
        service.pulsebox("quota", "set", HR, "9GB", "--reason", "less is enough")
        assert service.query("SELECT count(*) AS n FROM messages")[0]["n"] > 0
        until_answered([load], messages // 16 * 16, 60)
    with service.store() as store:
        settled(store)
        tally = check(service, store, load.told())
        assert usage(store, HR).messages + usage(store, SMALL).messages == tally["stored"]
        assert usage(store, SMALL).octets <= 20_000
    assert service.stop() == 0
    assert "Traceback" not in service.log.read_text()


@pytest.mark.acceptance
@pytest.mark.parametrize("way", ["direct", "behind pgbouncer"])
def test_a_service_holds_its_number_of_connections_under_load(
    tmp_path: Path, postgres: PostgresServer, way: str
) -> None:
    with ExitStack() as stack:
        url = own = stack.enter_context(postgres.database())
        if way != "direct":
            needs("pgbouncer")
            own = stack.enter_context(pgbouncer(url))
        connections = stack.enter_context(counted(url))
        service = Service(tmp_path, own)
        stack.callback(service.kill)
        serve(service, 320)
    if way == "direct":
        assert LISTENERS + READERS < connections.most <= BOUND + OTHERS
    else:
        assert 0 < connections.most <= POOL
