"""What one person means to say to the weekly question, before a mail program has dressed it."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from smtpd_service.demo.duties import accomplishments
from smtpd_service.demo.people import AGENCIES, Person

EASTERN = ZoneInfo("America/New_York")

SUBJECT = "What did you do last week?"
REQUEST = (
    "Please reply to this email with about 5 bullets of what you accomplished last week and cc your manager.",
    "Please do not send any classified information, links, or attachments.",
    "Deadline is this Monday at 11:59 PM ET.",
)
SENSITIVE = "All of my activities are sensitive."

BULLET_COUNTS = {3: 2, 4: 3, 5: 14, 6: 3, 7: 2}
MARKERS = {"•": 36, "-": 30, "1.": 15, "*": 11, "1)": 8}
GREETINGS = (
    "",
    "",
    "Good morning,",
    "Good afternoon,",
    "Hello,",
    "Hi,",
    "HR Team,",
    "To whom it may concern,",
)
LEADS = (
    "",
    "",
    "Last week I:",
    "Here are my five bullets for last week:",
    "Please see my accomplishments below.",
    "My accomplishments for the week of {monday}:",
    "Per your request, my activities for week {week} are as follows:",
)
SIGN_OFFS = (
    "",
    "Thanks,",
    "Thank you,",
    "V/R,",
    "Respectfully,",
    "Best regards,",
    "Regards,",
    "Have a good week,",
)


@dataclass(frozen=True, slots=True)
class Letter:
    """A reply as its writer thinks of it.

    `marker` is one of MARKERS; `opening` is paragraphs, `sign_off` and `signature` are lines;
    `bullets` is empty when the work is sensitive, which `opening` then says. Both times are Eastern.
    """

    writer: Person
    asker: str
    asked_at: datetime
    request_id: str
    written_at: datetime
    subject: str
    copied: bool
    opening: tuple[str, ...]
    bullets: tuple[str, ...]
    marker: str
    sign_off: tuple[str, ...]
    signature: tuple[str, ...]


def compose(person: Person, to: str, week: int, rng: random.Random, written_at: datetime) -> Letter:
    """Return what `person` answers; three in a hundred say only that their work is sensitive."""
    asked_at = asked_before(written_at)
    sensitive = rng.random() < 0.03
    opening = _opening(week, asked_at, rng)
    return Letter(
        writer=person,
        asker=to,
        asked_at=asked_at,
        request_id=f"<request.{week}.{asked_at:%Y%m%d}@{to.rpartition('@')[2]}>",
        written_at=written_at.astimezone(EASTERN),
        subject=f"{SUBJECT} - {person.name}" if rng.random() < 0.06 else SUBJECT,
        copied=rng.random() < 0.92,
        opening=(*opening[:-1], SENSITIVE) if sensitive else opening,
        bullets=() if sensitive else _bullets(person, rng),
        marker=rng.choices(tuple(MARKERS), tuple(MARKERS.values()))[0],
        sign_off=_sign_off(person, rng),
        signature=_signature(person, rng),
    )


def asked_before(written_at: datetime) -> datetime:
    """Return when the question came that is answered at `written_at`: Saturday, 4:46 PM Eastern.

    Raises ValueError if `written_at` has no time zone.
    """
    if written_at.tzinfo is None:
        raise ValueError("written_at needs a time zone")
    local = written_at.astimezone(EASTERN)
    saturday = local - timedelta(days=(local.weekday() - 5) % 7)
    asked = saturday.replace(hour=16, minute=46, second=12, microsecond=0)
    return asked if asked < local else asked - timedelta(days=7)


def marked(marker: str, position: int) -> str:
    """Return the marker of the item at `position`, counted from 1: `1)` becomes `3)`."""
    return marker.replace("1", str(position))


def _bullets(person: Person, rng: random.Random) -> tuple[str, ...]:
    [count] = rng.choices(tuple(BULLET_COUNTS), tuple(BULLET_COUNTS.values()))
    stop = "." if rng.random() < 0.4 else ""
    return tuple(said + stop for said in accomplishments(person.agency, count, rng))


def _opening(week: int, asked_at: datetime, rng: random.Random) -> tuple[str, str]:
    monday = asked_at - timedelta(days=asked_at.weekday())
    lead = rng.choice(LEADS).format(monday=f"{monday:%B} {monday.day}", week=week)
    return rng.choice(GREETINGS), lead


def _sign_off(person: Person, rng: random.Random) -> tuple[str, ...]:
    words = rng.choice(SIGN_OFFS)
    return (words, person.name.split()[0]) if words else ()


def _signature(person: Person, rng: random.Random) -> tuple[str, ...]:
    if rng.random() < 0.3:
        return ()
    return (person.name, person.title, AGENCIES[person.agency][0], person.phone)
