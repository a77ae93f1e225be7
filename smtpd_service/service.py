"""The composition root: which process runs what.

The parent opens the sockets, makes the database ready and has a supervisor start a process for each listener, each
reader and the courier; SIGTERM and SIGINT drain them.
"""

import asyncio
import logging
import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from multiprocessing.synchronize import Event as SharedEvent
from pathlib import Path

from smtpd_service import events, metrics, traces
from smtpd_service.checkpoints import Checkpoints
from smtpd_service.events import Event, note
from smtpd_service.first_start import make_ready
from smtpd_service.housekeeping import keep_house_for_ever
from smtpd_service.intake import Intake
from smtpd_service.metrics import Board
from smtpd_service.monitoring.monitor import monitor
from smtpd_service.outbound.departure import carrier_of, courier_of
from smtpd_service.outbound.proofreading import proofread
from smtpd_service.parsing import Child
from smtpd_service.presence import present
from smtpd_service.reader import Reader
from smtpd_service.receipting import ReceiptPolicy
from smtpd_service.settings import ConfigError, Settings
from smtpd_service.smtp.certificate import Certificate, certificate_of
from smtpd_service.smtp.listener import address_of, listen, open_sockets
from smtpd_service.smtp.queues import queues_of
from smtpd_service.supervisor import Post, Supervisor
from smtpd_service.systemd import handed_over
from smtpd_service.traffic import Traffic
from smtpd_service.warning import Policy
from smtpd_service.watch import Watch
from storage import acceptance
from storage.engine import open_store

ROLES = ("listener", "reader", "courier")
# Readers that are started unasked: more would be in each other's way at SQLite's one writer (some 40 MB each).
MOST_READERS = 8


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


def readers_of(settings: Settings) -> int:
    """Return how many readers there are: unless it is said, one, and one more for each processor beyond two."""
    if settings.reader.processes != "auto":
        return settings.reader.processes
    return max(1, min(MOST_READERS, len(os.sched_getaffinity(0)) - 1))


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
    watch.start()
    intake.start()
    checkpoints.start()
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(_until_told(partial(listen, settings, sockets, intake, watch, certificate=certificate), ready))
    intake.stop()
    checkpoints.stop()
    watch.stop()
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
            Post(f"reader {number}", partial(run_reader, settings), opened) for number in range(readers_of(settings))
        ],
        "courier": [Post("courier", partial(run_courier, settings), opened)],
    }
    return [post for name in ROLES if role in {None, name} for post in all_posts[name]]
