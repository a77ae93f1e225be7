"""The shapes that cross between storage and the rest: frozen, standard library only.

Ids are UUIDv7 as dashed text, times are aware UTC, sizes are octets.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple, NewType

MailboxId = NewType("MailboxId", str)
MessageId = NewType("MessageId", str)
RefusalId = NewType("RefusalId", str)
NoticeId = NewType("NoticeId", str)


class WhenFull(StrEnum):
    """What becomes of mail for a mailbox that is full."""

    BOUNCE = "bounce"
    REJECT = "reject"
    DEFER = "defer"


class MessageState(StrEnum):
    PENDING = "pending"
    READ = "read"
    PARKED = "parked"


class NoticeState(StrEnum):
    DUE = "due"
    SENT = "sent"
    GIVEN_UP = "given_up"
    DROPPED = "dropped"


class NoticeKind(StrEnum):
    """What a notice is: a failed DSN, a warning to the operator, a delivered DSN, a receipt for a reply."""

    BOUNCE = "bounce"
    WARNING = "warning"
    DELIVERED = "delivered"
    RECEIPT = "receipt"


class Fate(StrEnum):
    """How a message ended for one mailbox; a re-sent message meets the same fate again."""

    STORED = "stored"
    BOUNCED = "bounced"


@dataclass(frozen=True, slots=True)
class Quota:
    """Limits of a mailbox; None means no limit.

    `grace` is by how many octets the last message may pass `octets`. `rate_messages` and `rate_sender` are messages
    an hour, in all and from one sender.
    """

    octets: int
    messages: int | None = None
    grace: int = 0
    rate_messages: int | None = None
    rate_sender: int | None = None

    @property
    def has_rate(self) -> bool:
        return self.rate_messages is not None or self.rate_sender is not None


@dataclass(frozen=True, slots=True)
class Usage:
    messages: int
    octets: int


@dataclass(frozen=True, slots=True)
class Recent:
    """Messages stored for a mailbox in the last hour: in all, and from one sender."""

    of_all: int
    of_sender: int


@dataclass(frozen=True, slots=True)
class Sample:
    """What a mailbox held at a moment, and went on to hold until the next sample."""

    at: datetime
    octets: int
    messages: int


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox as it stood when it was read; `warned` is the highest threshold reported, in percent.

    `warn_at` are its own thresholds, None where the configured ones hold; `language` is that of its notices,
    None for the configured one.
    """

    id: MailboxId
    address: str
    quota: Quota
    used: Usage
    when_full: WhenFull
    frozen: bool
    warned: int
    campaign: str | None
    warn_at: tuple[int, ...] | None = None
    language: str | None = None

    def holding(self, used: Usage) -> "Mailbox":
        """Return the same with other counters; `dataclasses.replace` costs five times as much (measured)."""
        return Mailbox(
            self.id, self.address, self.quota, used, self.when_full, self.frozen, self.warned, self.campaign,
            self.warn_at, self.language,
        )  # fmt: skip

    @property
    def exempt(self) -> bool:
        """Say whether it takes mail whatever it holds: a postmaster's does (RFC 5321 section 4.5.1)."""
        return self.address.startswith("postmaster@")

    @property
    def state(self) -> str:
        """Return `frozen`, `full` (not one more octet or message fits) or `accepting`."""
        if self.exempt:
            return "accepting"
        if self.frozen:
            return "frozen"
        full = self.used.octets >= self.quota.octets or (
            self.quota.messages is not None and self.used.messages >= self.quota.messages
        )
        return "full" if full else "accepting"


@dataclass(frozen=True, slots=True)
class Mark:
    """What became of a message for one mailbox before: `subject` is the message's or notice's id."""

    fate: Fate
    subject: str


class NewMessage(NamedTuple):
    """One message as received.

    `octets` is the size of DATA after dot-unstuffing, which is what is charged; `raw` holds exactly
    those octets in `encoding`; `digest` is their SHA-256.
    """

    id: MessageId
    received_at: datetime
    mail_from: str
    message_id: str | None
    digest: bytes
    octets: int
    encoding: str
    raw: bytes
    client: str
    helo: str
    proved: bool
    proved_by: str
    smtputf8: bool
    body: str
    ret: str | None
    envid: str | None
    trace: str
    authentication: str = ""
    returnable: bool = False


class NewDelivery(NamedTuple):
    message: MessageId
    mailbox: MailboxId
    recipient: str
    octets: int
    notify: str | None
    orcpt: str | None


@dataclass(frozen=True, slots=True)
class NewRefusal:
    """An attempt that was not stored; `octets` is None where no size was known at its `stage`."""

    id: RefusalId
    mailbox: MailboxId
    refused_at: datetime
    recipient: str
    mail_from: str
    client: str
    message_id: str | None
    octets: int | None
    stage: str
    outcome: str
    reply: str
    notice: NoticeId | None
    proved: bool | None = None


@dataclass(frozen=True, slots=True)
class NewNotice:
    """Mail that is owed: `facts` is what its text is made from, `returned` the octets it gives back."""

    id: NoticeId
    kind: NoticeKind
    recipient: str
    mailbox: MailboxId
    message: MessageId | None
    created_at: datetime
    facts: dict[str, Any]
    returned: bytes


@dataclass(frozen=True, slots=True)
class DueNotice:
    """A notice claimed for delivery; `octets` is set once it has been composed.

    `destination` is the recipient's domain in small letters.
    """

    id: NoticeId
    kind: NoticeKind
    recipient: str
    created_at: datetime
    attempts: int
    facts: dict[str, Any]
    returned: bytes
    octets: bytes | None
    destination: str = ""


@dataclass(frozen=True, slots=True)
class Outage:
    """A server that does not answer: since when, what it (or the network) said last, when it is looked at again."""

    hop: str
    since: datetime
    look_at: datetime
    failures: int
    reply: str


@dataclass(frozen=True, slots=True)
class PendingMessage:
    """A message claimed for reading, with the campaigns that it was sent to.

    `octets` is None where what is stored was damaged.
    """

    id: MessageId
    received_at: datetime
    mail_from: str
    octets: bytes | None
    attempts: int
    proved: bool
    campaigns: tuple[str, ...]
    returnable: bool = False


@dataclass(frozen=True, slots=True)
class Campaign:
    """A question asked again and again.

    `weekday` (0 Monday) and `time` (HH:MM:SS) are the deadline in `zone`; a round opens
    `open_days` before its deadline; `grace` is in seconds; `request` is the text of what is asked, or empty.
    """

    id: str
    name: str
    zone: str
    weekday: int
    time: str
    open_days: int
    grace: int
    request: str = ""


@dataclass(frozen=True, slots=True)
class Round:
    """One asking of a campaign: open from `opens` to `deadline`, late once `grace` seconds more are over."""

    id: str
    campaign: str
    name: str
    opens: datetime
    deadline: datetime
    grace: int


@dataclass(frozen=True, slots=True)
class Change:
    """What an operator changed: `before` and `after` hold the fields that differ."""

    number: int
    at: datetime
    who: str
    verb: str
    subject: str
    before: dict[str, Any]
    after: dict[str, Any]
    reason: str


@dataclass(frozen=True, slots=True)
class Node:
    """A running process: `generation` is the last change that it has seen."""

    id: str
    role: str
    host: str
    pid: int
    started_at: datetime
    generation: int
    version: str = ""
    state: str = "serving"


@dataclass(frozen=True, slots=True)
class NodeSeen:
    """A node as others know it: `ahead` is by how much its clock is before the database's."""

    node: Node
    seen_at: datetime
    silent: bool
    ahead: timedelta
