"""The processes of a service: started, watched, started again where one dies, and ended together.

A process that dies young is started again later each time; all end with the parent; SIGTERM drains them.
"""

import gc
import logging
import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from multiprocessing.synchronize import Event as SharedEvent

from smtpd_service import traces
from smtpd_service.events import Event, note
from smtpd_service.lifeline import die_with
from smtpd_service.metrics import Board
from smtpd_service.monitoring.state import hanging
from smtpd_service.smtp.listener import close_sockets
from smtpd_service.systemd import Notifier

# A drained service ends within this many seconds after the drain itself.
MARGIN = 8.0
RESTART_AFTER = 0.2
RESTART_AT_MOST = 5.0

# By what a service is told to end.
_TOLD = (signal.SIGTERM, signal.SIGINT)

_processes = multiprocessing.get_context("fork")


@dataclass(slots=True)
class Post:
    """One place in the service that a process fills; `failures` in a row delay the next start."""

    name: str
    work: Callable[[SharedEvent], None]
    # Sockets that the parent holds and this post has no use for: a copy left open would go on listening.
    closes: Sequence[socket.socket] = ()
    # Ends after all others, and says meanwhile that they are ending.
    outlives: bool = False
    ready: SharedEvent = field(default_factory=_processes.Event)
    process: ForkProcess | None = None
    started_at: float = 0.0
    failures: int = 0


class Supervisor:
    """Keeps every post filled until told to stop."""

    def __init__(
        self, posts: Sequence[Post], sockets: Sequence[socket.socket], drain: float, board: Board | None = None
    ) -> None:
        self._posts = posts
        self._sockets = sockets
        self._drain = drain
        self._board = board or Board([post.name for post in posts])
        self._systemd = Notifier()
        self._hung: set[str] = set()
        self._stopping = False

    def start(self) -> None:
        # What is loaded by now is shared between the processes, as long as nobody writes to it.
        gc.freeze()
        # A message leaves no circles of objects behind; looking for them every few messages cost a tenth (measured).
        gc.set_threshold(50_000, 20, 20)
        for post in self._posts:
            self._fill(post)
        self._survey()

    def wait_ready(self) -> bool:
        """Wait until every post is filled and ready; False when told to stop before."""
        while not all(post.ready.is_set() for post in self._posts):
            if self._stopping:
                return False
            self._tend(0.02)
        return True

    def stop(self) -> None:
        self._stopping = True

    def watch(self) -> None:
        """Start dead processes again until told to stop."""
        if not self._stopping:
            self._systemd.ready(f"{len(self._posts)} processes")
        while not self._stopping:
            self._tend(0.5)
            self._say_alive()

    def _say_alive(self) -> None:
        """Tell systemd that all go about their work, and name who hangs: to start all again is systemd's to do."""
        hung = set(hanging(self._board))
        for name in sorted(hung - self._hung):
            note(Event.PROCESS_HANGS, logging.ERROR, process=name)
        self._hung = hung
        if not hung:
            self._systemd.alive()

    def _fill(self, post: Post) -> None:
        post.process = _processes.Process(
            target=_enter, args=(post, os.getpid(), self._board), name=f"pulsebox {post.name}"
        )
        post.started_at = time.monotonic()
        # Until the child has handlers of its own, it would take what it is told by ours, which tell nobody there.
        signal.pthread_sigmask(signal.SIG_BLOCK, _TOLD)
        try:
            post.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _TOLD)

    def _tend(self, seconds: float) -> None:
        """Wait a moment and start again what has died, later each time it dies young."""
        alive = [post.process.sentinel for post in self._posts if post.process is not None]
        wait(alive, timeout=seconds)
        for post in self._posts:
            if post.process is not None and not post.process.is_alive():
                note(Event.PROCESS_ENDED, logging.ERROR, process=post.name, code=post.process.exitcode)
                post.process.close()
                post.process = None
                young = time.monotonic() - post.started_at < RESTART_AT_MOST
                post.failures = post.failures + 1 if young else 0
            delay = min(RESTART_AFTER * 2 ** min(post.failures, 8), RESTART_AT_MOST) if post.failures else 0
            if post.process is None and not self._stopping and time.monotonic() - post.started_at >= delay:
                self._fill(post)
        self._survey()

    def _survey(self) -> None:
        pids = [(post.process.pid or 0) if post.process is not None else 0 for post in self._posts]
        self._board.survey(pids, stopping=self._stopping)

    def end(self) -> None:
        """Drain what runs, and kill what has not ended in time."""
        self._stopping = True
        self._systemd.stopping()
        note(Event.STOPPING)
        close_sockets(self._sockets)
        end = time.monotonic() + self._drain + MARGIN
        for outlives in (False, True):
            self._end_all(
                [post.process for post in self._posts if post.outlives is outlives and post.process is not None], end
            )
        note(Event.STOPPED)

    def _end_all(self, running: Sequence[ForkProcess], end: float) -> None:
        for process in running:
            process.terminate()
        while time.monotonic() < end and any(process.is_alive() for process in running):
            self._survey()
            wait([process.sentinel for process in running if process.is_alive()], timeout=0.5)
        for process in running:
            if process.is_alive():
                process.kill()
            process.join()


def _enter(post: Post, parent: int, board: Board) -> None:
    """Begin as a child: end with the parent, leave Ctrl-C to it, and let SIGTERM be handled by the work."""
    die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _TOLD)
    for each in post.closes:
        each.close()
    board.sit(post.name)
    traces.begin(post.name)
    try:
        post.work(post.ready)
        traces.stop()
    except Exception as error:  # the process ends; its parent starts another
        note(Event.PROCESS_ENDED, logging.ERROR, trouble=error, process=post.name)
        sys.exit(1)
