"""One mail read under limits, whatever is in it: no file may take the machine down, none may stop the others.

The service reads in a child that it can kill. Here the mail is somebody's own file: the limits of the service hold
in this process, and what crosses them is a reading that says so.
"""

import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from parsers.model import Explained, Reading, Status

# Of address space beside what the program has at the start, in octets, as [reader] memory.
MEMORY = 512_000_000
# A reading of the longest mail takes one on a slow machine.
SECONDS = 10.0
OCTETS = 100_000_000
STANDARD_INPUT = Path("-")


class TooLong(BaseException):
    """The time of one mail is over. No Exception: the parser turns those into defects of the mail."""


def octets_of(file: Path) -> bytes | None:
    """Return what is in a file or comes by standard input, None past the limit. Raises OSError."""
    if file == STANDARD_INPUT:
        octets = sys.stdin.buffer.read(OCTETS + 1)
    else:
        with file.open("rb") as opened:
            if os.fstat(opened.fileno()).st_size > OCTETS:
                return None
            octets = opened.read(OCTETS + 1)
    return octets if len(octets) <= OCTETS else None


def explained(octets: bytes | None, explain: Callable[[bytes], Explained]) -> Explained:
    """Return what `explain` makes of the octets; UNREADABLE, and why, where it makes nothing within the limits."""
    if octets is None:
        return _unreadable(f"over {OCTETS:,} octets")
    try:
        with _deadline():
            return explain(octets)
    except TooLong:
        return _unreadable(f"not read within {SECONDS:g} s")
    except MemoryError:
        return _unreadable(f"needs over {MEMORY:,} octets of memory")
    except Exception as error:  # whatever one mail provokes must not stop the others
        return _unreadable(f"{type(error).__name__} in the parser")


@contextmanager
def memory_limited() -> Iterator[None]:
    """Hold the process to MEMORY octets more than it has; where that cannot be told, as it was."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:
        yield
        return
    limits = (pages * resource.getpagesize() + MEMORY, *(each for each in (soft, hard) if each >= 0))
    resource.setrlimit(resource.RLIMIT_AS, (min(limits), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@contextmanager
def _deadline() -> Iterator[None]:
    handler = signal.signal(signal.SIGALRM, _stop)
    left, interval = signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, left, interval)
        signal.signal(signal.SIGALRM, handler)


def _stop(*_: object) -> NoReturn:
    raise TooLong


def _unreadable(defect: str) -> Explained:
    reading = Reading(
        status=Status.UNREADABLE,
        flags=(),
        sender=None,
        subject="",
        bullets=(),
        leftover="",
        fingerprint=None,
        trace=(),
        defects=(defect,),
    )
    return Explained(reading, (), "", "")
