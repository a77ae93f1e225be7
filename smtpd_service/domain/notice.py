"""The notices that we write, as facts; what of the original returns with a bounce; how a delivery ended.

The facts of a notice are kept as JSON and the returned octets beside them, so that the same
notice can be written again, octet for octet, at any later time.
"""

from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal

from smtpd_service.domain.headers import header_block

RETURN_CAP = 50_000


@dataclass(frozen=True, slots=True)
class FailedRecipient:
    """One recipient that did not get the message.

    `address` is as given in RCPT; `original` is the raw ORCPT value (`type;xtext`) or None;
    `status` is an enhanced code of class 5; `diagnostic` is our own reply, with code and text;
    `quota_messages` is set where it is the number of messages that fills the mailbox.
    """

    address: str
    original: str | None
    status: str
    diagnostic: str
    used_octets: int
    quota_octets: int
    quota_messages: int | None = None


@dataclass(frozen=True, slots=True)
class Bounce:
    """One failed DSN.

    `recipient` is the reverse-path of the original, `envid` its ENVID as given (xtext), `ret`
    "FULL", "HDRS" or None; `arrived_at` is aware UTC. `returned` is the original's header block,
    ending before the blank line, or the entire message when `returned_whole`; `sender_host` is
    the client that handed the original in, or empty; `language` is the mailbox's, None for the
    configured one, and what the original's Content-Language names comes before both.
    """

    id: str
    recipient: str
    arrived_at: datetime
    envid: str | None
    ret: str | None
    failed: tuple[FailedRecipient, ...]
    returned: bytes
    returned_whole: bool
    smtputf8: bool
    sender_host: str
    language: str | None = None

    def facts(self) -> dict[str, Any]:
        """Return all but the returned octets, as JSON can hold it."""
        return _plain(self) | {
            "arrived_at": self.arrived_at.isoformat(),
            "failed": [asdict(recipient) for recipient in self.failed],
        }

    @staticmethod
    def from_facts(facts: dict[str, Any], returned: bytes) -> "Bounce":
        """Return the bounce that gave `facts()`, as they come back from JSON, with its octets."""
        typed = {
            "arrived_at": datetime.fromisoformat(facts["arrived_at"]),
            "failed": tuple(FailedRecipient(**recipient) for recipient in facts["failed"]),
            "returned": returned,
        }
        return Bounce(**(facts | typed))


@dataclass(frozen=True, slots=True)
class ReachedRecipient:
    """One recipient that the message was stored for; both as in `FailedRecipient`."""

    address: str
    original: str | None


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """One delivered DSN, for recipients that asked for it by NOTIFY=SUCCESS.

    As `Bounce`, but `returned` is the header block always: RET says nothing of it (RFC 3461 section 4.3).
    """

    id: str
    recipient: str
    arrived_at: datetime
    envid: str | None
    delivered: tuple[ReachedRecipient, ...]
    returned: bytes
    smtputf8: bool
    sender_host: str
    language: str | None = None

    def facts(self) -> dict[str, Any]:
        """Return all but the returned octets, as JSON can hold it."""
        return _plain(self) | {
            "arrived_at": self.arrived_at.isoformat(),
            "delivered": [asdict(recipient) for recipient in self.delivered],
        }

    @staticmethod
    def from_facts(facts: dict[str, Any], returned: bytes) -> "DeliveryReport":
        """Return the report that gave `facts()`, as they come back from JSON, with its octets."""
        typed = {
            "arrived_at": datetime.fromisoformat(facts["arrived_at"]),
            "delivered": tuple(ReachedRecipient(**recipient) for recipient in facts["delivered"]),
            "returned": returned,
        }
        return DeliveryReport(**(facts | typed))


