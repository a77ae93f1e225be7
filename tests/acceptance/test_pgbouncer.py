"""Two nodes on one PostgreSQL, directly and behind PgBouncer in transaction mode: changes hold in a second."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from storage.upgrade import upgrade
from tests.acceptance.books import rows, settled, usage
from tests.foreign.programs import needs
from tests.pgbouncer import pgbouncer
from tests.servers import PostgresServer
from tests.service import Service, mail

HR = "hr@agency.test"
# Fewer than the two services keep open to it.
CONNECTIONS = 4


@pytest.fixture(params=["direct", "behind pgbouncer"])
def url(request: pytest.FixtureRequest, postgres: PostgresServer, tmp_path: Path) -> Iterator[str]:
    with postgres.database() as direct, ExitStack() as stack:
        if request.param == "direct":
            yield direct
        else:
            needs("pgbouncer")
            yield stack.enter_context(pgbouncer(direct, pool=CONNECTIONS))


@pytest.mark.acceptance
def test_two_nodes_take_read_and_bounce_mail_and_see_each_change_within_a_second(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ExitStack() as stack:
        nodes = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            nodes.append(Service(tmp_path / name, url))
            nodes[-1].mailbox(HR, when_full="bounce")
            nodes[-1].set("service", listeners=2)
            stack.callback(nodes[-1].kill)
            # The first one makes the schema.
            nodes[-1].start()
        one, two = nodes

        for number in range(30):
            nodes[number % 2].send(mail(1000, message_id=f"{number}@load.test"))
        took = []
        for number, quota in enumerate(("30 kB", "31 kB", "30 kB")):
            said = json.loads(nodes[number % 2].pulsebox("quota", "set", HR, quota, "--reason", "INC-41", "--json"))
            assert (said["listeners"]["confirmed"], said["listeners"]["running"]) == (4, 4)
            took.append(said["listeners"]["seconds"])
        two.send(mail(1000, message_id="late@load.test"))

        assert max(took) <= 1
        with one.store() as store:
            settled(store)
            assert usage(store, HR).octets == 30_000
            assert rows(store, "SELECT count(*) FROM submissions") == [(30,)]
        bounces = [mail for node in nodes for mail in node.outbox()]
        assert len(bounces) == 1
        listed = json.loads(two.pulsebox("node", "list", "--json"))
        assert sorted(each["role"] for each in listed) == sorted(["listener", "listener", "reader", "courier"] * 2)
        assert {(each["state"], each["behind"]) for each in listed} == {("serving", 0)}
        upgrade(url)
        assert [each.stop() for each in nodes] == [0, 0]
        assert json.loads(one.pulsebox("node", "list", "--json")) == []
    with capsys.disabled():
        print(f"\nseen by 4 listeners on 2 nodes after {', '.join(f'{each:.2f}' for each in took)} s")
