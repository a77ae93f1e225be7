"""Keeps SQLite's log short, in a thread of its own, so that no commit has to.

A commit that copies the log into the file syncs both before it is answered, and under a steady load each one does once
the log is long: nobody is ever done before the next comes. Promises: what stands in the log is copied while mail is
being stored; a log of `LONG` pages is begun anew at the next moment in which nobody reads what is older, for which
commits wait as long as it takes to copy the last pages; where that moment never comes by itself, since one who reads
always comes before another has gone, commits wait for it from `LONGEST` pages on, now and then and `INSIST` at most.
PostgreSQL has checkpoints of its own.
"""

import contextlib
import threading
import time

from storage.engine import LOG_PAGES, StorageError, Store

# Pages of 4 kB; and seconds between two looks, the second while a log is too long.
LONG = 4_000
LOOK_EVERY, LOOK_AGAIN = 0.5, 0.05
# Pages; how long commits may wait, and from one time to the next, in seconds.
LONGEST, INSIST, INSIST_AGAIN = LOG_PAGES, 1.0, 10.0


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
        pages, insisted_at = 0, -INSIST_AGAIN
        while not self._end.wait(LOOK_AGAIN if pages > LONG else LOOK_EVERY):
            # Who stores mail says what is wrong with the database.
            with contextlib.suppress(StorageError):
                pages = self._store.shorten_log(LONG)
                if pages > LONGEST and time.monotonic() - insisted_at >= INSIST_AGAIN:
                    insisted_at = time.monotonic()
                    self._store.begin_log_anew(INSIST)
