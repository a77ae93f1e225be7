"""The composition root: which process runs what, and how they start, are watched and end.

The parent opens the sockets, makes the database ready and starts a process for each listener, each reader and
the courier. A process that dies is started again; all end with the parent; SIGTERM and SIGINT drain them.
"""

import asyncio
import gc
import logging
import multiprocessing
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from multiprocessing.synchronize import Event as SharedEvent
from pathlib import Path

from smtpd_service import events, metrics, traces
from smtpd_service.checkpoints import Checkpoints
from smtpd_service.events import Event, note
from smtpd_service.first_start import make_ready
from smtpd_service.housekeeping import keep_house_for_ever
from smtpd_service.intake import Intake
from smtpd_service.lifeline import die_with
from smtpd_service.metrics import Board
from smtpd_service.monitoring.monitor import monitor
from smtpd_service.monitoring.state import hanging
from smtpd_service.outbound.departure import carrier_of, courier_of
from smtpd_service.outbound.proofreading import proofread
from smtpd_service.parsing import Child
from smtpd_service.presence import present
from smtpd_service.reader import Reader
from smtpd_service.receipting import ReceiptPolicy
from smtpd_service.settings import ConfigError, Settings
from smtpd_service.smtp.certificate import Certificate, certificate_of
from smtpd_service.smtp.listener import address_of, close_sockets, listen, open_sockets
from smtpd_service.smtp.queues import queues_of
from smtpd_service.systemd import Notifier, handed_over
from smtpd_service.traffic import Traffic
from smtpd_service.warning import Policy
from smtpd_service.watch import Watch
from storage import acceptance
from storage.engine import open_store

ROLES = ("listener", "reader", "courier")
# A drained service ends within this many seconds after the drain itself.
MARGIN = 8.0
RESTART_AFTER = 0.2
RESTART_AT_MOST = 5.0

_processes = multiprocessing.get_context("fork")


