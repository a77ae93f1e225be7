"""The reader on real databases with its real child: each message ends as read or parked, once."""

import random
import string
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import text

from parsers.model import Reading
from smtpd_service.claiming import LEASE
from smtpd_service.identity import new_id, now
from smtpd_service.parsing import Child, NoChildError, ParsingError, Request
from smtpd_service.reader import Reader
from smtpd_service.traffic import CALM, Traffic
from storage import messages, rounds
from storage.engine import Store
from storage.query import run
from storage.records import Mailbox
from tests.service import eventually
from tests.storage.stock import NOON, add_box, add_campaign, add_messages, box, delivery, message
from tests.unit.listeners import Listeners

WEEK = timedelta(days=7)


def said(*bullets: str, sender: str = "ann@agency.test") -> bytes:
    lines = "".join(f"- {bullet}\r\n" for bullet in bullets)
    return f"From: {sender}\r\nSubject: What I did\r\n\r\n{lines}".encode()


# Takes a thousand times as long as others: a second or two.
HARD = b"From: ann@agency.test\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=E2=82=AC=20" * 1_200_000
GOOD = said("wrote the report", "read the mail", "met the team")


@pytest.fixture
def hr(store: Store) -> Mailbox:
    return add_box(store, box(campaign=add_campaign(store).id))


def reader(store: Store, child: Child, batch: int = 100) -> Reader:
    return Reader(store, child, batch=batch, stopping=threading.Event())


def fresh_child(**limits: Any) -> Child:
    return Child(**({"deadline": 60.0, "memory": 512_000_000} | limits))


def rows(store: Store, statement: str, **parameters: str) -> list[tuple[Any, ...]]:
    with run(store, statement, parameters) as found:
        return list(found.rows)


def free_leases(store: Store) -> None:
    """Let the time of the leases pass."""
    with store.unit() as tx:
        tx.execute(text("UPDATE message SET lease_until = :past"), {"past": "2000-01-01T00:00:00.000000Z"})


def test_a_message_is_read_into_its_bullets(store: Store, child: Child, hr: Mailbox) -> None:
    [id_] = add_messages(store, hr, message(GOOD))

    assert reader(store, child).read() == 1
    assert reader(store, child).read() == 0

    assert rows(store, "SELECT state FROM messages") == [("read",)]
    assert rows(store, "SELECT message, sender, status, bullet_count, round, late FROM submissions") == [
        (id_, "ann@agency.test", "OK", 3, "2026-W48", False)
    ]
    assert rows(store, "SELECT text FROM bullets ORDER BY position") == [
        ("wrote the report",), ("read the mail",), ("met the team",)
    ]  # fmt: skip


def test_a_mailbox_without_a_campaign_gives_a_submission_without_a_round(store: Store, child: Child) -> None:
    add_messages(store, add_box(store, box()), message(GOOD))
    reader(store, child).read()
    assert rows(store, "SELECT round, late FROM submissions") == [(None, False)]


def test_a_message_to_two_campaigns_answers_both_and_repeats_neither(store: Store, child: Child) -> None:
    boxes = [add_box(store, box(f"{name}@agency.test", campaign=add_campaign(store, name).id)) for name in ("a", "b")]
    new = message(GOOD)
    with store.unit() as tx:
        messages.store(tx, [new], [delivery(new, each) for each in boxes])

    reader(store, child).read()

    assert sorted(rows(store, "SELECT campaign, repeats, superseded FROM submissions")) == [
        ("a", None, False), ("b", None, False)
    ]  # fmt: skip


def test_what_cannot_be_taken_apart_is_parked_at_once_with_its_octets_whole(
    store: Store, child: Child, hr: Mailbox
) -> None:
    deep = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(3000))
    [bad, _] = add_messages(store, hr, message(deep), message(GOOD))

    reader(store, child).read()

    [(reason,)] = rows(store, "SELECT parked_reason FROM messages WHERE state = 'parked'")
    assert reason
    with store.reading() as tx:
        assert messages.octets(tx, bad) == deep
    assert rows(store, "SELECT count(*) FROM submissions") == [(1,)]


