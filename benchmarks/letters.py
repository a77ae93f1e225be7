"""The mail that is sent: replies in four sizes, each message from a sender of its own.

Written by the demonstration's generator: plain replies with five bullets as Thunderbird, mutt and an iPhone write
them, Outlook's HTML made longer by what it quotes, and a plain reply with a picture. Two messages never have the
same octets: Pulsebox recognises mail that is sent again and would store it once.
"""

import base64
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import count, cycle, islice

from smtpd_service.demo.people import Person, staff
from smtpd_service.demo.replies import Sent, reply

DOMAIN = "agency.test"
MAILBOX = f"hr@{DOMAIN}"
SEED = 2025
PLAIN = frozenset({"Thunderbird", "mutt", "iPhone"})
WORD = frozenset({"Outlook desktop"})
SMALLEST, LARGEST = 1_700, 2_300
WORD_OCTETS, PICTURE_OCTETS = 45_000, 1_000_000
# As many different texts; sender and Message-ID make each message one of a kind.
TEXTS = 200
FEW = 20
_MESSAGE_ID = re.compile(rb"(?im)^(Message-ID: <)([^>]*)>")
_PARAGRAPH = re.compile(rb"<p class=3D\"?MsoNormal.*?</p>", re.DOTALL)

SHORT = b"""\
From: %b <%b>\r
To: HR <hr@agency.test>\r
Subject: Re: What did you do last week?\r
Date: Mon, 3 Mar 2025 09:00:00 -0500\r
Message-ID: <short@agency.example>\r
In-Reply-To: <request.10@agency.test>\r
MIME-Version: 1.0\r
Content-Type: text/plain; charset=utf-8\r
\r
%b\r
On Sat, 1 Mar 2025 HR wrote:\r
> Please reply to this email with about 5 bullets of what you accomplished\r
> last week and cc your manager.\r
> Please do not send any classified information, links, or attachments.\r
> Deadline is this Monday at 11:59 PM ET.\r
"""
PICTURE = b"""\
From: %b <%b>\r
To: HR <hr@agency.test>\r
Subject: Re: What did you do last week?\r
Date: Mon, 3 Mar 2025 09:00:00 -0500\r
Message-ID: <picture@agency.example>\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary="part"\r
\r
--part\r
Content-Type: text/plain; charset=utf-8\r
\r
%b\r
--part\r
Content-Type: image/png; name="week.png"\r
Content-Disposition: attachment; filename="week.png"\r
Content-Transfer-Encoding: base64\r
\r
%b--part--\r
"""


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


def plain(seed: int = SEED) -> Iterator[Sent]:
    """Yield plain replies of about 2 kB, each with exactly five bullets."""
    for sent in replies(seed, PLAIN):
        if len(sent.bullets) == 5 and SMALLEST <= len(sent.octets) <= LARGEST:
            yield sent


def _short() -> Iterator[tuple[str, bytes]]:
    for sent in plain():
        name = sent.sender.encode()
        listed = "".join(f"- {bullet}\r\n" for bullet in sent.bullets).encode()
        yield sent.sender, SHORT % (name.partition(b"@")[0], name, listed)


def _word() -> Iterator[tuple[str, bytes]]:
    for sent in replies(SEED, WORD):
        octets = lengthened(sent.octets)
        if abs(len(octets) - WORD_OCTETS) < WORD_OCTETS // 10:
            yield sent.sender, octets


def lengthened(octets: bytes) -> bytes:
    """Return a reply of Outlook, made longer by repeating a paragraph of what it quotes."""
    paragraphs = list(_PARAGRAPH.finditer(octets))
    if not paragraphs:
        return octets
    last = paragraphs[-1]
    more = max((WORD_OCTETS - len(octets)) // len(last[0]), 0)
    return octets[: last.end()] + last[0] * more + octets[last.end() :]


def _picture() -> Iterator[tuple[str, bytes]]:
    # What is drawn does not matter; that it cannot be compressed does.
    drawn = base64.encodebytes(random.Random(SEED).randbytes(PICTURE_OCTETS * 3 // 4)).replace(b"\n", b"\r\n")
    for sender, octets in _short():
        body = octets.partition(b"\r\n\r\n")[2]
        name = sender.encode()
        yield sender, PICTURE % (name.partition(b"@")[0], name, body, drawn)


# By size: what they are, and how many different texts are made of it.
SIZES: Mapping[str, tuple[Callable[[], Iterator[tuple[str, bytes]]], int]] = {
    "1 kB": (_short, TEXTS),
    "2 kB": (lambda: ((sent.sender, sent.octets) for sent in plain()), TEXTS),
    "45 kB": (_word, TEXTS),
    "1 MB": (_picture, FEW),
}
DESCRIBED: Mapping[str, str] = {
    "1 kB": "five bullets and the request below them",
    "2 kB": "plain replies of Thunderbird, mutt and an iPhone, 1.7 to 2.3 kB, five bullets and what they quote",
    "45 kB": "Outlook's replies in HTML and text",
    "1 MB": "five bullets and a picture",
}


@cache
def texts(size: str) -> Sequence[Text]:
    """Return the texts that messages of this size are made of."""
    made, different = SIZES[size]
    return [_cut(sender, octets) for sender, octets in islice(made(), different)]


def _cut(sender: str, octets: bytes) -> Text:
    local, _, domain = sender.encode().partition(b"@")
    whole = b"%b.\0@%b" % (local, domain)
    octets = octets.replace(sender.encode(), whole)
    octets = _MESSAGE_ID.sub(rb"\g<1>\0.\g<2>>", octets, count=1)
    stuffed = octets.replace(b"\r\n.", b"\r\n..")
    return Text(whole.replace(b"\0", b"{}"), tuple((stuffed.removesuffix(b"\r\n") + b"\r\n.\r\n").split(b"\0")))


def letters(seed: int, size: str = "2 kB") -> Iterator[Letter]:
    """Yield messages without end; different seeds never give the same message."""
    made = texts(size)
    for number in count():
        yield made[number % len(made)].letter(b"%d.%d" % (seed, number))


def mailboxes(several: int) -> Sequence[str]:
    """Return the addresses that mail is sent to: one, or as many as are asked for."""
    return [MAILBOX] if several == 1 else [f"box{number}@{DOMAIN}" for number in range(several)]
