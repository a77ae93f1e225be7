"""By headers and structure, before any text is read: is this an answer of a person at all?

`Precedence: bulk` or `list` and `X-Auto-Response-Suppress` alone prove nothing and are not here.
"""

from collections.abc import Callable
from dataclasses import dataclass

from parsers.model import Mime, Status

SMIME = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
PGP = "-----BEGIN PGP MESSAGE-----"
DAEMONS = ("mailer-daemon@", "postmaster@")


@dataclass(frozen=True, slots=True)
class Gate:
    """One reason not to read on: its name, what the message is then, and when it holds."""

    name: str
    status: Status
    holds: Callable[[Mime, bool], bool]


def _field(mime: Mime, name: str) -> str:
    return dict(mime.headers).get(name, "").partition(";")[0].strip().lower()


def _daemon(mime: Mime) -> bool:
    return (mime.sender or "").lower().startswith(DAEMONS)


def _smime(mime: Mime) -> bool:
    return any(kind in SMIME for kind in mime.types)


def _inline_pgp(mime: Mime) -> bool:
    return any(part.text.lstrip().startswith(PGP) for part in mime.parts)


# In this order: what a message is by its structure comes before what its headers say of it.
GATES = (
    Gate("unreadable", Status.UNREADABLE, lambda mime, _: mime.unreadable is not None),
    Gate("receipt", Status.READ_RECEIPT, lambda mime, _: mime.report == "disposition-notification"),
    Gate("report", Status.BOUNCE, lambda mime, _: bool(mime.report)),
    Gate("calendar", Status.CALENDAR, lambda mime, _: mime.method == "REPLY"),
    Gate("auto-submitted", Status.AUTO_REPLY, lambda mime, _: _field(mime, "auto-submitted") not in ("", "no")),
    Gate("daemon", Status.BOUNCE, lambda mime, null_sender: null_sender and _daemon(mime)),
    Gate("null-sender", Status.AUTO_REPLY, lambda _, null_sender: null_sender),
    Gate("precedence", Status.AUTO_REPLY, lambda mime, _: _field(mime, "precedence") == "auto_reply"),
    Gate("pgp-mime", Status.ENCRYPTED, lambda mime, _: "multipart/encrypted" in mime.types),
    Gate("smime", Status.ENCRYPTED, lambda mime, _: _smime(mime)),
    Gate("pgp-inline", Status.ENCRYPTED, lambda mime, _: _inline_pgp(mime)),
)


def stopped(mime: Mime, *, null_sender: bool) -> Gate | None:
    """Return the first gate that holds the message back, None if it is to be read."""
    return next((gate for gate in GATES if gate.holds(mime, null_sender)), None)
