"""One reply to the weekly question, octet by octet as a mail program sends it.

Pure: the same person, week, time and state of `rng` give the same octets. Of a hundred replies
about three are out-of-office notes and three say only that the work is sensitive.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from smtpd_service.demo import absence, apple, outlook, plaintext, webmail
from smtpd_service.demo.letter import Letter, compose
from smtpd_service.demo.people import Person

ABSENT = 0.03

Write = Callable[[Letter, random.Random], bytes]

# Name, share in a hundred, and what writes it.
PROGRAMS: tuple[tuple[str, int, Write], ...] = (
    ("Outlook desktop", 34, outlook.desktop),
    ("Outlook on the web", 18, outlook.web),
    ("Gmail", 14, webmail.gmail),
    ("iPhone", 13, apple.phone),
    ("Apple Mail", 8, apple.mac),
    ("Thunderbird", 5, plaintext.thunderbird),
    ("Yahoo", 5, webmail.yahoo),
    ("mutt", 3, plaintext.mutt),
)
RESPONDERS: tuple[tuple[str, int, Write], ...] = (
    ("Exchange automatic reply", 80, absence.exchange),
    ("Gmail vacation responder", 20, absence.gmail),
)


@dataclass(frozen=True, slots=True)
class Sent:
    """A message on its way: envelope sender, the octets with CRLF, the program, what it says.

    `bullets` is what a perfect reader extracts, in order; empty for sensitive work and absence.
    """

    sender: str
    octets: bytes
    client: str
    bullets: tuple[str, ...]


def reply(person: Person, to: str, week: int, rng: random.Random, written_at: datetime) -> Sent:
    """Return the answer of `person` to the question that the mailbox `to` asked for `week`.

    `written_at` is any time zone's; the question came on the Saturday before it.
    Raises ValueError if `written_at` has none.
    """
    letter = compose(person, to, week, rng, written_at)
    absent = rng.random() < ABSENT
    programs = RESPONDERS if absent else PROGRAMS
    client, _, write = rng.choices(programs, [share for _, share, _ in programs])[0]
    meant = replace(letter, copied=False, bullets=()) if absent else letter
    return Sent(person.address, write(meant, rng), client, meant.bullets)
