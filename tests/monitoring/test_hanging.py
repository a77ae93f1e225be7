"""A database that hangs: who watches is answered at once with what was known, and told that it is old."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.monitoring.scrape import Scrape, reasons, watched
from tests.servers import PostgresServer
from tests.service import Service, eventually, mail
from tests.session.dialogue import HR


@pytest.fixture
def service(tmp_path: Path, postgres: PostgresServer) -> Iterator[Service]:
    with postgres.database() as url:
        made = Service(tmp_path, url)
        made.mailbox(HR)
        yield made
        made.kill()


@pytest.mark.acceptance
def test_while_the_database_hangs_a_scrape_is_answered_in_a_second_and_nothing_is_started_anew(
    service: Service, postgres: PostgresServer
) -> None:
    port = watched(service)
    service.start()
    service.send(mail())
    eventually(lambda: Scrape(port)["pulsebox_mailbox_used_messages"] == 1)
    with postgres.hanging():
        eventually(lambda: reasons(port, "/ready")[0] == 503, within=20)
        for _ in range(10):
            begun = time.monotonic()
            found = Scrape(port)
            assert time.monotonic() - begun < 1
        assert found["pulsebox_messages_accepted_total"] == 1
        assert found["pulsebox_mailbox_used_messages"] == 1
        eventually(lambda: Scrape(port)["pulsebox_database_look_age_seconds"] > 5)
        # Starting again would help nobody.
        assert reasons(port, "/health") == (200, [])
    eventually(lambda: reasons(port, "/ready") == (200, []), within=30)
    assert Scrape(port)["pulsebox_process_starts_total"] == 4
    assert Scrape(port)["pulsebox_database_look_age_seconds"] < 5
