"""From a reading to the rows that are stored of it: what may be seen, and apart from it what may not.

Nothing of a text in quarantine is in any other field: neither in the leftover nor in a fingerprint.
"""

from parsers.model import Bullet, Reading
from smtpd_service.domain.address import mailbox_key
from smtpd_service.domain.round import is_late
from smtpd_service.identity import new_id, now
from storage.readings import NewBullet, NewSubmission, Withheld
from storage.records import PendingMessage, Round

# RFC 5321 section 4.5.3.1.3, without the angle brackets. Beyond it a sender is no address that mail could
# come from, and beyond 2,704 octets none that PostgreSQL can index.
ADDRESS_LIMIT = 254


def submission(message: PendingMessage, reading: Reading, round_: Round | None) -> NewSubmission:
    """Return what the message says for one round, by whom it is not known yet."""
    rules = rules_of(reading)
    return NewSubmission(
        id=new_id(),
        message=message.id,
        sender=sender_of(message, reading),
        person=None,
        round=round_.id if round_ else None,
        status=reading.status,
        flags=reading.flags if message.proved else (*reading.flags, "unproved"),
        received_at=message.received_at,
        late=round_ is not None and is_late(round_, message.received_at),
        repeats=None,
        leftover="" if reading.quarantine else storable(reading.leftover),
        fingerprint=None if rules else reading.fingerprint,
        trace=tuple(each._asdict() for each in reading.trace),
        defects=reading.defects,
        parser=reading.version,
        bullets=tuple([_bullet(bullet, hidden=_rule(reading, bullet) is not None) for bullet in reading.bullets]),
        withheld=_withheld(reading) if rules else (),
    )


def _bullet(bullet: Bullet, *, hidden: bool) -> NewBullet:
    return NewBullet(
        position=bullet.position,
        level=bullet.level,
        kind=bullet.kind,
        marker=storable(bullet.marker),
        text=None if hidden else storable(bullet.text),
        start=bullet.start,
        end=bullet.end,
        part=bullet.part,
        # A mark may name a compartment whose name is itself secret.
        portion_mark=None if hidden else bullet.portion_mark,
        confidence=bullet.confidence,
        quarantined=hidden,
    )


def _withheld(reading: Reading) -> tuple[Withheld, ...]:
    """Return a row for each text that only reviewers may see."""
    at = now()
    rows = [
        Withheld(new_id(), "bullet", bullet.position, rule, bullet.portion_mark, storable(bullet.text), at)
        for bullet in reading.bullets
        if (rule := _rule(reading, bullet)) is not None
    ]
    if reading.quarantine:
        around = (("leftover", reading.leftover), ("subject", reading.subject))
        rule = reading.quarantine[0]
        rows += [Withheld(new_id(), place, None, rule, None, storable(text), at) for place, text in around if text]
    return tuple(rows)


def _rule(reading: Reading, bullet: Bullet) -> str | None:
    return bullet.quarantine or next(iter(reading.quarantine), None)


def rules_of(reading: Reading) -> tuple[str, ...]:
    """Return the rules by which something of a reading is kept back, each once."""
    rules = [*reading.quarantine, *(bullet.quarantine for bullet in reading.bullets if bullet.quarantine)]
    return tuple(dict.fromkeys(rules))


def sender_of(message: PendingMessage, reading: Reading) -> str:
    """Return who said it, in key form: the From address, or the reverse-path where that cannot be one."""
    written = reading.sender if reading.sender and len(reading.sender) <= ADDRESS_LIMIT else message.mail_from
    return mailbox_key(storable(written))


def storable(text: str) -> str:
    """Return text that both databases take: PostgreSQL has no NUL and no lone surrogates in text."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
