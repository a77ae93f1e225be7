"""The commands of our SMTP: grammar, parameters in their case, one object a recipient, DATA in chunks.

The library upper-cases parameters (which breaks ENVID and ORCPT), refuses a keyword with a hyphen, and
reads DATA line by line without a cap. Known limit: no AUTH, VRFY or CHUNKING by design.
"""

import re
from collections.abc import Sequence
from typing import ClassVar

from smtpd_service.admission import Sender
from smtpd_service.domain.address import Path, mailbox_key, parse_path
from smtpd_service.domain.outcomes import TooBigForSystem
from smtpd_service.domain.parameters import mail_parameters, rcpt_parameters
from smtpd_service.domain.replies import Reply, Session, reply_to
from smtpd_service.smtp.connection import Connection
from smtpd_service.smtp.content import Content
from smtpd_service.smtp.handler import Said

# Commands that move no mail, in a row, before they count as errors.
IDLE_COMMANDS = 100
_HELO = re.compile(r"[!-~]{1,255}")
_POSTMASTER = re.compile(r"<(postmaster)>(?: +(.*))?", re.ASCII | re.IGNORECASE)


class Protocol(Connection):
    """The commands of one session."""

    commands: ClassVar[dict[bytes, str]] = {
        name.encode(): f"smtp_{name}"
        for name in ("EHLO", "HELO", "STARTTLS", "MAIL", "RCPT", "DATA", "RSET", "NOOP", "VRFY", "EXPN", "HELP", "QUIT")
    }
    # What LMTP answers in another way.
    utf8_name = "UTF8SMTP"
    hello_first = Session.HELLO_FIRST
    no_valid_rcpt = Session.NO_VALID_RCPT
    help = Session.HELP

    async def smtp_EHLO(self, argument: str) -> None:  # noqa: N802  # the command's own name
        if await self._hello(argument):
            self._extended = True
            smtp = self.house.smtp
            offered = [
                smtp.hostname,
                "PIPELINING",
                "8BITMIME",
                "SMTPUTF8",
                f"SIZE {int(smtp.max_message)}",
                "ENHANCEDSTATUSCODES",
                "DSN",
                f"LIMITS RCPTMAX={smtp.max_recipients}",
            ]
            if self.house.certificate is not None and not self.secured:
                offered.append("STARTTLS")
            for line in offered[:-1]:
                await self.push(f"250-{line}")
            await self.push(f"250 {offered[-1]}")

    async def smtp_STARTTLS(self, argument: str) -> None:  # noqa: N802  # the command's own name
        certificate, census = self.house.certificate, self.house.census
        if certificate is None:
            await self._wrong(Session.UNKNOWN_COMMAND)
        elif self.secured:
            await self._wrong(Session.TLS_ALREADY)
        elif argument:
            await self._wrong(Session.BAD_SYNTAX)
        elif not census.begin_handshake():
            await self.push(Session.NO_TLS_NOW.value)
        else:
            try:
                await self.push(Session.START_TLS.value)
                await self._flush()
                await self.secure(certificate)
            finally:
                census.end_handshake()

    async def smtp_HELO(self, argument: str) -> None:  # noqa: N802  # the command's own name
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

    async def smtp_MAIL(self, argument: str) -> None:  # noqa: N802  # the command's own name
        if not self.session.host_name:
            await self._wrong(self.hello_first)
        elif self.envelope.mail_from is not None:
            await self._wrong(Session.NESTED_MAIL)
        elif (path := await self._path("FROM:", argument, Session.BAD_REVERSE_PATH)) is not None:
            await self._mail(path)

    async def _mail(self, path: Path) -> None:
        parameters = mail_parameters(path.rest) if self._extended or not path.rest else "unknown"
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

    async def smtp_RCPT(self, argument: str) -> None:  # noqa: N802  # the command's own name
        if self.envelope.mail_from is None:
            await self._wrong(Session.MAIL_FIRST)
        elif (path := await self._path("TO:", argument, Session.BAD_ADDRESS)) is not None:
            await self._rcpt(path)

    async def _rcpt(self, path: Path) -> None:
        envelope = self.envelope
        parameters = rcpt_parameters(path.rest) if self._extended or not path.rest else "unknown"
        if isinstance(parameters, str):
            await self._wrong(Session.BAD_SYNTAX if parameters == "syntax" else Session.UNKNOWN_PARAMETER)
        elif not path.address:
            await self._wrong(Session.BAD_ADDRESS)
        elif not path.ascii and not envelope.parameters.smtputf8:
            await self._wrong(Session.NO_SMTPUTF8)
        elif len(envelope.recipients) >= self.house.smtp.max_recipients:
            await self.push(await self.house.handler.one_too_many(self.sender(), envelope, path.address))
        else:
            admitted = await self.house.handler.rcpt(self.sender(), envelope, path.address, parameters)
            if isinstance(admitted, Reply):
                envelope.any_refused = True
                self._errors += admitted.code == 550
                await self.push(admitted)
                return
            # The same address twice is one recipient; an address and its alias are two, with one delivery.
            key, known = mailbox_key(admitted.address), envelope.recipients
            place = next((i for i, each in enumerate(known) if mailbox_key(each.address) == key), len(known))
            if place == len(known):
                known.append(admitted)
            envelope.accepted.append(place)
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

    async def smtp_DATA(self, argument: str) -> None:  # noqa: N802  # the command's own name
        envelope = self.envelope
        if argument:
            await self._wrong(Session.BAD_SYNTAX)
        elif envelope.mail_from is None:
            await self._wrong(Session.MAIL_FIRST)
        elif not envelope.recipients:
            await self._wrong(self.no_valid_rcpt if envelope.any_refused else Session.RCPT_FIRST)
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
        self._owed = len(self._replies(Said(self.house.handler.unavailable)))
        said = await self.house.handler.data(self.sender(), self.envelope, content, self._with())
        replies = self._replies(said)
        if any(reply.code == 250 for reply in replies):
            # Limits are for those who bring no mail.
            self._idle_commands = self._commands = self._errors = 0
        for reply in replies:
            await self.push(reply)
        self._closing = self._closing or said.close

    def _replies(self, said: Said) -> Sequence[Reply]:
        return (said.reply,)

    def _with(self) -> str:
        """Return the protocol's name for the trace header (RFC 3848, RFC 6531 section 4.3).

        A client that said HELO has no name of its own for TLS.
        """
        if not self._extended:
            return "SMTP"
        name = self.utf8_name if self.envelope.parameters.smtputf8 else self.protocol_name
        return f"{name}S" if self.secured else name

    async def smtp_RSET(self, argument: str) -> None:  # noqa: N802  # the command's own name
        self._idle()
        if argument:
            await self._wrong(Session.BAD_SYNTAX)
            return
        self._set_rset_state()
        await self.push(Session.OK.value)

    async def smtp_NOOP(self, _argument: str) -> None:  # noqa: N802  # the command's own name
        self._idle()
        await self.push(Session.OK.value)

    async def smtp_VRFY(self, argument: str) -> None:  # noqa: N802  # the command's own name
        self._idle()
        await self.push(Session.NO_VRFY.value if argument else Session.BAD_SYNTAX.value)

    async def smtp_EXPN(self, _argument: str) -> None:  # noqa: N802  # the command's own name
        await self._wrong(Session.NOT_IMPLEMENTED)

    async def smtp_HELP(self, _argument: str) -> None:  # noqa: N802  # the command's own name
        self._idle()
        await self.push(self.help.value)

    async def smtp_QUIT(self, argument: str) -> None:  # noqa: N802  # the command's own name
        if argument:
            await self._wrong(Session.BAD_SYNTAX)
        else:
            await self._close_with(Session.CLOSING)
