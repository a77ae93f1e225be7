"""The shapes that pass between the stages of reading, and the reading that comes out."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

# Stored with every reading; raised whenever the same octets may be read differently.
PARSER_VERSION = "1"

# Of one part; past this nobody has typed an answer, and what follows is left unread.
LINES = 20_000


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
class Part:
    """One text part of the message's own body, decoded.

    `index` is the place in depth-first order, 0 the message itself; `group` the index of the
    multipart/alternative that holds it, None outside one; `flowed` and `delsp` as in RFC 3676.
    """

    index: int
    html: bool
    text: str
    flowed: bool = False
    delsp: bool = False
    group: int | None = None


@dataclass(frozen=True, slots=True)
class Mime:
    """A message taken apart: what the later stages ask of it, and nothing of the library.

    `headers` holds the fields that the gate reads, names in lower case; `types` every content
    type of the tree, attachments too; `method` that of a text/calendar part; `unreadable` why the
    message was not taken apart.
    """

    sender: str | None = None
    sender_name: str = ""
    subject: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    types: tuple[str, ...] = ()
    report: str = ""
    method: str = ""
    parts: tuple[Part, ...] = ()
    defects: tuple[str, ...] = ()
    unreadable: str | None = None


class Item(NamedTuple):
    """The list item that a line of HTML opens, or continues when `opens` is false."""

    marker: str
    kind: str
    level: int
    opens: bool


class Line(NamedTuple):
    """One line of a body. A tuple, not a dataclass: a mail has hundreds of them.

    `start` and `end` are its offsets in the part's text; `offsets` gives that of each character
    where normalising moved them, None where they just count up from `start`.
    """

    text: str
    start: int
    end: int
    part: int
    offsets: tuple[int, ...] | None = None
    item: Item | None = None

    def place(self, index: int) -> int:
        """Return the offset in the part's text of the character at `index`."""
        if self.offsets is None:
            return self.start + index
        return self.offsets[index] if index < len(self.offsets) else self.end


@dataclass(frozen=True, slots=True)
class Reply:
    """The author's own lines, and the rules that cut the others."""

    lines: tuple[Line, ...]
    trace: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bullet:
    """One item of a reply.

    `position` counts from 1 over all levels in the author's order, `level` from 0; `confidence`
    is 0 to 1. `start` and `end` are character offsets into the decoded text of MIME part `part`
    (its place in depth-first order); where that part is HTML, whose source has no such offsets,
    into the text that `parsers.html.render` makes of it, lines joined by LF.
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
class Segments:
    """A reply divided: its bullets, and the lines that are none."""

    bullets: tuple[Bullet, ...]
    leftover: str


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
        """Return the reading as JSON can hold it; `asdict` copies deeply, at ten times the cost (measured)."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        plain["bullets"] = [{name: getattr(each, name) for name in each.__slots__} for each in self.bullets]
        return plain

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
