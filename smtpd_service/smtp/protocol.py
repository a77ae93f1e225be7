"""The commands of our SMTP: grammar, parameters in their case, one object a recipient, DATA in chunks.

The library upper-cases parameters (which breaks ENVID and ORCPT), refuses a keyword with a hyphen, and
reads DATA line by line without a cap. Known limit: no AUTH, VRFY or CHUNKING by design.
"""

import re
from collections.abc import Awaitable, Sequence
from functools import cache, partial
from typing import ClassVar

from smtpd_service import metrics
from smtpd_service.admission import Offer, Recipient, Sender
from smtpd_service.domain.address import Path, mailbox_key, parse_path
from smtpd_service.domain.outcomes import TooBigForSystem
from smtpd_service.domain.parameters import mail_parameters, rcpt_parameters
from smtpd_service.domain.replies import Reply, Session, reply_to
from smtpd_service.smtp.certificate import Certificate
from smtpd_service.smtp.connection import Connection, Transaction, Wait
from smtpd_service.smtp.content import Content
from smtpd_service.smtp.handler import Said
from smtpd_service.storing import Answer

# Commands that move no mail, in a row, before they count as errors.
IDLE_COMMANDS = 100
_HELO = re.compile(r"[!-~]{1,255}")
_POSTMASTER = re.compile(r"<(postmaster)>(?: +(.*))?", re.ASCII | re.IGNORECASE)


