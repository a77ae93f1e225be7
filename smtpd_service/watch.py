"""Looks at the database and the disk twice a second, so that sessions are answered without a query.

Also enters this listener among the nodes, and says there which generation of changes it has seen.
"""

import logging
import shutil
import threading
import time
from dataclasses import dataclass, field, replace
from typing import Any

from smtpd_service.admission import Directory, read_directory, renewed
from smtpd_service.domain.forecast import standing
from smtpd_service.events import Event, note
from smtpd_service.presence import LOOK_EVERY, Presence
from storage.engine import StorageError, Store, Tx

# A database that hangs lets no look come back; after so long mail is answered 451.
STALE_AFTER = 3.0
# How often all mailboxes are read, though nobody said that they changed.
READ_EVERY = 3.0


@dataclass(frozen=True, slots=True)
class Condition:
    """How the house stands: `away` the database does not answer, `low` disk space is under the reserve."""

    directory: Directory
    away: bool = False
    low: bool = False
    draining: bool = False
    looked_at: float = field(default_factory=time.monotonic)

    @property
    def unknown(self) -> bool:
        """Say whether the database has failed, or has not answered for too long to say how things stand."""
        return self.away or time.monotonic() - self.looked_at > STALE_AFTER


_STATES = {
    "full": (Event.MAILBOX_FULL, logging.WARNING),
    "frozen": (Event.MAILBOX_FROZEN, logging.INFO),
    "accepting": (Event.MAILBOX_ACCEPTING, logging.INFO),
}


def note_states(before: Directory, after: Directory) -> None:
    """Log each mailbox that is full, frozen or accepting now and was not before, whoever changed that."""
    known = {box.id: standing(box) for box in before.boxes.values()}
    for box in {box.id: box for box in after.boxes.values()}.values():
        state = standing(box)
        if known.get(box.id, "accepting") != state:
            event, level = _STATES[state]
            note(event, level, mailbox=box.address, used_octets=box.used.octets, quota_octets=box.quota.octets)


class Watch:
    """Keeps the `condition` of one listener; `reserve` is the free space to keep, in octets."""

    def __init__(self, store: Store, reserve: int) -> None:
        self._store = store
        self._reserve = reserve
        self._presence = Presence(store, "listener")
        self._end = threading.Event()
        # A look that was under way must not undo what the event loop's thread has said meanwhile.
        self._changing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="watch")
        self._read_at = -READ_EVERY
        self._hangs = False
        self.condition = Condition(Directory())

    def start(self) -> None:
        """Take the first look, then go on looking; a database that is away now may come back."""
        self._look_and_beat()
        self._thread.start()

    def drain(self) -> None:
        self._change(draining=True)

    def tell_hanging(self) -> None:
        """Log once that the database hangs, for the look that does not come back; for another thread than its own."""
        seen = self.condition
        if seen.unknown and not seen.away and not self._hangs:
            self._hangs = True
            note(Event.DATABASE_AWAY, logging.WARNING, text=f"no answer for {STALE_AFTER:g} s")

    def stop(self) -> None:
        """Stop looking and leave the nodes; blocks for as long as one look takes."""
        self._end.set()
        self._thread.join()
        self._presence.leave()

    def _run(self) -> None:
        while not self._end.wait(LOOK_EVERY):
            self._look_and_beat()

    def _look_and_beat(self) -> None:
        try:
            self._look()
            self._presence.tell(self.condition.directory.generation, draining=self.condition.draining)
            if self.condition.away or self._hangs:
                note(Event.DATABASE_BACK)
                self._change(away=False)
                self._hangs = False
        except (StorageError, OSError) as error:
            if not self.condition.away:
                note(Event.DATABASE_AWAY, logging.WARNING, text=error)
            self._change(away=True)
        except Exception as error:  # a thread that ended here would freeze what sessions believe
            note(Event.DATABASE_AWAY, logging.ERROR, trouble=error)
            self._change(away=True)

    def _look(self) -> None:
        before = self.condition
        path = self._store.path
        if path is not None and not path.exists():
            # A look would make an empty one.
            raise StorageError("down", f"{path} is gone")
        with self._store.reading() as tx:
            directory = self._directory(tx, before.directory)
        low = self._space_low()
        if low and not before.low:
            note(Event.SPACE_LOW, logging.WARNING, reserve=self._reserve)
        if directory is not before.directory:
            note_states(before.directory, directory)
        self._change(directory=directory, low=low, looked_at=time.monotonic())

    def _directory(self, tx: Tx, before: Directory) -> Directory:
        """Look at what can have changed, and now and then at all: rows may be changed by other hands than ours."""
        if time.monotonic() - self._read_at < READ_EVERY:
            return renewed(tx, before)
        directory = read_directory(tx)
        self._read_at = time.monotonic()
        return directory

    def _change(self, **facts: Any) -> None:
        with self._changing:
            self.condition = replace(self.condition, **facts)

    def _space_low(self) -> bool:
        path = self._store.path
        return path is not None and shutil.disk_usage(path.parent).free < self._reserve
