"""Keeps SQLite's log short, in a thread of its own, so that no commit has to.

A commit that copies the log into the file syncs both before it is answered, and under a steady load each one does once
the log is long: nobody is ever done before the next comes. Promises: what stands in the log is copied while mail is
being stored; a log of `LONG` pages is begun anew at the next moment in which nobody reads what is older, for which
commits wait as long as it takes to copy the last pages. PostgreSQL has checkpoints of its own.
"""

import contextlib
import threading

from storage.engine import StorageError, Store

# Pages of 4 kB; and seconds between two looks, the second while a log is too long.
LONG = 4_000
LOOK_EVERY, LOOK_AGAIN = 0.5, 0.05


class Checkpoints:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="checkpoints")

    def start(self) -> None:
        if self._store.dialect == "sqlite":
            self._thread.start()

    def stop(self) -> None:
        """Blocks for as long as what is under way takes."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        pages = 0
        while not self._end.wait(LOOK_AGAIN if pages > LONG else LOOK_EVERY):
            # Who stores mail says what is wrong with the database.
            with contextlib.suppress(StorageError):
                pages = self._store.shorten_log(LONG)
