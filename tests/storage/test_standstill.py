"""A process that stands still between two statements of a batch: the server soon gives others what it held."""

import asyncio
import threading
import time

import pytest

from smtpd_service import storing
from smtpd_service.domain.outcomes import Unavailable
from smtpd_service.intake import Intake
from smtpd_service.warning import Policy
from storage import liveness, mailboxes
from storage.engine import open_store
from storage.records import Quota
from storage.statement import COPIED
from tests.servers import PostgresServer
from tests.storage.stock import add_box, box, offer

# In seconds.
STILL = 5.0


@pytest.mark.parametrize("rate", [None, 100])
@pytest.mark.parametrize("messages", [1, COPIED])
def test_a_writer_that_stands_still_with_a_mailbox_in_hand_soon_has_it_no_more(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, messages: int, rate: int | None
) -> None:
    soon = b"BEGIN; SET LOCAL idle_in_transaction_session_timeout = 200"
    monkeypatch.setattr(liveness, "_BEGIN", soon)
    still, others_have_it = threading.Event(), threading.Event()

    def stand_still(box: object, *_: object) -> tuple[object, None]:
        still.set()
        others_have_it.wait(STILL)
        return box, None

    monkeypatch.setattr(storing, "_decide_one", stand_still)
    with postgres.database(schema=True) as url:
        store, other = open_store(url), open_store(url)
        hot = add_box(store, box(quota=Quota(10**6, rate_messages=rate)))
        intake = Intake(store, Policy((), ""), batch_messages=100, batch_octets=10**6)

        async def offered() -> list[type[object]]:
            waiting = [asyncio.create_task(intake.offer(offer(bytes([n]), hot))) for n in range(messages)]
            await asyncio.sleep(0)
            intake.start()
            await asyncio.to_thread(still.wait, STILL)
            began = time.monotonic()
            with other.unit() as tx:
                mailboxes.lock(tx, [hot.id])
            others_have_it.set()
            assert time.monotonic() - began < STILL / 2
            return [type((await each).outcome) for each in waiting]

        told = asyncio.run(offered())
        intake.stop()
        for each in (store, other):
            each.close()

    assert told == [Unavailable] * messages
