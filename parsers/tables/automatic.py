"""What machines write of themselves: header fields and opening words that no person's answer has. Data.

Only what proves it. Not here: `Precedence: bulk` or `list`, `X-Auto-Response-Suppress` (they forbid answers
to the mail), `X-MS-Exchange-Inbox-Rules-Loop` (a rule of the mailbox passed on what a person wrote),
`List-*` (people write through lists).
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from parsers.model import Status

# Responders disagree in the spelling of the same word.
_REPLY_WORDS = frozenset({"auto_reply", "auto-reply", "autoreply", "auto_response", "autoresponse"})


class Sign(NamedTuple):
    """A header field that tells: the gate's name, the field, which values count, what the mail is, who writes it."""

    gate: str
    field: str
    counts: Callable[[str], bool]
    status: Status
    written_by: str


def _said(value: str) -> bool:
    return value not in ("", "no", "false", "0")


SIGNS = (
    Sign("auto-submitted", "auto-submitted", lambda value: value not in ("", "no"), Status.AUTO_REPLY, "RFC 3834"),
    Sign("precedence", "precedence", lambda value: value in _REPLY_WORDS, Status.AUTO_REPLY, "hosting panels"),
    Sign("precedence", "x-precedence", lambda value: value in _REPLY_WORDS, Status.AUTO_REPLY, "cPanel"),
    Sign("x-autoreply", "x-autoreply", _said, Status.AUTO_REPLY, "Gmail, CommuniGate"),
    Sign("x-autoreply", "x-auto-reply", _said, Status.AUTO_REPLY, "web mail of providers"),
    Sign("x-autoreply", "x-autoreply-from", _said, Status.AUTO_REPLY, "web mail of providers"),
    Sign("x-autoreply", "x-mail-autoreply", _said, Status.AUTO_REPLY, "web mail of providers"),
    Sign("x-autorespond", "x-autorespond", _said, Status.AUTO_REPLY, "cPanel"),
    Sign("x-autorespond", "x-autoresponder", _said, Status.AUTO_REPLY, "hosting panels"),
    Sign("machine-generated", "x-fc-machinegenerated", _said, Status.AUTO_REPLY, "FirstClass"),
    Sign("failed-recipients", "x-failed-recipients", _said, Status.BOUNCE, "Exim"),
)
# A field that tells by being there: it never has a value.
NDR = "x-ms-exchange-message-is-ndr"
RETURN_PATH = "return-path"
FIELDS = frozenset({sign.field for sign in SIGNS} | {NDR, RETURN_PATH})

# Who answers for a mail system: the first never is a person, the others only from the null reverse-path.
DAEMON = "mailer-daemon@"
DAEMONS = (DAEMON, "postmaster@", "mail-daemon@", "mailerdaemon@", "microsoftexchange", "mailsystem@")


# How the body of a mail of a machine begins, spaces folded: qmail and its kin; Postfix; Exim and Sun; sendmail;
# Exchange 2003; Exchange since.
BOUNCE_OPENINGS = re.compile(
    r"hi\. this is the (?:qmail-send|\S{1,40}) program at "
    r"|this is the (?:postfix program|mail system) at host "
    r"|this message was created automatically by (?:the )?mail (?:delivery (?:software|system)|system)"
    r"|the original message was received at .{5,80} from "
    r"|your message did not reach some or all of the intended recipients"
    r"|delivery has failed to these recipients or (?:groups|distribution lists)",
    re.IGNORECASE,
)
# Outlook of old Exchange; Thunderbird and Lotus Notes.
RECEIPT_OPENINGS = re.compile(
    r"your message (?:to:? .{0,400}? )?was (?:read|displayed|deleted without being read) on "
    r"|this is a (?:return )?receipt for the (?:e-?)?mail ",
    re.IGNORECASE,
)
# What all of them begin with: told before anything is folded.
OPENING_WORDS = re.compile(r"\s*+(?:hi\.|this|the|your|delivery)", re.IGNORECASE)
# So much of a body is looked at.
OPENING_CHARACTERS = 600
