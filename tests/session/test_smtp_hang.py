"""A database that hangs: sessions are told 451 soon, mail is taken again soon after, and nothing is lost."""

import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.acceptance.books import settled, usage
from tests.servers import PostgresServer
from tests.service import Service, eventually, mail
from tests.session.dialogue import HR, MAIL, Dialogue, rows

UNAVAILABLE = "451 4.3.0 Temporary failure, please try again later"
TOLD_WITHIN = 6.0
BACK_WITHIN = 10.0


def begins(client: Dialogue) -> str:
    """Say MAIL, and RSET after it; return the reply to MAIL."""
    return client.ask_all(MAIL, "RSET")[0]


def new_begins(service: Service) -> str:
    with Dialogue(service.address) as client:
        return begins(client.hello())


class LastWords(threading.Thread):
    """Sends the content of a message whose recipients were taken, and waits for the reply, however long."""

    def __init__(self, client: Dialogue, octets: bytes) -> None:
        super().__init__()
        self._client, self._octets = client, octets
        self.reply = ""

    def run(self) -> None:
        self.reply = self._client.data(self._octets, end=b".\r\n")


# What hangs is a new connection to the database where a message holds the old one, and the old one where none does.
@pytest.mark.parametrize("at_once", [True, False], ids=["with a message under way", "with none under way"])
def test_a_database_that_hangs_is_451_soon_and_mail_is_taken_again_soon_after(
    tmp_path: Path, postgres: PostgresServer, at_once: bool
) -> None:
    with postgres.database(schema=True) as url, ExitStack() as stack:
        service = Service(tmp_path, url)
        stack.callback(service.kill)
        service.mailbox(HR)
        service.start()
        old, sending = (stack.enter_context(Dialogue(service.address, timeout=60)).hello() for _ in range(2))
        assert begins(old).startswith("250 ")
        assert [reply[:3] for reply in sending.transaction()] == ["250", "250"]
        words = LastWords(sending, mail(message_id="under.way@agency.test"))

        with postgres.hanging():
            began = time.monotonic()
            if at_once:
                words.start()
            eventually(lambda: begins(old) == UNAVAILABLE, TOLD_WITHIN)
            assert new_begins(service) == UNAVAILABLE
            assert time.monotonic() - began < TOLD_WITHIN
            eventually(lambda: service.log.read_text().count(" database_away ") == 1, TOLD_WITHIN)
            # It stays so, and each is told at once.
            if not at_once:
                words.start()
            time.sleep(2)
            asked = time.monotonic()
            assert begins(old) == new_begins(service) == UNAVAILABLE
            assert time.monotonic() - asked < 1
        awake = time.monotonic()

        eventually(lambda: begins(old).startswith("250 "), BACK_WITHIN)
        eventually(lambda: new_begins(service).startswith("250 "), BACK_WITHIN)
        eventually(lambda: " database_back" in service.log.read_text())
        service.send(mail(message_id="afterwards@agency.test"))
        assert time.monotonic() - awake < BACK_WITHIN
        words.join(30)
        # Whoever is put off sends again, as a sender's own server does.
        if words.reply == UNAVAILABLE:
            service.send(mail(message_id="under.way@agency.test"))
        else:
            assert words.reply.startswith("250 2.6.0")
        with service.store() as store:
            settled(store)
            assert usage(store, HR).messages == 2
        names = [row["message_id"] for row in rows(service, "SELECT message_id FROM message ORDER BY message_id")]
        assert names == ["<afterwards@agency.test>", "<under.way@agency.test>"]
        assert service.stop() == 0
