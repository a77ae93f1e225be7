"""Months of mail: partitions made ahead and mended, old months let go with exact counters, nothing that waits lost."""

import contextlib
import secrets
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text, update

from smtpd_service.housekeeping import keep_months
from smtpd_service.identity import new_id
from smtpd_service.retention import AT_ONCE, By, let_go, plans
from smtpd_service.storing import Policy, prepare, store_batch
from storage import (
    acceptance,
    changes,
    listing,
    mailboxes,
    messages,
    notices,
    partitions,
    quarantine,
    retention,
    schema,
    submissions,
)
from storage.engine import StorageError, Store, Tx
from storage.partitions import Month, first_id
from storage.readings import NewBullet, NewSubmission, Withheld
from storage.records import Mailbox, MessageId, NewMessage, NoticeState, Usage
from storage.upgrade import differences
from tests.storage.stock import NOON, add_box, add_messages, box, message, notice, offer

BY = By("ann", "ROOM-1")
NOW = datetime.now(UTC)


def at(months_ago: int) -> datetime:
    return Month.of(NOW, -months_ago).start + timedelta(days=3)


def id_at(when: datetime) -> MessageId:
    return MessageId(
        first_id(when)[:14] + f"7{secrets.token_hex(2)[1:]}-8{secrets.token_hex(2)[1:]}-{secrets.token_hex(6)}"
    )


def mail_of(when: datetime, octets: bytes = b"Subject: hi\r\n\r\n- one\r\n") -> NewMessage:
    return message(octets, id=id_at(when), received_at=when)


def answer(of: NewMessage, *, held: bool = False) -> NewSubmission:
    bullets = tuple(NewBullet(n, 0, "dash", "-", "one", 0, 3, 0, None, 1.0, False) for n in (1, 2))
    withheld = (Withheld(new_id(), "leftover", None, "ssn", None, "123-45-6789", NOON),) if held else ()
    return NewSubmission(
        new_id(), of.id, "a@agency.test", None, None, "OK", (), of.received_at, False, None, "", None, (), (), "1",
        bullets, None, None, withheld,
    )  # fmt: skip


def read(store: Store, to: Mailbox, *made: NewMessage, held: bool = False) -> None:
    """Store mail, charge it, and read it."""
    add_messages(store, to, *made)
    with store.unit() as tx:
        submissions.store(tx, [answer(each, held=held) for each in made])
        messages.settle_read(tx, [each.id for each in made])
        now = mailboxes.lock(tx, [to.id])[to.id]
        used = Usage(now.used.messages + len(made), now.used.octets + sum(each.octets for each in made))
        mailboxes.set_usage(tx, [replace(now, used=used)])


def count(store: Store, table: str) -> int:
    with store.reading() as tx:
        return int(tx.scalar(text(f"SELECT count(*) FROM {table}")) or 0)  # noqa: S608  # our own names


def exact(store: Store, of: Mailbox) -> Usage:
    """Return the counter of a mailbox, once it is known to be the sum of what is stored."""
    with store.reading() as tx:
        now = mailboxes.find(tx, of.address)
        assert now is not None
        assert mailboxes.stored_usage(tx, now.id) == now.used
    return now.used


def make(store: Store, *months_ago: int) -> None:
    """Make the partitions of past months, as a service that ran then has them."""
    for ago in months_ago:
        with store.unit() as tx:
            partitions.make_months(tx, at(ago))


_NOTED = """
CREATE TABLE noted (of text, how text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO noted VALUES (TG_TABLE_NAME, current_setting('plan_cache_mode')); RETURN NULL; END $$;
"""


def test_what_mail_refers_to_is_looked_for_by_a_plan_that_is_kept(postgres_store: Store) -> None:
    made = add_box(postgres_store, box())
    tables = ("delivery", "submission", "bullet")
    with postgres_store.unit() as tx:
        tx.execute(text(_NOTED))
        for table in tables:
            tx.execute(text(f"CREATE TRIGGER note AFTER INSERT ON {table} EXECUTE FUNCTION note()"))

    read(postgres_store, made, mail_of(at(0)))
    with postgres_store.unit() as tx:
        submissions.store(tx, [])
        after = tx.scalar(text("SHOW plan_cache_mode"))
        noted = dict(map(tuple, tx.execute(text("SELECT of, how FROM noted"))))

    # Whatever else is asked in the unit is planned as ever.
    assert (noted, after) == (dict.fromkeys(tables, "force_generic_plan"), "auto")


