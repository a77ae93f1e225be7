"""By headers, structure and how it begins, before its items are read: is this an answer of a person at all?

What machines write of themselves is `parsers.tables.automatic`, what their subjects say `parsers.tables.absence`.
Gated mail is stored with its reason, yields no bullets, and is never answered.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from parsers.model import Mime, Status
from parsers.octets import sealed
from parsers.tables import absence, automatic

CALENDAR_ANSWERS = frozenset({"REPLY", "COUNTER"})
# Of an HTML body, in which a style sheet may come first.
HTML_CHARACTERS = 4_000
SUBJECT_CHARACTERS = 400
_TAG = re.compile(r"<[^<>]{0,300}>")
_HEAD = re.compile(r"(?:\s++|<[^<>]{0,300}>)*+")


@dataclass(frozen=True, slots=True)
class Gate:
    """One reason not to read on: its name, what the message is then, and when it holds.

    `holds` is told the message, whether its reverse-path was null, and how its text begins; `field` is the header
    field without which it never does, "" where it asks for more than one.
    """

    name: str
    status: Status
    holds: Callable[[Mime, bool, str], bool]
    field: str = ""


def _field(mime: Mime, name: str) -> str | None:
    return next((value.partition(";")[0].strip().lower() for field, value in mime.headers if field == name), None)


def _signed_by(sign: automatic.Sign) -> Gate:
    return Gate(sign.gate, sign.status, lambda mime, *_: sign.counts(_field(mime, sign.field) or ""), sign.field)


def _is_null(mime: Mime, null_sender: bool) -> bool:
    return null_sender or _field(mime, automatic.RETURN_PATH) == "<>"


def _daemon(mime: Mime, null_sender: bool, _: str) -> bool:
    local = (mime.sender or "").lower()
    return local.startswith(automatic.DAEMON) or (
        local.startswith(automatic.DAEMONS) and (_is_null(mime, null_sender) or _bare_report(mime))
    )


def _bare_report(mime: Mime) -> bool:
    """Return whether the parts of a report stand in something else: gateways rewrite the multipart's type."""
    return "message/delivery-status" in mime.types or _field(mime, automatic.NDR) is not None


def _opening(mime: Mime) -> str:
    """Return how the first body begins, without markup and folded; "" of one that begins as no machine's does."""
    if not mime.parts:
        return ""
    part = mime.parts[0]
    text = part.text[: HTML_CHARACTERS if part.html else automatic.OPENING_CHARACTERS]
    head = _HEAD.match(text) if part.html else None
    if not automatic.OPENING_WORDS.match(text, head.end() if head else 0):
        return ""
    return _folded(text, html=part.html)


def _folded(text: str, *, html: bool) -> str:
    bare = _TAG.sub(" ", text) if html else text
    return " ".join(bare.split())[: automatic.OPENING_CHARACTERS]


def _answered(mime: Mime, *_: object) -> bool:
    return absence.ANSWERED.match(mime.subject[:SUBJECT_CHARACTERS]) is not None


def _absent(mime: Mime, *_: object) -> bool:
    """Return whether subject and opening both tell of somebody who is away: either may be a person's."""
    if absence.ABSENT.match(mime.subject[:SUBJECT_CHARACTERS]) is None:
        return False
    heads = ((part.text[: HTML_CHARACTERS if part.html else automatic.OPENING_CHARACTERS], part) for part in mime.parts)
    return any(absence.SAID.search(_folded(text, html=part.html)) for text, part in heads)


def _inline_pgp(mime: Mime) -> bool:
    return any(sealed.PGP_MESSAGE in part.text[:2_000] and _only_pgp(part.text) for part in mime.parts)


def _only_pgp(text: str) -> bool:
    before = text.partition(sealed.PGP_MESSAGE)[0]
    return not _TAG.sub("", before).strip(" \t\r\n\u00a0\ufeff")


# In this order: what a message is by its structure comes before what its headers say of it, and its words come last.
GATES = (
    Gate("unreadable", Status.UNREADABLE, lambda mime, *_: mime.unreadable is not None),
    Gate("receipt", Status.READ_RECEIPT, lambda mime, *_: mime.report == "disposition-notification"),
    Gate("receipt", Status.READ_RECEIPT, lambda mime, *_: "message/disposition-notification" in mime.types),
    Gate("report", Status.BOUNCE, lambda mime, *_: bool(mime.report)),
    Gate("report", Status.BOUNCE, lambda mime, *_: _bare_report(mime)),
    Gate("calendar", Status.CALENDAR, lambda mime, *_: mime.method in CALENDAR_ANSWERS),
    Gate("bounce-text", Status.BOUNCE, lambda _mime, _null, said: bool(automatic.BOUNCE_OPENINGS.match(said))),
    Gate("daemon", Status.BOUNCE, _daemon),
    *(_signed_by(sign) for sign in automatic.SIGNS),
    Gate("receipt-text", Status.READ_RECEIPT, lambda _mime, _null, said: bool(automatic.RECEIPT_OPENINGS.match(said))),
    Gate("subject", Status.AUTO_REPLY, _answered),
    Gate("absence", Status.AUTO_REPLY, _absent),
    Gate("null-sender", Status.AUTO_REPLY, lambda mime, null_sender, _: _is_null(mime, null_sender)),
    Gate("pgp-mime", Status.ENCRYPTED, lambda mime, *_: mime.sealed == "pgp-mime"),
    Gate("smime", Status.ENCRYPTED, lambda mime, *_: mime.sealed == "smime"),
    Gate("smime-opaque-signed", Status.ENCRYPTED, lambda mime, *_: mime.sealed == "smime-opaque-signed"),
    Gate("rights-managed", Status.ENCRYPTED, lambda mime, *_: mime.sealed == "rights-managed"),
    Gate("pgp-inline", Status.ENCRYPTED, lambda mime, *_: _inline_pgp(mime)),
)
_WITHOUT_FIELDS = [gate for gate in GATES if not gate.field]


def stopped(mime: Mime, *, null_sender: bool) -> Gate | None:
    """Return the first gate that holds the message back, None if it is to be read."""
    # Most mail has none of the fields that machines write.
    there = {name for name, _ in mime.headers}
    asked = [gate for gate in GATES if gate.field in there or not gate.field] if there else _WITHOUT_FIELDS
    said = _opening(mime)
    return next((gate for gate in asked if gate.holds(mime, null_sender, said)), None)
