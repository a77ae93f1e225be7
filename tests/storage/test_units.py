"""A unit is all or nothing, its failure has one of three names, and what comes out of it has one form."""

import shutil
import sqlite3
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from storage import mailboxes, messages, refusals
from storage.engine import StorageError, Store, open_store
from storage.records import Quota, Usage, WhenFull
from tests.storage.stock import NOON, add_box, add_messages, box, message, refusal


def test_what_a_unit_wrote_is_there_when_it_has_ended(store: Store) -> None:
    made = add_box(store, box())

    with store.reading() as tx:
        assert mailboxes.find(tx, "hr@agency.test") == made


@pytest.mark.parametrize("durable", [True, False])
def test_only_what_can_be_done_again_is_committed_without_waiting_for_the_disk(store: Store, durable: bool) -> None:
    other = open_store(store.url.render_as_string(hide_password=False), durable=durable)
    asked = {"sqlite": "PRAGMA synchronous", "postgresql": "SHOW synchronous_commit"}[store.dialect]

    with other.unit() as tx:
        said = str(tx.scalar(text(asked)))
    other.close()

    assert said in ({"2", "on"} if durable else {"1", "off"})


def test_nothing_of_a_unit_that_raised_is_kept(store: Store) -> None:
    def think_again() -> None:
        with store.unit() as tx:
            mailboxes.add(tx, box(), NOON)
            raise RuntimeError("on second thoughts")

    with pytest.raises(RuntimeError, match="on second thoughts"):
        think_again()

    with store.reading() as tx:
        assert mailboxes.all_mailboxes(tx) == []


def test_a_row_that_the_database_refuses_is_a_fault_and_takes_its_unit_with_it(store: Store) -> None:
    def add_twice() -> None:
        with store.unit() as tx:
            mailboxes.add(tx, box("first@agency.test"), NOON)
            mailboxes.add(tx, box("first@agency.test"), NOON)

    with pytest.raises(StorageError) as caught:
        add_twice()

    assert caught.value.cause == "fault"
    with store.reading() as tx:
        assert mailboxes.all_mailboxes(tx) == []


@pytest.mark.parametrize("change", ["used_octets = -1", "used_messages = -1", "quota_octets = -1", "when_full = 'x'"])
def test_the_database_itself_holds_what_must_hold(store: Store, change: str) -> None:
    add_box(store, box())

    with pytest.raises(StorageError, match=r"(?i)check constraint"), store.unit() as tx:
        tx.execute(text(f"UPDATE mailbox SET {change}"))  # noqa: S608  # our own words


def test_foreign_keys_are_enforced(store: Store) -> None:
    with pytest.raises(StorageError, match=r"(?i)foreign key"), store.unit() as tx:
        refusals.record(tx, [refusal(box())])


def test_a_database_that_does_not_answer_is_down(tmp_path: Path) -> None:
    away = open_store("postgresql+psycopg://nobody@127.0.0.1:1/none")

    with pytest.raises(StorageError) as caught, away.unit() as tx:
        tx.execute(text("SELECT 1"))

    assert caught.value.cause == "down"
    away.close()