def test_months_older_than_is_kept_are_let_go_with_all_that_was_read_of_them(store: Store) -> None:
    make(store, 5, 1)
    to, other = add_box(store, box()), add_box(store, box("it@agency.test"))
    for ago in (5, 4, 1, 0):
        read(store, to, *(mail_of(at(ago)) for _ in range(3)))
    read(store, other, mail_of(at(4)))
    old = plans(store, 3)
    assert [(str(each.month), each.messages, each.octets) for each in old] == [
        (str(Month.of(at(5))), 3, 66),
        (str(Month.of(at(4))), 4, 88),
    ]

    done = [let_go(store, each.month, BY) for each in old]

    assert [each.messages for each in done] == [3, 4]
    assert (exact(store, to), exact(store, other)) == (Usage(6, 132), Usage(0, 0))
    assert {table: count(store, table) for table in ("message", "delivery", "submission", "bullet")} == {
        "message": 6, "delivery": 6, "submission": 6, "bullet": 12,
    }  # fmt: skip
    assert plans(store, 3) == []
    assert len(listing.page(store, "messages", {}, limit=10)) == 6
    with store.reading() as tx:
        written = changes.history(tx, to.address, 10)
    assert [(each.who, each.reason, each.after["month"], each.after["purged_octets"]) for each in written] == [
        ("ann", "ROOM-1", str(Month.of(at(4))), 66),
        ("ann", "ROOM-1", str(Month.of(at(5))), 66),
    ]
    assert written[0].before["used_octets"] - written[0].after["used_octets"] == 66
    assert differences(store) == []


@pytest.mark.parametrize("why", ["pending", "parked", "notices", "quarantined", "frozen"])
def test_a_month_with_mail_that_waits_stays_as_a_whole(store: Store, why: str) -> None:
    make(store, 5)
    to = add_box(store, box())
    waits, other = mail_of(at(5)), mail_of(at(5))
    read(store, to, waits, other, held=why == "quarantined")
    with store.unit() as tx:
        match why:
            case "pending" | "parked":
                tx.execute(text(f"UPDATE message SET state = '{why}' WHERE id = :id"), {"id": waits.id})  # noqa: S608
            case "notices":
                notices.owe(tx, [notice(to, message=waits.id)])
            case "frozen":
                mailboxes.set_frozen(tx, to.id, True)

    plan = plans(store, 1)[0]
    done = let_go(store, plan.month, BY)

    assert getattr(done.held, why) > 0
    assert (count(store, "message"), exact(store, to).messages) == (2, 2)
    with store.unit() as tx:
        match why:
            case "pending" | "parked":
                messages.settle_read(tx, [waits.id])
            case "notices":
                [owed] = tx.execute(text("SELECT id FROM notice")).scalars()
                notices.settle(tx, str(owed), state=NoticeState.SENT, at=NOON, attempts_made=1, reply="", octets=None)  # type: ignore[arg-type]
            case "quarantined":
                held = quarantine.find(
                    tx, [str(each) for each in tx.execute(text("SELECT id FROM quarantine")).scalars()]
                )
                quarantine.release(tx, list(held.values()), "bob", NOON)
            case "frozen":
                mailboxes.set_frozen(tx, to.id, False)
    assert not let_go(store, plan.month, BY).held
    assert (count(store, "message"), count(store, "quarantine"), exact(store, to).messages) == (0, 0, 0)


def test_a_month_that_is_held_half_way_is_told_as_held_and_the_rest_of_it_stays(sqlite_store: Store) -> None:
    to = add_box(sqlite_store, box())
    read(sqlite_store, to, *(mail_of(at(5)) for _ in range(AT_ONCE + 10)))
    with sqlite_store.unit() as tx:
        tx.execute(text("CREATE TRIGGER hold AFTER DELETE ON message BEGIN UPDATE mailbox SET frozen = 1; END"))
    [plan] = plans(sqlite_store, 1)

    done = let_go(sqlite_store, plan.month, BY)

    assert done.held.frozen == 10
    assert exact(sqlite_store, to).messages == count(sqlite_store, "message") == 10