@cache
def _offer(hostname: str, max_message: int, max_recipients: int, *, tls: bool) -> bytes:
    """Return the answer to EHLO, made once."""
    offered = [
        hostname,
        "PIPELINING",
        "8BITMIME",
        "SMTPUTF8",
        f"SIZE {max_message}",
        "ENHANCEDSTATUSCODES",
        "DSN",
        f"LIMITS RCPTMAX={max_recipients}",
        *(["STARTTLS"] if tls else []),
    ]
    return "".join(f"250{' ' if each is offered[-1] else '-'}{each}\r\n" for each in offered).encode()


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

    def smtp_EHLO(self, argument: str) -> None:  # noqa: N802  # the command's own name
        if self._hello(argument):
            self.session.extended_smtp = True
            smtp, tls = self.house.smtp, self.house.certificate is not None and not self.secured
            self._out.append(_offer(smtp.hostname, int(smtp.max_message), smtp.max_recipients, tls=tls))

    def smtp_STARTTLS(self, argument: str) -> Wait | None:  # noqa: N802  # the command's own name
        certificate = self.house.certificate
        if certificate is None:
            self._wrong(Session.UNKNOWN_COMMAND)
        elif self.secured:
            self._wrong(Session.TLS_ALREADY)
        elif argument:
            self._wrong(Session.BAD_SYNTAX)
        elif not self.house.census.begin_handshake():
            self._say(Session.NO_TLS_NOW)
        else:
            self._say(Session.START_TLS)
            return self._start_tls(certificate)
        return None

    async def _start_tls(self, certificate: Certificate) -> None:
        try:
            await self.secure(certificate)
        finally:
            self.house.census.end_handshake()

    def smtp_HELO(self, argument: str) -> None:  # noqa: N802  # the command's own name
        if self._hello(argument):
            self.session.extended_smtp = False
            self._out.append(f"250 {self.house.smtp.hostname}\r\n".encode())

    def _hello(self, argument: str) -> bool:
        self._idle()
        if _HELO.fullmatch(argument) is None:
            self._wrong(Session.BAD_SYNTAX)
            return False
        self.envelope = None
        self.session.host_name = argument
        return True

    def _idle(self) -> None:
        self._idle_commands += 1
        if self._idle_commands > IDLE_COMMANDS:
            self._errors += 1

    def smtp_MAIL(self, argument: str) -> None:  # noqa: N802  # the command's own name
        if not self.session.host_name:
            self._wrong(self.hello_first)
        elif self.envelope is not None:
            self._wrong(Session.NESTED_MAIL)
        elif (path := self._path("FROM:", argument, Session.BAD_REVERSE_PATH)) is not None:
            self._mail(path)

    def _mail(self, path: Path) -> None:
        parameters = mail_parameters(path.rest) if self.session.extended_smtp or not path.rest else "unknown"
        if isinstance(parameters, str):
            self._wrong(Session.BAD_SYNTAX if parameters == "syntax" else Session.UNKNOWN_PARAMETER)
            return
        if not path.ascii and not parameters.smtputf8:
            self._wrong(Session.NO_SMTPUTF8)
            return
        limit = int(self.house.smtp.max_message)
        if parameters.size is not None and parameters.size > limit:
            metrics.refused("mail", "TooBigForSystem")
            self._say(reply_to(TooBigForSystem(limit)))
            return
        trouble = self.house.handler.trouble()
        if trouble is not None:
            self._say(trouble)
            return
        self.envelope = Transaction(path.address, parameters, individually=self.individually)
        self._say(Session.SENDER_OK)

    def smtp_RCPT(self, argument: str) -> Wait | None:  # noqa: N802  # the command's own name
        if self.envelope is None:
            self._wrong(Session.MAIL_FIRST)
        elif (path := self._path("TO:", argument, Session.BAD_ADDRESS)) is not None:
            return self._rcpt(self.envelope, path)
        return None

    def _rcpt(self, envelope: Transaction, path: Path) -> Wait | None:
        parameters = rcpt_parameters(path.rest) if self.session.extended_smtp or not path.rest else "unknown"
        if isinstance(parameters, str):
            self._wrong(Session.BAD_SYNTAX if parameters == "syntax" else Session.UNKNOWN_PARAMETER)
        elif not path.address:
            self._wrong(Session.BAD_ADDRESS)
        elif not path.ascii and not envelope.parameters.smtputf8:
            self._wrong(Session.NO_SMTPUTF8)
        else:
            handler, sender = self.house.handler, self.sender(envelope)
            crowd = len(envelope.recipients) >= self.house.smtp.max_recipients
            answer = (
                handler.one_too_many(sender, envelope, path.address)
                if crowd
                else handler.rcpt(sender, envelope, path.address, parameters)
            )
            if not isinstance(answer, Recipient | Reply):
                return self._written_down(envelope, answer)
            self._admit(envelope, answer)
        return None

    async def _written_down(self, envelope: Transaction, answer: Awaitable[Reply]) -> None:
        self._admit(envelope, await answer)

    def _admit(self, envelope: Transaction, admitted: Recipient | Reply) -> None:
        if isinstance(admitted, Reply):
            envelope.any_refused = True
            self._errors += admitted.code == 550
            self._say(admitted)
            return
        # The same address twice is one recipient; an address and its alias are two, with one delivery.
        key, known = mailbox_key(admitted.address), envelope.recipients
        place = next((i for i, each in enumerate(known) if mailbox_key(each.address) == key), len(known))
        if place == len(known):
            known.append(admitted)
        envelope.accepted.append(place)
        self._say(Session.RECIPIENT_OK)

    def sender(self, envelope: Transaction) -> Sender:
        return Sender(envelope.mail_from, self.address, self.session.host_name or "", self.proof)

    def _path(self, keyword: str, argument: str, bad: Session) -> Path | None:
        if argument[: len(keyword)].upper() != keyword:
            self._wrong(Session.BAD_SYNTAX)
            return None
        text = argument[len(keyword) :].lstrip(" ")
        path = parse_path(text)
        # The one address that needs no domain (RFC 5321 section 4.5.1).
        if path is None and keyword == "TO:" and (postmaster := _POSTMASTER.fullmatch(text)):
            path = Path("postmaster", postmaster[2] or "")
        if path is None:
            self._wrong(bad)
        return path

    def smtp_DATA(self, argument: str) -> None:  # noqa: N802  # the command's own name
        envelope = self.envelope
        if argument:
            self._wrong(Session.BAD_SYNTAX)
        elif envelope is None:
            self._wrong(Session.MAIL_FIRST)
        elif not envelope.recipients:
            self._wrong(self.no_valid_rcpt if envelope.any_refused else Session.RCPT_FIRST)
        else:
            self._say(Session.START_DATA)
            self._content = Content(int(self.house.smtp.max_message), self.house.budget)
            self._mark = self.wire.received

    def _received(self, content: Content) -> Wait | None:
        envelope, self.envelope = self.envelope, None
        assert envelope is not None  # noqa: S101  # DATA began with one
        self._owed = len(self._replies(envelope, Said(self.house.handler.unavailable)))
        sender, name = self.sender(envelope), self._with(envelope)
        try:
            offer = self.house.handler.hand_in(
                sender, envelope, content, name, partial(self._waited, self._answered, envelope, content)
            )
        except BaseException:
            content.let_go()
            raise
        if offer is None:
            return self._take(envelope, content, sender, name)
        self._waiting = offer
        return None

    def _answered(self, envelope: Transaction, content: Content, offer: Offer, begun: float, answer: Answer) -> None:
        content.let_go()
        self._answer(envelope, self.house.handler.said(offer, answer, begun))

    async def _take(self, envelope: Transaction, content: Content, sender: Sender, name: str) -> None:
        with content:
            said = await self.house.handler.data(sender, envelope, content, name)
        self._answer(envelope, said)

    def _answer(self, envelope: Transaction, said: Said) -> None:
        replies = self._replies(envelope, said)
        if any(reply.code == 250 for reply in replies):
            # Limits are for those who bring no mail.
            self._idle_commands = self._commands = self._errors = 0
        for reply in replies:
            self._say(reply)
        self._closing = self._closing or said.close

    def _replies(self, _envelope: Transaction, said: Said) -> Sequence[Reply]:
        return (said.reply,)

    def _with(self, envelope: Transaction) -> str:
        """Return the protocol's name for the trace header (RFC 3848, RFC 6531 section 4.3).

        A client that said HELO has no name of its own for TLS.
        """
        if not self.session.extended_smtp:
            return "SMTP"
        name = self.utf8_name if envelope.parameters.smtputf8 else self.protocol_name
        return f"{name}S" if self.secured else name

    def smtp_RSET(self, argument: str) -> None:  # noqa: N802  # the command's own name
        self._idle()
        if argument:
            self._wrong(Session.BAD_SYNTAX)
            return
        self.envelope = None
        self._say(Session.OK)

    def smtp_NOOP(self, _argument: str) -> None:  # noqa: N802  # the command's own name
        self._idle()
        self._say(Session.OK)

    def smtp_VRFY(self, argument: str) -> None:  # noqa: N802  # the command's own name
        self._idle()
        self._say(Session.NO_VRFY if argument else Session.BAD_SYNTAX)

    def smtp_EXPN(self, _argument: str) -> None:  # type: ignore[override]  # noqa: N802  # the library waits for it
        self._wrong(Session.NOT_IMPLEMENTED)

    def smtp_HELP(self, _argument: str) -> None:  # noqa: N802  # the command's own name
        self._idle()
        self._say(self.help)

    def smtp_QUIT(self, argument: str) -> None:  # noqa: N802  # the command's own name
        if argument:
            self._wrong(Session.BAD_SYNTAX)
        else:
            self._close_with(Session.CLOSING)
