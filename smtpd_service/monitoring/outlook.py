"""A look at the database every few seconds, in a thread of its own: who asks is told what was seen last.

A database that hangs holds up the next look and nobody else.
"""

import threading
import time
from dataclasses import dataclass

from storage.engine import StorageError, Store
from storage.version import may_run, version
from storage.vitals import Vitals, look

LOOK_EVERY = 3.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look found, when it ended (monotonic), and how long it took in seconds.

    `fits` says whether we can work with the schema; nothing is looked at where we cannot.
    """

    vitals: Vitals | None
    fits: bool
    at: float
    took: float


class Outlook:
    """Keeps what was `seen` last, None before the first look that succeeded, and the `trouble` of one that failed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._end = threading.Event()
        # A daemon: a database that hangs must not keep this process.
        self._thread = threading.Thread(target=self._run, name="outlook", daemon=True)
        self.seen: Seen | None = None
        self.trouble = ""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._end.set()

    def _run(self) -> None:
        while not self._end.is_set():
            self.look()
            self._end.wait(LOOK_EVERY)

    def look(self) -> None:
        """Look once, now."""
        begun = time.monotonic()
        try:
            path = self._store.path
            if path is not None and not path.exists():
                # A look would make an empty one.
                raise StorageError("down", f"{path} is gone")
            with self._store.reading() as tx:
                schema = version(tx)
                fits = schema is not None and may_run(tx, schema)
                vitals = look(tx) if fits else None
        except StorageError as error:
            self.trouble = error.cause
        except Exception as error:  # a thread that ended here would leave old figures standing
            self.trouble = type(error).__name__
        else:
            ended = time.monotonic()
            self.seen, self.trouble = Seen(vitals, fits, ended, ended - begun), ""