def test_a_mailbox_that_is_frozen_while_a_month_is_counted_keeps_it(
    postgres_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = postgres_store
    make(store, 5)
    to = add_box(store, box())
    read(store, to, mail_of(at(5)))
    look = retention.held

    def and_then_frozen(tx: Tx, month: Month) -> retention.Held:
        found = look(tx, month)
        monkeypatch.setattr(retention, "held", look)
        with store.unit() as other:
            mailboxes.set_frozen(other, to.id, True)
        return found

    monkeypatch.setattr(retention, "held", and_then_frozen)

    done = let_go(store, Month.of(at(5)), BY)

    assert done.held.frozen == 1
    assert exact(store, to).messages == count(store, "message") == 1


def test_what_a_purge_gave_up_before_is_not_taken_from_the_counter_again(store: Store) -> None:
    make(store, 5)
    to = add_box(store, box())
    one, two = mail_of(at(5)), mail_of(at(5))
    read(store, to, one, two)
    with store.unit() as tx:
        mine = schema.delivery.c.message == one.id
        tx.execute(update(schema.delivery).where(mine).values(released_at=NOON))
        mailboxes.set_usage(tx, [replace(to, used=Usage(1, two.octets))])

    let_go(store, Month.of(at(5)), BY)

    assert exact(store, to) == Usage(0, 0)


def test_housekeeping_makes_what_is_missing_and_drops_what_is_old(store: Store) -> None:
    make(store, 5)
    to = add_box(store, box())
    read(store, to, mail_of(at(5)), mail_of(at(0)))
    if store.dialect == "postgresql":
        with store.unit() as tx:
            partitions.detach(tx, Month.of(NOW, 3))

    keep_months(store, 0)
    assert count(store, "message") == 2
    keep_months(store, 2)
    keep_months(store, 2)

    assert count(store, "message") == 1
    assert exact(store, to).messages == 1
    with store.reading() as tx:
        assert partitions.missing(tx, NOW) == partitions.left(tx) == []
        [written] = changes.history(tx, to.address, 10)
    assert (written.who, written.verb) == ("housekeeping", "mailbox retention")
    assert written.reason == "[storage] keep_months = 2"
    assert differences(store) == []


def test_mail_of_a_month_that_had_no_partition_is_moved_to_one(postgres_store: Store) -> None:
    store = postgres_store
    to = add_box(store, box())
    before = [mail_of(at(7)), mail_of(at(7)), mail_of(at(6))]
    read(store, to, *before)
    assert count(store, "message_rest") == count(store, "delivery_rest") == 3
    with store.reading() as tx:
        assert partitions.strays(tx) == {Month.of(at(7)): 2, Month.of(at(6)): 1}
        kept = tx.execute(text("SELECT * FROM message ORDER BY id")).all()

    keep_months(store, 0)

    assert count(store, "message_rest") == count(store, "bullet_rest") == 0
    assert count(store, f"bullet_{Month.of(at(7)).start:%Y_%m}") == 4
    with store.reading() as tx:
        assert partitions.strays(tx) == {}
        assert tx.execute(text("SELECT * FROM message ORDER BY id")).all() == kept
    assert differences(store) == []
    assert exact(store, to).messages == 3
    # It is a partition as any other.
    read(store, to, mail_of(at(7)))
    let_go(store, Month.of(at(7)), BY)
    assert exact(store, to).messages == 1


def test_who_is_in_the_way_of_a_drop_is_not_waited_for(postgres_store: Store) -> None:
    store = postgres_store
    make(store, 5)
    to = add_box(store, box())
    read(store, to, mail_of(at(5)))
    with store.reading() as auditor:
        assert auditor.scalar(text("SELECT count(*) FROM message")) == 1

        with pytest.raises(StorageError, match="lock timeout") as failure:
            let_go(store, Month.of(at(5)), BY)

        assert failure.value.cause == "fault"
        assert auditor.scalar(text("SELECT used_messages FROM mailbox")) == 1
    assert exact(store, to).messages == 1
    assert not let_go(store, Month.of(at(5)), BY).held
    assert exact(store, to).messages == 0


@pytest.mark.parametrize("table", ["submission", "delivery"])
def test_what_an_operator_took_out_of_the_tables_is_not_dropped(postgres_store: Store, table: str) -> None:
    store = postgres_store
    make(store, 5)
    with store.unit() as tx:
        kept = f"{table}_{Month.of(at(5)).start:%Y_%m}"
        tx.execute(text(f"ALTER TABLE {table} DETACH PARTITION {kept}"))

    keep_months(store, 0)

    assert count(store, kept) == 0


def test_mail_is_taken_while_old_months_go_and_the_counter_is_exact(store: Store) -> None:
    make(store, 5)
    to = add_box(store, box(octets=10**9))
    for ago in (5, 4, 3):
        read(store, to, *(mail_of(at(ago)) for _ in range(60)))
    wrong: list[StorageError] = []

    def take() -> None:
        for number in range(100):
            try:
                with store.unit() as tx:
                    made = prepare(offer(b"Subject: %d\r\n\r\n- one\r\n" % number, to), acceptance.key(tx))
                    store_batch(tx, [made], (), Policy((), ""), NOON)
            except StorageError as error:
                wrong.append(error)

    thread = threading.Thread(target=take)
    thread.start()
    tries = 0
    while old := plans(store, 1):
        with contextlib.suppress(StorageError):
            let_go(store, old[0].month, BY)
        tries += 1
        # Mail that comes all the time holds nobody up.
        assert tries < 10
    thread.join()

    assert wrong == []
    assert exact(store, to).messages == count(store, "message") == 100


def test_months_are_counted_back_from_the_present_one() -> None:
    january = datetime(2026, 1, 31, 23, 59, tzinfo=UTC)
    assert str(retention.before(january, 1)) == "2025-12"
    assert str(retention.before(january, 13)) == "2024-12"
    assert Month.of(january).end == datetime(2026, 2, 1, tzinfo=UTC)
