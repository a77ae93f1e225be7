"""What came until now, as far as a plan needs it: sizes from a sample, people, and how many of them answered."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from storage.engine import Tx
from storage.records import MailboxId
from storage.schema import delivery, person, round_, submission

# So many of the newest deliveries tell the sizes, and so many of the last rounds the turnout.
SAMPLE, ROUNDS = 10_000, 8


@dataclass(frozen=True, slots=True)
class Turnout:
    """A round that is over and how many different people of the roster answered it."""

    round: str
    answered: int


def sizes(tx: Tx, box: MailboxId, limit: int = SAMPLE) -> list[int]:
    """Return the sizes of the newest deliveries to a mailbox, purged ones too: they came all the same."""
    newest = select(delivery.c.octets).where(delivery.c.mailbox == box).order_by(delivery.c.message.desc())
    return [row.octets for row in tx.execute(newest.limit(limit))]


def people(tx: Tx) -> int:
    """Return how many people are on the roster."""
    return int(tx.execute(select(func.count()).select_from(person)).scalar_one())


def turnouts(tx: Tx, campaign: str, now: datetime, limit: int = ROUNDS) -> list[Turnout]:
    """Return the last rounds of a campaign whose deadline has passed, newest first, with who answered each."""
    over = (
        select(round_.c.id, round_.c.name)
        .where(round_.c.campaign == campaign, round_.c.deadline < now)
        .order_by(round_.c.deadline.desc())
        .limit(limit)
    )
    return [Turnout(row.name, _answered(tx, row.id)) for row in tx.execute(over).all()]


def _answered(tx: Tx, id_: str) -> int:
    of = (submission.c.round == id_, submission.c.person.is_not(None))
    return int(tx.execute(select(func.count(submission.c.person.distinct())).where(*of)).scalar_one())
