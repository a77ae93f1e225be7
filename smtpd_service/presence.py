"""One process among the nodes: that it lives, what it is, which changes it has seen, and whether it is leaving."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib.metadata import version

from smtpd_service.beside import beside
from smtpd_service.events import Event, note
from smtpd_service.identity import new_id, now
from storage import changes, nodes
from storage.engine import StorageError, Store
from storage.records import Node

# Asked once, before the processes part: they share what it takes.
VERSION = version("pulsebox")
BEAT_EVERY = 5.0
# Twice this must stay under the second in which a change holds everywhere.
LOOK_EVERY = 0.4


class Presence:
    """The entry of this process; for one thread at a time."""

    def __init__(self, store: Store, role: str) -> None:
        self._store = store
        self._role = role
        self._id = new_id()
        self._host = socket.gethostname()
        self._started_at = now()
        self._told: tuple[int, str] | None = None
        self._told_at = 0.0

    def tell(self, generation: int, *, draining: bool = False) -> None:
        """Say what has been seen, where it is news or was said some time ago. Raises StorageError."""
        state = "draining" if draining else "serving"
        if self._told == (generation, state) and time.monotonic() - self._told_at < BEAT_EVERY:
            return
        with self._store.unit() as tx:
            nodes.beat(tx, self._entry(generation, state))
        self._told, self._told_at = (generation, state), time.monotonic()

    def leave(self) -> None:
        try:
            with self._store.unit() as tx:
                nodes.leave(tx, self._id)
        except StorageError as error:
            note(Event.DATABASE_AWAY, logging.WARNING, text=error)

    def _entry(self, generation: int, state: str) -> Node:
        return Node(
            id=self._id,
            role=self._role,
            host=self._host,
            pid=os.getpid(),
            started_at=self._started_at,
            generation=generation,
            version=VERSION,
            state=state,
        )


def present(store: Store, role: str, draining: Callable[[], bool]) -> AbstractContextManager[None]:
    """Keep a process present that reads from the database whatever it needs, and so sees each change at once."""

    def attend(end: threading.Event) -> None:
        presence = Presence(store, role)
        while not end.is_set():
            try:
                with store.reading() as tx:
                    generation = changes.current_generation(tx)
                presence.tell(generation, draining=draining())
            except StorageError as error:
                note(Event.DATABASE_AWAY, logging.DEBUG, text=error)
            except Exception as error:  # a thread that ended here would make a living process look dead
                note(Event.DATABASE_AWAY, logging.ERROR, trouble=error)
            end.wait(LOOK_EVERY)
        presence.leave()

    return beside("presence", attend)
