"""The primary dies under load, its standby is promoted: 4xx in between, and each acknowledged message is there once."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from storage.records import Usage
from tests.acceptance.books import rows, settled, usage
from tests.cluster import Cluster, cluster
from tests.load import Load, Told, running, until_answered
from tests.service import Service, eventually, mail
from tests.session.dialogue import HR, Dialogue
from tests.session.test_smtp_hang import UNAVAILABLE, LastWords, new_begins

BACK_WITHIN = 10.0
# What a session with a message under way may wait, and what the rest may.
PUT_OFF_WITHIN, TOLD_WITHIN = 18.0, 8.0


@pytest.fixture
def pair(postgres: object) -> Iterator[Cluster]:
    # The fixture `postgres` makes the user that servers run as.
    with cluster() as made:
        yield made


@pytest.fixture
def service(tmp_path: Path, pair: Cluster) -> Iterator[Service]:
    made = Service(tmp_path, pair.url)
    made.set("reader", processes=2)
    made.set("service", listeners=2)
    made.mailbox(HR, quota="10 GB")
    made.start()
    yield made
    made.kill()


class Replies(threading.Thread):
    """Says MAIL in one session after the other; notes each reply, and the slowest."""

    def __init__(self, service: Service) -> None:
        super().__init__()
        self._service = service
        self._end = threading.Event()
        self.codes: set[str] = set()
        self.slowest = 0.0

    def run(self) -> None:
        while not self._end.wait(0.05):
            began = time.monotonic()
            self.codes.add(new_begins(self._service)[:3])
            self.slowest = max(self.slowest, time.monotonic() - began)

    def end(self) -> None:
        self._end.set()
        self.join(60)


@contextmanager
def watched(service: Service) -> Iterator[Replies]:
    made = Replies(service)
    made.start()
    try:
        yield made
    finally:
        made.end()


def takes_mail(service: Service) -> bool:
    return new_begins(service).startswith("250 ")


def check(service: Service, told: list[Told]) -> Usage:
    """Hold what clients were told against the database: each message once, and the counter is the sum."""
    with service.store() as store:
        settled(store)
        names = [name for (name,) in rows(store, "SELECT message_id FROM messages")]
        read = rows(store, "SELECT count(*), count(DISTINCT message) FROM submissions")
        used = usage(store, HR)
    assert len(names) == len(set(names)), "a message is stored twice"
    assert read == [(len(names), len(names))]
    assert {each.code for each in told} == {250}
    assert {each.message_id for each in told} <= set(names), "what was acknowledged is gone"
    return used


@pytest.mark.acceptance
def test_a_standby_that_is_promoted_takes_over_and_loses_nothing(pair: Cluster, service: Service) -> None:
    log = service.folder / "client.log"
    with running([Load(service.port, log, HR, sessions=12, largest=2000)]) as [load], watched(service) as replies:
        until_answered([load], 150)
        pair.primary.kill()
        eventually(lambda: not takes_mail(service), TOLD_WITHIN)
        before = load.answered
        time.sleep(2)
        assert load.answered == before, "nothing is acknowledged while there is no primary"

        pair.standby.promote()

        until_answered([load], before + 50, BACK_WITHIN)
        until_answered([load], before + 200)
        load.end()
    used = check(service, load.told())
    assert used.messages == len(load.told())
    assert replies.codes == {"250", "451"}
    assert replies.slowest < TOLD_WITHIN
    assert service.stop() == 0


@pytest.mark.acceptance
def test_while_the_synchronous_standby_is_away_nobody_is_acknowledged_and_nobody_waits_for_long(
    pair: Cluster, service: Service
) -> None:
    with ExitStack() as stack:
        replies = stack.enter_context(watched(service))
        sending = stack.enter_context(Dialogue(service.address, timeout=60)).hello()
        assert [reply[:3] for reply in sending.transaction()] == ["250", "250"]
        octets = mail(message_id="under.way@agency.test")
        words = LastWords(sending, octets)
        pair.standby.kill()
        began = time.monotonic()

        words.start()

        eventually(lambda: not takes_mail(service), TOLD_WITHIN)
        words.join(PUT_OFF_WITHIN + 5)
        assert words.reply == UNAVAILABLE
        assert time.monotonic() - began < PUT_OFF_WITHIN
        pair.standby.start()
        eventually(lambda: takes_mail(service), BACK_WITHIN)
        # It was committed after all, and is known when it comes again.
        with Dialogue(service.address) as again:
            again.hello().transaction()
            assert "Received before as" in again.data(octets, end=b".\r\n")
    with service.store() as store:
        settled(store)
        assert usage(store, HR).messages == 1
    assert replies.codes == {"250", "451"}
    assert replies.slowest < TOLD_WITHIN
    assert service.stop() == 0
