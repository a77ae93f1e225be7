"""Octets of one connection in, command lines and pieces of DATA out; knows no socket and waits for nothing.

The library's own reader keeps fragments until a CRLF comes: 300 MB without one grew the process by as
much (measured). Here a line that is too long is dropped while it comes, and content is handed on at once; what is
held is what nobody has asked for yet.
"""

from collections.abc import Callable
from enum import Enum

# RFC 3461 section 5.1 adds 28 + 500 octets to RCPT, RFC 1870 and 6531 36 to MAIL: all fit in this.
LINE_LIMIT = 2_048
END_OF_DATA = b"\r\n.\r\n"
# What a piece of content may end with, and the end of DATA go on from: longest first.
_BEGINNINGS = tuple(END_OF_DATA[:octets] for octets in range(len(END_OF_DATA) - 1, 0, -1))


class Bad(Enum):
    """A command line that cannot be used."""

    TOO_LONG = "too long"
    BARE_LINE_END = "bare line end"


class Wire:
    """Parts commands and content; `received` counts all octets that came."""

    __slots__ = ("_at", "_began", "_octets", "_too_long", "received")

    def __init__(self) -> None:
        # What has come, and how far it has been read.
        self._octets = b""
        self._at = 0
        # Whether the line under way has lost its beginning.
        self._too_long = False
        # What the content under way has held back, and how much of that is no part of it; None between two messages.
        self._began: tuple[bytes, int] | None = None
        self.received = 0

    @property
    def held(self) -> int:
        """Return how many octets wait to be read."""
        return len(self._octets) - self._at

    def feed(self, octets: bytes) -> None:
        self.received += len(octets)
        self._octets = self._octets[self._at :] + octets if self._at < len(self._octets) else octets
        self._at = 0

    def _go_to(self, place: int) -> None:
        # A connection that rests must not hold what it has read.
        self._octets, self._at = (self._octets, place) if place < len(self._octets) else (b"", 0)

    def line(self, *, bare_ok: bool) -> bytes | Bad | None:
        """Return one command without its CRLF; what is wrong with it; or None where none has come whole.

        `bare_ok` takes a bare LF for the end of a line, and leaves out other bare line ends and NUL.
        """
        begin, end = self._at, self._octets.find(b"\n", self._at) + 1
        if not end:
            if self.held > LINE_LIMIT:
                self._octets, self._at, self._too_long = b"", 0, True
            return None
        octets = self._octets
        self._go_to(end)
        if self._too_long or end - begin > LINE_LIMIT:
            self._too_long = False
            return Bad.TOO_LONG
        text = octets[begin:end].removesuffix(b"\r\n")
        if not (b"\r" in text or b"\n" in text or b"\0" in text):
            return text
        return text.replace(b"\r", b"").replace(b"\n", b"").replace(b"\0", b"") if bare_ok else Bad.BARE_LINE_END

    def data(self, take: Callable[[bytes], None]) -> bool:
        """Hand what has come of the content to `take`; True once the dot that ends it has come.

        Only CRLF.CRLF ends it (RFC 5321 section 4.1.1.4); the CRLF of the DATA command counts as the first.
        Dots that the client doubled are still in the pieces.
        """
        before, skip = (b"\r\n", 2) if self._began is None else self._began
        # Two copies at most, and as a rule only of what came together with the command: nothing is held back.
        window = self._octets[self._at :] if self._at else self._octets
        window = before + window if before else window
        end = window.find(END_OF_DATA)
        if end >= 0:
            self._octets, self._began = window, None
            self._go_to(end + len(END_OF_DATA))
            take(window[skip : end + 2])
            return True
        self._octets, self._at = b"", 0
        kept = next((each for each in _BEGINNINGS if window.endswith(each)), b"")
        piece = window[skip : len(window) - len(kept)]
        # A client may send less than what is no part of the content anyway.
        self._began = kept, max(0, skip - (len(window) - len(kept)))
        if piece:
            take(piece)
        return False
