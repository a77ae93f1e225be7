"""Our SMTP session over aiosmtpd: its connection, state and STARTTLS machinery; our command loop, grammar and DATA.

The library upper-cases parameters, reads DATA line by line without a cap, takes bare LF in commands, answers
an exception with its text and cancels a session in the middle of a commit. The loop here keeps parameters in
their case, one object a recipient, reads in chunks, and never cancels: a session ends when its stream does.
Known limit: no AUTH, VRFY or CHUNKING by design.
"""

import asyncio
import logging
import re
from dataclasses import dataclass
from typing import Any, ClassVar

from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as LibrarySession

from smtpd_service.admission import Recipient, Sender
from smtpd_service.domain.address import Path, parse_path
from smtpd_service.domain.outcomes import TooBigForSystem, TooManyRecipients
from smtpd_service.domain.parameters import MailParameters, mail_parameters, rcpt_parameters
from smtpd_service.domain.replies import Reply, Session, reply_to
from smtpd_service.domain.sender import prove, trusted
from smtpd_service.events import Event, note
from smtpd_service.settings import Smtp
from smtpd_service.smtp.census import Census
from smtpd_service.smtp.content import Budget, Content
from smtpd_service.smtp.handler import Handler
from smtpd_service.smtp.wire import CHUNK, Bad, Wire

# RFC 5321 section 4.5.3.1.4; MAIL and RCPT have room for their parameters.
COMMAND_LIMIT = 512
# Commands that move no mail, in a row, before they count as errors.
IDLE_COMMANDS = 100
# DATA's speed is measured over so many seconds, or the idle limit where that is shorter.
RATE_WINDOW = 30.0
_HELO = re.compile(r"[!-~]{1,255}")
_POSTMASTER = re.compile(r"<(postmaster)>(?: +(.*))?", re.ASCII | re.IGNORECASE)
_NO_PARAMETERS = MailParameters()


class Transaction(Envelope):
    """The state between MAIL and the end of DATA."""

    def __init__(self) -> None:
        super().__init__()
        self.parameters = _NO_PARAMETERS
        self.recipients: list[Recipient] = []
        self.any_refused = False


@dataclass(frozen=True, slots=True)
class House:
    """What all sessions of one listener share."""

    smtp: Smtp
    handler: Handler
    census: Census
    budget: Budget


