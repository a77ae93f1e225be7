"""Intake on a real database: what is answered, what is stored, and what must never differ."""

import asyncio
import json
import random
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from smtpd_service.admission import Offer
from smtpd_service.domain.outcomes import (
    Bounced,
    Frozen,
    MailboxFull,
    PartlyStored,
    Repeated,
    Stored,
    SystemFull,
    TooBigForMailbox,
    Unavailable,
)
from smtpd_service.housekeeping import keep_house
from smtpd_service.identity import new_id, now
from smtpd_service.intake import Intake
from smtpd_service.storing import Answer
from smtpd_service.warning import Policy
from storage import acceptance, mailboxes, messages
from storage.engine import Store, open_store
from storage.records import MessageId, Quota, Usage, WhenFull
from storage.upgrade import upgrade
from tests.servers import PostgresServer
from tests.service import eventually
from tests.storage.stock import add_box, box, offer, refusal
from tests.storage.writer import rows, usage

POLICY = Policy(warn_at=(70, 85, 95), operator="operator@agency.test")


@pytest.fixture
def intake(store: Store) -> Iterator[Intake]:
    started = Intake(store, POLICY, batch_messages=500, batch_octets=32_000_000)
    started.start()
    yield started
    started.stop()


def answers(intake: Intake, *offers: Offer) -> list[Answer]:
    async def all_at_once() -> list[Answer]:
        return list(await asyncio.gather(*(intake.offer(each) for each in offers)))

    return asyncio.run(all_at_once())


def in_one_batch(store: Store, *offers: Offer) -> list[type[Any]]:
    """Hand all over before the writer starts, so that they are surely one batch."""
    intake = Intake(store, POLICY, batch_messages=500, batch_octets=32_000_000)

    async def all_at_once() -> list[Answer]:
        tasks = [asyncio.create_task(intake.offer(each)) for each in offers]
        await asyncio.sleep(0)
        intake.start()
        return await asyncio.gather(*tasks)

    told = asyncio.run(all_at_once())
    intake.stop()
    return [type(answer.outcome) for answer in told]


def outcomes(intake: Intake, *offers: Offer) -> list[type[Any]]:
    return [type(answer.outcome) for answer in answers(intake, *offers)]


def test_a_message_is_stored_and_charged_by_what_was_received(intake: Intake, store: Store) -> None:
    made = add_box(store, box(octets=1000))

    [answer] = answers(intake, offer(b"x" * 1000, made))

    assert isinstance(answer.outcome, Stored)
    assert usage(store, made) == Usage(1, 1000)
    assert rows(store, "SELECT id, mailbox, octets, state FROM messages") == [
        (answer.outcome.id, made.address, 1000, "pending")
    ]


def test_a_batch_is_decided_in_order_of_arrival(store: Store) -> None:
    made = add_box(store, box(octets=100))

    assert in_one_batch(
        store, offer(b"a" * 60, made), offer(b"b" * 60, made), offer(b"c" * 40, made), offer(b"d", made)
    ) == [Stored, Bounced, Stored, Bounced]
    assert usage(store, made) == Usage(2, 100)


@pytest.mark.parametrize("bad", ["an id that is taken", "text that no database takes", "a mailbox that is gone"])
def test_a_bad_message_never_fails_its_batch(intake: Intake, store: Store, bad: str) -> None:
    made, gone = add_box(store, box()), box("gone@agency.test")
    first = offer(b"first", made)
    answers(intake, first)
    spoiled = {
        "an id that is taken": offer(b"bad", made)._replace(id=first.id),
        "text that no database takes": offer(b"bad", made, mail_from="ann\udcff@agency.test"),
        "a mailbox that is gone": offer(b"bad", gone),
    }[bad]

    told = in_one_batch(store, offer(b"before", made), spoiled, offer(b"after", made))

    assert told == [Stored, Unavailable, Stored]
    assert usage(store, made) == Usage(3, len(b"first" + b"before" + b"after"))
    assert outcomes(intake, offer(b"next", made)) == [Stored]


