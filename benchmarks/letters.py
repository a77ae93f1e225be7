"""The mail that is sent: plain replies of about 2 kB with five bullets, each from a sender of its own.

Written by the demonstration's generator as Thunderbird, mutt and an iPhone write them. Two messages never have
the same octets: Pulsebox recognises mail that is sent again and would store it once.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count, cycle, islice

from smtpd_service.demo.people import Person, staff
from smtpd_service.demo.replies import Sent, reply

MAILBOX = "hr@agency.test"
SEED = 2025
PLAIN = frozenset({"Thunderbird", "mutt", "iPhone"})
SMALLEST, LARGEST = 1_700, 2_300
# As many different texts; sender and Message-ID make each message one of a kind.
TEXTS = 200
_MESSAGE_ID = re.compile(rb"(?im)^(Message-ID: <)([^>]*)>")


@dataclass(frozen=True, slots=True)
class Letter:
    """One message: the reverse-path, and DATA as it goes over the wire, its dots doubled and its end included."""

    sender: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class Text:
    """A reply cut where its sender's name goes (`{}` in `sender`) and where its Message-ID begins."""

    sender: bytes
    pieces: tuple[bytes, ...]

    def letter(self, serial: bytes) -> Letter:
        return Letter(self.sender.replace(b"{}", serial), serial.join(self.pieces))


def replies(seed: int, wanted: frozenset[str] | None = None) -> Iterator[Sent]:
    """Yield replies without end, the same for the same seed; of `wanted` programs alone where they are named."""
    rng = random.Random(seed)
    people: Sequence[Person] = staff(500, seed)
    at = datetime.now(UTC)
    for person in cycle(people):
        sent = reply(person, MAILBOX, at.isocalendar().week, rng, at)
        if wanted is None or sent.client in wanted:
            yield sent


def texts(seed: int = SEED) -> list[Text]:
    """Return the texts that messages are made of, each with exactly five bullets."""
    fitting = (
        sent for sent in replies(seed, PLAIN) if len(sent.bullets) == 5 and SMALLEST <= len(sent.octets) <= LARGEST
    )
    return [_cut(sent) for sent in islice(fitting, TEXTS)]


def _cut(sent: Sent) -> Text:
    local, _, domain = sent.sender.encode().partition(b"@")
    whole = b"%b.\0@%b" % (local, domain)
    octets = sent.octets.replace(sent.sender.encode(), whole)
    octets = _MESSAGE_ID.sub(rb"\g<1>\0.\g<2>>", octets, count=1)
    stuffed = octets.replace(b"\r\n.", b"\r\n..")
    return Text(whole.replace(b"\0", b"{}"), tuple((stuffed.removesuffix(b"\r\n") + b"\r\n.\r\n").split(b"\0")))


def letters(seed: int) -> Iterator[Letter]:
    """Yield messages without end; different seeds never give the same message."""
    made = texts()
    for number in count():
        yield made[number % len(made)].letter(b"%d.%d" % (seed, number))
