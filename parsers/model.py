"""The shapes that pass between the stages of reading, and the reading that comes out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

# Stored with every reading; raised whenever the same octets may be read differently.
PARSER_VERSION = "3"

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
class Attachment:
    """One part that is not the message's body, opened only when that says nothing.

    `index` is its place in depth-first order, `type` and `charset` what its header declares, `octets` decodes it.
    """

    index: int
    type: str
    name: str
    charset: str
    octets: Callable[[], bytes] = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Mime:
    """A message taken apart: what the later stages ask of it, and nothing of the library.

    `headers` holds the fields that the gate reads, names in lower case; `types` every content
    type of the tree, attachments too; `method` that of a text/calendar part; `sealed` the gate that
    holds encrypted mail, by its structure; `signed` whether a signature (which nobody checks) is around the
    text; `unreadable` why the message was not taken apart.
    """

    sender: str | None = None
    sender_name: str = ""
    subject: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    types: tuple[str, ...] = ()
    report: str = ""
    method: str = ""
    parts: tuple[Part, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    sealed: str = ""
    signed: bool = False
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


class Cut(NamedTuple):
    """What one rule took away: the characters from `start` to `end` of part `part`, counted as a bullet's are.

    `rule` is a name of ours, with nothing of the sender's in it; `start` and `end` are both 0 where the rule
    is about the message as a whole (`gate:receipt`).
    """

    rule: str
    part: int = 0
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """The author's own lines, and what the rules cut, in the order of the text."""

    lines: tuple[Line, ...]
    trace: tuple[Cut, ...] = ()


@dataclass(frozen=True, slots=True)
class Bullet:
    """One item of a reply.

    `position` counts from 1 over all levels in the author's order, `level` from 0; `confidence`
    is 0 to 1. `start` and `end` are character offsets into the decoded text of MIME part `part`
    (its place in depth-first order); where that part is HTML, whose source has no such offsets,
    into the text that `parsers.html.render` makes of it, lines joined by LF. `quarantine` names the
    rule of `parsers.marking` that keeps the text from everybody but reviewers, None where it may be seen.
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
    quarantine: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the bullet as JSON can hold it, `start` and `end` as one `span`."""
        plain = {name: getattr(self, name) for name in self.__slots__ if name not in ("start", "end")}
        plain["span"] = [self.start, self.end]
        return plain


@dataclass(frozen=True, slots=True)
class Segments:
    """A reply divided: its bullets, and the lines that are none."""

    bullets: tuple[Bullet, ...]
    leftover: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What one message says: total over any octets, with what went wrong as data.

    `sender` is the single address of From, lower-cased domain, or None when there is not exactly
    one; `fingerprint` is the SHA-256 (hex) of the sorted normalised bullets, None without or with one in
    quarantine;
    `leftover` is what the author wrote that is no bullet; `trace` says which rule cut what;
    `quarantine` names the rules of `parsers.marking` by which the reply as a whole, leftover and subject
    too, is for reviewers only.
    """

    status: Status
    flags: tuple[str, ...]
    sender: str | None
    subject: str
    bullets: tuple[Bullet, ...]
    leftover: str
    fingerprint: str | None
    trace: tuple[Cut, ...]
    defects: tuple[str, ...]
    quarantine: tuple[str, ...] = ()
    version: str = PARSER_VERSION

    def to_dict(self) -> dict[str, Any]:
        """Return the reading as JSON can hold it; `asdict` copies deeply, at ten times the cost (measured)."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        plain["bullets"] = [bullet.to_dict() for bullet in self.bullets]
        plain["trace"] = [cut._asdict() for cut in self.trace]
        return plain


@dataclass(frozen=True, slots=True)
class Explained:
    """A reading and what it was made from: for those who ask why.

    `bodies` are the text parts, decoded, the text of an HTML part as `parsers.html.render` makes it, so that
    all offsets of the reading count into them; `reply` is the author's own text, `unsigned` the same without
    the signature.
    """

    reading: Reading
    bodies: tuple[Part, ...]
    reply: str
    unsigned: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        bodies = [{name: getattr(part, name) for name in part.__slots__} for part in self.bodies]
        return {
            "reading": self.reading.to_dict(),
            "bodies": bodies,
            "reply": self.reply,
            "unsigned": self.unsigned,
        }
