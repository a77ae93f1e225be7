"""One message while it comes: octets under a cap and a common budget, large ones in a temporary file."""

import contextlib
import errno
import hashlib
import tempfile
from typing import IO, Literal, NamedTuple

from smtpd_service.domain.outcomes import BareLineEnd, Outcome, SystemFull, TooBigForSystem, Unavailable

# What is larger goes to a temporary file while it comes.
SPILL = 1_000_000


class Budget:
    """Octets of messages that one process may hold in memory at a time."""

    __slots__ = ("held", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0

    def take(self, octets: int) -> bool:
        if self.held + octets > self.limit:
            return False
        self.held += octets
        return True

    def give(self, octets: int) -> None:
        self.held -= octets


class Whole(NamedTuple):
    """A complete message: octets after dot-unstuffing, under the policy for line ends, and their SHA-256."""

    octets: bytes
    digest: bytes


class Content:
    """Collects the pieces of DATA; what comes after the cap or the budget is dropped, not kept.

    Use as a context manager, or let go of it: it gives back what it took of the budget. A disk that fails is an
    outcome like any other: an exception in the midst of DATA would leave the rest to be read as commands.
    """

    __slots__ = ("_budget", "_dotted", "_file", "_held", "_last", "_limit", "_octets", "octets", "wrong")

    def __init__(self, limit: int, budget: Budget) -> None:
        self._limit = limit
        self._budget = budget
        self._held = 0
        # A message that comes in one piece stays that piece; many pieces must not take more room than their octets.
        self._octets: bytes | bytearray = b""
        self._file: IO[bytes] | None = None
        # The end of what came; the line before the first has ended.
        self._last = b"\r\n"
        self._dotted = False
        self.octets = 0
        self.wrong: Outcome | None = None

    def __enter__(self) -> "Content":
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go()

    def take(self, piece: bytes) -> None:
        dots = self._doubled_dots(piece)
        self._dotted = self._dotted or dots > 0
        self.octets += len(piece) - dots
        if self.wrong is not None:
            return
        if self.octets > self._limit:
            self._drop(TooBigForSystem(self._limit))
        elif not self._hold(len(piece)):
            self._drop(SystemFull())
        else:
            self._keep(piece)

    def _doubled_dots(self, piece: bytes) -> int:
        """Count the dots of `piece` that are no part of the message's size (RFC 1870 section 5)."""
        # Those that lie across the border of two pieces; a line end has no dot, so that none is counted twice.
        dots = (self._last + piece[:2]).count(b"\r\n.") + piece.count(b"\r\n.")
        self._last = (self._last + piece)[-2:] if len(piece) < 2 else piece[-2:]  # CR and LF
        return dots

    def _keep(self, piece: bytes) -> None:
        if self._file is None and len(self._octets) + len(piece) <= SPILL:
            if not self._octets:
                self._octets = piece
            elif isinstance(self._octets, bytes):
                self._octets = bytearray(self._octets) + piece
            else:
                self._octets += piece
            return
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115  # closed in let_go
                self._file.write(self._octets)
                self._octets = b""
            self._file.write(piece)
        except OSError as error:
            self._drop(_disk_trouble(error))

    def _hold(self, octets: int) -> bool:
        """Take `octets` of the budget, as far as they lie in memory and not in the file."""
        wanted = min(octets, max(0, SPILL - self._held))
        if not self._budget.take(wanted):
            return False
        self._held += wanted
        return True

    def _drop(self, why: Outcome) -> None:
        self.wrong = why
        self.let_go()

    def let_go(self) -> None:
        """Forget what came, and give back the room."""
        self._octets = b""
        if self._file is not None:
            # What a full disk did not take is written once more on closing.
            with contextlib.suppress(OSError):
                self._file.close()
        self._budget.give(self._held)
        self._held = 0

    @property
    def is_large(self) -> bool:
        """Say whether finishing takes long enough to be done outside of the event loop."""
        return self.octets > SPILL

    def reserve_whole(self) -> bool:
        """Take the budget for a large message that now comes back into memory; False when there is no room."""
        wanted = max(0, self.octets - self._held)
        if not self._budget.take(wanted):
            return False
        self._held += wanted
        return True

    def finish(self, bare_line_ends: Literal["reject", "normalize"]) -> Whole | Outcome:
        """Return the message, or what is wrong with it.

        Each leading dot is taken away once (RFC 5321 section 4.5.2). Bare CR, bare LF and NUL are
        refused or made good before anything is hashed or parsed.
        """
        if self.wrong is not None:
            return self.wrong
        stuffed = bytes(self._octets)
        if self._file is not None:
            try:
                self._file.seek(0)
                stuffed = self._file.read()
            except OSError as error:
                return _disk_trouble(error)
        octets = stuffed.removeprefix(b".").replace(b"\r\n.", b"\r\n") if self._dotted else stuffed
        if has_bare_line_end(octets):
            if bare_line_ends == "reject":
                return BareLineEnd()
            octets = normalized(octets)
            if len(octets) > self._limit:
                return TooBigForSystem(self._limit)
        return Whole(octets, hashlib.sha256(octets).digest())


def _disk_trouble(error: OSError) -> Outcome:
    return SystemFull() if error.errno in {errno.ENOSPC, errno.EDQUOT} else Unavailable()


def normalized(octets: bytes) -> bytes:
    """Return `octets` with each line end as CRLF and without NUL.

    By replacing: re.sub took 2 GB for 24 MB of bare LF (measured).
    """
    one_kind = octets.replace(b"\0", b"").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return one_kind.replace(b"\n", b"\r\n")


def has_bare_line_end(octets: bytes) -> bool:
    """Say whether a CR or LF stands alone, or a NUL anywhere: by counting, which is linear."""
    pairs = octets.count(b"\r\n")
    return octets.count(b"\r") != pairs or octets.count(b"\n") != pairs or b"\0" in octets
