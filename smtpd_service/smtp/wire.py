"""Octets of one connection: command lines and DATA, each read in chunks under a hard cap.

The library's own reader keeps fragments until a CRLF comes: 300 MB without one grew the process by as
much (measured). Here a line or a message that is too long is dropped while it comes.
"""

import asyncio
from collections.abc import Callable
from enum import Enum

CHUNK = 65_536
# RFC 3461 section 5.1 adds 28 + 500 octets to RCPT, RFC 1870 and 6531 36 to MAIL: all fit in this.
LINE_LIMIT = 2_048
END_OF_DATA = b"\r\n.\r\n"


class Bad(Enum):
    """A command line that cannot be used."""

    TOO_LONG = "too long"
    BARE_LINE_END = "bare line end"


class Wire:
    """Reads commands and content from a stream; `received` counts all octets that came."""

    __slots__ = ("_buffer", "_reader", "received")

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._buffer = bytearray()
        self.received = 0

    @property
    def has_line(self) -> bool:
        """Say whether a whole command waits: answers are sent together until none does (RFC 2920)."""
        return b"\n" in self._buffer

    async def fill(self) -> bool:
        """Wait for more octets; False at the end of the stream."""
        chunk = await self._reader.read(CHUNK)
        self.received += len(chunk)
        self._buffer += chunk
        return bool(chunk)

    async def line(self, *, bare_ok: bool) -> bytes | Bad | None:
        """Return one command without its CRLF; what is wrong with it; or None at the end of the stream.

        `bare_ok` takes a bare LF for the end of a line, and leaves out other bare line ends and NUL.
        """
        too_long = False
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > LINE_LIMIT:
                too_long = True
                self._buffer.clear()
            if not await self.fill():
                return None
        line = bytes(self._buffer[: end + 1])
        del self._buffer[: end + 1]
        if too_long or len(line) > LINE_LIMIT:
            return Bad.TOO_LONG
        text = line.removesuffix(b"\r\n")
        if not (b"\r" in text or b"\n" in text or b"\0" in text):
            return text
        return text.replace(b"\r", b"").replace(b"\n", b"").replace(b"\0", b"") if bare_ok else Bad.BARE_LINE_END

    async def data(self, take: Callable[[bytes], None]) -> bool:
        """Hand the content to `take` in pieces, up to the dot that ends it; False when the stream ended first.

        Only CRLF.CRLF ends it (RFC 5321 section 4.1.1.4); the CRLF of the DATA command counts as the first.
        Dots that the client doubled are still in the pieces.
        """
        window, skip = b"\r\n" + bytes(self._buffer), 2
        self._buffer.clear()
        while (end := window.find(END_OF_DATA)) < 0:
            # The last four octets may be the beginning of the end.
            cut = max(0, len(window) - len(END_OF_DATA) + 1)
            if cut > skip:
                take(window[skip:cut])
            window, skip = window[cut:], max(0, skip - cut)
            chunk = await self._reader.read(CHUNK)
            if not chunk:
                return False
            self.received += len(chunk)
            window += chunk
        take(window[skip : end + 2])
        self._buffer += window[end + len(END_OF_DATA) :]
        return True
