"""The hash of a body in the two forms that DKIM knows (RFC 6376 section 3.4), in linear time and in small steps.

dkimpy splits the whole message into lines and runs its expressions over all of it: 25 MB of empty lines take a
gigabyte, and no other thread gets a turn meanwhile. Here a message of any size costs one pass.
"""

import hashlib
import re
from collections.abc import Iterator

STEP = 65_536
_NO_SPACE = re.compile(rb"[^ \t\r\n]")
_SPACES = re.compile(rb"[ \t]+")


class Body:
    """The octets of a message from `begin` on; hashes are made when they are asked for, once."""

    __slots__ = ("_begin", "_hashes", "_octets")

    def __init__(self, octets: bytes, begin: int) -> None:
        self._octets = octets
        self._begin = min(begin, len(octets))
        self._hashes: dict[bytes, bytes] = {}

    def sha256(self, form: bytes) -> bytes:
        """Return the hash of the `simple` or the `relaxed` form."""
        if form not in self._hashes:
            taken = hashlib.sha256()
            for piece in self._relaxed() if form == b"relaxed" else self._simple():
                taken.update(piece)
            self._hashes[form] = taken.digest()
        return self._hashes[form]

    def _end(self, blank: bytes) -> int:
        """Return where the body ends without the `blank` octets at its end."""
        return max(self._begin, len(self._octets.rstrip(blank)))

    def _simple(self) -> Iterator[bytes]:
        end = self._end(b"\r\n")
        for start in range(self._begin, end, STEP):
            yield self._octets[start : min(start + STEP, end)]
        yield b"\r\n"

    def _relaxed(self) -> Iterator[bytes]:
        end, start = self._end(b" \t\r\n"), self._begin
        if start == end:
            return
        while start < end:
            # No run of spaces may be cut in two.
            cut = _NO_SPACE.search(self._octets, min(start + STEP, end), end)
            stop = cut.start() if cut else end
            yield _SPACES.sub(b" ", self._octets[start:stop]).replace(b" \r\n", b"\r\n")
            start = stop
        yield b"\r\n"
