"""Leases: who claims what, what becomes of a lease that ran out, and what is remembered for seven days."""

import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from storage import acceptance, changes, messages, nodes, notices
from storage.clock import moment
from storage.columns import instant_text
from storage.engine import Store
from storage.records import Fate, Mark, MessageState, Node, NoticeState
from tests.storage.stock import NOON, add_box, add_messages, box, message, notice

LEASE = timedelta(seconds=8)
ANN, BOB = str(uuid.uuid4()), str(uuid.uuid4())


def claim(store: Store, owner: str, at: Any = NOON, limit: int = 100) -> list[str]:
    with store.unit() as tx:
        return list(messages.claim(tx, owner, at, at + LEASE, limit))


def test_the_oldest_are_claimed_first_and_by_one_reader_only(store: Store) -> None:
    made = add_messages(store, add_box(store, box()), *(message() for _ in range(5)))

    assert claim(store, ANN, limit=3) == made[:3]
    assert claim(store, BOB) == made[3:]
    assert claim(store, BOB) == []


def test_a_lease_that_ran_out_is_free_again(store: Store) -> None:
    made = add_messages(store, add_box(store, box()), message())
    claim(store, ANN)

    assert claim(store, BOB, NOON + LEASE) == []
    assert claim(store, BOB, NOON + LEASE + timedelta(microseconds=1)) == made


def test_a_stolen_lease_is_no_longer_held_nor_renewed(store: Store) -> None:
    made = add_messages(store, add_box(store, box()), message(), message())
    claim(store, ANN)
    later = NOON + LEASE * 2
    claim(store, BOB, later, limit=1)

    with store.unit() as tx:
        messages.renew(tx, ANN, made, later + LEASE * 9)
        assert messages.still_held(tx, ANN, made) == {made[1]}
        assert messages.still_held(tx, BOB, made) == {made[0]}
    assert claim(store, BOB, later + LEASE + timedelta(seconds=1)) == [made[0]]


def test_what_was_settled_is_not_claimed_again(store: Store) -> None:
    read, parked, tried = add_messages(store, add_box(store, box()), message(), message(), message())
    claim(store, ANN)
    with store.unit() as tx:
        messages.settle_read(tx, [read])
        messages.park(tx, parked, 3, "cannot be read")
        messages.note_failure(tx, tried, 1, "not read within 2 s")

    assert claim(store, BOB) == [tried]
    with store.unit() as tx:
        assert messages.states(tx, [read, parked, tried]) == {
            read: MessageState.READ,
            parked: MessageState.PARKED,
            tried: MessageState.PENDING,
        }


def test_a_parked_message_can_be_tried_again_from_the_beginning(store: Store) -> None:
    parked, other = add_messages(store, add_box(store, box()), message(), message())
    with store.unit() as tx:
        messages.park(tx, parked, 3, "cannot be read")
        messages.park(tx, other, 3, "cannot be read")
        assert messages.retry(tx, [parked]) == 1
        assert messages.retry(tx, [parked]) == 0

    with store.unit() as tx:
        [claimed] = messages.load(tx, messages.claim(tx, ANN, NOON, NOON + LEASE, 9))
    assert (claimed.id, claimed.attempts) == (parked, 0)


def test_readers_on_postgresql_do_not_wait_for_each_other(postgres_store: Store) -> None:
    made = add_messages(postgres_store, add_box(postgres_store, box()), *(message() for _ in range(4)))

    with postgres_store.unit() as first, postgres_store.unit() as second:
        ours = messages.claim(first, ANN, NOON, NOON + LEASE, 2)
        theirs = messages.claim(second, BOB, NOON, NOON + LEASE, 2)
    assert ours + theirs == made


