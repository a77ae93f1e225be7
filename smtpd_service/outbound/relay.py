"""Delivery of notices to one server: one connection for as many as wait, envelope sender `<>`.

What stands between us and the server (refused, silent, hung up, a bad greeting, a failed handshake, a password
that is not believed) is for later; only a 5xx to this recipient or these octets is final.

A hang-up after the last dot leaves the notice to be sent again, under the same Message-ID.
"""

import asyncio
import re
import ssl
from dataclasses import dataclass
from typing import Self

import aiosmtplib

from smtpd_service.domain.notice import Delivered, GivenUp, TryLater
from smtpd_service.outbound.encryption import Encryption, Mode, encryption_of
from smtpd_service.outbound.header import clean, is_address

LONGEST_TEXT = 500
# QUIT is a courtesy; nobody waits long to be told goodbye.
GOODBYE_SECONDS = 2.0
# Who gives up while the server still looks at the mail sends it twice: RFC 5321 section 4.5.3.2.6 asks for 10 minutes,
# which is so many times the usual limit.
PATIENCE_AFTER_DATA = 20

_HEADER = re.compile(rb"(?:[^\r\n]+\r\n)*")


@dataclass(frozen=True, slots=True)
class Unreachable(TryLater):
    """No session could be had, so that it says nothing about this notice."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who we are to a smarthost; the password is in no `repr` and so in no log."""

    user: str
    password: bytes

    def __repr__(self) -> str:
        return f"Login(user={self.user!r})"


class Relay:
    """A server and the connection to it, made at the first notice and made again when lost.

    One notice at a time: it belongs to one task. `host` is the name that a certificate must have, `address` where to
    connect (by default the same); `hostname` is what we say in EHLO; `timeout` is in seconds, for each reply.
    `tls` overrides the mode of `encryption`.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        hostname: str,
        tls: Mode = "none",
        timeout: float = 30.0,
        address: str | None = None,
        encryption: Encryption | None = None,
        login: Login | None = None,
    ) -> None:
        self._host = host
        self._tls: Mode = tls
        self._encryption = encryption if encryption or tls == "none" else encryption_of(tls, None)
        self._login = login
        self._timeout = timeout
        self._begun = False
        implicit = self._encryption is not None and tls == "implicit"
        self._client = aiosmtplib.SMTP(
            hostname=address or host,
            port=port,
            local_hostname=hostname,
            timeout=timeout,
            start_tls=False,
            use_tls=implicit,
            tls_context=self._encryption.checked if self._encryption and implicit else None,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        transport = self._client.transport
        try:
            if self._client.is_connected:
                await self._client.quit(timeout=GOODBYE_SECONDS)
        except (aiosmtplib.SMTPException, OSError):
            pass
        finally:
            self._client.close()
            _cut(transport)

    def hang_up(self) -> None:
        """Drop the connection, in whatever state it is."""
        transport = self._client.transport
        self._client.close()
        _cut(transport)

    async def open(self) -> Unreachable | None:
        """Have a session with no mail begun; return why there is none."""
        try:
            await self.ready()
        except (aiosmtplib.SMTPException, OSError) as error:
            code, text = _said(error)
            return Unreachable(code, text)
        return None

    async def ready(self) -> aiosmtplib.SMTP:
        """Return the client, connected and with no mail begun.

        Raises what aiosmtplib raises where no connection can be had; none is open then.
        """
        try:
            await self._reset()
            if not self._client.is_connected:
                await self._connect()
        except BaseException:
            # Cancelled, too: a reply still to come would be taken for that of the next command.
            self.hang_up()
            raise
        return self._client

    async def _reset(self) -> None:
        """Forget the last mail; a connection that cannot (idle too long, mails enough) is dropped."""
        if self._begun and self._client.is_connected:
            try:
                await self._client.rset()
            except (aiosmtplib.SMTPException, OSError):
                self._client.close()
        self._begun = False

    async def _connect(self) -> None:
        await self._client.connect()
        await self._say_hello()
        if self._encryption is not None and self._tls in {"opportunistic", "required"}:
            await self._start_tls(self._encryption)
        if self._login is not None:
            await self._log_in(self._login)

    async def _say_hello(self) -> None:
        """Say EHLO, and HELO to a server that does not know it (RFC 5321 section 3.2)."""
        try:
            await self._client.ehlo()
        except aiosmtplib.SMTPHeloError as error:
            if not 500 <= error.code <= 599:
                raise
            await self._client.helo()

    async def _start_tls(self, encryption: Encryption) -> None:
        required = self._tls == "required"
        if not self._client.supports_extension("starttls"):
            if required:
                raise aiosmtplib.SMTPException("4.7.4 The server offers no STARTTLS, and TLS is required")
            return
        try:
            context = encryption.checked if required else encryption.unchecked
            await self._client.starttls(server_hostname=self._host, tls_context=context)
        except (aiosmtplib.SMTPException, OSError):
            if required:
                raise
            # RFC 7435: encryption that cannot be had is no reason not to deliver.
            self._client.close()
            await self._client.connect()
        await self._say_hello()

    async def _log_in(self, login: Login) -> None:
        offered = self._client.server_auth_methods
        if "plain" in offered:
            await self._client.auth_plain(login.user, login.password)
        elif "login" in offered:
            await self._client.auth_login(login.user, login.password)
        else:
            raise aiosmtplib.SMTPException("4.7.0 The server offers neither AUTH PLAIN nor AUTH LOGIN")

    def takes(self, extension: str) -> bool:
        """Tell whether the server has said so in this session."""
        return self._client.supports_extension(extension)

    async def send(self, recipient: str, octets: bytes, *, smtputf8: bool) -> Delivered | TryLater | GivenUp:
        """Hand over one notice and return what became of it.

        `smtputf8` allows the extension; it is asked for only where the recipient or the header needs it.
        """
        international = needs_smtputf8(recipient, octets)
        if not is_address(recipient) or (international and not smtputf8):
            return GivenUp(None, "5.1.3 The recipient is no address that SMTP can carry")
        if (trouble := await self.open()) is not None:
            return trouble
        if international and not self.takes("smtputf8"):
            return GivenUp(None, "5.6.7 The relay does not take SMTPUTF8")
        try:
            return await self._transaction(recipient, octets, international=international)
        except (aiosmtplib.SMTPException, OSError) as error:
            self.hang_up()
            return TryLater(*_said(error))
        except BaseException:
            self.hang_up()
            raise

    async def _transaction(
        self, recipient: str, octets: bytes, *, international: bool
    ) -> Delivered | TryLater | GivenUp:
        self._begun = True
        # Not client.mail and client.rcpt: those take comments out of addresses and rewrite them.
        options = _mail_options(self._client, octets, international=international)
        code, text = await self._client.execute_command(b"MAIL", b"FROM:<>", *options)
        if code != 250:
            return _refused_sender(code, text)
        code, text = await self._client.execute_command(b"RCPT", b"TO:<" + recipient.encode() + b">")
        if code not in (250, 251):
            return _refused(code, text)
        try:
            code, text = await self._client.data(octets, timeout=PATIENCE_AFTER_DATA * self._timeout)
        except aiosmtplib.SMTPDataError as error:
            return _refused(error.code, error.message)
        return Delivered(code, _one_line(text))


def _cut(transport: asyncio.BaseTransport | None) -> None:
    """Let go of the socket now: closed over TLS, it would wait for the other side's farewell."""
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