def test_a_message_that_takes_too_long_is_tried_three_times_and_parked_and_fails_no_other(
    store: Store, hr: Mailbox
) -> None:
    hasty = fresh_child(deadline=0.5)
    made = add_messages(store, hr, message(GOOD), message(HARD), message(said("a", "b", "c", sender="bob@agency.test")))

    one = reader(store, hasty)
    states = []
    for _ in range(3):
        one.read()
        states.append(rows(store, "SELECT state, parked_reason FROM messages WHERE id = :one", one=made[1]))
    hasty.close()

    assert states == [
        [("pending", "not read within 0.5 s")],
        [("pending", "not read within 0.5 s")],
        [("parked", "not read within 0.5 s")],
    ]
    assert rows(store, "SELECT count(*) FROM submissions") == [(2,)]
    with store.unit() as tx:
        assert messages.octets(tx, made[1]) == HARD
        assert messages.retry(tx, None) == 1
    patient = fresh_child()
    reader(store, patient).read()
    patient.close()
    assert rows(store, "SELECT state, parked_reason FROM messages WHERE state <> 'read'") == []


def test_the_time_that_a_child_takes_to_come_up_is_no_message_s(store: Store, hr: Mailbox) -> None:
    """Loading the parsers takes some hundred milliseconds, and seconds on a busy machine."""
    add_messages(store, hr, message(GOOD))
    hasty = fresh_child(deadline=0.2)

    reader(store, hasty).read()
    hasty.close()

    assert rows(store, "SELECT state FROM messages") == [("read",)]


def test_a_child_that_runs_out_of_memory_is_replaced(store: Store, hr: Mailbox) -> None:
    greedy = said(*("y" * 900 for _ in range(30_000)))
    small = fresh_child(memory=90_000_000)
    made = add_messages(store, hr, message(greedy), message(GOOD))

    reader(store, small).read()
    small.close()

    [(state, reason)] = rows(store, "SELECT state, parked_reason FROM messages WHERE id = :one", one=made[0])
    assert state == "pending"
    assert reason.startswith("the parsing child ended: ")
    assert rows(store, "SELECT state FROM messages WHERE id = :one", one=made[1]) == [("read",)]


def test_a_child_that_is_killed_while_idle_costs_no_message_a_try(store: Store, hr: Mailbox) -> None:
    before = psutil.Process().children()
    own = fresh_child()
    one = reader(store, own)
    add_messages(store, hr, message(GOOD))
    one.read()
    [running] = {each for each in psutil.Process().children() if each not in before}
    running.kill()
    eventually(lambda: running.status() == "zombie")
    add_messages(store, hr, message(said("d", "e", "f")))

    one.read()
    own.close()

    assert rows(store, "SELECT state, parked_reason FROM messages") == [("read", None)] * 2


def test_a_child_that_is_kept_from_its_turn_has_its_time_all_the_same(store: Store, hr: Mailbox) -> None:
    """Its own processor time counts: in a burst, mail that arrives comes first."""
    before = psutil.Process().children()
    patient = fresh_child(deadline=0.2)
    one = reader(store, patient)
    add_messages(store, hr, message(GOOD))
    one.read()
    [running] = {each for each in psutil.Process().children() if each not in before}
    running.suspend()
    add_messages(store, hr, message(said("d", "e", "f")))
    going_on = threading.Timer(0.5, running.resume)
    going_on.start()

    one.read()
    going_on.join()
    patient.close()

    assert rows(store, "SELECT state, parked_reason FROM messages") == [("read", None)] * 2