class Protocol(SMTP):
    """One session, from the greeting to the end of its connection."""

    # The stream's flow control: twice this may wait unread.
    line_length_limit = CHUNK
    commands: ClassVar[dict[bytes, str]] = {
        name.encode(): f"smtp_{name}"
        for name in ("EHLO", "HELO", "MAIL", "RCPT", "DATA", "RSET", "NOOP", "VRFY", "EXPN", "HELP", "QUIT")
    }

    def __init__(self, house: House, loop: asyncio.AbstractEventLoop) -> None:
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
        self._extended = False
        self._out: list[bytes] = []
        self._commands = self._errors = self._idle_commands = 0
        self._closing = False
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
        return Transaction()

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
        peer = self.session.peer
        self.address = peer[0] if isinstance(peer, tuple) else "local"
        known = self.address == "local" or trusted(self.address, self.house.smtp.trusted_networks)
        self.counted = not known
        self.session.proof = prove(known)
        self._since = self.loop.time()
        refusal = self.house.handler.closed()
        if refusal is None and not self.house.census.enter(self):
            refusal = Session.TOO_MANY_CONNECTIONS
            note(Event.CONNECTION_REFUSED, client=self.address, connections=len(self.house.census))
        if refusal is None and await self._talks_early(known):
            refusal = Session.EARLY_TALKER
        if refusal is not None:
            await self.push(refusal.value)
            await self._flush()
            return False
        await self.push(f"220 {self.house.smtp.hostname} ESMTP")
        return True

    async def _talks_early(self, known: bool) -> bool:
        """Say whether the client spoke before the greeting, which no mail program does (RFC 5321 section 3.1)."""
        delay = 0.0 if known else self.house.smtp.greet_delay.total_seconds()
        await asyncio.sleep(delay)
        waiting = getattr(self._reader, "_buffer", b"")
        return bool(waiting)

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
            await self.push(self.house.handler.unavailable)
        finally:
            self._busy = False
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

        Who was turned out before and has not taken the reply since is cut off.
        """
        if self._busy and not self._in_data:
            self._farewell = reply
        elif self.transport is not None and self.transport.is_closing():
            self.transport.abort()
        elif self.transport is not None:
            self.transport.write(f"{reply.value}\r\n".encode())
            self.transport.close()

    def between_messages(self) -> bool:
        return not self._busy and (self.envelope is None or self.envelope.mail_from is None)

    def storing(self) -> bool:
        return self._busy and not self._in_data and self.transport is not None

    # The commands.

    async def smtp_EHLO(self, argument: str) -> None:  # noqa: N802  # the command's own name
        if await self._hello(argument):
            self._extended = True
            smtp = self.house.smtp
            offered = (
                smtp.hostname,
                "PIPELINING",
                "8BITMIME",
                "SMTPUTF8",
                f"SIZE {int(smtp.max_message)}",
                "ENHANCEDSTATUSCODES",
                "DSN",
                f"LIMITS RCPTMAX={smtp.max_recipients}",
            )
            for line in offered[:-1]:
                await self.push(f"250-{line}")
            await self.push(f"250 {offered[-1]}")

    async def smtp_HELO(self, argument: str) -> None:  # noqa: N802
        if await self._hello(argument):
            self._extended = False
            await self.push(f"250 {self.house.smtp.hostname}")

    async def _hello(self, argument: str) -> bool:
        self._idle()
        if _HELO.fullmatch(argument) is None:
            await self._wrong(Session.BAD_SYNTAX)
            return False
        self._set_rset_state()
        self.session.host_name = argument
        return True

    def _idle(self) -> None:
        self._idle_commands += 1
        if self._idle_commands > IDLE_COMMANDS:
            self._errors += 1

    async def smtp_MAIL(self, argument: str) -> None:  # noqa: N802
        if not self.session.host_name:
            await self._wrong(Session.HELLO_FIRST)
        elif self.envelope.mail_from is not None:
            await self._wrong(Session.NESTED_MAIL)
        elif (path := await self._path("FROM:", argument, Session.BAD_REVERSE_PATH)) is not None:
            await self._mail(path)

    async def _mail(self, path: Path) -> None:
        parameters = mail_parameters(path.rest) if self._extended or not path.rest else "syntax"
        if isinstance(parameters, str):
            await self._wrong(Session.BAD_SYNTAX if parameters == "syntax" else Session.UNKNOWN_PARAMETER)
            return
        if not path.ascii and not parameters.smtputf8:
            await self._wrong(Session.NO_SMTPUTF8)
            return
        limit = int(self.house.smtp.max_message)
        if parameters.size is not None and parameters.size > limit:
            await self.push(reply_to(TooBigForSystem(limit)))
            return
        trouble = self.house.handler.trouble()
        if trouble is not None:
            await self.push(trouble)
            return
        self.envelope.mail_from = path.address
        self.envelope.parameters = parameters
        await self.push(Session.SENDER_OK.value)

    async def smtp_RCPT(self, argument: str) -> None:  # noqa: N802
        if self.envelope.mail_from is None:
            await self._wrong(Session.MAIL_FIRST)
        elif (path := await self._path("TO:", argument, Session.BAD_ADDRESS)) is not None:
            await self._rcpt(path)

    async def _rcpt(self, path: Path) -> None:
        envelope = self.envelope
        parameters = rcpt_parameters(path.rest) if self._extended or not path.rest else "syntax"
        if isinstance(parameters, str):
            await self._wrong(Session.BAD_SYNTAX if parameters == "syntax" else Session.UNKNOWN_PARAMETER)
        elif not path.address:
            await self._wrong(Session.BAD_ADDRESS)
        elif not path.ascii and not envelope.parameters.smtputf8:
            await self._wrong(Session.NO_SMTPUTF8)
        elif len(envelope.recipients) >= self.house.smtp.max_recipients:
            await self.push(reply_to(TooManyRecipients()))
        else:
            admitted = await self.house.handler.rcpt(self.sender(), envelope, path.address, parameters)
            if isinstance(admitted, Reply):
                envelope.any_refused = True
                self._errors += admitted.code == 550
                await self.push(admitted)
                return
            # An address and its alias are one delivery.
            if all(each.mailbox != admitted.mailbox for each in envelope.recipients):
                envelope.recipients.append(admitted)
            await self.push(Session.RECIPIENT_OK.value)

    def sender(self) -> Sender:
        return Sender(self.envelope.mail_from, self.address, self.session.host_name, self.session.proof)

    async def _path(self, keyword: str, argument: str, bad: Session) -> Path | None:
        if argument[: len(keyword)].upper() != keyword:
            await self._wrong(Session.BAD_SYNTAX)
            return None
        text = argument[len(keyword) :].lstrip(" ")
        path = parse_path(text)
        # The one address that needs no domain (RFC 5321 section 4.5.1).
        if path is None and keyword == "TO:" and (postmaster := _POSTMASTER.fullmatch(text)):
            path = Path("postmaster", postmaster[2] or "")
        if path is None:
            await self._wrong(bad)
        return path

    async def smtp_DATA(self, argument: str) -> None:  # noqa: N802
        envelope = self.envelope
        if argument:
            await self._wrong(Session.BAD_SYNTAX)
        elif envelope.mail_from is None:
            await self._wrong(Session.MAIL_FIRST)
        elif not envelope.recipients:
            await self._wrong(Session.NO_VALID_RCPT if envelope.any_refused else Session.RCPT_FIRST)
        else:
            try:
                with Content(int(self.house.smtp.max_message), self.house.budget) as content:
                    await self._data(content)
            finally:
                self._set_rset_state()

    async def _data(self, content: Content) -> None:
        await self.push(Session.START_DATA.value)
        await self._flush()
        self._since, self._mark, self._in_data = self.loop.time(), self.wire.received, True
        try:
            whole = await self.wire.data(content.take)
        finally:
            self._in_data = False
        if not whole:
            raise ConnectionResetError
        self._idle_commands = 0
        reply, close = await self.house.handler.data(self.sender(), self.envelope, content, self._with())
        await self.push(reply)
        self._closing = self._closing or close

    def _with(self) -> str:
        """Return the protocol's name for the trace header (RFC 3848, RFC 6531 section 4.3)."""
        if not self._extended:
            return "SMTP"
        return "UTF8SMTP" if self.envelope.parameters.smtputf8 else "ESMTP"

    async def smtp_RSET(self, argument: str) -> None:  # noqa: N802
        self._idle()
        if argument:
            await self._wrong(Session.BAD_SYNTAX)
            return
        self._set_rset_state()
        await self.push(Session.OK.value)

    async def smtp_NOOP(self, _argument: str) -> None:  # noqa: N802
        self._idle()
        await self.push(Session.OK.value)

    async def smtp_VRFY(self, argument: str) -> None:  # noqa: N802
        self._idle()
        await self.push(Session.NO_VRFY.value if argument else Session.BAD_SYNTAX.value)

    async def smtp_EXPN(self, _argument: str) -> None:  # noqa: N802
        await self._wrong(Session.NOT_IMPLEMENTED)

    async def smtp_HELP(self, _argument: str) -> None:  # noqa: N802
        self._idle()
        await self.push(Session.HELP.value)

    async def smtp_QUIT(self, argument: str) -> None:  # noqa: N802
        if argument:
            await self._wrong(Session.BAD_SYNTAX)
        else:
            await self._close_with(Session.CLOSING)