def test_a_large_batch_is_stored_as_a_small_one_is(store: Store) -> None:
    """Many rows go another way than few: no sign of theirs may mean anything to it."""
    made = add_box(store, box(octets=100_000))
    odd = ["plain", "a\ttab", "a\\N", "\\N", "a\nline", "ü\u2028", "\\.", "'; --", "%s", ""]
    sent = [
        offer(random.Random(n).randbytes(100), made, mail_from=f"{n}{odd[n % 10]}")._replace(message_id=odd[n // 10])
        for n in range(100)
    ]
    told = in_one_batch(store, *sent[:50], offer(b"bad", made)._replace(id=sent[0].id), *sent[50:])

    assert told == [*[Stored] * 50, Unavailable, *[Stored] * 50]
    assert usage(store, made) == Usage(100, 10_000)
    with store.reading() as tx:
        query = text("SELECT mail_from, message_id FROM message ORDER BY id")
        assert sorted(map(tuple, tx.execute(query))) == sorted(
            (each.sender.mail_from, each.message_id) for each in sent
        )
        assert [messages.octets(tx, each.id) for each in sent] == [each.octets for each in sent]
    again = [each._replace(id=MessageId(new_id())) for each in sent]
    assert in_one_batch(store, *again) == [Repeated] * 100


@pytest.mark.parametrize("messages_", [1, 40])
def test_a_batch_whose_connection_ends_is_put_off_and_the_next_is_stored(
    postgres: PostgresServer, messages_: int
) -> None:
    """The server ends the connection while the batch waits for the mailbox's row."""
    with postgres.database() as url:
        upgrade(url)
        store, other = open_store(url), open_store(url)
        made = add_box(store, box())
        sent = [offer(bytes([n]), made) for n in range(messages_)]

        def end_it() -> None:
            waiting = text("SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = :name")
            with other.reading() as tx:
                eventually(lambda: tx.execute(waiting, {"name": other.url.database}).first() is not None)
                [(pid,)] = tx.execute(waiting, {"name": other.url.database})
                tx.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})

        with other.unit() as tx:
            mailboxes.lock(tx, [made.id])
            ending = threading.Thread(target=end_it)
            ending.start()
            told = in_one_batch(store, *sent)
        ending.join()

        assert told == [Unavailable] * messages_
        assert in_one_batch(store, *sent) == [Stored] * messages_
        assert usage(store, made) == Usage(messages_, messages_)
        store.close()
        other.close()


def test_refusals_that_come_with_a_bad_message_are_still_recorded(intake: Intake, store: Store) -> None:
    made = add_box(store, box())

    async def together() -> tuple[Answer, bool, bool]:
        return await asyncio.gather(
            intake.offer(offer(b"bad", box())), intake.record([refusal(made)]), intake.record([refusal(box())])
        )

    answer, recorded, lost = asyncio.run(together())

    assert (type(answer.outcome), recorded, lost) == (Unavailable, True, False)
    assert rows(store, "SELECT mailbox, stage FROM refusals") == [(made.address, "rcpt")]


def test_the_batch_survives_a_session_that_is_gone(intake: Intake, store: Store) -> None:
    made = add_box(store, box())

    async def hang_up() -> list[Any]:
        tasks = [asyncio.create_task(intake.offer(offer(name, made))) for name in (b"gone", b"stays")]
        await asyncio.sleep(0)
        tasks[0].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    gone, stays = asyncio.run(hang_up())

    assert isinstance(gone, asyncio.CancelledError)
    assert isinstance(stays.outcome, Stored)
    assert usage(store, made) == Usage(2, len(b"gonestays"))


def test_mail_sent_again_is_recognised_and_not_charged_twice(intake: Intake, store: Store) -> None:
    made = add_box(store, box())
    [first] = answers(intake, offer(b"the same", made))
    assert isinstance(first.outcome, Stored)

    again = answers(intake, offer(b"the same", made), offer(b"the same", made))

    assert [each.outcome for each in again] == [Repeated(first.outcome.id)] * 2
    assert usage(store, made) == Usage(1, 8)
    assert outcomes(intake, offer(b"the same", made, mail_from="bob@agency.test"), offer(b"the same!", made)) == [
        Stored,
        Stored,
    ]


def test_mail_sent_twice_in_one_batch_is_stored_once(store: Store) -> None:
    made = add_box(store, box())

    assert in_one_batch(store, offer(b"same", made), offer(b"same", made)) == [Stored, Repeated]
    assert usage(store, made) == Usage(1, 4)


