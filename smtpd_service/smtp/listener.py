"""One listening process: its sockets, its sessions and an orderly end.

Sockets are opened by whoever starts the process and handed in, so that a listener that dies and is started
again loses no connection that waits.
"""

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from functools import partial

from smtpd_service.domain.replies import Session
from smtpd_service.intake import Intake
from smtpd_service.setting_types import Endpoint
from smtpd_service.settings import Settings
from smtpd_service.smtp.census import Census
from smtpd_service.smtp.connection import House
from smtpd_service.smtp.content import Budget
from smtpd_service.smtp.handler import Handler
from smtpd_service.smtp.protocol import Protocol
from smtpd_service.watch import Watch

BACKLOG = 1024


def open_sockets(endpoints: Sequence[Endpoint]) -> list[socket.socket]:
    """Bind and listen on each endpoint. Raises OSError naming the endpoint."""
    opened: list[socket.socket] = []
    for endpoint in endpoints:
        try:
            opened.append(_open(endpoint))
        except OSError as error:
            for each in opened:
                each.close()
            raise OSError(error.errno, f"cannot listen on {endpoint}: {error.strerror}") from error
    return opened


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


def address_of(listening: socket.socket) -> str:
    """Return `host:port` as it was bound, a port 0 resolved."""
    host, port = listening.getsockname()[:2]
    return str(Endpoint(host=host, port=port))


async def listen(
    settings: Settings, sockets: Sequence[socket.socket], intake: Intake, watch: Watch, stopping: asyncio.Event
) -> None:
    """Take mail until `stopping` is set, then drain: 421 to who comes, time to finish for who is there."""
    loop = asyncio.get_running_loop()
    census = Census(
        limit=settings.smtp.max_connections,
        limit_by_address=settings.smtp.max_connections_per_address,
        idle=settings.smtp.idle_timeout.total_seconds(),
    )
    handler = Handler(
        intake,
        lambda: watch.condition,
        hostname=settings.smtp.hostname,
        bare_line_ends=settings.smtp.bare_line_ends,
    )
    house = House(settings.smtp, handler, census, Budget(int(settings.smtp.in_flight)))
    make = partial(Protocol, house, loop)
    servers = [await loop.create_server(make, sock=each, backlog=BACKLOG) for each in sockets]
    sweeping = asyncio.create_task(census.sweep_for_ever())
    await stopping.wait()
    watch.drain()
    await _drain(census, settings.service.drain.total_seconds())
    sweeping.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await sweeping
    for server in servers:
        server.close()


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