def test_a_database_that_has_no_room_is_full(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/small.db")

    def fill() -> None:
        with store.unit() as tx:
            tx.execute(text("PRAGMA max_page_count = 4"))
            tx.execute(text("CREATE TABLE filled (octets BLOB)"))
            tx.execute(text("INSERT INTO filled VALUES (zeroblob(1000000))"))

    with pytest.raises(StorageError) as caught:
        fill()

    assert caught.value.cause == "full"
    store.close()


def test_a_connection_that_the_server_ended_is_down_once_and_made_anew(postgres_store: Store) -> None:
    address = postgres_store.url.set(drivername="postgresql").render_as_string(hide_password=False)

    def be_cut_off() -> None:
        with postgres_store.unit() as tx:
            pid = tx.scalar(text("SELECT pg_backend_pid()"))
            with psycopg.connect(address, autocommit=True) as administrator:
                administrator.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
            tx.execute(text("SELECT 1"))

    with pytest.raises(StorageError) as caught:
        be_cut_off()

    assert caught.value.cause == "down"
    with postgres_store.unit() as tx:
        assert tx.scalar(text("SELECT 1")) == 1


@pytest.mark.parametrize("url", ["nonsense", "mysql://x/y", "postgresql+nodriver://x/y"])
def test_an_address_that_cannot_be_used_says_so(url: str) -> None:
    with pytest.raises(StorageError, match="cannot use database") as caught:
        open_store(url)

    assert caught.value.cause == "fault"


def test_sqlite_writes_through_to_the_disk_and_keeps_foreign_keys(sqlite_store: Store) -> None:
    with sqlite_store.unit() as tx:
        found = [tx.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")]

    assert found == ["wal", 2, 1]


def test_postgresql_waits_for_its_disk_at_each_commit(postgres_store: Store) -> None:
    with postgres_store.unit() as tx:
        assert tx.scalar(text("SHOW synchronous_commit")) == "on"


def test_a_unit_on_sqlite_takes_the_write_lock_before_it_reads(sqlite_store: Store) -> None:
    other = sqlite3.connect(sqlite_store.path or "", timeout=0)

    with sqlite_store.unit(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")

    other.execute("BEGIN IMMEDIATE")
    other.close()


def test_reading_waits_for_no_writer(store: Store) -> None:
    made = add_box(store, box())

    with store.unit() as writing:
        mailboxes.set_frozen(writing, made.id, True)
        with store.reading() as tx:
            assert mailboxes.all_mailboxes(tx)[0].frozen is False


def test_reading_is_one_look_at_one_moment(store: Store) -> None:
    made = add_box(store, box())

    with store.reading() as tx:
        before = mailboxes.all_mailboxes(tx)
        with store.unit() as writing:
            mailboxes.set_frozen(writing, made.id, True)
        assert mailboxes.all_mailboxes(tx) == before

    with store.unit() as tx:
        assert mailboxes.all_mailboxes(tx)[0].frozen is True


def test_writers_that_add_to_one_counter_lose_nothing(store: Store) -> None:
    made = add_box(store, box())

    def add_one() -> None:
        for _ in range(10):
            with store.unit() as tx:
                now = mailboxes.lock(tx, [made.id])[made.id]
                used = Usage(now.used.messages + 1, now.used.octets + 7)
                mailboxes.set_usage(tx, [box(id=made.id, used=used)])

    threads = [threading.Thread(target=add_one) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    with store.reading() as tx:
        assert mailboxes.all_mailboxes(tx)[0].used == Usage(40, 280)


def test_ids_come_out_dashed_and_times_aware_in_utc(store: Store) -> None:
    made = add_box(store, box())
    elsewhere = NOON.astimezone(timezone(timedelta(hours=-5)))
    [id_] = add_messages(store, made, message(received_at=elsewhere))

    with store.unit() as tx:
        ids = messages.claim(tx, str(uuid.uuid4()), NOON, NOON + timedelta(seconds=8), 1)
        [claimed] = messages.load(tx, ids)

    assert str(uuid.UUID(claimed.id)) == claimed.id == id_
    assert claimed.received_at == NOON
    assert claimed.received_at.tzinfo is UTC


def test_octets_come_out_as_they_went_in(store: Store) -> None:
    made = add_box(store, box())
    for octets in (b"", b"\0\xff\r\n.", b"x" * 100_000, bytes(range(256)) * 9):
        [id_] = add_messages(store, made, message(octets))
        with store.reading() as tx:
            assert messages.octets(tx, id_) == octets


def test_the_sum_of_what_is_stored_can_be_counted_again(store: Store) -> None:
    made = add_box(store, box())
    add_messages(store, made, message(b"12345"), message(b"1234567"))

    with store.reading() as tx:
        assert mailboxes.stored_usage(tx, made.id) == Usage(2, 12)


def test_limits_change_and_what_is_stored_stays(store: Store) -> None:
    made = add_box(store, box(used=Usage(3, 900)))

    with store.unit() as tx:
        mailboxes.set_quota(tx, made.id, Quota(100, 2, 5), WhenFull.DEFER)

    with store.reading() as tx:
        found = mailboxes.find(tx, made.address)
    assert found is not None
    assert (found.quota, found.when_full, found.used) == (Quota(100, 2, 5), WhenFull.DEFER, Usage(3, 900))


def test_a_mailbox_is_found_by_its_alias(store: Store) -> None:
    made = add_box(store, box())
    with store.unit() as tx:
        mailboxes.add_alias(tx, "replies@agency.test", made.id)

    with store.reading() as tx:
        assert mailboxes.find(tx, "replies@agency.test") == made
        assert mailboxes.all_aliases(tx) == {"replies@agency.test": made.id}
        assert mailboxes.find(tx, "nobody@agency.test") is None


def test_microseconds_survive_at_both_ends_of_the_clock(store: Store) -> None:
    made = add_box(store, box())
    moments = [datetime(1970, 1, 1, tzinfo=UTC), datetime(2999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)]
    add_messages(store, made, *(message(received_at=at) for at in moments))

    with store.unit() as tx:
        claimed = messages.load(tx, messages.claim(tx, str(uuid.uuid4()), NOON, NOON, 9))
    assert [each.received_at for each in claimed] == moments


def test_a_file_that_was_put_in_the_place_of_the_database_is_noticed_and_taken_next(sqlite_store: Store) -> None:
    """A restored copy, for instance: what is committed into the old file would be lost."""
    path = sqlite_store.path
    assert path is not None
    add_box(sqlite_store, box("first@agency.test"))
    sqlite_store.settle()
    copy = path.with_name("copy.db")
    shutil.copy(path, copy)

    def add(address: str, *, replacing: bool) -> None:
        with sqlite_store.unit() as tx:
            if replacing:
                path.with_name(f"{path.name}-wal").unlink(missing_ok=True)
                path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
                copy.rename(path)
            mailboxes.add(tx, box(address), NOON)

    with pytest.raises(StorageError, match="was replaced by another file") as caught:
        add("lost@agency.test", replacing=True)
    assert caught.value.cause == "down"
    add("next@agency.test", replacing=False)

    with sqlite_store.reading() as tx:
        assert [each.address for each in mailboxes.all_mailboxes(tx)] == ["first@agency.test", "next@agency.test"]


def test_a_connection_that_was_at_work_while_all_were_closed_is_not_used_again(sqlite_store: Store) -> None:
    with sqlite_store.unit() as first:
        pass
    with sqlite_store.unit() as again:
        assert again is first
        sqlite_store.close()
    assert first.closed
    with sqlite_store.unit() as another:
        assert another is not first


def test_a_file_that_was_moved_away_takes_no_commit_that_is_believed(sqlite_store: Store) -> None:
    path = sqlite_store.path
    assert path is not None
    add_box(sqlite_store, box("first@agency.test"))
    path.rename(path.with_name("away.db"))

    with pytest.raises(StorageError, match="is gone") as caught:
        add_box(sqlite_store, box("lost@agency.test"))
    assert (caught.value.cause, path.exists()) == ("down", False)

    path.with_name("away.db").rename(path)
    add_box(sqlite_store, box("next@agency.test"))


def test_more_threads_than_there_are_connections_wait_no_longer_than_for_their_turn(sqlite_store: Store) -> None:
    """Those that rest are not missed in the pool: who waited there was told after half a minute that there is none."""
    most = 14
    at_once = threading.Barrier(most)

    def work(_: int) -> None:
        at_once.wait(10)
        with sqlite_store.unit() as tx:
            tx.execute(text("SELECT 1"))
            time.sleep(0.003)

    with ThreadPoolExecutor(most) as threads:
        list(threads.map(work, range(most)))


def test_a_new_database_is_opened_by_many_at_once(tmp_path: Path) -> None:
    failures: list[StorageError] = []

    def begin(url: str) -> None:
        store = open_store(url)
        try:
            with store.unit() as tx:
                tx.execute(text("SELECT 1"))
        except StorageError as error:
            failures.append(error)
        store.close()

    # One in some two hundred was refused, before.
    for number in range(60):
        threads = [threading.Thread(target=begin, args=(f"sqlite:///{tmp_path}/{number}.db",)) for _ in range(6)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    assert failures == []
