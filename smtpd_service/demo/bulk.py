"""Letters in any number: the demonstration's replies, each one of a kind, filled to a size where one is asked for.

No two letters of any two runs have the same octets: mail that comes again would be recognised, and stored once. The
same seed gives letters of the same sizes; only the run's name in them differs, which is as long in each.
"""

import random
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from smtpd_service.demo.people import staff
from smtpd_service.demo.replies import Sent, reply
from smtpd_service.planning.letter import Letter

# As many different texts; who wrote them and their Message-ID make each letter one of a kind.
TEXTS = 300
_MESSAGE_ID = re.compile(rb"(?im)^(Message-ID:\s*<)([^>]*)>")
_FIELD = re.compile(rb"(?im)^content-[^:]+:.*\r\n(?:[ \t].*\r\n)*")
_BOUNDARY = b"=_simulated_file"
_LINE = b"Figures of the week, from the sheet that the office keeps; see the second column.\r\n"
_SERIAL = "{run}.{number:07}"


@dataclass(frozen=True)
class _Text:
    """A reply with a NUL wherever its serial goes."""

    sender: str
    octets: bytes
    client: str

    @cached_property
    def size(self) -> int:
        return len(self.write(_SERIAL.format(run="0" * 8, number=0)))

    def write(self, serial: str) -> bytes:
        return self.octets.replace(b"\0", serial.encode())

    @cached_property
    def filled(self) -> tuple[bytes, bytes]:
        """Return the same as the first part of a multipart, a file after it: what stands before and after the file."""
        head, _, body = self.octets.partition(b"\r\n\r\n")
        head += b"\r\n"
        content = b"".join(_FIELD.findall(head))
        rest = _FIELD.sub(b"", head)
        if b"mime-version:" not in rest.lower():
            rest += b"MIME-Version: 1.0\r\n"
        rest += b'Content-Type: multipart/mixed; boundary="%b"\r\n' % _BOUNDARY
        first = b"%b\r\n--%b\r\n%b\r\n%b" % (rest, _BOUNDARY, content, body)
        file = b'Content-Type: text/plain; name="week.txt"\r\nContent-Disposition: attachment; filename="week.txt"\r\n'
        return b"%b\r\n--%b\r\n%b\r\n" % (first, _BOUNDARY, file), b"\r\n--%b--\r\n" % _BOUNDARY

    @cached_property
    def least_filled(self) -> int:
        before, after = self.filled
        marks = before.count(b"\0")
        return len(before) + marks * (len(_SERIAL.format(run="0" * 8, number=0)) - 1) + len(after) + len(_LINE)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which text a letter is made from, and how many octets it has in the end."""

    text: int
    size: int


class Bulk:
    """Writes letters to one mailbox; `run` is a name of eight characters."""

    def __init__(self, to: str, seed: int, run: str, at: datetime) -> None:
        self._run = run
        rng = random.Random(seed)  # noqa: S311  # variety that can be repeated, not a secret
        week = at.isocalendar().week
        made = [_text(reply(person, to, week, rng, at)) for person in staff(TEXTS, seed)]
        self._texts = sorted(made, key=lambda text: text.size)
        self._rng = rng

    def choose(self, wanted: Sequence[int] | int) -> list[Chosen]:
        """Return what to write for so many letters of the texts' own sizes, or for letters of these sizes.

        A size that is smaller than the smallest text cannot be had; one that leaves too little for a file is rounded
        down to the text.
        """
        if isinstance(wanted, int):
            some = self._rng.choices(range(len(self._texts)), k=wanted)
            return [Chosen(text, self._texts[text].size) for text in some]
        own = [text.size for text in self._texts]
        return [self._fitting(own, size) for size in wanted]

    def _fitting(self, own: Sequence[int], size: int) -> Chosen:
        high = bisect_right(own, size)
        low = bisect_right(own, size // 3)
        number = self._rng.randrange(low, high) if high > low else max(0, high - 1)
        text = self._texts[number]
        return Chosen(number, size if size >= text.least_filled else text.size)

    def write(self, chosen: Chosen, number: int) -> Letter:
        text, serial = self._texts[chosen.text], _SERIAL.format(run=self._run, number=number)
        sender = text.sender.replace("\0", serial)
        if chosen.size == text.size:
            octets = text.write(serial)
        else:
            before, after = (each.replace(b"\0", serial.encode()) for each in text.filled)
            octets = before + _file(chosen.size - len(before) - len(after)) + after
        found = _MESSAGE_ID.search(octets)
        assert found is not None  # noqa: S101  # each text was cut at its own
        return Letter(found[2].decode(), sender, octets)


def _file(octets: int) -> bytes:
    lines, rest = divmod(octets, len(_LINE))
    # What is left over lengthens the last line, which stays far under 998 octets.
    return _LINE * (lines - 1) + b"x" * rest + _LINE


def _text(sent: Sent) -> _Text:
    local, _, domain = sent.sender.partition("@")
    whole = f"{local}.\0@{domain}"
    octets = sent.octets.replace(sent.sender.encode(), whole.encode())
    return _Text(whole, _MESSAGE_ID.sub(rb"\g<1>\0.\g<2>>", octets, count=1), sent.client)
