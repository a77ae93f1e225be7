"""One listening process: its sockets, its sessions and an orderly end.

Sockets are opened by whoever starts the process and handed in, so that a listener that dies and is started
again loses no connection that waits.
"""

import asyncio
import contextlib
import errno
import os
import socket
import stat
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path

from smtpd_service import metrics
from smtpd_service.authentication.desk import Desk
from smtpd_service.domain.replies import Session
from smtpd_service.domain.sender import LOCAL, trusted
from smtpd_service.intake import Intake
from smtpd_service.setting_types import Endpoint, ListenOn
from smtpd_service.settings import Settings, Smtp
from smtpd_service.smtp.census import Census
from smtpd_service.smtp.certificate import Certificate
from smtpd_service.smtp.connection import House
from smtpd_service.smtp.content import Budget
from smtpd_service.smtp.door import Door
from smtpd_service.smtp.handler import CLIENTS, Handler
from smtpd_service.smtp.lmtp import Lmtp
from smtpd_service.smtp.protocol import Protocol
from smtpd_service.systemd import HandedOver
from smtpd_service.watch import Watch

BACKLOG = 4096
# A front mail server gets to a unix socket by its group.
UNIX_UMASK = 0o117


def open_sockets(endpoints: Sequence[ListenOn], handed: Sequence[socket.socket] = ()) -> list[socket.socket]:
    """Bind and listen on each endpoint, or take the socket that was `handed` over for it.

    Raises OSError naming the endpoint.
    """
    opened: list[socket.socket] = []
    given = {address_of(each): each for each in handed}
    for endpoint in endpoints:
        try:
            opened.append(given.get(endpoint.where) or _open_one(endpoint))
        except OSError as error:
            close_sockets(opened)
            raise OSError(error.errno, f"cannot listen on {endpoint}: {error.strerror}") from error
    return opened


def _open_one(endpoint: ListenOn) -> socket.socket:
    return _open_unix(Path(endpoint.path)) if endpoint.path else _open(endpoint)


def _open(endpoint: Endpoint) -> socket.socket:
    family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
    # With proto 0 asyncio sets no TCP_NODELAY: 44 ms a message (measured).
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind((endpoint.host, endpoint.port))
        listening.listen(BACKLOG)
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening


def _open_unix(path: Path) -> socket.socket:
    """Listen on a unix socket; the file of a process that is dead goes first."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.exists():
            _remove_dead(path)
        # The file has its mode from the moment it is there.
        before = os.umask(UNIX_UMASK)
        try:
            listening.bind(str(path))
        finally:
            os.umask(before)
        listening.listen(BACKLOG)
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening


def _remove_dead(path: Path) -> None:
    """Remove a socket file that nobody listens on. Raises OSError for any other."""
    if not stat.S_ISSOCK(path.lstat().st_mode):
        raise FileExistsError(errno.EEXIST, "there is a file that is no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def close_sockets(sockets: Sequence[socket.socket]) -> None:
    """Close what was opened here, and remove the files of unix sockets; each only once."""
    for each in sockets:
        ours = each.family == socket.AF_UNIX and each.fileno() >= 0 and not isinstance(each, HandedOver)
        path = each.getsockname() if ours else ""
        each.close()
        if path:
            Path(path).unlink(missing_ok=True)


def address_of(listening: socket.socket) -> str:
    """Return `host:port` as it was bound, a port 0 resolved, or `unix:/path`."""
    if listening.family == socket.AF_UNIX:
        return f"unix:{listening.getsockname()}"
    host, port = listening.getsockname()[:2]
    return str(Endpoint(host=host, port=port))


async def listen(
    settings: Settings,
    sockets: Sequence[socket.socket],
    intake: Intake,
    watch: Watch,
    stopping: asyncio.Event,
    *,
    certificate: Certificate | None,
) -> None:
    """Take mail until `stopping` is set, then drain: 421 to who comes, time to finish for who is there.

    `sockets` are those of `[smtp] listen`, in that order.
    """
    loop = asyncio.get_running_loop()
    desk = Desk(settings)
    house = _house(settings, intake, watch, desk, certificate)
    servers: list[asyncio.Server] = []
    tasks = [
        asyncio.create_task(each) for each in (house.census.sweep_for_ever(), _tell_for_ever(house, intake, watch))
    ]
    if certificate is not None:
        tasks.append(asyncio.create_task(certificate.watch_for_ever()))
    for each, on in zip(sockets, settings.smtp.listen, strict=True):
        make = partial(Lmtp if on.lmtp else Protocol, house, on, loop)
        if on.tls or on.proxy:
            tasks.append(asyncio.create_task(Door(house, on, make).stand_open(each)))
        elif on.path:
            servers.append(await loop.create_unix_server(make, sock=each, backlog=BACKLOG))
        else:
            servers.append(await loop.create_server(make, sock=each, backlog=BACKLOG))
    await stopping.wait()
    watch.drain()
    await _drain(house.census, settings.service.drain.total_seconds())
    desk.close()
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    for server in servers:
        server.close()


def _house(settings: Settings, intake: Intake, watch: Watch, desk: Desk, certificate: Certificate | None) -> House:
    smtp = settings.smtp
    census = Census(
        limit=smtp.max_connections,
        limit_by_address=smtp.max_connections_per_address,
        idle=smtp.idle_timeout.total_seconds(),
    )
    handler = Handler(intake, lambda: watch.condition, desk, hostname=smtp.hostname, bare_line_ends=smtp.bare_line_ends)
    return House(smtp, handler, census, Budget(int(smtp.in_flight)), certificate, _counted(smtp))


async def _tell_for_ever(house: House, intake: Intake, watch: Watch) -> None:
    """Say how this listener stands, as often as it beats."""
    while True:
        metrics.stand("pulsebox_connections", len(house.census))
        metrics.stand("pulsebox_in_flight_octets", house.budget.held)
        metrics.stand("pulsebox_intake_waiting_messages", intake.waiting)
        seen = watch.condition
        metrics.look(at=seen.looked_at, away=seen.away, low=seen.low)
        watch.tell_hanging()
        await asyncio.sleep(metrics.BEAT_EVERY)


def _counted(smtp: Smtp) -> Callable[[str], bool]:
    """Return what says whether the cap by address holds for a client, and remembers what it said."""
    networks = (*smtp.trusted_networks, *smtp.trusted_relays)
    return lru_cache(CLIENTS)(lambda client: client != LOCAL and not trusted(client, networks))


async def _drain(census: Census, seconds: float) -> None:
    """Close sessions between two messages at once, the others when they end or the time is over.

    A session whose message is with intake hears its answer, also past the time.
    """
    for guest in census.guests():
        if guest.between_messages():
            guest.turn_out(Session.SHUTTING_DOWN)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(census.empty(), seconds)
    for guest in census.guests():
        guest.turn_out(Session.SHUTTING_DOWN)
    await census.empty()
