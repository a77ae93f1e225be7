"""The client's end of one SMTP connection: a line out, a reply in. No pipelining, as most of those that wrote had none.

Raises `Lost` for whatever ends a connection before its reply came.
"""

import asyncio
from dataclasses import dataclass
from typing import cast

# The longest reply that is read; a server that says more is none.
_LONGEST = 64_000


class Lost(Exception):  # noqa: N818  # what became of a connection, not a bug
    """The connection ended, was refused or took too long; the text says which."""


@dataclass(frozen=True, slots=True)
class Reply:
    code: int
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


class Wire(asyncio.Protocol):
    """One connection; one question at a time."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._heard = b""
        self._ended: str | None = None
        self._reply: asyncio.Future[Reply] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's by class.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._heard += data
        while (end := self._heard.find(b"\n")) >= 0:
            line, self._heard = self._heard[:end].rstrip(b"\r"), self._heard[end + 1 :]
            if not line[:3].isdigit() or len(line[:3]) < 3:
                self._end(f"no reply of SMTP: {line[:60]!r}")
                return
            # RFC 5321 section 4.2.1: a hyphen says that more lines follow.
            if line[3:4] != b"-":
                self._answer(Reply(int(line[:3]), line[4:].decode("utf-8", "replace")))
        if len(self._heard) > _LONGEST:
            self._end("a reply without end")

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(f"the connection broke: {exc}" if exc else "the server closed the connection")

    def _answer(self, reply: Reply) -> None:
        if self._reply.done():
            # A second reply before the next question: a farewell, told by the next question.
            self._ended = self._ended or str(reply)
        else:
            self._reply.set_result(reply)

    def _end(self, why: str) -> None:
        self._ended = self._ended or why
        if not self._reply.done():
            self._reply.set_exception(Lost(self._ended))
            # Nobody may be asking.
            self._reply.exception()
        self.close()

    async def hear(self) -> Reply:
        """Return the reply that is due, the greeting at first."""
        timer = self._loop.call_later(self._patience, self._end, f"no reply within {self._patience:g} s")
        try:
            return await self._reply
        finally:
            timer.cancel()

    async def ask(self, octets: bytes) -> Reply:
        """Say something and return the reply."""
        if self._ended is not None or self._transport is None:
            raise Lost(self._ended or "the connection is closed")
        self._reply = self._loop.create_future()
        self._transport.write(octets)
        return await self.hear()

    @property
    def open(self) -> bool:
        return self._ended is None

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


async def connect(host: str, port: int, patience: float) -> Wire:
    """Return a connection whose greeting has not been heard yet. Raises Lost."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(patience):
            _, wire = await loop.create_connection(lambda: Wire(patience), host, port)
    except TimeoutError:
        raise Lost(f"no connection within {patience:g} s") from None
    except OSError as error:
        raise Lost(f"no connection: {error.strerror or error}") from error
    return wire


def stuffed(octets: bytes) -> bytes:
    """Return content as DATA has it on the wire, its end included (RFC 5321 section 4.5.2)."""
    text = octets.replace(b"\r\n.", b"\r\n..")
    return (b"." if text.startswith(b".") else b"") + text + (b".\r\n" if text.endswith(b"\r\n") else b"\r\n.\r\n")
