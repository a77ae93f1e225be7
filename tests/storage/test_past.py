"""What a plan stands on: sizes that came, people who are asked, and how many of them answered."""

from datetime import timedelta

from sqlalchemy import insert

from smtpd_service.identity import new_id
from storage import past, rounds
from storage.engine import Store
from storage.records import MailboxId, MessageId, Round
from storage.schema import person, submission
from tests.storage.stock import NOON, add_box, add_campaign, add_messages, box, message

WEEK = timedelta(days=7)


def add_people(store: Store, count: int) -> list[str]:
    ids = [new_id() for _ in range(count)]
    with store.unit() as tx:
        tx.execute(insert(person), [{"id": id_, "name": f"Ann {number}"} for number, id_ in enumerate(ids)])
    return ids


def answer(store: Store, of: MessageId, round_: str, who: str | None) -> None:
    row = {
        "message": of,
        "id": new_id(),
        "sender": "ann@agency.test",
        "person": who,
        "round": round_,
        "status": "OK",
        "received_at": NOON,
        "bullet_count": 0,
        "late": False,
        "superseded": False,
    } | dict.fromkeys(("flags", "leftover", "trace", "defects", "parser"), "")
    with store.unit() as tx:
        tx.execute(insert(submission), [row])


def test_people_are_counted_once_in_each_round_that_is_over(store: Store) -> None:
    campaign = add_campaign(store)
    hr = add_box(store, box(campaign=campaign.id))
    ann, bob, _ = add_people(store, 3)
    made = []
    for number in range(3):
        opens = NOON + (number - 3) * WEEK
        # The last is still open.
        deadline = opens + (WEEK if number < 2 else 4 * WEEK)
        with store.unit() as tx:
            made.append(rounds.ensure_round(tx, Round(new_id(), campaign.id, f"W{number}", opens, deadline, 0)).id)
    ids = add_messages(store, hr, *(message(message_id=f"<{number}@agency.test>") for number in range(5)))
    # Ann twice, and somebody whom nobody knows; then both; then in the open one.
    for of, round_, who in zip(ids, (0, 0, 0, 1, 1), (ann, ann, None, ann, bob), strict=True):
        answer(store, of, made[round_], who)

    with store.reading() as tx:
        assert past.people(tx) == 3
        assert past.turnouts(tx, campaign.id, NOON) == [past.Turnout("W1", 2), past.Turnout("W0", 1)]
        assert past.turnouts(tx, campaign.id, NOON, limit=1) == [past.Turnout("W1", 2)]
        assert past.turnouts(tx, new_id(), NOON) == []


def test_sizes_are_those_of_the_newest_letters_of_this_mailbox(store: Store) -> None:
    hr, it = (add_box(store, box(f"{name}@agency.test")) for name in ("hr", "it"))
    for octets in (100, 200, 300):
        add_messages(store, hr, message(b"x" * octets))
    add_messages(store, it, message(b"y" * 999))

    with store.reading() as tx:
        assert past.sizes(tx, hr.id) == [300, 200, 100]
        assert past.sizes(tx, hr.id, limit=2) == [300, 200]
        assert past.sizes(tx, MailboxId(new_id())) == []
