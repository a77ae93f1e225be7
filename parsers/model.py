"""The shapes that pass between the stages of reading, and the reading that comes out."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

# Stored with every reading; raised whenever the same octets may be read differently.
PARSER_VERSION = "1"


class Status(StrEnum):
    """What kind of answer a message is."""

    OK = "OK"
    FEW = "FEW"
    MANY = "MANY"
    SENSITIVE = "SENSITIVE"
    EMPTY = "EMPTY"
    AUTO_REPLY = "AUTO_REPLY"
    BOUNCE = "BOUNCE"
    READ_RECEIPT = "READ_RECEIPT"
    CALENDAR = "CALENDAR"
    ENCRYPTED = "ENCRYPTED"
    UNREADABLE = "UNREADABLE"


@dataclass(frozen=True, slots=True)
class Bullet:
    """One item of a reply.

    `position` counts from 1 over all levels in the author's order, `level` from 0; `start` and
    `end` are character offsets into the decoded body of MIME part `part`; `confidence` is 0 to 1.
    """

    position: int
    text: str
    level: int
    marker: str
    kind: str
    start: int
    end: int
    part: int
    portion_mark: str | None
    confidence: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What one message says: total over any octets, with what went wrong as data.

    `sender` is the single address of From, lower-cased domain, or None when there is not exactly
    one; `fingerprint` is the SHA-256 (hex) of the sorted normalised bullets, None without bullets;
    `leftover` is what the author wrote that is no bullet; `trace` names the rules that cut.
    """

    status: Status
    flags: tuple[str, ...]
    sender: str | None
    subject: str
    bullets: tuple[Bullet, ...]
    leftover: str
    fingerprint: str | None
    trace: tuple[str, ...]
    defects: tuple[str, ...]
    version: str = PARSER_VERSION

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_dict(data: dict[str, Any]) -> "Reading":
        """Return the reading that `to_dict` gave, as it comes back from JSON."""
        return Reading(
            status=Status(data["status"]),
            flags=tuple(data["flags"]),
            sender=data["sender"],
            subject=data["subject"],
            bullets=tuple(Bullet(**bullet) for bullet in data["bullets"]),
            leftover=data["leftover"],
            fingerprint=data["fingerprint"],
            trace=tuple(data["trace"]),
            defects=tuple(data["defects"]),
            version=data["version"],
        )