def test_a_message_that_ends_its_reader_time_after_time_is_parked_and_its_neighbours_are_read(
    store: Store, child: Child, hr: Mailbox
) -> None:
    """Not the child alone: the process that holds the lease. Who is found so twice is tried alone the third time."""
    made = add_messages(store, hr, message(GOOD), message(said("d", "e", "f")))
    ended = []
    for _ in range(3):
        with store.unit() as tx:
            ended.append(messages.claim(tx, new_id(), now(), now() + LEASE, 100))
        free_leases(store)

    one = reader(store, child)
    while one.read():
        pass

    assert ended == [made, made, made[:1]]
    assert rows(store, "SELECT id, state, parked_reason FROM messages ORDER BY id") == [
        (made[0], "parked", "its reader ended while it was being read"),
        (made[1], "read", None),
    ]
    with store.reading() as tx:
        assert tx.scalar(text("SELECT attempts FROM message WHERE state = 'parked'")) == 3


def test_a_reader_takes_up_what_it_could_not_renew_without_counting_that_as_a_try(
    store: Store, child: Child, hr: Mailbox
) -> None:
    [id_] = add_messages(store, hr, message(GOOD))
    for _ in range(4):
        with store.unit() as tx:
            assert messages.claim(tx, "018f4e1c-0000-7000-8000-000000000001", now(), now() + LEASE, 100) == [id_]
        free_leases(store)

    with store.reading() as tx:
        assert tx.scalar(text("SELECT attempts FROM message")) == 0


class ObservedChild(Child):
    """A child that tells how many waited for their answer when more were asked, and lets something happen then."""

    def __init__(self, meanwhile: Callable[[], object] = bool) -> None:
        super().__init__(deadline=60.0, memory=512_000_000)
        self._meanwhile = meanwhile
        self.waiting: list[int] = []
        self._unanswered = 0
        self.given = 0

    def ask(self, requests: Sequence[Request]) -> None:
        self.waiting.append(self._unanswered)
        self._unanswered += len(requests)
        self.given += len(requests)
        super().ask(requests)

    def reading(self) -> Reading | ParsingError:
        self._meanwhile()
        self._unanswered -= 1
        return super().reading()


def test_a_reader_that_stops_gives_back_what_it_has_not_read(store: Store, hr: Mailbox) -> None:
    add_messages(store, hr, *(message(said("a", "b", str(n))) for n in range(3)))
    stopping = threading.Event()
    own = ObservedChild(meanwhile=stopping.set)

    assert Reader(store, own, batch=100, stopping=stopping).read() == 1
    own.close()

    assert not leased(store)
    assert rows(store, "SELECT state FROM messages ORDER BY state") == [("pending",), ("pending",), ("read",)]


def test_the_child_is_given_more_before_it_has_read_all(store: Store, hr: Mailbox) -> None:
    add_messages(store, hr, *(message(said("a", "b", str(n))) for n in range(35)))
    own = ObservedChild()

    assert reader(store, own, batch=10).read() == 35
    own.close()

    assert own.waiting == [0, 5, 5, 5]
    assert rows(store, "SELECT count(*) FROM messages WHERE state = 'read'") == [(35,)]


def test_while_mail_arrives_the_child_waits_for_what_is_stored(store: Store, hr: Mailbox) -> None:
    """Who arrives comes first, and a reader has one processor then; the last came just now, by their clocks."""
    add_messages(
        store, hr, *(message(said("a", "b", str(n)), received_at=now() + timedelta(hours=1)) for n in range(25))
    )
    own = ObservedChild()

    assert reader(store, own, batch=10).read() == 25
    own.close()

    assert own.waiting == [0, 0, 0]


def test_in_a_burst_what_is_claimed_is_read_and_nothing_more_is_claimed(store: Store, hr: Mailbox) -> None:
    add_messages(store, hr, *(message(said("a", "b", str(n))) for n in range(25)))
    listeners = Listeners()
    traffic = Traffic(60.0, listeners.taken, listeners.clock)
    own = ObservedChild(meanwhile=listeners.burst)
    one = Reader(store, own, batch=10, stopping=threading.Event(), traffic=traffic)

    assert one.read() == 10
    assert not leased(store)
    assert one.read() == 0
    assert own.given == 10

    listeners.take(seconds=CALM)
    assert one.read() == 10, "and again a burst, while those are read"
    own.close()

    assert rows(store, "SELECT count(*) FROM messages WHERE state = 'pending'") == [(5,)]


