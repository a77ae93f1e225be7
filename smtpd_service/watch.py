"""Looks at the database and the disk twice a second, so that sessions are answered without a query.

Also enters this listener among the nodes, and says there which generation of changes it has seen.
"""

import logging
import os
import shutil
import socket
import threading
import time
from dataclasses import dataclass, field, replace
from typing import Any

from smtpd_service.admission import Directory, read_directory
from smtpd_service.domain.forecast import standing
from smtpd_service.events import Event, note
from smtpd_service.identity import new_id, now
from storage import nodes
from storage.engine import StorageError, Store
from storage.records import Node

# Twice this must stay under the second in which a change holds everywhere.
LOOK_EVERY = 0.4
BEAT_EVERY = 5.0
# A database that hangs lets no look come back; after so long mail is answered 451.
STALE_AFTER = 3.0


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
        self._id = new_id()
        self._started_at = now()
        self._beaten_at = 0.0
        self._end = threading.Event()
        # A look that was under way must not undo what the event loop's thread has said meanwhile.
        self._changing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="watch")
        self.condition = Condition(Directory())

    def start(self) -> None:
        """Take the first look, then go on looking; a database that is away now may come back."""
        self._look_and_beat()
        self._thread.start()

    def drain(self) -> None:
        self._change(draining=True)

    def stop(self) -> None:
        """Stop looking and leave the nodes; blocks for as long as one look takes."""
        self._end.set()
        self._thread.join()
        try:
            with self._store.unit() as tx:
                nodes.leave(tx, self._id)
        except StorageError as error:
            note(Event.DATABASE_AWAY, logging.WARNING, text=error)

    def _run(self) -> None:
        while not self._end.wait(LOOK_EVERY):
            self._look_and_beat()

    def _look_and_beat(self) -> None:
        try:
            self._look()
            self._beat()
            if self.condition.away:
                note(Event.DATABASE_BACK)
                self._change(away=False)
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
            directory = read_directory(tx)
        low = self._space_low()
        if low and not before.low:
            note(Event.SPACE_LOW, logging.WARNING, reserve=self._reserve)
        note_states(before.directory, directory)
        if directory.generation != before.directory.generation:
            self._beaten_at = 0.0
        self._change(directory=directory, low=low, looked_at=time.monotonic())

    def _change(self, **facts: Any) -> None:
        with self._changing:
            self.condition = replace(self.condition, **facts)

    def _beat(self) -> None:
        if time.monotonic() - self._beaten_at < BEAT_EVERY:
            return
        with self._store.unit() as tx:
            nodes.beat(tx, self._entry(), now())
        self._beaten_at = time.monotonic()

    def _entry(self) -> Node:
        return Node(
            id=self._id,
            role="listener",
            host=socket.gethostname(),
            pid=os.getpid(),
            started_at=self._started_at,
            generation=self.condition.directory.generation,
        )

    def _space_low(self) -> bool:
        path = self._store.path
        return path is not None and shutil.disk_usage(path.parent).free < self._reserve
