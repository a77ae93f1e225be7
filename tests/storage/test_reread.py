"""Versions of submissions: which stand, what the views show of them, which answer counts, and what repeats what."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from smtpd_service import filing
from smtpd_service.identity import new_id
from storage import messages, reread, rounds
from storage.engine import Store
from storage.query import run
from storage.readings import NewBullet, NewSubmission
from storage.records import Mailbox, MessageId, Round
from storage.reread import Scope
from tests.storage.stock import NOON, add_box, add_campaign, add_messages, box, message

WEEK = timedelta(days=7)


@pytest.fixture
def hr(store: Store) -> Mailbox:
    return add_box(store, box(campaign=add_campaign(store).id))


def add_round(store: Store, hr: Mailbox, name: str = "2026-W48", weeks: int = 0) -> str:
    assert hr.campaign
    at = NOON + weeks * WEEK
    with store.unit() as tx:
        return rounds.ensure_round(tx, Round(new_id(), hr.campaign, name, at - WEEK, at + WEEK / 2, 0)).id


def bullets(*texts: str) -> tuple[NewBullet, ...]:
    return tuple(
        NewBullet(number, 0, "dash", "-", text, 0, len(text), 0, None, 1.0, False)
        for number, text in enumerate(texts, start=1)
    )


def said(of: MessageId, *texts: str, **more: Any) -> NewSubmission:
    plain = NewSubmission(
        id=new_id(),
        message=of,
        sender="ann@agency.test",
        person=None,
        round=None,
        status="OK" if texts else "EMPTY",
        flags=(),
        received_at=NOON,
        late=False,
        repeats=None,
        leftover="",
        fingerprint="/".join(texts) or None,
        trace=({"rule": "quote", "part": 0, "start": 1, "end": 2},),
        defects=("a-defect",),
        parser="0",
        bullets=bullets(*texts),
    )
    return replace(plain, **more)


def keep(store: Store, *new: NewSubmission) -> None:
    with store.unit() as tx:
        filing.store(tx, filing.ready(tx, new, {}))
        messages.settle_read(tx, [each.message for each in new])


def read_again(store: Store, *versions: tuple[NewSubmission, NewSubmission]) -> None:
    with store.unit() as tx:
        filing.store_versions(tx, versions, {})


def rows(store: Store, statement: str) -> list[tuple[Any, ...]]:
    with run(store, statement, {}) as found:
        return list(found.rows)


def version_of(old: NewSubmission, *texts: str, **more: Any) -> NewSubmission:
    kept = {"round": old.round, "sender": old.sender, "received_at": old.received_at, "parser": "1"}
    return said(old.message, *texts, **kept | more)


def test_what_was_stored_comes_back_as_it_was(store: Store, hr: Mailbox) -> None:
    [id_] = add_messages(store, hr, message())
    kept = said(id_, "one", "two", flags=("unproved",), leftover="hello", round=add_round(store, hr), late=True)
    keep(store, kept)

    with store.reading() as tx:
        assert reread.versions(tx, [id_]) == {id_: [kept]}


def test_only_the_present_version_is_seen_and_the_old_one_is_kept(store: Store, hr: Mailbox) -> None:
    first, second = add_messages(store, hr, message(), message())
    old, other = said(first, "one", "two"), said(second, "three")
    keep(store, old, other)
    new, newer = version_of(old, "one", "two", "three"), version_of(old, "all in one")

    read_again(store, (old, new))
    assert rows(store, "SELECT id, bullet_count, parser FROM submissions ORDER BY message") == [
        (new.id, 3, "1"),
        (other.id, 1, "0"),
    ]
    read_again(store, (new, newer))
    assert rows(store, "SELECT id FROM submissions ORDER BY message") == [(newer.id,), (other.id,)]
    assert rows(store, "SELECT text FROM bullets ORDER BY message, position") == [("all in one",), ("three",)]
    with store.reading() as tx:
        assert reread.versions(tx, [first, second]) == {first: [newer], second: [other]}
        found = tx.exec_driver_sql("SELECT id, replaced_by FROM submission WHERE replaced_by IS NOT NULL")
        assert {str(row[0]): str(row[1]) for row in found} == {old.id: new.id, new.id: newer.id}


def superseded(store: Store) -> dict[str, bool]:
    return dict(rows(store, "SELECT id, superseded FROM submissions"))


def test_an_answer_that_is_none_any_more_lets_the_one_before_count_again(store: Store, hr: Mailbox) -> None:
    round_ = add_round(store, hr)
    first, second = add_messages(store, hr, message(), message())
    earlier, later = said(first, "one", round=round_), said(second, "two", round=round_)
    keep(store, earlier, later)
    assert superseded(store) == {earlier.id: True, later.id: False}

    note = version_of(later, status="AUTO_REPLY")
    read_again(store, (later, note))
    assert superseded(store) == {earlier.id: False, note.id: False}

    once_more = version_of(note, "two")
    read_again(store, (note, once_more))
    assert superseded(store) == {earlier.id: True, once_more.id: False}


def test_a_new_version_of_an_answer_that_was_superseded_stays_so(store: Store, hr: Mailbox) -> None:
    round_ = add_round(store, hr)
    first, second = add_messages(store, hr, message(), message())
    earlier, later = said(first, "one", round=round_), said(second, "two", round=round_)
    keep(store, earlier, later)

    new = version_of(earlier, "one", "and more")
    read_again(store, (earlier, new))
    assert superseded(store) == {new.id: True, later.id: False}


def test_an_answer_of_somebody_else_now_counts_for_him_and_not_for_the_other(store: Store, hr: Mailbox) -> None:
    round_ = add_round(store, hr)
    ids = add_messages(store, hr, message(), message(), message())
    first, second, third = (said(id_, "one", round=round_) for id_ in ids)
    third = replace(third, sender="bob@agency.test")
    keep(store, first, second, third)
    assert superseded(store) == {first.id: True, second.id: False, third.id: False}

    new = version_of(second, "one", sender="bob@agency.test")
    read_again(store, (second, new))
    assert superseded(store) == {first.id: False, new.id: True, third.id: False}


def test_what_repeats_a_replaced_version_is_looked_up_anew(store: Store, hr: Mailbox) -> None:
    weeks = [add_round(store, hr, f"2026-W{48 + week}", week) for week in range(3)]
    made = add_messages(store, hr, message(), message(), message())
    first, second, third = (said(id_, "same", round=week) for id_, week in zip(made, weeks, strict=True))
    for each in (first, second, third):
        keep(store, each)
    repeats = "SELECT repeats FROM submissions ORDER BY message"
    assert rows(store, repeats) == [(None,), (first.id,), (second.id,)]

    new = version_of(second, "same", flags=("truncated",))
    read_again(store, (second, new))
    assert rows(store, repeats) == [(None,), (first.id,), (new.id,)]

    other = version_of(new, "something else")
    read_again(store, (new, other))
    assert rows(store, repeats) == [(None,), (None,), (first.id,)]


def test_what_comes_later_is_not_repeated(store: Store, hr: Mailbox) -> None:
    weeks = [add_round(store, hr, f"2026-W{48 + week}", week) for week in range(2)]
    earlier_id, later_id = add_messages(store, hr, message(), message())
    old, later = said(earlier_id, "other", round=weeks[0]), said(later_id, "same", round=weeks[1])
    keep(store, old, later)

    new = version_of(old, "same")
    read_again(store, (old, new))
    assert rows(store, "SELECT repeats FROM submissions WHERE parser = '1'") == [(None,)]


def test_what_nearly_repeats_a_replaced_version_is_measured_anew(store: Store, hr: Mailbox) -> None:
    weeks = [add_round(store, hr, f"2026-W{48 + week}", week) for week in range(2)]
    first_id, second_id = add_messages(store, hr, message(), message())
    first = said(first_id, "closed 14 cases of the week", "wrote the memo", round=weeks[0])
    second = said(
        second_id,
        "closed 17 cases of the week",
        "wrote the memo",
        round=weeks[1],
        near_repeats=first.id,
        similarity=0.9,
    )
    keep(store, first, second)
    near = "SELECT repeats, near_repeats, similarity FROM submissions ORDER BY message"
    assert rows(store, near)[1] == (None, first.id, 0.9)

    new = version_of(first, "closed 14 cases of the week", "wrote the memo", flags=("truncated",))
    read_again(store, (first, new))
    assert rows(store, near)[1] == (None, new.id, 1.0)

    other = version_of(new, "something else that was done")
    read_again(store, (new, other))
    assert rows(store, near)[1] == (None, None, None)


def batches(store: Store, scope: Scope, **more: int) -> list[list[MessageId]]:
    found: list[list[MessageId]] = []
    with store.reading() as tx:
        while ids := reread.batch(
            tx, scope, found[-1][-1] if found else None, **{"messages": 100, "octets": 10**6} | more
        ):
            found.append(ids)
        assert reread.count(tx, scope) == sum(map(len, found))
    return found


def test_mail_is_walked_through_in_batches_by_number_and_size(store: Store, hr: Mailbox) -> None:
    ids = add_messages(store, hr, *(message(b"x" * 100) for _ in range(5)))
    keep(store, *(said(id_) for id_ in ids[:4]))
    assert batches(store, Scope()) == [ids[:4]]
    assert batches(store, Scope(), messages=3) == [ids[:3], ids[3:4]]
    assert batches(store, Scope(), octets=200) == [ids[:2], ids[2:4]]
    assert batches(store, Scope(), octets=1) == [[id_] for id_ in ids[:4]]


def test_a_scope_is_a_round_a_time_or_parked_mail_too(store: Store, hr: Mailbox) -> None:
    weeks = [add_round(store, hr, f"2026-W{48 + week}", week) for week in range(2)]
    ids = add_messages(
        store, hr, message(), message(received_at=NOON + WEEK), message(received_at=NOON + WEEK), message()
    )
    keep(store, *(said(id_, round=week) for id_, week in zip(ids, weeks, strict=False)))
    with store.unit() as tx:
        messages.park(tx, ids[2], 3, "took too long")

    assert batches(store, Scope(rounds=(weeks[0],))) == [ids[:1]]
    assert batches(store, Scope(rounds=tuple(weeks))) == [ids[:2]]
    assert batches(store, Scope(since=NOON + timedelta(seconds=1))) == [ids[1:2]]
    assert batches(store, Scope(since=NOON + timedelta(seconds=1), parked=True)) == [ids[1:3]]
    assert batches(store, Scope(since=NOON + WEEK, rounds=(weeks[0],))) == []


def test_a_round_is_found_by_its_name_or_the_end_of_it(store: Store, hr: Mailbox) -> None:
    this, last = add_round(store, hr, "2026-W12"), add_round(store, hr, "2025-W12", weeks=-52)
    add_round(store, hr, "2026-W2", weeks=-3)
    with store.reading() as tx:
        assert reread.rounds_named(tx, "2026-W12") == [(this, "2026-W12")]
        assert sorted(reread.rounds_named(tx, "W12")) == sorted([(this, "2026-W12"), (last, "2025-W12")])
        assert reread.rounds_named(tx, "12") == []


def test_answers_of_a_person_with_two_addresses_are_one_row(store: Store, hr: Mailbox) -> None:
    round_ = add_round(store, hr)
    ids = add_messages(store, hr, message(), message())
    ann = new_id()
    with store.unit() as tx:
        tx.execute(text("INSERT INTO person (id, name) VALUES (:ann, 'Ann')"), {"ann": ann})
        for address in ("ann@agency.test", "ann@home.test"):
            known = {"address": address, "ann": ann}
            tx.execute(text("INSERT INTO person_address (address, person) VALUES (:address, :ann)"), known)
    earlier, later = said(ids[0], "one", round=round_), said(ids[1], "two", round=round_, sender="ann@home.test")
    keep(store, earlier, later)

    nothing = version_of(later)
    read_again(store, (replace(later, person=ann), nothing))
    assert superseded(store) == {earlier.id: False, nothing.id: False}