def test_mail_that_was_bounced_is_bounced_once_also_when_there_is_room_now(intake: Intake, store: Store) -> None:
    made = add_box(store, box(octets=5))
    [bounced] = answers(intake, offer(b"too long", made))
    assert isinstance(bounced.outcome, Bounced)
    with store.unit() as tx:
        mailboxes.set_quota(tx, made.id, Quota(1000), WhenFull.BOUNCE)

    assert [each.outcome for each in answers(intake, offer(b"too long", made))] == [Repeated(bounced.outcome.notice)]
    assert usage(store, made) == Usage(0, 0)
    assert rows(store, "SELECT kind, state FROM notices") == [("bounce", "due")]


@pytest.mark.parametrize(("mode", "refused"), [(WhenFull.REJECT, MailboxFull), (WhenFull.DEFER, MailboxFull)])
def test_mail_that_was_refused_is_decided_afresh(
    intake: Intake, store: Store, mode: WhenFull, refused: type[Any]
) -> None:
    made = add_box(store, box(octets=10, when_full=mode, used=Usage(0, 0)))
    assert outcomes(intake, offer(b"123456", made), offer(b"abcdef", made)) == [Stored, refused]
    with store.unit() as tx:
        mailboxes.set_quota(tx, made.id, Quota(1000), mode)

    assert outcomes(intake, offer(b"abcdef", made)) == [Stored]
    assert usage(store, made) == Usage(2, 12)


def test_a_mark_of_eight_days_ago_is_forgotten(intake: Intake, store: Store) -> None:
    made = add_box(store, box())
    answers(intake, offer(b"weekly", made))
    with store.unit() as tx:
        assert acceptance.forget(tx, now() + timedelta(days=8), 100) == 1

    assert outcomes(intake, offer(b"weekly", made)) == [Stored]


def test_no_bounce_goes_to_the_null_sender_to_the_unproved_or_to_who_wants_none(intake: Intake, store: Store) -> None:
    made = add_box(store, box(octets=1))
    silent = [
        offer(b"null", made, mail_from=""),
        offer(b"unproved", made, proved=False),
        offer(b"never", made, never=True),
    ]

    told = answers(intake, *silent)

    assert [type(each.outcome) for each in told] == [TooBigForMailbox] * 3
    assert {each.mode for each in told} == {WhenFull.REJECT}
    assert rows(store, "SELECT count(*) FROM notices") == [(0,)]
    assert rows(store, "SELECT count(*) FROM refusals WHERE notice IS NULL") == [(3,)]


def test_a_frozen_mailbox_defers(intake: Intake, store: Store) -> None:
    made = add_box(store, box(frozen=True))
    [answer] = answers(intake, offer(b"mail", made))
    assert (answer.outcome, answer.mode) == (Frozen(), WhenFull.DEFER)


def test_recipients_of_one_message_are_decided_apart(intake: Intake, store: Store) -> None:
    roomy, full = add_box(store, box()), add_box(store, box("full@agency.test", octets=1))

    [answer] = answers(intake, offer(b"for both", roomy, full))

    assert isinstance(answer.outcome, Stored)
    assert (usage(store, roomy), usage(store, full)) == (Usage(1, 8), Usage(0, 0))
    [(notice,)] = rows(store, "SELECT id FROM notices")
    assert rows(store, "SELECT mailbox, notice FROM refusals") == [(full.address, notice)]
    assert outcomes(intake, offer(b"for both", roomy, full)) == [Repeated]
    assert rows(store, "SELECT count(*) FROM notices") == [(1,)]


def test_what_was_stored_for_one_is_recognised_when_the_rest_is_tried_again(intake: Intake, store: Store) -> None:
    roomy = add_box(store, box())
    waiting = add_box(store, box("waiting@agency.test", octets=9, when_full=WhenFull.DEFER))
    answers(intake, offer(b"fills it", waiting))

    assert outcomes(intake, offer(b"for both", roomy, waiting)) == [PartlyStored]
    assert outcomes(intake, offer(b"for both", roomy, waiting)) == [PartlyStored]
    with store.unit() as tx:
        mailboxes.set_quota(tx, waiting.id, Quota(1000), WhenFull.DEFER)
    assert outcomes(intake, offer(b"for both", roomy, waiting)) == [Stored]
    assert outcomes(intake, offer(b"for both", roomy, waiting)) == [Repeated]
    assert (usage(store, roomy), usage(store, waiting)) == (Usage(1, 8), Usage(2, 16))


