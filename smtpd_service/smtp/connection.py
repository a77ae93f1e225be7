"""One connection: greeting, command loop, answers, limits and the change to TLS, over aiosmtpd's connection.

The library gives each session a task, two streams and a timer, cancels it in the midst of a commit, and answers an
exception with its text. Here what comes is answered in the call that brings it. What must wait (for a commit, a proof,
a handshake) is a task that is never cancelled, and what was sent behind it lies until it is done. A session ends when
its stream does; what goes wrong inside is a fixed 451; and the census sweeps what idles or drips.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, ClassVar

from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as LibrarySession

from smtpd_service import metrics
from smtpd_service.admission import Recipient
from smtpd_service.domain.parameters import MailParameters
from smtpd_service.domain.replies import Reply, Session
from smtpd_service.domain.sender import LOCAL, PENDING, UNKNOWN, Proof
from smtpd_service.events import Event, note
from smtpd_service.setting_types import ListenOn
from smtpd_service.settings import Smtp
from smtpd_service.smtp.census import Census
from smtpd_service.smtp.certificate import GOODBYE_WITHIN, HANDSHAKE_WITHIN, Certificate, shaken
from smtpd_service.smtp.content import Budget, Content
from smtpd_service.smtp.handler import Handler
from smtpd_service.smtp.proxy import Source
from smtpd_service.smtp.wire import Bad, Wire
from storage.records import MailboxId

# RFC 5321 section 4.5.3.1.4; MAIL and RCPT have room for their parameters.
COMMAND_LIMIT = 512
# What a client may send ahead while it is not heard, and how many replies are kept to be sent together.
AHEAD = 65_536
TOGETHER = 500
# DATA's speed is measured over so many seconds, or the idle limit where that is shorter.
RATE_WINDOW = 60.0

# What a command leaves to be waited for.
Wait = Coroutine[Any, Any, None]


class Transaction(Envelope):
    """The state between MAIL and the end of DATA."""

    mail_from: str

    def __init__(self, mail_from: str, parameters: MailParameters, *, individually: bool) -> None:
        super().__init__()
        self.mail_from = mail_from
        self.individually = individually
        self.parameters = parameters
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
    # Whether the cap by address holds for a client.
    counted: Callable[[str], bool]


class Connection(SMTP):
    """One session, from the greeting to the end of its stream; the commands are methods of a subclass."""

    # Verb to the name of the method that answers it, at once or by what it leaves to be waited for.
    commands: ClassVar[dict[bytes, str]] = {}
    protocol_name = "ESMTP"
    # Whether each recipient hears its own reply after DATA.
    individually = False

    def __init__(self, house: House, on: ListenOn, loop: asyncio.AbstractEventLoop) -> None:
        # The library's own constructor searches the handler for hooks and AUTH methods at every connection (132 µs,
        # measured) and makes the streams; nothing here reads from a stream. A session that idles is little more than
        # these names, no more of them than Python shares between objects (30).
        self.loop = loop
        self.transport: Any = None
        self.session: LibrarySession = LibrarySession(loop)
        # The transaction; None where none is open.
        self.envelope: Transaction | None = None
        self.house = house
        self.wire = Wire()
        self.address = ""
        self.counted = True
        self.proof: Proof = PENDING
        # Why the client is sent away with the greeting.
        self.refusal: Session | None = None
        # Whether the client hears us over TLS: from its first octet, or since STARTTLS.
        self.secured = on.tls
        # What cuts off a handshake that is under way.
        self.cut: Callable[[], object] | None = None
        self._out: list[bytes] = []
        self._commands = self._errors = self._idle_commands = 0
        # What is waited for, and how many replies it owes.
        self._waiting: object | None = None
        self._owed = 1
        # The message that is coming.
        self._content: Content | None = None
        # Said once what is waited for is done.
        self._farewell: Session | None = None
        self._greeted = self._closing = self._ended = False
        # Whether the client leaves our replies unread, and whether we leave unread what it sends.
        self._choked = self._deaf = False
        self._since = loop.time()
        self._mark = 0

    # What the event loop calls.

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        if not self.address:
            peer = self.session.peer = transport.get_extra_info("peername")
            self.arrive(peer[0] if isinstance(peer, tuple) else LOCAL)
        self.cut = None
        self.proof = self.house.handler.first_proof(self.address)
        self._since = self.loop.time()
        delay = self.house.smtp.greet_delay.total_seconds() if self.counted and self.refusal is None else 0.0
        if delay:
            self.loop.call_later(delay, self._greet)
        else:
            # After a look at what the client has sent by now; uvloop takes it a turn later where that came over TLS.
            self.loop.call_soon(self.loop.call_soon, self._greet)

    def data_received(self, data: bytes) -> None:
        if not self._greeted:
            # Kept is only that something came.
            self.wire.received += len(data)
            return
        self.wire.feed(data)
        if self._waiting is None:
            self._go_on()
        else:
            self._listen()

    def eof_received(self) -> bool:
        """Let a client that has sent its last octet still hear the answer; TLS knows no half of a connection."""
        self._ended = True
        if self._greeted:
            self._go_on()
        return not self.secured

    def pause_writing(self) -> None:
        self._choked = True

    def resume_writing(self) -> None:
        self._choked = False
        self._go_on()

    def connection_lost(self, _error: Exception | None) -> None:
        """End the session; what it waits for goes on, since that may be a commit."""
        self.house.census.leave(self)
        self.transport, self._closing = None, True
        if self._content is not None:
            self._content.let_go()
            self._content = None

    # The greeting.

    def arrive(self, peer: str, source: Source | None = None) -> None:
        """Count the client in by its address, or set down why it is refused.

        `peer` has connected; `source` is whom it says to stand before. A front server that names nobody is no
        client itself: what is believed of its own address is not believed of whoever is behind it.
        """
        self.address = peer if source is None else source.address or UNKNOWN
        self.counted = self.house.counted(self.address)
        self.refusal = self.house.handler.closed()
        metrics.add("pulsebox_connections_opened")
        if self.refusal is None and not self.house.census.enter(self):
            self.refusal = Session.TOO_MANY_CONNECTIONS
            note(Event.CONNECTION_REFUSED, client=self.address, connections=len(self.house.census))

    def _greet(self) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        refusal = self.refusal or self._farewell or self.house.handler.closed()
        if refusal is None and self.wire.received:
            # No mail program speaks before the greeting (RFC 5321 section 3.1).
            refusal = Session.EARLY_TALKER
        if refusal is not None:
            metrics.turned_away(refusal.name)
            self._close_with(refusal)
        else:
            self._greeted = True
            self._out.append(f"220 {self.house.smtp.hostname} {self.protocol_name}\r\n".encode())
        self._go_on()

    # The commands.

    def _go_on(self) -> None:
        """Answer what has come, up to where something must be waited for, and send the answers together."""
        while self._waiting is None and not self._closing and not self._choked:
            if self._content is not None:
                if not self.wire.data(self._content.take):
                    break
                content, self._content = self._content, None
                self._do(self._received, content)
            else:
                line = self.wire.line(bare_ok=self.house.smtp.bare_line_ends == "normalize")
                if line is None:
                    break
                self._hear(line)
            if len(self._out) > TOGETHER:
                self._flush()
        self._flush()
        if self._waiting is None and (self._closing or (self._ended and not self._choked)):
            if self.transport is not None:
                self.transport.close()
        elif self._deaf or self._choked or self._waiting is not None:
            self._listen()

    def _hear(self, line: bytes | Bad) -> None:
        smtp = self.house.smtp
        self._since = self.loop.time()
        self._commands += 1
        if self._commands > smtp.max_commands:
            self._close_with(Session.TOO_MANY_COMMANDS)
        elif self._errors > smtp.max_errors:
            self._close_with(Session.TOO_MANY_ERRORS)
        elif isinstance(line, bytes):
            self._command(line)
        elif line is Bad.BARE_LINE_END:
            self._close_with(Session.BARE_LINE_END)
        else:
            self._wrong(Session.LINE_TOO_LONG)
        if self._waiting is None:
            self._take_leave()

    def _command(self, line: bytes) -> None:
        verb, _, argument = line.partition(b" ")
        verb = verb.upper()
        name = self.commands.get(verb)
        if name is None:
            self._wrong(Session.UNKNOWN_COMMAND)
            return
        if len(line) + 2 > COMMAND_LIMIT and verb not in {b"MAIL", b"RCPT"}:
            self._wrong(Session.LINE_TOO_LONG)
            return
        try:
            text = argument.decode("utf-8").strip(" ")
        except UnicodeDecodeError:
            self._wrong(Session.BAD_SYNTAX)
            return
        self._do(getattr(self, name), text)

    def _received(self, content: Content) -> Wait | None:
        """Answer a message that has come whole."""
        raise NotImplementedError

    def _do(self, work: Callable[[Any], Wait | None], argument: object) -> None:
        try:
            wait = work(argument)
        except Exception as error:  # the border: a fixed text, never the exception's
            self._failed(error)
            return
        if wait is not None:
            self._waiting = task = self.loop.create_task(wait)
            task.add_done_callback(lambda done: self._waited(done.result))

    def _waited(self, finish: Callable[..., object], *what: object) -> None:
        """Finish what was waited for, and hear on."""
        self._waiting = None
        try:
            finish(*what)
        except Exception as error:  # the border, as above
            self._failed(error)
        except asyncio.CancelledError:
            # The event loop ends.
            self._closing = True
        self._owed = 1
        self._since = self.loop.time()
        self._take_leave()
        self._go_on()

    def _failed(self, error: Exception) -> None:
        if isinstance(error, ConnectionError):
            self._closing = True
            return
        note(Event.SESSION_FAILED, logging.ERROR, trouble=error, client=self.address)
        for _ in range(self._owed):
            self._say(self.house.handler.unavailable)
        self._owed = 1

    # The answers.

    def _say(self, reply: Session | Reply) -> None:
        """Keep one reply; it is sent when no further command waits."""
        self._out.append(reply.line if isinstance(reply, Session) else f"{reply}\r\n".encode("ascii", "replace"))

    def _wrong(self, reply: Session) -> None:
        self._errors += 1
        self._say(reply)

    def _close_with(self, reply: Session) -> None:
        self._say(reply)
        self._closing = True

    def _take_leave(self) -> None:
        """Say 421 where the session was told to end, or the house closes and no transaction is open."""
        reply = self._farewell or (self.house.handler.closed() if self.between_messages() else None)
        if reply is not None and not self._closing:
            self._close_with(reply)

    def _flush(self) -> None:
        # Before they are written: whoever is called within that must not send them again.
        out, self._out = self._out, []
        if out and self.transport is not None:
            self.transport.write(b"".join(out))

    def _listen(self) -> None:
        """Leave unread what a client sends who is far ahead of what we may answer; read on when it is not."""
        # During a handshake the transport is not ours to stop.
        deaf = self.cut is None and (self._choked or self._waiting is not None) and self.wire.held > AHEAD
        if deaf is not self._deaf and self.transport is not None:
            self._deaf = deaf
            (self.transport.pause_reading if deaf else self.transport.resume_reading)()

    # STARTTLS.

    async def secure(self, certificate: Certificate) -> None:
        """Go on over TLS and keep nothing of what was said before (RFC 3207 section 4.2).

        Raises ConnectionError where the client fails the handshake.
        """
        plain, secured = self.transport, None
        if plain is None:
            raise ConnectionAbortedError
        # What was sent behind STARTTLS is let go unread (CVE-2011-0411); what comes from here on comes over TLS.
        self.wire, self.envelope, self.session = Wire(), None, LibrarySession(self.loop)

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
        self.transport, self.secured = secured, True
        self._choked = self._deaf = False

    # What the census asks.

    def overdue(self, now: float, idle: float) -> Session | None:
        window = min(RATE_WINDOW, idle)
        if self._content is not None and now - self._since >= window:
            came, self._mark, self._since = self.wire.received - self._mark, self.wire.received, now
            if came < window * self.house.smtp.min_data_rate:
                return Session.TOO_SLOW
        if self._waiting is not None or now - self._since < idle:
            return None
        return Session.IDLE

    def turn_out(self, reply: Session) -> None:
        """Say why and close; a session whose message is being stored is left to hear the answer first.

        So is who is shaking hands, once. Who was turned out before and has not taken the reply since is cut off.
        """
        if self.cut is not None and self._farewell is not None:
            self.cut()
        elif self.transport is None or self._waiting is not None:
            self._farewell = reply
        elif self.transport.is_closing():
            self.transport.abort()
        else:
            self._closing = True
            self.transport.write(reply.line)
            self.transport.close()

    def between_messages(self) -> bool:
        return self.cut is not None or (self._waiting is None and self.envelope is None)
