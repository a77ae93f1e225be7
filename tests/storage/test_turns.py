"""Turns at one SQLite file: who has senders to answer goes first, and nobody waits for ever."""

import errno
import fcntl
import multiprocessing
import os
import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from storage.engine import Store, open_store
from tests.service import eventually


def folder_of(store: Store) -> Path:
    assert store.path is not None
    return store.path.parent


@contextmanager
def occupied(store: Store) -> Iterator[None]:
    """Somebody writes for as long as the block takes."""
    connection = sqlite3.connect(store.url.database or "", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    yield
    connection.rollback()
    connection.close()


def is_wanted(folder: Path) -> bool:
    """Say whether somebody who goes first says that it waits; those who ask hold the lock alone, for a moment."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(opened)
        return False
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(opened)
    return False


def writing(store: Store, turn: list[str], name: str) -> threading.Thread:
    def write() -> None:
        with store.unit():
            turn.append(name)

    thread = threading.Thread(target=write)
    thread.start()
    return thread


def test_who_goes_first_is_let_pass_by_those_who_waited_before(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However slow the machine is, nobody loses patience here.
    monkeypatch.setattr("storage.turns.PATIENCE", 30.0)
    listener = open_store(str(sqlite_store.url), first=True)
    for _ in range(5):
        turn: list[str] = []
        with occupied(sqlite_store):
            others = [writing(sqlite_store, turn, "other") for _ in range(2)]
            first = writing(listener, turn, "first")
            # Often: somebody may ask between the two looks.
            eventually(lambda: all(is_wanted(folder_of(sqlite_store)) for _ in range(50)))
        for each in (*others, first):
            each.join()

        assert turn == ["first", "other", "other"]
    listener.close()


def test_the_others_have_their_turn_though_somebody_always_wants_to_go_first(sqlite_store: Store) -> None:
    wanting = os.open(folder_of(sqlite_store), os.O_RDONLY)
    fcntl.flock(wanting, fcntl.LOCK_SH)
    turn: list[str] = []
    writing(sqlite_store, turn, "other").join()
    os.close(wanting)

    assert turn == ["other"]


@pytest.mark.parametrize("trouble", ["no more files", "no locks"])
@pytest.mark.parametrize("first", [True, False])
def test_where_the_folder_cannot_be_locked_mail_is_stored_all_the_same(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch, trouble: str, first: bool
) -> None:
    number, where = {"no more files": (errno.EMFILE, "os.open"), "no locks": (errno.ENOLCK, "fcntl.flock")}[trouble]

    def refuse(*_: object) -> int:
        raise OSError(number, trouble)

    store = open_store(str(sqlite_store.url), first=first)
    turn: list[str] = []
    with store.unit():
        pass
    monkeypatch.setattr(f"storage.turns.{where}", refuse)
    with occupied(store):
        waiting = writing(store, turn, "one")
    waiting.join()
    store.close()

    assert turn == ["one"]


def write_first(url: str) -> None:
    with open_store(url, first=True).unit():
        pass


def test_who_is_killed_while_it_waits_leaves_nothing_behind(sqlite_store: Store) -> None:
    waiting = multiprocessing.get_context("spawn").Process(target=write_first, args=(str(sqlite_store.url),))
    before = set(folder_of(sqlite_store).iterdir())
    with occupied(sqlite_store):
        waiting.start()
        eventually(lambda: is_wanted(folder_of(sqlite_store)))
        assert waiting.pid is not None
        os.kill(waiting.pid, signal.SIGKILL)
        waiting.join()

        assert not is_wanted(folder_of(sqlite_store))
    assert {each.name for each in before} >= {
        each.name for each in folder_of(sqlite_store).iterdir() if not each.name.endswith(("-wal", "-shm"))
    }
