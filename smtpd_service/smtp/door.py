"""The door of a socket on which something comes before SMTP: a PROXY header, TLS, or one after the other.

A client is counted before the handshake, under the address that the header names, so that caps hold for those who
never finish one. The header is read from the bare socket: a stream would swallow the handshake that follows it.
"""

import asyncio
import errno
import logging
import socket
from collections.abc import Callable
from functools import partial

from smtpd_service import metrics
from smtpd_service.domain.sender import LOCAL, trusted
from smtpd_service.events import Event, note
from smtpd_service.setting_types import ListenOn
from smtpd_service.smtp.certificate import GOODBYE_WITHIN, HANDSHAKE_WITHIN, shaken
from smtpd_service.smtp.connection import Connection, House
from smtpd_service.smtp.proxy import Source, read_source

HEADER_WITHIN = 5.0
# A stranger may knock as often as he likes: one a minute is named, the others are counted.
TOLD_EVERY = 60.0
# The system is short of something, open files as a rule.
SHORTAGE_PAUSE = 0.5


class Door:
    """Lets clients in on one listening socket."""

    def __init__(self, house: House, on: ListenOn, make: Callable[[], Connection]) -> None:
        self._house = house
        self._on = on
        self._make = make
        self._ushers: set[asyncio.Task[None]] = set()
        # When a stranger was named last, and how many came since.
        self._told, self._untold = -TOLD_EVERY, 0

    async def stand_open(self, listening: socket.socket) -> None:
        """Let in who comes, until cancelled; who is on the way in then is cut off."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                try:
                    arrived, peer = await loop.sock_accept(listening)
                except OSError as error:
                    # Linux says here, too, that a client is gone again (accept(2)).
                    if error.errno != errno.ECONNABORTED:
                        note(Event.CONNECTION_REFUSED, logging.WARNING, why=error.strerror)
                        await asyncio.sleep(SHORTAGE_PAUSE)
                    continue
                usher = loop.create_task(self._bring_in(arrived, peer[0] if isinstance(peer, tuple) else LOCAL))
                self._ushers.add(usher)
                usher.add_done_callback(self._ushers.discard)
        finally:
            for usher in self._ushers:
                usher.cancel()

    async def _bring_in(self, arrived: socket.socket, peer: str) -> None:
        usher = asyncio.current_task()
        client: Connection | None = None
        try:
            source = await self._source(arrived, peer) if self._on.proxy else None
            if self._on.proxy and source is None:
                return
            client = self._make()
            client.cut = usher.cancel if usher is not None else None
            client.arrive(peer, source)
            await self._connect(client, arrived)
        except OSError as error:
            note(Event.CONNECTION_REFUSED, client=peer, why=error.strerror or type(error).__name__)
        except Exception as error:  # the border: what goes wrong here concerns one client alone
            note(Event.SESSION_FAILED, logging.ERROR, trouble=error, client=peer)
        finally:
            if client is None or client.transport is None:
                if client is not None:
                    self._house.census.leave(client)
                arrived.close()

    async def _source(self, arrived: socket.socket, peer: str) -> Source | None:
        """Read whom a front server stands before; None, with a line in the log, where that is not believed."""
        if len(self._ushers) > self._house.smtp.max_connections:
            self._turn_away(peer, "too many at one time")
            return None
        if peer != LOCAL and not trusted(peer, self._house.smtp.trusted_relays):
            self._turn_away(peer, "not in trusted_relays")
            return None
        try:
            receive = partial(asyncio.get_running_loop().sock_recv, arrived)
            source = await asyncio.wait_for(read_source(receive), HEADER_WITHIN)
        except TimeoutError:
            source, why = None, "too slow"
        else:
            why = "malformed"
        if source is None:
            metrics.turned_away("proxy_header")
            note(Event.PROXY_REFUSED, logging.WARNING, client=peer, why=why)
        return source

    def _turn_away(self, peer: str, why: str) -> None:
        metrics.turned_away("proxy_header")
        moment = asyncio.get_running_loop().time()
        if moment - self._told < TOLD_EVERY:
            self._untold += 1
            return
        note(Event.PROXY_REFUSED, logging.WARNING, client=peer, why=why, others=self._untold or None)
        self._told, self._untold = moment, 0

    async def _connect(self, client: Connection, arrived: socket.socket) -> None:
        connect = partial(asyncio.get_running_loop().connect_accepted_socket, lambda: client, arrived)
        if not self._on.tls:
            await connect()
            return
        certificate, census = self._house.certificate, self._house.census
        if certificate is None or not census.begin_handshake(refused=client.refusal is not None):
            metrics.turned_away("handshake")
            note(Event.CONNECTION_REFUSED, client=client.address, why="too many handshakes")
            return
        handshake = partial(
            connect,
            ssl=certificate.context,
            ssl_handshake_timeout=HANDSHAKE_WITHIN,
            ssl_shutdown_timeout=GOODBYE_WITHIN,
        )
        try:
            await shaken(handshake, client.address)
        finally:
            census.end_handshake()
