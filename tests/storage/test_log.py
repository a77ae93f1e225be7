"""SQLite's log is kept short beside the writing, and nothing that is read is taken away."""

import os
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from smtpd_service import checkpoints
from smtpd_service.checkpoints import Checkpoints
from storage.engine import Store, open_store
from tests.service import eventually
from tests.storage.stock import add_box, add_messages, box, message


def fill(store: Store) -> None:
    made = add_box(store, box(f"{os.urandom(6).hex()}@agency.test"))
    add_messages(store, made, *(message(os.urandom(3000)) for _ in range(60)))


def salt(store: Store) -> bytes:
    """Return what SQLite changes in the head of the log each time it begins it anew (its file format, section 4.1)."""
    with Path(f"{store.path}-wal").open("rb") as log:
        return log.read(24)[16:]


def test_a_log_that_has_grown_is_begun_anew(sqlite_store: Store) -> None:
    fill(sqlite_store)
    grown = sqlite_store.shorten_log(1000)
    sqlite_store.shorten_log(grown - 1)
    add_box(sqlite_store, box("next@agency.test"))

    assert 0 < sqlite_store.shorten_log(1000) < grown < 1000


def test_a_log_that_somebody_reads_is_kept_until_that_is_done(sqlite_store: Store) -> None:
    other = open_store(str(sqlite_store.url))
    with other.reading() as tx:
        before = tx.scalar(text("SELECT count(*) FROM message"))
        fill(sqlite_store)
        grown = sqlite_store.shorten_log(10)
        fill(sqlite_store)
        assert tx.scalar(text("SELECT count(*) FROM message")) == before
        assert sqlite_store.shorten_log(10) > grown
    sqlite_store.shorten_log(10)
    add_box(sqlite_store, box("next@agency.test"))

    assert sqlite_store.shorten_log(1000) < grown
    with other.reading() as tx:
        assert tx.scalar(text("SELECT count(*) FROM message")) == 120
    other.close()


def test_a_log_of_which_somebody_always_reads_does_not_grow_for_ever(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("LONG", 200), ("LONGEST", 400), ("INSIST_AGAIN", 0.1), ("LOOK_EVERY", 0.05)):
        monkeypatch.setattr(checkpoints, name, value)
    ended = threading.Event()

    def look_on(after: float) -> None:
        ended.wait(after)
        while not ended.is_set():
            with sqlite_store.reading() as tx:
                tx.scalar(text("SELECT count(*) FROM message"))
                ended.wait(0.1)

    beginnings = set()

    def begun_anew_again() -> bool:
        fill(sqlite_store)
        beginnings.add(salt(sqlite_store))
        return len(beginnings) > 3

    keeping = Checkpoints(sqlite_store)
    looking = [threading.Thread(target=look_on, args=(after,)) for after in (0, 0.05)]
    for each in (keeping, *looking):
        each.start()
    try:
        eventually(begun_anew_again)
    finally:
        ended.set()
        for thread in looking:
            thread.join()
        keeping.stop()


def test_what_is_stored_all_the_time_is_copied_into_the_file_meanwhile(sqlite_store: Store) -> None:
    keeping = Checkpoints(sqlite_store)
    ended = threading.Event()

    def store_on() -> None:
        while not ended.is_set():
            fill(sqlite_store)

    def copied() -> bool:
        assert sqlite_store.path is not None
        return sqlite_store.path.stat().st_size > before + 500_000

    assert sqlite_store.path is not None
    before = sqlite_store.path.stat().st_size
    storing = threading.Thread(target=store_on)
    storing.start()
    keeping.start()
    try:
        eventually(copied)
    finally:
        ended.set()
        storing.join()
        keeping.stop()