def _loop_maker() -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes uvloop's event loop where it is installed (2.2 to 2.7 times, measured), else asyncio's."""
    try:
        from uvloop import new_event_loop  # noqa: PLC0415  # not on every system
    except ImportError:
        return asyncio.new_event_loop
    return new_event_loop


# Loaded once for all the processes that are forked from here.
new_loop = _loop_maker()


def policy_of(settings: Settings) -> Policy:
    return Policy(settings.quota.warn_at, settings.operator.address)


def receipts_of(settings: Settings) -> ReceiptPolicy | None:
    """Return how replies are receipted, None where they are not."""
    if settings.outbound.receipts == "none":
        return None
    return ReceiptPolicy(settings.outbound.receipts_per_day, settings.outbound.language, settings.campaign.time_zone)


# What one process does; each says when it is ready and returns when it is told to end.


def run_listener(
    settings: Settings, sockets: Sequence[socket.socket], certificate: Certificate | None, ready: SharedEvent
) -> None:
    store = open_store(settings.database_url, first=True)
    intake = Intake(
        store,
        policy_of(settings),
        batch_messages=settings.intake.batch_messages,
        batch_octets=int(settings.intake.batch_octets),
    )
    watch = Watch(store, int(settings.storage.reserve))
    checkpoints = Checkpoints(store)
    for each in (watch, intake, checkpoints):
        each.start()
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(_until_told(partial(listen, settings, sockets, intake, watch, certificate=certificate), ready))
    for each in (intake, checkpoints, watch):
        each.stop()
    store.close()


def run_reader(settings: Settings, ready: SharedEvent) -> None:
    stopping = threading.Event()
    # Set by another thread: here it could wait for a lock that this very thread holds.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=stopping.set).start())
    # What a power failure takes of it is read again.
    store = open_store(settings.database_url, durable=False)
    child = Child(deadline=settings.reader.deadline.total_seconds(), memory=int(settings.reader.memory))
    traffic = Traffic(settings.reader.stand_back.total_seconds())
    batch, receipts = settings.reader.batch, receipts_of(settings)
    ready.set()
    with metrics.beating(), present(store, "reader", stopping.is_set):
        Reader(store, child, batch=batch, stopping=stopping, receipts=receipts, traffic=traffic).run()
    store.close()


def run_courier(settings: Settings, ready: SharedEvent) -> None:
    # It claims, settles and keeps house at the same time.
    store = open_store(settings.database_url, connections=3)

    async def carry(stopping: asyncio.Event) -> None:
        courier = courier_of(settings, store)
        with present(store, "courier", stopping.is_set):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(courier.run(stopping))
                tasks.create_task(
                    keep_house_for_ever(store, policy_of(settings), stopping, settings.storage.keep_months)
                )

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(_until_told(carry, ready))
    store.close()


def run_monitor(settings: Settings, listening: socket.socket, board: Board, ready: SharedEvent) -> None:
    store = open_store(settings.database_url, connections=1)
    # uvloop's takes 3 MB more, and nothing is fast here.
    with asyncio.Runner() as runner:
        runner.run(_until_told(partial(monitor, listening, board, store, settings.metrics.mailboxes), ready))


async def _until_told(work: Callable[[asyncio.Event], Awaitable[None]], ready: SharedEvent) -> None:
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    asyncio.get_running_loop().call_soon(ready.set)
    beating = asyncio.create_task(metrics.beat_for_ever())
    await work(stopping)
    beating.cancel()


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
        post.process.start()

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


def serve(settings: Settings, role: str | None = None) -> int:
    """Run the service, or one role of it, in the foreground until SIGTERM or SIGINT; return the exit code.

    Raises ConfigError, StorageError, and OSError for an address that cannot be listened on.
    """
    proofread(settings)
    with settings.located():
        traces.plan(settings)
    events.start(settings.service.log_level, settings.service.log_format)
    _open_many_files()
    if role in {None, "courier"}:
        # A key or a password that cannot be read is said now, and not by a courier that dies again and again.
        carrier_of(settings)
    store = open_store(settings.database_url)
    try:
        make_ready(settings, store)
        if settings.service.log_addresses == "hashed":
            with store.reading() as tx:
                events.start(settings.service.log_level, settings.service.log_format, key=acceptance.key(tx))
    finally:
        store.close()
    listening = role in {None, "listener"}
    # A certificate that cannot be used is said before anything is taken; a listener that dies inherits this one.
    certificate = certificate_of(settings) if listening else None
    sockets, watched = _open(settings, listening=listening)
    queues = queues_of(sockets, settings.service.listeners)
    opened = [each for queue in queues for each in queue]
    filled, board = _monitored(posts(settings, queues, role, certificate), settings, opened, watched)
    supervisor = Supervisor(filled, [*opened, *watched], settings.service.drain.total_seconds(), board)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.stop())
    try:
        supervisor.start()
        if supervisor.wait_ready():
            _say_ready(" ".join(address_of(each) for each in sockets))
        supervisor.watch()
    finally:
        supervisor.end()
    return 0


def _open(settings: Settings, *, listening: bool) -> tuple[list[socket.socket], list[socket.socket]]:
    """Return the sockets for mail and those for who watches: what systemd hands over, and what we open.

    Raises OSError, and ConfigError for a socket that nobody asked for.
    """
    handed = handed_over()
    sockets = open_sockets(settings.smtp.listen, handed) if listening else []
    where = settings.metrics.endpoint
    watched = open_sockets([where], handed) if where is not None else []
    for each in handed:
        if each not in [*sockets, *watched]:
            raise ConfigError(f"systemd hands over {address_of(each)}, which neither [smtp] nor [metrics] listen names")
    return sockets, watched


def _monitored(
    filled: Sequence[Post], settings: Settings, sockets: Sequence[socket.socket], watched: Sequence[socket.socket]
) -> tuple[list[Post], Board]:
    """Return the posts, with one more that tells who watches how they do where that is asked for, and their board."""
    board = Board([*(post.name for post in filled), *("monitor" for _ in watched)])
    others = [replace(post, closes=(*post.closes, *watched)) for post in filled]
    work = [partial(run_monitor, settings, each, board) for each in watched]
    return [*others, *(Post("monitor", each, sockets, outlives=True) for each in work)], board


def _say_ready(addresses: str) -> None:
    note(Event.READY, addresses=addresses)
    try:
        print(f"ready {addresses}".strip(), flush=True)
    except (OSError, ValueError) as error:
        # Nobody listens any more to what we say; mail is taken all the same.
        note(Event.READY, logging.WARNING, text=f"nobody reads standard output: {error}")
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # for as long as we run


def _open_many_files() -> None:
    """Take as many open files as the system lets us: a shell's usual 1,024 are fewer than `max_connections`."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def posts(
    settings: Settings,
    queues: Sequence[Sequence[socket.socket]],
    role: str | None,
    certificate: Certificate | None = None,
) -> list[Post]:
    """Return the posts of a service, or those of one role; each listener has the sockets of one of `queues`."""
    opened = [each for queue in queues for each in queue]
    all_posts = {
        "listener": [
            Post(
                f"listener {number}",
                partial(run_listener, settings, queue, certificate),
                [each for each in opened if each not in queue],
            )
            for number, queue in enumerate(queues)
        ],
        "reader": [
            Post(f"reader {number}", partial(run_reader, settings), opened)
            for number in range(settings.reader.processes)
        ],
        "courier": [Post("courier", partial(run_courier, settings), opened)],
    }
    return [post for name in ROLES if role in {None, name} for post in all_posts[name]]
