"""One connection: greeting, command loop, answers, limits and the change to TLS, over aiosmtpd's connection.

The library cancels a session in the middle of a commit, answers an exception with its text, and has one
timer for all. The loop here never cancels: a session ends when its stream does; what goes wrong inside is a
fixed 451; and the census sweeps what idles or drips.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as LibrarySession

from smtpd_service.admission import Recipient
from smtpd_service.domain.parameters import MailParameters
from smtpd_service.domain.replies import Session
from smtpd_service.domain.sender import LOCAL, UNKNOWN, trusted
from smtpd_service.events import Event, note
from smtpd_service.setting_types import ListenOn
from smtpd_service.settings import Smtp
from smtpd_service.smtp.census import Census
from smtpd_service.smtp.certificate import GOODBYE_WITHIN, HANDSHAKE_WITHIN, Certificate, shaken
from smtpd_service.smtp.content import Budget
from smtpd_service.smtp.handler import Handler
from smtpd_service.smtp.proxy import Source
from smtpd_service.smtp.wire import CHUNK, Bad, Wire
from storage.records import MailboxId

# RFC 5321 section 4.5.3.1.4; MAIL and RCPT have room for their parameters.
COMMAND_LIMIT = 512
# DATA's speed is measured over so many seconds, or the idle limit where that is shorter.
RATE_WINDOW = 60.0
_NO_PARAMETERS = MailParameters()


class Transaction(Envelope):
    """The state between MAIL and the end of DATA."""

    def __init__(self, *, individually: bool) -> None:
        super().__init__()
        self.individually = individually
        self.parameters = _NO_PARAMETERS
        self.recipients: list[Recipient] = []
        # Which of them each RCPT that was accepted named: an LMTP client hears of each RCPT (RFC 2033 section 4.2).
        self.accepted: list[int] = []
        self.any_refused = False
        self.on_record: set[tuple[MailboxId, str]] = set()


@dataclass(frozen=True, slots=True)
class House:
    """What all sessions of one listener share."""

    smtp: Smtp
    handler: Handler
    census: Census
    budget: Budget
    certificate: Certificate | None


class Connection(SMTP):
    """One session, from the greeting to the end of its stream; the commands are methods of a subclass."""

    # The stream's flow control: twice this may wait unread.
    line_length_limit = CHUNK
    # Verb to the name of the method that answers it.
    commands: ClassVar[dict[bytes, str]] = {}
    protocol_name = "ESMTP"
    # Whether each recipient hears its own reply after DATA.
    individually = False

    def __init__(self, house: House, on: ListenOn, loop: asyncio.AbstractEventLoop) -> None:
        # The library's own constructor searches the handler for hooks and AUTH methods at every
        # connection (132 µs, measured); what the inherited methods need of it is set here.
        reader = asyncio.StreamReader(limit=CHUNK, loop=loop)
        asyncio.StreamReaderProtocol.__init__(self, reader, client_connected_cb=self._cb_client_connected, loop=loop)
        self.loop = loop
        self.transport: Any = None
        self.session: Any = None
        self.envelope: Any = None
        self._original_transport = None
        self._tls_protocol = None
        self._handler_coroutine: Any = None
        self.house = house
        self.wire = Wire(reader)
        self.address = ""
        self.counted = True
        # Why the client is sent away with the greeting.
        self.refusal: Session | None = None
        # Whether the client hears us over TLS: from its first octet, or since STARTTLS.
        self.secured = on.tls
        # What cuts off a handshake that is under way.
        self.cut: Callable[[], object] | None = None
        self._extended = False
        self._out: list[bytes] = []
        self._commands = self._errors = self._idle_commands = 0
        self._closing = False
        # How many replies the command under way is to get.
        self._owed = 1
        # Said once the command under way is answered.
        self._farewell: Session | None = None
        self._in_data = False
        self._busy = False
        self._since = loop.time()
        self._mark = 0

    # What the library calls.

    def _create_session(self) -> LibrarySession:
        return LibrarySession(self.loop)

    def _create_envelope(self) -> Transaction:
        return Transaction(individually=self.individually)

    def _set_rset_state(self) -> None:
        self.envelope = self._create_envelope()

    def _reset_timeout(self, duration: float | None = None) -> None:
        """Nothing: the census sweeps, so that a session needs no timer of its own."""

    def connection_lost(self, error: Exception | None) -> None:
        """End the stream; the session is not cancelled, since it may wait for a commit."""
        asyncio.StreamReaderProtocol.connection_lost(self, error)
        self.house.census.leave(self)
        self.transport = None

    def eof_received(self) -> bool | None:
        """Let a client that has sent its last octet still hear the answer."""
        return asyncio.StreamReaderProtocol.eof_received(self)

    async def push(self, status: object) -> None:
        """Queue one reply line; it is sent when no further command waits."""
        self._out.append(f"{status}\r\n".encode("ascii", "replace"))

    async def _flush(self) -> None:
        if self._out and self.transport is not None:
            self._writer.write(b"".join(self._out))
            self._out.clear()
            if self.transport.get_write_buffer_size():
                await self._writer.drain()

    async def _handle_client(self) -> None:
        try:
            if await self._greet():
                await self._converse()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        except Exception as error:  # the border: nothing of ours may reach the client
            note(Event.SESSION_FAILED, logging.ERROR, trouble=error, client=self.address)
        finally:
            self.house.census.leave(self)
            if self.transport is not None:
                self.transport.close()

    async def _greet(self) -> bool:
        if not self.address:
            peer = self.session.peer
            self.arrive(peer[0] if isinstance(peer, tuple) else LOCAL)
        self.cut = None
        self.session.proof = self.house.handler.first_proof(self.address)
        self._since = self.loop.time()
        refusal = self.refusal or self._farewell or self.house.handler.closed()
        if refusal is None and await self._talks_early():
            refusal = Session.EARLY_TALKER
        if refusal is not None:
            await self.push(refusal.value)
            await self._flush()
            return False
        await self.push(f"220 {self.house.smtp.hostname} {self.protocol_name}")
        return True

    def arrive(self, peer: str, source: Source | None = None) -> None:
        """Count the client in by its address, or set down why it is refused.

        `peer` has connected; `source` is whom it says to stand before. A front server that names nobody is no
        client itself: what is believed of its own address is not believed of whoever is behind it.
        """
        smtp = self.house.smtp
        self.address = peer if source is None else source.address or UNKNOWN
        self.counted = self.address != LOCAL and not trusted(
            self.address, (*smtp.trusted_networks, *smtp.trusted_relays)
        )
        self.refusal = self.house.handler.closed()
        if self.refusal is None and not self.house.census.enter(self):
            self.refusal = Session.TOO_MANY_CONNECTIONS
            note(Event.CONNECTION_REFUSED, client=self.address, connections=len(self.house.census))

    async def secure(self, certificate: Certificate) -> None:
        """Go on over TLS and keep nothing of what was said before (RFC 3207 section 4.2).

        Raises ConnectionError where the client fails the handshake.
        """
        plain, reader = self.transport, asyncio.StreamReader(limit=CHUNK, loop=self.loop)
        # A new stream: what was sent behind STARTTLS is let go with the old one, unread (CVE-2011-0411).
        self._reader._buffer.clear()  # type: ignore[attr-defined]  # noqa: SLF001  # the writer below holds it
        asyncio.StreamReaderProtocol.__init__(
            self, reader, client_connected_cb=self._cb_client_connected, loop=self.loop
        )
        self.wire = Wire(reader)
        secured: Any = None

        async def handshake() -> None:
            nonlocal secured
            secured = await self.loop.start_tls(
                plain,
                self,
                certificate.context,
                server_side=True,
                ssl_handshake_timeout=HANDSHAKE_WITHIN,
                ssl_shutdown_timeout=GOODBYE_WITHIN,
            )

        self.cut = plain.abort
        done = await shaken(handshake, self.address)
        self.cut = None
        # The handshake of a connection that is closed meanwhile ends as if it were done.
        if not done or secured is None or secured.get_extra_info("ssl_object") is None:
            raise ConnectionAbortedError
        # A writer that is let go closes its transport, which now carries ours.
        self._plain_writer = self._writer
        asyncio.StreamReaderProtocol.connection_made(self, secured)
        self.transport, self.secured, self._extended = secured, True, False
        self._set_rset_state()
        self.session.host_name = None

    async def _talks_early(self) -> bool:
        """Say whether the client spoke before the greeting, which no mail program does (RFC 5321 section 3.1)."""
        delay = self.house.smtp.greet_delay.total_seconds() if self.counted else 0.0
        await asyncio.sleep(delay)
        # The library looks there too, before STARTTLS: the stream has no public word for it.
        return bool(self._reader._buffer)  # type: ignore[attr-defined]  # noqa: SLF001  # as said above

    async def _converse(self) -> None:
        smtp = self.house.smtp
        bare_ok = smtp.bare_line_ends == "normalize"
        while not self._closing:
            if not self.wire.has_line:
                await self._flush()
            line = await self.wire.line(bare_ok=bare_ok)
            if line is None:
                return
            self._since = self.loop.time()
            self._commands += 1
            if self._commands > smtp.max_commands:
                await self._close_with(Session.TOO_MANY_COMMANDS)
            elif self._errors > smtp.max_errors:
                await self._close_with(Session.TOO_MANY_ERRORS)
            else:
                await self._command(line)
                await self._take_leave()
        await self._flush()

    async def _take_leave(self) -> None:
        """Say 421 where the session was told to end, or the house closes and no transaction is open."""
        reply = self._farewell or (self.house.handler.closed() if self.between_messages() else None)
        if reply is not None and not self._closing:
            await self._close_with(reply)

    async def _command(self, line: bytes | Bad) -> None:
        if isinstance(line, Bad):
            if line is Bad.BARE_LINE_END:
                await self._close_with(Session.BARE_LINE_END)
            else:
                await self._wrong(Session.LINE_TOO_LONG)
            return
        verb, _, argument = line.partition(b" ")
        verb = verb.upper()
        name = self.commands.get(verb)
        if name is None:
            await self._wrong(Session.UNKNOWN_COMMAND)
            return
        if len(line) + 2 > COMMAND_LIMIT and verb not in {b"MAIL", b"RCPT"}:
            await self._wrong(Session.LINE_TOO_LONG)
            return
        try:
            text = argument.decode("utf-8").strip(" ")
        except UnicodeDecodeError:
            await self._wrong(Session.BAD_SYNTAX)
            return
        self._busy = True
        try:
            await getattr(self, name)(text)
        except ConnectionError:
            raise
        except Exception as error:  # the border: a fixed text, never the exception's
            note(Event.SESSION_FAILED, logging.ERROR, trouble=error, client=self.address, command=verb.decode())
            for _ in range(self._owed):
                await self.push(self.house.handler.unavailable)
        finally:
            self._busy, self._owed = False, 1
            self._since = self.loop.time()

    async def _wrong(self, reply: Session) -> None:
        self._errors += 1
        await self.push(reply.value)

    async def _close_with(self, reply: Session) -> None:
        await self.push(reply.value)
        self._closing = True

    # What the census asks.

    def overdue(self, now: float, idle: float) -> Session | None:
        window = min(RATE_WINDOW, idle)
        if self._in_data and now - self._since >= window:
            came, self._mark, self._since = self.wire.received - self._mark, self.wire.received, now
            if came < window * self.house.smtp.min_data_rate:
                return Session.TOO_SLOW
        if self._busy or now - self._since < idle:
            return None
        return Session.IDLE

    def turn_out(self, reply: Session) -> None:
        """Say why and close; a session whose message is being stored is left to hear the answer first.

        So is who is shaking hands, once. Who was turned out before and has not taken the reply since is cut off.
        """
        if self.cut is not None and self._farewell is not None:
            self.cut()
        elif self.transport is None or (self._busy and not self._in_data):
            self._farewell = reply
        elif self.transport.is_closing():
            self.transport.abort()
        else:
            self.transport.write(f"{reply.value}\r\n".encode())
            self.transport.close()

    def between_messages(self) -> bool:
        if self.cut is not None:
            return True
        return not self._busy and (self.envelope is None or self.envelope.mail_from is None)
