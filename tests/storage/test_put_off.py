"""A database that hangs for longer than anybody should wait: sessions are put off; what comes of it later is known."""

import asyncio
import time

import pytest

from smtpd_service import intake
from smtpd_service.domain.outcomes import Repeated, Stored, Unavailable
from smtpd_service.intake import Intake
from smtpd_service.warning import Policy
from storage import mailboxes
from storage.engine import Store
from tests.storage.stock import add_box, box, offer, refusal


@pytest.fixture
def hasty(store: Store, monkeypatch: pytest.MonkeyPatch) -> Intake:
    monkeypatch.setattr(intake, "ANSWERED_WITHIN", 0.3)
    monkeypatch.setattr(intake, "LOOK_EVERY", 0.05)
    return Intake(store, Policy((), ""), batch_messages=1, batch_octets=10**6)


def test_who_waits_too_long_is_put_off_and_recognised_when_he_comes_again(store: Store, hasty: Intake) -> None:
    to = add_box(store, box())
    first, second = offer(b"one\r\n", to), offer(b"two\r\n", to)

    async def work() -> None:
        began = time.monotonic()
        with store.unit() as tx:
            # As another node holds it that stands still: the first is being stored, the second waits behind it.
            mailboxes.lock(tx, [to.id])
            answers = await asyncio.gather(hasty.offer(first), hasty.offer(second), hasty.record([refusal(to)]))
            # Nor are they kept in memory: as many may come again as the database hangs long.
            assert hasty.waiting == 0
        assert time.monotonic() - began < 3
        assert [type(each.outcome) for each in answers[:2]] == [Unavailable, Unavailable]
        assert answers[2] is False
        # What waited behind was never begun.
        again = [await hasty.offer(each) for each in (first, second)]
        assert [type(each.outcome) for each in again] == [Repeated, Stored]

    hasty.start()
    asyncio.run(work())
    hasty.stop()
    with store.reading() as tx:
        assert mailboxes.stored_usage(tx, to.id).messages == 2


def test_nobody_is_put_off_who_was_answered_and_nothing_is_looked_at_when_nobody_waits(
    store: Store, hasty: Intake
) -> None:
    to = add_box(store, box())

    async def work() -> None:
        assert type((await hasty.offer(offer(b"one\r\n", to))).outcome) is Stored
        await asyncio.sleep(0.5)
        assert not hasty._unanswered  # noqa: SLF001  # what is kept of those who were answered: nothing
        assert hasty._look is None  # noqa: SLF001

    hasty.start()
    asyncio.run(work())
    hasty.stop()