def test_one_bounce_names_all_the_mailboxes_that_refused(intake: Intake, store: Store) -> None:
    full = [add_box(store, box(f"full{n}@agency.test", octets=1)) for n in range(3)]

    assert outcomes(intake, offer(b"for all", *full)) == [Bounced]
    assert rows(store, "SELECT count(*) FROM notices") == [(1,)]
    assert rows(store, "SELECT count(DISTINCT notice), count(*) FROM refusals") == [(1, 3)]


def test_a_quota_in_messages_holds(intake: Intake, store: Store) -> None:
    made = add_box(store, box(quota=Quota(10**9, messages=2)))
    assert outcomes(intake, *(offer(bytes([n]), made) for n in range(4))) == [Stored, Stored, Bounced, Bounced]
    assert usage(store, made) == Usage(2, 2)


def test_the_last_message_may_pass_the_quota_by_its_grace(intake: Intake, store: Store) -> None:
    made = add_box(store, box(quota=Quota(100, grace=20)))
    assert outcomes(intake, offer(b"a" * 90, made), offer(b"b" * 30, made), offer(b"c", made)) == [
        Stored,
        Stored,
        Bounced,
    ]
    assert usage(store, made) == Usage(2, 120)


def warnings(store: Store) -> list[tuple[Any, ...]]:
    with store.reading() as tx:
        facts = tx.execute(text("SELECT facts FROM notice WHERE kind = 'warning' ORDER BY id")).scalars()
        return [(each["level"], each["rising"]) for each in map(json.loads, facts)]


def test_warnings_rise_at_once_and_fall_with_hysteresis(intake: Intake, store: Store) -> None:
    made = add_box(store, box(octets=100))

    answers(intake, offer(b"a" * 69, made))
    assert warnings(store) == []
    answers(intake, offer(b"b", made))
    assert warnings(store) == [(70, True)]
    answers(intake, offer(b"c" * 16, made))
    assert warnings(store) == [(70, True), (85, True)]
    answers(intake, offer(b"d" * 14, made))
    assert warnings(store) == [(70, True), (85, True), (95, True)]

    def limit(octets: int) -> list[tuple[Any, ...]]:
        with store.unit() as tx:
            mailboxes.set_quota(tx, made.id, Quota(octets), WhenFull.BOUNCE)
        keep_house(store, POLICY)
        return warnings(store)[3:]

    assert limit(110) == [], "91 % is within five percent of the threshold that was told"
    assert limit(112) == [(95, False)]
    assert limit(111) == [(95, False)], "90 % does not flap"
    assert limit(100) == [(95, False), (95, True)]
    assert limit(1000) == [(95, False), (95, True), (95, False)]


def test_the_notice_of_a_bounce_is_there_or_nothing_is(intake: Intake, store: Store) -> None:
    """The refusal cannot be written, after the notice was: neither may stay."""
    made = add_box(store, box(octets=1))
    with store.unit() as tx:
        tx.execute(text("DROP TABLE refusal CASCADE" if store.dialect == "postgresql" else "DROP TABLE refusal"))

    assert outcomes(intake, offer(b"one", made)) == [Unavailable]

    with store.reading() as tx:
        assert tx.scalar(text("SELECT count(*) FROM notice")) == 0
        assert tx.scalar(text("SELECT count(*) FROM acceptance")) == 0


def test_a_disk_that_is_full_is_told_as_such(sqlite_store: Store) -> None:
    made = add_box(sqlite_store, box(octets=10**9))
    # The limit is one connection's, so there may be one writer's only.
    store = open_store(str(sqlite_store.url), connections=1)
    with store.unit() as tx:
        pages = tx.scalar(text("PRAGMA page_count"))
        tx.execute(text(f"PRAGMA max_page_count = {pages + 2}"))
    intake = Intake(store, POLICY, batch_messages=10, batch_octets=10**6)
    intake.start()
    try:
        assert outcomes(intake, offer(random.Random(1).randbytes(200_000), made)) == [SystemFull]
    finally:
        intake.stop()
        store.close()
    assert usage(sqlite_store, made) == Usage(0, 0)


def test_a_filling_mailbox_is_in_the_log_also_where_nobody_is_written_to(
    intake: Intake, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    made = add_box(store, box(octets=100))
    with caplog.at_level("WARNING", logger="pulsebox"):
        answers(intake, offer(b"x" * 72, made))

    assert "mailbox_filling" in caplog.text
    assert "percent=70" in caplog.text