def needs_smtputf8(recipient: str, octets: bytes) -> bool:
    """Tell whether a mail can go only to a server that takes SMTPUTF8 (RFC 6531 section 3.2)."""
    found = _HEADER.match(octets)
    return not (recipient.isascii() and (found is None or found[0].isascii()))


def _mail_options(client: aiosmtplib.SMTP, octets: bytes, *, international: bool) -> list[bytes]:
    """Return what MAIL says; 8-bit octets go out even where 8BITMIME is not offered."""
    options = [b"SIZE=%d" % len(octets)] if client.supports_extension("size") else []
    if not octets.isascii() and client.supports_extension("8bitmime"):
        options.append(b"BODY=8BITMIME")
    return [*options, b"SMTPUTF8"] if international else options


def _refused_sender(code: int, text: str) -> TryLater | GivenUp:
    """Return the outcome of a refused MAIL: `<>` is the same for all, so only the size is final."""
    return _refused(code, text) if code == 552 else TryLater(code, _one_line(text))


def _refused(code: int, text: str) -> TryLater | GivenUp:
    return GivenUp(code, _one_line(text)) if 500 <= code <= 599 else TryLater(code, _one_line(text))


def _said(error: Exception) -> tuple[int | None, str]:
    """Return what a failure says: the server's code and text, or ours and None."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        # aiosmtplib says -1 for a line that is no reply.
        return error.code if error.code > 0 else None, _one_line(error.message)
    if isinstance(error, ssl.SSLCertVerificationError):
        return None, _one_line(f"4.7.5 The certificate is not believed: {error.verify_message}")
    return None, _one_line(str(error) or type(error).__name__)


def _one_line(text: str) -> str:
    """Return a reply as it may be kept and shown: another server's text, on one line."""
    return clean(text)[:LONGEST_TEXT]