def test_readers_that_claim_at_once_share_without_overlap(store: Store) -> None:
    made = add_messages(store, add_box(store, box()), *(message() for _ in range(60)))
    claimed: list[str] = []

    def work(owner: str) -> None:
        while found := claim(store, owner, limit=4):
            claimed.extend(found)

    threads = [threading.Thread(target=work, args=[str(uuid.uuid4())]) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(claimed) == sorted(made)


def claim_notices(store: Store, owner: str, at: Any = NOON, limit: int = 100) -> list[str]:
    with store.unit() as tx:
        return [each.id for each in notices.claim(tx, owner, at, at + LEASE, {"agency.test": limit})]


def test_notices_are_claimed_by_one_courier_when_they_are_due(store: Store) -> None:
    made = add_box(store, box())
    early, late = notice(made), notice(made, created_at=NOON + timedelta(minutes=5))
    with store.unit() as tx:
        notices.owe(tx, [late, early])
        assert not notices.any_due(tx, NOON - timedelta(seconds=1))
        assert notices.any_due(tx, NOON)

    assert claim_notices(store, ANN) == [early.id]
    assert claim_notices(store, BOB) == []
    assert claim_notices(store, BOB, NOON + timedelta(minutes=6)) == [early.id, late.id]
    with store.unit() as tx:
        assert notices.held(tx, ANN, [early.id, late.id]) == set()
        assert notices.held(tx, BOB, [early.id, late.id]) == {early.id, late.id}


def test_a_postponed_notice_waits_and_a_settled_one_is_done(store: Store) -> None:
    made = add_box(store, box())
    first, second = notice(made), notice(made)
    with store.unit() as tx:
        notices.owe(tx, [first, second])
    claim_notices(store, ANN)
    after = NOON + timedelta(minutes=5)
    with store.unit() as tx:
        notices.postpone(tx, first.id, next_at=after, attempts_made=1, reply="451 later", octets=b"as sent\r\n")
        notices.settle(
            tx, second.id, state=NoticeState.SENT, at=NOON, attempts_made=1, reply="250 ok", octets=b"as sent"
        )

    assert claim_notices(store, BOB, after - timedelta(seconds=1)) == []
    with store.unit() as tx:
        [again] = notices.claim(tx, BOB, after, after + LEASE, {"agency.test": 9})
    assert (again.id, again.attempts, again.octets) == (first.id, 1, b"as sent\r\n")


def test_a_mark_is_known_for_seven_days_and_not_a_moment_longer(store: Store) -> None:
    with store.unit() as tx:
        token = acceptance.token(acceptance.key(tx), b"digest", "ann@agency.test", box().id)
        mark = Mark(Fate.STORED, str(uuid.uuid4()))
        acceptance.remember(tx, [(token, mark)], NOON)
        week = NOON + timedelta(days=7)
        assert acceptance.marks(tx, [token, b"other"], week - timedelta(microseconds=1)) == {token: mark}
        assert acceptance.marks(tx, [token], week) == {}


def test_an_expired_mark_that_was_not_swept_is_replaced(store: Store) -> None:
    old, new = (Mark(Fate.STORED, str(uuid.uuid4())) for _ in range(2))
    with store.unit() as tx:
        acceptance.remember(tx, [(b"token", old)], NOON)
        acceptance.remember(tx, [(b"token", new)], NOON + timedelta(days=8))
        assert acceptance.marks(tx, [b"token"], NOON + timedelta(days=8)) == {b"token": new}


def test_forgetting_takes_the_old_ones_only(store: Store) -> None:
    mark = Mark(Fate.BOUNCED, str(uuid.uuid4()))
    with store.unit() as tx:
        acceptance.remember(tx, [(b"old", mark)], NOON)
        acceptance.remember(tx, [(b"new", mark)], NOON + timedelta(days=1))
        assert acceptance.forget(tx, NOON + timedelta(days=7), 100) == 1
        assert set(acceptance.marks(tx, [b"old", b"new"], NOON + timedelta(days=7))) == {b"new"}


@pytest.mark.parametrize("count", [70_000])
def test_more_marks_than_a_statement_takes_parameters(store: Store, count: int) -> None:
    """500 messages of 140 recipients are one batch; PostgreSQL takes 65,535 parameters in a statement."""
    tokens = [number.to_bytes(4) for number in range(count)]
    mark = Mark(Fate.STORED, str(uuid.uuid4()))
    with store.unit() as tx:
        acceptance.remember(tx, [(tokens[0], mark), (tokens[-1], mark)], NOON)
        assert set(acceptance.marks(tx, tokens, NOON)) == {tokens[0], tokens[-1]}


def test_history_is_told_newest_first_and_raises_the_generation(store: Store) -> None:
    with store.unit() as tx:
        before = changes.current_generation(tx)
        for quota in (1, 2, 3):
            changes.record(
                tx,
                at=NOON,
                who="root",
                verb="quota set",
                subject=f"box{quota % 2}@agency.test",
                before={"quota_octets": quota - 1},
                after={"quota_octets": quota},
                reason="a reason",
            )
        assert changes.current_generation(tx) == before + 3
        assert [each.after["quota_octets"] for each in changes.history(tx, None, 2)] == [3, 2]
        found = changes.history(tx, "box1@agency.test", 9)
    assert [(each.before, each.after, each.at) for each in found] == [
        ({"quota_octets": 2}, {"quota_octets": 3}, NOON),
        ({"quota_octets": 0}, {"quota_octets": 1}, NOON),
    ]


def test_nodes_that_are_silent_are_told_and_not_counted_and_later_forgotten(store: Store) -> None:
    def entry(pid: int, host: str = "host") -> Node:
        return Node(str(uuid.uuid4()), "listener", host, pid, NOON, generation=7, version="1", state="draining")

    def heard_of(pid: int, ago: timedelta) -> None:
        tx.execute(text("UPDATE node SET seen_at = :at WHERE pid = :pid").bindparams(at=at(ago), pid=pid))

    def at(ago: timedelta) -> Any:
        when = moment(tx) - ago
        return when if tx.dialect.name == "postgresql" else instant_text(when)

    with store.unit() as tx:
        nodes.beat(tx, entry(1))
        nodes.beat(tx, living := entry(2))
        nodes.beat(tx, entry(3, "elsewhere"))
        heard_of(1, nodes.SILENT)
        heard_of(3, nodes.SILENT)
        assert nodes.confirmed(tx, "listener", 7) == (1, 1)
        assert nodes.confirmed(tx, "listener", 8) == (0, 1)
        assert [(each.node.pid, each.silent) for each in nodes.all_nodes(tx)] == [(3, True), (1, True), (2, False)]
        nodes.beat(tx, entry(1))
        assert nodes.confirmed(tx, "listener", 7) == (2, 2), "a pid used again replaces the one that is gone"
        heard_of(1, nodes.REPLACED + nodes.SILENT)
        heard_of(3, nodes.REPLACED + nodes.SILENT)
        nodes.beat(tx, living)
        assert [each.node.pid for each in nodes.all_nodes(tx)] == [3, 2], "another host may never say why it is silent"
        heard_of(3, nodes.FORGOTTEN + nodes.SILENT)
        nodes.beat(tx, living)
        [seen] = nodes.all_nodes(tx)
    assert (seen.node, seen.silent) == (living, False)
    assert abs(seen.ahead) < timedelta(seconds=5)
