"""Everything that can become of an offer. Each has its row in `replies`; a test demands it."""

from dataclasses import dataclass
from typing import Literal

from storage.records import MessageId, NoticeId


@dataclass(frozen=True, slots=True)
class Stored:
    """Committed and charged."""

    id: MessageId


@dataclass(frozen=True, slots=True)
class Repeated:
    """The same octets from the same reverse-path met their fate before: nothing new is owed."""

    subject: str


@dataclass(frozen=True, slots=True)
class Bounced:
    """Refused and recorded; the DSN is queued."""

    notice: NoticeId


@dataclass(frozen=True, slots=True)
class PartlyStored:
    """What fitted is committed; the sender tries again for the rest and the stored part is recognised."""

    id: MessageId


@dataclass(frozen=True, slots=True)
class MailboxFull:
    """One more message of this size would cross `limit`; `used` is in the same dimension."""

    dimension: Literal["octets", "messages"]
    limit: int
    used: int


@dataclass(frozen=True, slots=True)
class TooBigForMailbox:
    """Larger than the mailbox could ever take."""

    limit: int
    size: int


@dataclass(frozen=True, slots=True)
class RateExceeded:
    """The mailbox has had its `limit` of messages in the last hour, from all senders together."""

    limit: int


@dataclass(frozen=True, slots=True)
class SenderRateExceeded:
    """The mailbox has had its `limit` of messages from this sender in the last hour."""

    limit: int


@dataclass(frozen=True, slots=True)
class Frozen:
    """An operator has frozen the mailbox for a while."""


@dataclass(frozen=True, slots=True)
class NoSuchMailbox:
    pass


@dataclass(frozen=True, slots=True)
class TooBigForSystem:
    limit: int


@dataclass(frozen=True, slots=True)
class SystemFull:
    """Free space under the reserve, or too many octets in flight."""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Local trouble of any kind: the sender keeps the mail."""


@dataclass(frozen=True, slots=True)
class TooManyRecipients:
    pass


@dataclass(frozen=True, slots=True)
class TooManyHops:
    pass


@dataclass(frozen=True, slots=True)
class BareLineEnd:
    """Bare CR, bare LF or NUL in the content, where the policy is to reject."""


Full = MailboxFull | TooBigForMailbox | RateExceeded | SenderRateExceeded | Frozen
Outcome = (
    Stored
    | Repeated
    | Bounced
    | PartlyStored
    | Full
    | NoSuchMailbox
    | TooBigForSystem
    | SystemFull
    | Unavailable
    | TooManyRecipients
    | TooManyHops
    | BareLineEnd
)
