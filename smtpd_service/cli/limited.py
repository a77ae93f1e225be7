"""Mails read under limits, whatever is in them: no file may take the machine down, none may stop the others.

They are read where the service reads its mail: in a child that the kernel limits in memory and that is killed when its
time is over, since no signal stops the C code of a library. What crosses a limit is a reading that says so.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from parsers.model import Explained, Reading, Status
from smtpd_service.cli.complaint import Complaint
from smtpd_service.parsing import Child, NoChildError, ParsingError, Request

# Of address space, in octets, as [reader] memory.
MEMORY = 512_000_000
# A reading of the longest mail takes one on a slow machine.
SECONDS = 10.0
OCTETS = 100_000_000
STANDARD_INPUT = Path("-")
# What is sent ahead to the child: it shall not wait for us, nor all of a folder be in memory.
MAILS_AHEAD, OCTETS_AHEAD = 100, 8_000_000

Name = TypeVar("Name")


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


def explained(
    mails: Iterable[tuple[Name, bytes | None]], request: Callable[[bytes], Request]
) -> Iterator[tuple[Name, Explained]]:
    """Yield what each mail says; UNREADABLE, and why, for one without octets or that cannot be read in the limits."""
    child = Child(deadline=SECONDS, memory=MEMORY, quiet=True)
    try:
        for some in _ahead(mails):
            with closing(child.explanations([request(each) for _, each in some if each is not None])) as answers:
                for name, octets in some:
                    found = next(answers) if octets is not None else ParsingError(f"over {OCTETS:,} octets")
                    yield name, _unreadable(str(found)) if isinstance(found, ParsingError) else found
    except NoChildError as error:
        raise Complaint(str(error)) from error
    finally:
        child.close()


def _ahead(mails: Iterable[tuple[Name, bytes | None]]) -> Iterator[list[tuple[Name, bytes | None]]]:
    """Yield mails in batches, as many as may be sent ahead."""
    some: list[tuple[Name, bytes | None]] = []
    held = 0
    for name, octets in mails:
        some.append((name, octets))
        held += len(octets or b"")
        if len(some) >= MAILS_AHEAD or held >= OCTETS_AHEAD:
            yield some
            some, held = [], 0
    if some:
        yield some


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
