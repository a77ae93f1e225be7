"""The shapes of what was read from mail, and of what of it is kept for reviewers: frozen, standard library only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from storage.records import MessageId, MessageState


class QuarantineState(StrEnum):
    HELD = "held"
    RELEASED = "released"
    PURGED = "purged"


class NewBullet(NamedTuple):
    """An item, its values in the order of the table's columns. A tuple, not a dataclass: a reply has five of them."""

    position: int
    level: int
    kind: str
    marker: str
    text: str | None
    start: int
    end: int
    part: int
    portion_mark: str | None
    confidence: float
    quarantined: bool


@dataclass(frozen=True, slots=True)
class Withheld:
    """A text that only reviewers may see.

    `place` is `bullet` (then `position` is the item's), `leftover` or `subject`; `rule` says why, in words of
    ours; `mark` is the portion mark that was taken off a bullet's text; `first_by` has released it once.
    """

    id: str
    place: str
    position: int | None
    rule: str
    mark: str | None
    text: str
    held_at: datetime
    first_by: str | None = None
    first_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A row of the quarantine: `text` is None once it was released or purged; `first_by` has released it once."""

    id: str
    message: MessageId
    submission: str
    place: str
    position: int | None
    rule: str
    mark: str | None
    text: str | None
    state: QuarantineState
    held_at: datetime
    first_by: str | None
    first_at: datetime | None
    settled_by: str | None
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Condemned:
    """What a purge of one message destroys: its octets (of this size), texts in quarantine, copies in notices."""

    message: MessageId
    state: MessageState
    octets: int
    ids: tuple[str, ...]
    notices: int


@dataclass(frozen=True, slots=True)
class NewSubmission:
    """What a message says for one round; `sender` is the From address, lower-cased.

    `repeats` is a submission that says exactly the same, `near_repeats` one that says nearly the same, by
    `similarity` from 0 to 1. A bullet whose text is in `withheld` has none of its own.
    """

    id: str
    message: MessageId
    sender: str
    person: str | None
    round: str | None
    status: str
    flags: tuple[str, ...]
    received_at: datetime
    late: bool
    repeats: str | None
    leftover: str
    fingerprint: str | None
    trace: tuple[Mapping[str, object], ...]
    defects: tuple[str, ...]
    parser: str
    bullets: tuple[NewBullet, ...]
    near_repeats: str | None = None
    similarity: float | None = None
    withheld: tuple[Withheld, ...] = ()


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an author said before: a submission's id, its message and round, and its items' texts in any order."""

    id: str
    message: str
    round: str | None
    texts: tuple[str, ...]