def test_what_a_reader_holds_is_not_given_to_it_again_when_the_lease_runs_out(store: Store, hr: Mailbox) -> None:
    add_messages(store, hr, *(message(said("a", "b", str(n))) for n in range(25)))
    own = ObservedChild(meanwhile=lambda: free_leases(store))

    assert reader(store, own, batch=10).read() == 25
    own.close()

    assert own.given == 25
    assert rows(store, "SELECT count(*), count(DISTINCT message) FROM submissions") == [(25, 25)]


def test_nothing_is_held_while_the_child_comes_up(
    store: Store, hr: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is killed then has tried nothing, and loading the parsers takes longer than to read many."""
    add_messages(store, hr, message(GOOD))
    begun, program = tmp_path / "begun", tmp_path / "child"
    program.write_text(f"#!/bin/sh\ntouch {begun}; sleep 0.2\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    held = []

    def look() -> None:
        eventually(begun.exists)
        held.append(leased(store))

    looking = threading.Thread(target=look)
    looking.start()
    with pytest.raises(NoChildError):
        reader(store, fresh_child()).read()
    looking.join()

    assert held == [False]


def test_rounds_that_a_restored_database_has_not_are_made_again(store: Store, child: Child, hr: Mailbox) -> None:
    one = reader(store, child)
    add_messages(store, hr, message(GOOD))
    one.read()
    with store.unit() as tx:
        for statement in ("DELETE FROM bullet", "DELETE FROM submission", "DELETE FROM round"):
            tx.execute(text(statement))
    add_messages(store, hr, message(said("d", "e", "f")), message(said("g", "h", "i")))

    one.read()

    assert rows(store, "SELECT state, parked_reason FROM messages") == [("read", None)] * 3
    assert rows(store, "SELECT count(DISTINCT round) FROM submissions") == [(1,)]


def test_a_message_that_the_database_refuses_is_parked_alone(store: Store, child: Child, hr: Mailbox) -> None:
    """Whatever the database's reason; here a trigger's, for a word in a bullet."""
    with store.unit() as tx:
        for statement in REFUSING[store.dialect]:
            tx.execute(text(statement))
    made = add_messages(store, hr, *(message(said(word, "b", "c")) for word in ("one", "unstorable", "three")))

    one = reader(store, child)
    for _ in range(3):
        one.read()

    assert rows(store, "SELECT id FROM messages WHERE state = 'read' ORDER BY id") == [(made[0],), (made[2],)]
    [(id_, reason)] = rows(store, "SELECT id, parked_reason FROM messages WHERE state = 'parked'")
    assert id_ == made[1]
    assert reason.startswith("cannot be stored: ")
    assert rows(store, "SELECT count(DISTINCT round) FROM submissions") == [(1,)]


REFUSING = {
    "sqlite": [
        """CREATE TRIGGER refusing BEFORE INSERT ON bullet WHEN NEW.text = 'unstorable'
        BEGIN SELECT RAISE(ABORT, 'refused'); END"""
    ],
    "postgresql": [
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE data_exception; END $$",
        """CREATE TRIGGER refusing BEFORE INSERT ON bullet FOR EACH ROW WHEN (NEW.text = 'unstorable')
        EXECUTE FUNCTION refuse()""",
    ],
}


@pytest.mark.parametrize("spoiled", ["a moment past the end of the calendar", "a zone that this machine lacks"])
def test_a_message_that_the_reader_itself_fails_on_is_parked_alone(
    store: Store, child: Child, hr: Mailbox, spoiled: str
) -> None:
    """No complaint of the database's: an OverflowError, a ZoneInfoNotFoundError."""
    mars = replace(add_campaign(store, "mars"), id=new_id(), name="other", zone="Mars/Olympus")
    with store.unit() as tx:
        rounds.add_campaign(tx, mars)
    late = add_box(store, box("mars@agency.test", campaign=mars.id))
    names = [said(word, "b", "c", sender=f"{word}@agency.test") for word in ("one", "two", "three")]
    made = [message(each) for each in names]
    if spoiled.startswith("a moment"):
        made[1] = made[1]._replace(received_at=datetime.max.replace(tzinfo=UTC))
    homes = [hr, hr if spoiled.startswith("a moment") else late, hr]
    for each, home in zip(made, homes, strict=True):
        add_messages(store, home, each)

    one = reader(store, child)
    for _ in range(3):
        one.read()

    assert rows(store, "SELECT id FROM messages WHERE state = 'read' ORDER BY id") == [(made[0].id,), (made[2].id,)]
    [(id_, reason)] = rows(store, "SELECT id, parked_reason FROM messages WHERE state = 'parked'")
    assert id_ == made[1].id
    assert reason.startswith("cannot be stored: ")
    assert rows(store, "SELECT sender FROM submissions ORDER BY sender") == [
        ("one@agency.test",),
        ("three@agency.test",),
    ]


def test_a_sender_longer_than_any_address_gives_way_to_the_reverse_path(
    store: Store, child: Child, hr: Mailbox
) -> None:
    """PostgreSQL cannot index more than 2,704 octets: one such mail held up all others."""
    local = "".join(random.Random(1).choices(string.ascii_letters + string.digits, k=8000))
    add_messages(store, hr, message(said("a", "b", "c", sender=f"<{local}@x.test>")), message(GOOD))

    reader(store, child).read()

    assert rows(store, "SELECT sender, status FROM submissions") == [("ann@agency.test", "OK")] * 2


def test_octets_that_were_damaged_in_the_database_are_parked_and_stop_nobody(
    store: Store, child: Child, hr: Mailbox
) -> None:
    damaged = message(encoding="zstd", raw=b"(\xb5/\xfd no zstd")
    newer = message(encoding="lzma", raw=b"from a newer program")
    add_messages(store, hr, damaged, newer, message(GOOD))

    one = reader(store, child)
    for _ in range(3):
        one.read()

    assert rows(store, "SELECT state, parked_reason FROM messages ORDER BY id") == [
        ("parked", "the stored octets cannot be unpacked"),
        ("parked", "the stored octets cannot be unpacked"),
        ("read", None),
    ]
    with store.reading() as tx:
        assert bytes(tx.scalar(text("SELECT raw FROM message WHERE encoding = 'lzma'"))) == newer.raw


def test_a_backlog_of_large_messages_is_taken_in_parts(store: Store, hr: Mailbox) -> None:
    large = [message(b"x" * 1000) for _ in range(5)]
    add_messages(store, hr, *large)

    def claimed(octets: int) -> int:
        with store.unit() as tx:
            found = messages.claim(tx, owner := new_id(), now(), now() + LEASE, 100, octets=octets)
            messages.give_back(tx, owner, found)
        return len(found)

    assert [claimed(octets) for octets in (1, 1000, 1999, 2000, 10**9)] == [1, 1, 1, 2, 5]


def test_an_answer_replaces_the_earlier_one_in_order_of_receipt_not_of_reading(
    store: Store, child: Child, hr: Mailbox
) -> None:
    """The later of two was read first, as happens with two readers or a retry."""
    first = message(said("a", "b", "c"), received_at=NOON)
    second = message(said("d", "e", "f"), received_at=NOON + timedelta(minutes=1))
    one = reader(store, child)
    for each in (second, first):
        add_messages(store, hr, each)
        one.read()

    assert rows(store, "SELECT message, superseded FROM submissions ORDER BY received_at") == [
        (first.id, True), (second.id, False)
    ]  # fmt: skip


def test_two_answers_in_one_batch_leave_the_later_one(store: Store, child: Child, hr: Mailbox) -> None:
    add_messages(store, hr, *(message(said("a", "b", str(n)), received_at=NOON + n * WEEK / 100) for n in range(3)))
    reader(store, child).read()
    assert rows(store, "SELECT superseded FROM submissions ORDER BY received_at") == [(True,), (True,), (False,)]


@pytest.mark.parametrize("batch", [1, 100])
def test_the_same_bullets_in_another_round_are_a_repeat_however_they_are_batched(
    store: Store, child: Child, hr: Mailbox, batch: int
) -> None:
    add_messages(store, hr, message(GOOD), message(GOOD, received_at=NOON + WEEK), message(GOOD))

    one = reader(store, child, batch)
    while one.read():
        pass

    found = rows(store, "SELECT id, repeats, round FROM submissions ORDER BY message")
    assert [repeats for _, repeats, _ in found] == [None, found[0][0], found[1][0]]
    assert [round_ for _, _, round_ in found] == ["2026-W48", "2026-W49", "2026-W48"]


def test_mail_after_the_deadline_is_late(store: Store, child: Child, hr: Mailbox) -> None:
    # The round of Monday 23 November, 23:59:59 in New York; the next opens on Tuesday at the same hour.
    deadline = NOON.replace(day=24, hour=4, minute=59, second=59, microsecond=999_999)
    add_messages(
        store,
        hr,
        message(GOOD, received_at=deadline),
        message(GOOD, received_at=deadline + timedelta(microseconds=1)),
    )
    reader(store, child).read()
    assert rows(store, "SELECT round, late FROM submissions ORDER BY received_at") == [
        ("2026-W48", False), ("2026-W48", True)
    ]  # fmt: skip


def test_what_another_reader_has_taken_over_is_not_stored_twice(store: Store, child: Child, hr: Mailbox) -> None:
    """The first reader's lease runs out while it parses; what it has read then is no longer its own."""
    add_messages(store, hr, message(HARD))
    own = fresh_child()
    slow = threading.Thread(target=reader(store, own).read)
    slow.start()
    eventually(lambda: leased(store))
    free_leases(store)

    assert reader(store, child).read() == 1
    slow.join()
    own.close()

    assert rows(store, "SELECT count(*) FROM submissions") == [(1,)]
    assert rows(store, "SELECT state FROM messages") == [("read",)]


def leased(store: Store) -> bool:
    with store.reading() as tx:
        return bool(tx.scalar(text("SELECT count(*) FROM message WHERE lease_owner IS NOT NULL")))


def test_two_readers_at_once_store_each_message_once(store: Store, hr: Mailbox) -> None:
    add_messages(store, hr, *(message(said("a", "b", str(n))) for n in range(60)))
    stopping = threading.Event()
    children = [fresh_child(), fresh_child()]
    threads = [threading.Thread(target=Reader(store, each, batch=7, stopping=stopping).run) for each in children]
    for each in threads:
        each.start()
    eventually(lambda: rows(store, "SELECT count(*) FROM messages WHERE state <> 'read'") == [(0,)], 30)
    stopping.set()
    for each in threads:
        each.join()

    assert rows(store, "SELECT count(*), count(DISTINCT message) FROM submissions") == [(60, 60)]
    assert rows(store, "SELECT count(*) FROM submissions WHERE NOT superseded") == [(1,)]
    assert rows(store, "SELECT count(*) FROM rounds") == [(1,)]


def test_a_reader_that_was_told_to_stop_stores_what_it_has_read(store: Store, hr: Mailbox) -> None:
    add_messages(store, hr, *(message(said("a", "b", str(n))) for n in range(500)))
    stopping, own = threading.Event(), fresh_child()
    one = Reader(store, own, batch=500, stopping=stopping)
    thread = threading.Thread(target=one.run)
    thread.start()
    eventually(lambda: leased(store))
    stopping.set()
    thread.join(5)

    assert not thread.is_alive()
    [(read,)] = rows(store, "SELECT count(*) FROM messages WHERE state = 'read'")
    assert rows(store, "SELECT count(*) FROM submissions") == [(read,)]