@dataclass(frozen=True, slots=True)
class Receipt:
    """What we read of a reply, for whoever sent it (RFC 3834).

    `mailbox` is the address that it came to; `deadline` (aware UTC) is that of its round and None without one,
    `zone` the time zone's name that both times are told in. `items` are shortened texts, `more` counts those beyond
    them, `withheld` those that only reviewers may see: no text of theirs is here. A reply that they alone may see as a
    whole is `under_review`, and has no `subject`. `message_id` and `references` are the original's, with brackets.
    """

    id: str
    recipient: str
    mailbox: str
    received_at: datetime
    deadline: datetime | None
    late: bool
    zone: str
    subject: str
    message_id: str
    references: tuple[str, ...]
    items: tuple[str, ...]
    more: int
    withheld: int
    under_review: bool
    smtputf8: bool
    language: str | None = None

    def facts(self) -> dict[str, Any]:
        """Return the receipt as JSON can hold it."""
        deadline = self.deadline.isoformat() if self.deadline else None
        return _plain(self) | {"received_at": self.received_at.isoformat(), "deadline": deadline}

    @staticmethod
    def from_facts(facts: dict[str, Any]) -> "Receipt":
        """Return the receipt that gave `facts()`, as they come back from JSON."""
        typed = {
            "received_at": datetime.fromisoformat(facts["received_at"]),
            "deadline": datetime.fromisoformat(facts["deadline"]) if facts["deadline"] else None,
            "references": tuple(facts["references"]),
            "items": tuple(facts["items"]),
        }
        return Receipt(**(facts | typed))


@dataclass(frozen=True, slots=True)
class UsageWarning:
    """A mailbox crossed a threshold: `level` in percent, `rising` when it fills.

    `quota_messages` is None where messages are not limited; `at` is aware UTC.
    """

    id: str
    recipient: str
    mailbox: str
    level: int
    rising: bool
    used_octets: int
    quota_octets: int
    used_messages: int
    quota_messages: int | None
    at: datetime
    language: str | None = None

    def facts(self) -> dict[str, Any]:
        """Return the warning as JSON can hold it."""
        return asdict(self) | {"at": self.at.isoformat()}

    @staticmethod
    def from_facts(facts: dict[str, Any]) -> "UsageWarning":
        """Return the warning that gave `facts()`, as they come back from JSON."""
        return UsageWarning(**(facts | {"at": datetime.fromisoformat(facts["at"])}))


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Our side of the paper.

    `hostname` is the reporting MTA; `display_name` stands beside postmaster@<the mailbox's domain>
    in From; `zone` is what people read times in. `resend_when` and `resend_to` replace the helpful
    text's own words ("in a few hours", the same address) where the operator knows better; `templates`
    is the folder of the operator's own templates, or empty.
    """

    hostname: str
    display_name: str
    wording: Literal["incident", "helpful"] = "helpful"
    language: str = "en"
    zone: tzinfo = UTC
    resend_when: str | None = None
    resend_to: str | None = None
    templates: str = ""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The relay took the notice."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class TryLater:
    """The notice is still ours; `code` is None where no server answered."""

    code: int | None
    text: str


@dataclass(frozen=True, slots=True)
class GivenUp:
    """No further try can help; `code` is None where we found that ourselves."""

    code: int | None
    text: str


def _plain(notice: "Bounce | DeliveryReport | Receipt") -> dict[str, Any]:
    return {field.name: getattr(notice, field.name) for field in fields(notice) if field.name != "returned"}


def what_to_return(octets: bytes, ret: str | None, cap: int = RETURN_CAP) -> tuple[bytes, bool]:
    """Return what goes back with a failed DSN, and whether it is the whole message.

    Whole only if RET=FULL asked for it and it is no longer than `cap` octets; else the header
    block without its blank line, itself cut at a line end to fit `cap`.
    Source: RFC 3461 section 4.3.
    """
    if ret is not None and ret.upper() == "FULL" and len(octets) <= cap:
        return octets, True
    return cut_at_line_end(header_block(octets), cap), False


def cut_at_line_end(octets: bytes, cap: int) -> bytes:
    """Return at most `cap` octets, none of a line that does not fit."""
    if len(octets) <= cap:
        return octets
    return octets[: octets.rfind(b"\n", 0, cap) + 1]
