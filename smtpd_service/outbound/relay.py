"""Delivery of notices to a smarthost: one connection for as many as wait, envelope sender `<>`.

What stands between us and the smarthost (refused, silent, hung up, a bad greeting, a failed
handshake) is for later; only a 5xx to this recipient or these octets is final.

A hang-up after the last dot leaves the notice to be sent again, under the same Message-ID.
Not done here: authentication, certificates checked, MX lookup.
"""

import re
from typing import Literal, Self

import aiosmtplib

from smtpd_service.domain.notice import Delivered, GivenUp, TryLater
from smtpd_service.outbound.header import clean, is_address

LONGEST_TEXT = 500
# QUIT is a courtesy; nobody waits long to be told goodbye.
GOODBYE_SECONDS = 2.0

_HEADER = re.compile(rb"(?:[^\r\n]+\r\n)*")


class Relay:
    """A smarthost and the connection to it, made at the first notice and made again when lost.

    One notice at a time: it belongs to one task. `hostname` is what we say in EHLO; `tls`
    "opportunistic" takes STARTTLS where offered and checks no certificate; `timeout` is in seconds,
    for each reply.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        hostname: str,
        tls: Literal["none", "opportunistic"] = "none",
        timeout: float = 30.0,
    ) -> None:
        self._client = aiosmtplib.SMTP(
            hostname=host,
            port=port,
            local_hostname=hostname,
            timeout=timeout,
            start_tls=None if tls == "opportunistic" else False,
            validate_certs=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            if self._client.is_connected:
                await self._client.quit(timeout=GOODBYE_SECONDS)
        except (aiosmtplib.SMTPException, OSError):
            pass
        finally:
            self._client.close()

    def hang_up(self) -> None:
        """Drop the connection, in whatever state it is."""
        self._client.close()

    async def ready(self) -> aiosmtplib.SMTP:
        """Return the client, connected and with no mail begun.

        Raises what aiosmtplib raises where no connection can be had; none is open then.
        """
        try:
            await self._reset()
            if not self._client.is_connected:
                await self._client.connect()
            if self._client.last_ehlo_response is None:
                await self._client.ehlo()
        except BaseException:
            # Cancelled, too: a reply still to come would be taken for that of the next command.
            self.hang_up()
            raise
        return self._client

    async def _reset(self) -> None:
        """Forget the last mail; a connection that cannot (idle too long, mails enough) is dropped."""
        if self._client.is_connected:
            try:
                await self._client.rset()
            except (aiosmtplib.SMTPException, OSError):
                self._client.close()

    async def takes_smtputf8(self) -> bool:
        """Tell whether the smarthost takes SMTPUTF8, so that a bounce can be written without it.

        True where it does not answer: sending will find out why.
        """
        try:
            client = await self.ready()
        except (aiosmtplib.SMTPException, OSError):
            return True
        return client.supports_extension("smtputf8")


async def send(relay: Relay, recipient: str, octets: bytes, *, smtputf8: bool) -> Delivered | TryLater | GivenUp:
    """Hand one notice to the smarthost and return what became of it.

    `smtputf8` allows the extension; it is asked for only where the recipient or the header needs it.
    """
    international = not (recipient.isascii() and _header(octets).isascii())
    if not is_address(recipient) or (international and not smtputf8):
        return GivenUp(None, "5.1.3 The recipient is no address that SMTP can carry")
    try:
        client = await relay.ready()
        if international and not client.supports_extension("smtputf8"):
            return GivenUp(None, "5.6.7 The relay does not take SMTPUTF8")
        return await _transaction(client, recipient, octets, international=international)
    except (aiosmtplib.SMTPException, OSError) as error:
        relay.hang_up()
        return _later(error)
    except BaseException:
        relay.hang_up()
        raise


async def _transaction(
    client: aiosmtplib.SMTP, recipient: str, octets: bytes, *, international: bool
) -> Delivered | TryLater | GivenUp:
    # Not client.mail and client.rcpt: those take comments out of addresses and rewrite them.
    options = _mail_options(client, octets, international=international)
    code, text = await client.execute_command(b"MAIL", b"FROM:<>", *options)
    if code != 250:
        return _refused_sender(code, text)
    code, text = await client.execute_command(b"RCPT", b"TO:<" + recipient.encode() + b">")
    if code not in (250, 251):
        return _refused(code, text)
    try:
        code, text = await client.data(octets)
    except aiosmtplib.SMTPDataError as error:
        return _refused(error.code, error.message)
    return Delivered(code, _one_line(text))


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


def _later(error: Exception) -> TryLater:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        # aiosmtplib says -1 for a line that is no reply.
        return TryLater(error.code if error.code > 0 else None, _one_line(error.message))
    return TryLater(None, _one_line(str(error) or type(error).__name__))


def _header(octets: bytes) -> bytes:
    found = _HEADER.match(octets)
    return found[0] if found else b""


def _one_line(text: str) -> str:
    """Return a reply as it may be kept and shown: another server's text, on one line."""
    return clean(text)[:LONGEST_TEXT]
