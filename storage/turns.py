"""Who writes next, among the processes that share one SQLite file.

Promises: those who have mail to answer go before the others, who let them pass; and the others have their turn within
`PATIENCE` and what a unit takes. Nothing is left behind by who is killed: the kernel lets go of what they held.

SQLite lets one write at a time, and knows no queue: its own waiting sleeps up to 100 ms between two looks, which made
the slowest answers (measured). Who goes first and finds somebody at it says so by a lock on the database's folder, and
looks again often. The others ask for that lock before they begin. Where the folder takes no locks, nobody goes first.
"""

import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Between two looks, in seconds: of those who go first, and of those who let them pass.
LOOK, LET_PASS = 0.000_2, 0.001
# Who has waited so long goes first too, in seconds.
PATIENCE = 0.25


class Turns:
    """One process's way to the writer's lock; `wait` is after how many seconds it gives up."""

    def __init__(self, folder: Path, *, first: bool, wait: float) -> None:
        self._folder = folder
        self._first = first
        self._wait = wait

    def take(self, connection: sqlite3.Connection) -> None:
        """Begin a writing transaction. Raises sqlite3.OperationalError: `database is locked` after a long wait."""
        began = time.monotonic()
        if not (self._first or self._wanted()) and _begun(connection):
            return
        if self._first and _begun(connection):
            return
        while not self._first and time.monotonic() - began < PATIENCE:
            time.sleep(LET_PASS)
            if not self._wanted() and _begun(connection):
                return
        with self._opened() as folder:
            wanting = False
            while not _begun(connection, raising=time.monotonic() - began > self._wait):
                # Several may want at once; who is just being asked says it at the next look.
                wanting = wanting or not _refused(folder, fcntl.LOCK_SH)
                time.sleep(LOOK)

    def _wanted(self) -> bool:
        """Say whether somebody who goes first is waiting."""
        with self._opened() as folder:
            return _refused(folder, fcntl.LOCK_EX)

    @contextmanager
    def _opened(self) -> Iterator[int | None]:
        folder = None
        # A process may have too many files open, or may not read the folder; it can write all the same.
        with contextlib.suppress(OSError):
            folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield folder
        finally:
            if folder is not None:
                os.close(folder)


def _refused(folder: int | None, how: int) -> bool:
    """Lock the folder if nobody is in the way; say whether somebody is. Where there are no such locks, nobody is."""
    if folder is None:
        return False
    try:
        fcntl.flock(folder, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system that has none
        return False
    return False


def _begun(connection: sqlite3.Connection, *, raising: bool = False) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if raising or "locked" not in str(error):
            raise
        return False
    return True
