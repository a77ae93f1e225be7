"""Messages an hour, in all and from one sender: counted as they are stored, exact however many store at once."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from smtpd_service.domain.outcomes import Bounced, RateExceeded, Repeated, SenderRateExceeded, Stored
from smtpd_service.housekeeping import keep_house
from smtpd_service.identity import now
from smtpd_service.intake import Intake
from smtpd_service.storing import prepare, store_batch
from storage import acceptance
from storage.engine import Store, open_store
from storage.records import Mailbox, Quota, Usage, WhenFull
from storage.schema import arrival
from tests.storage.noting import noting
from tests.storage.stock import add_box, box, offer
from tests.storage.writer import POLICY, answers, outcomes, rows, usage, writing


@pytest.fixture
def intake(store: Store) -> Iterator[Intake]:
    with writing(store) as started:
        yield started


def rated(store: Store, mode: WhenFull = WhenFull.REJECT, **rates: int) -> Mailbox:
    return add_box(store, box(quota=Quota(10**9, **rates), when_full=mode))


def counted(store: Store) -> list[tuple[str, int]]:
    """Return what is counted, by sender."""
    with store.reading() as tx:
        query = "SELECT sender, sum(messages) FROM arrival GROUP BY sender ORDER BY sender"
        return [(sender, int(messages)) for sender, messages in tx.execute(text(query))]


def let_pass(store: Store, time: timedelta) -> None:
    """Let everything that was counted have come so much earlier."""
    with store.unit() as tx:
        found = tx.execute(arrival.select()).all()
        tx.execute(arrival.delete())
        for row in found:
            earlier = {"since": row.since - time}
            tx.execute(arrival.insert().values(dict(row._mapping) | earlier))  # noqa: SLF001  # SQLAlchemy's public name for it


def test_messages_beyond_the_rate_of_an_hour_are_refused_whoever_sends_them(intake: Intake, store: Store) -> None:
    made = rated(store, rate_messages=2)
    sent = [offer(bytes([n]), made, mail_from=f"a{n}@agency.test") for n in range(4)]

    assert outcomes(intake, *sent) == [Stored, Stored, RateExceeded, RateExceeded]
    assert usage(store, made) == Usage(2, 2)
    assert rows(store, "SELECT outcome, reply FROM refusals") == [
        ("RateExceeded", "550 5.2.122 Mailbox receives too many messages an hour")
    ] * 2  # fmt: skip


def test_a_sender_beyond_its_rate_is_refused_and_another_one_is_not(intake: Intake, store: Store) -> None:
    made = rated(store, rate_sender=2)
    by = ["ann@agency.test", "ANN@AGENCY.test", '"ann"@agency.test', "bob@agency.test"]

    told = outcomes(intake, *(offer(bytes([n]), made, mail_from=sender) for n, sender in enumerate(by)))

    # Neither case nor quotes make another sender of one, who would have a rate of its own.
    assert told == [Stored, Stored, SenderRateExceeded, Stored]
    assert rows(store, "SELECT reply FROM refusals") == [("550 5.2.121 Too many messages an hour from this sender",)]


def test_who_forges_a_sender_does_not_use_up_the_rate_of_that_sender(intake: Intake, store: Store) -> None:
    made = rated(store, rate_sender=1)
    forged = [offer(bytes([n]), made, proved=False) for n in range(3)]
    assert outcomes(intake, *forged, offer(b"4", made)) == [Stored, SenderRateExceeded, SenderRateExceeded, Stored]


def test_the_null_sender_is_one_sender(intake: Intake, store: Store) -> None:
    made = rated(store, WhenFull.DEFER, rate_sender=1)
    [first, second] = answers(intake, offer(b"1", made, mail_from=""), offer(b"2", made, mail_from=""))
    assert isinstance(first.outcome, Stored)
    # It never tries again, so it is not told to.
    assert (second.outcome, second.mode) == (SenderRateExceeded(1), WhenFull.REJECT)


@pytest.mark.parametrize(
    ("mode", "reply"),
    [
        (WhenFull.DEFER, "450 4.2.1 Too many messages from you, please try again later"),
        (WhenFull.REJECT, "550 5.2.121 Too many messages an hour from this sender"),
        (WhenFull.BOUNCE, "550 5.2.121 too many messages an hour from this sender"),
    ],
)
def test_a_rate_refuses_by_the_mode_of_the_mailbox(intake: Intake, store: Store, mode: WhenFull, reply: str) -> None:
    made = rated(store, mode, rate_sender=1)

    told = outcomes(intake, offer(b"1", made), offer(b"2", made))

    assert told == [Stored, Bounced if mode is WhenFull.BOUNCE else SenderRateExceeded]
    assert rows(store, "SELECT reply FROM refusals") == [(reply,)]
    with store.reading() as tx:
        facts = tx.execute(text("SELECT facts FROM notice")).scalars().all()
    assert [reply in each for each in facts] == [True] * (mode is WhenFull.BOUNCE)


def test_only_what_is_stored_counts_and_a_mail_sent_again_counts_once(intake: Intake, store: Store) -> None:
    made = add_box(store, box(quota=Quota(10, rate_messages=9), when_full=WhenFull.REJECT))
    outcomes(intake, offer(b"x" * 20, made), offer(b"y" * 11, made))
    assert counted(store) == []

    assert outcomes(intake, offer(b"1", made), offer(b"1", made)) == [Stored, Repeated]
    assert counted(store) == [("", 1), ("ann@agency.test", 1)]


def test_the_hour_slides_and_no_message_is_forgotten_before_it_is_over(intake: Intake, store: Store) -> None:
    made = rated(store, rate_messages=1)
    assert outcomes(intake, offer(b"1", made)) == [Stored]
    let_pass(store, timedelta(minutes=59))
    assert outcomes(intake, offer(b"2", made)) == [RateExceeded]
    let_pass(store, timedelta(minutes=6))
    assert outcomes(intake, offer(b"3", made), offer(b"4", made)) == [Stored, RateExceeded]


def test_a_clock_that_was_a_day_ahead_for_a_while_stops_nobody(intake: Intake, store: Store) -> None:
    made = rated(store, rate_messages=1)
    assert outcomes(intake, offer(b"1", made)) == [Stored]
    let_pass(store, -timedelta(days=1))
    assert outcomes(intake, offer(b"2", made), offer(b"3", made)) == [Stored, RateExceeded]


def test_counts_are_forgotten_after_two_hours_by_housekeeping(intake: Intake, store: Store) -> None:
    made = rated(store, rate_messages=9)
    outcomes(intake, offer(b"1", made))
    let_pass(store, timedelta(hours=1))
    outcomes(intake, offer(b"2", made, mail_from="bob@agency.test"))
    let_pass(store, timedelta(hours=1, minutes=5))
    outcomes(intake, offer(b"3", made, mail_from="eve@agency.test"))

    keep_house(store, POLICY)

    assert counted(store) == [("", 2), ("bob@agency.test", 1), ("eve@agency.test", 1)]


def test_two_writers_at_once_store_exactly_the_rate(store: Store, database_url: str) -> None:
    made = rated(store, rate_messages=60, rate_sender=25)
    other = open_store(database_url)

    async def both(one: Intake, two: Intake) -> list[Any]:
        offers = [
            (intake, offer(f"{name} {number}".encode(), made, mail_from=f"{name}@agency.test"))
            for number in range(40)
            for name in ("ann", "bob", "eve")
            for intake in (one, two)
        ]
        # A mail that both are sent is stored once, and counts once.
        return await asyncio.gather(*(intake.offer(each) for intake, each in offers))

    with writing(store, batch=5) as one, writing(other, batch=5) as two:
        told = Counter(type(answer.outcome) for answer in asyncio.run(both(one, two)))
    other.close()

    assert told[Stored] == 60
    assert usage(store, made).messages == 60
    counts = dict(counted(store))
    assert counts.pop("") == 60 == sum(counts.values())
    assert max(counts.values()) <= 25


def statements(store: Store, made: Mailbox) -> list[str]:
    """Return what is sent to the database for a batch of three."""
    with store.unit() as tx:
        prepared = [prepare(offer(bytes([n]), made), acceptance.key(tx)) for n in range(3)]
        with noting(tx) as sent:
            store_batch(tx, prepared, (), POLICY, now())
    return [sql for sql, _ in sent]


def test_a_batch_without_rates_runs_no_query_for_them_and_one_with_rates_a_single_one(store: Store) -> None:
    plain = statements(store, add_box(store, box("plain@agency.test")))
    with_rate = statements(store, rated(store, rate_messages=100, rate_sender=50))

    assert [each for each in plain if "arrival" in each] == []
    assert [each.split()[0] for each in with_rate if "arrival" in each] == ["SELECT", "INSERT"]
    assert len(with_rate) == len(plain) + 2
