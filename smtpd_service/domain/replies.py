"""Outcome and effective mode to SMTP reply: the one table of reply texts.

Only our own facts enter a text, never the sender's octets. Enhanced codes: RFC 3463 and RFC 5248.
"""

from dataclasses import dataclass
from enum import Enum
from string import Formatter

from smtpd_service.domain import outcomes as o
from storage.records import WhenFull


@dataclass(frozen=True, slots=True)
class Reply:
    code: int
    enhanced: str
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.enhanced} {self.text}" if self.enhanced else f"{self.code} {self.text}"


REPLIES: dict[tuple[type[o.Outcome], WhenFull | None], Reply] = {
    (o.Stored, None): Reply(250, "2.6.0", "Stored as {id}"),
    (o.Repeated, None): Reply(250, "2.6.0", "Received before as {subject}"),
    (o.Bounced, None): Reply(250, "2.0.0", "Received, a delivery report follows"),
    (o.PartlyStored, None): Reply(452, "4.2.2", "Mailbox full for some recipients, stored for the others"),
    (o.MailboxFull, WhenFull.BOUNCE): Reply(552, "5.2.2", "mailbox full"),
    (o.MailboxFull, WhenFull.REJECT): Reply(552, "5.2.2", "Mailbox full"),
    (o.MailboxFull, WhenFull.DEFER): Reply(452, "4.2.2", "Mailbox full, please try again later"),
    (o.TooBigForMailbox, WhenFull.BOUNCE): Reply(552, "5.2.3", "message too large for this mailbox"),
    (o.TooBigForMailbox, WhenFull.REJECT): Reply(552, "5.2.3", "Message too large for this mailbox"),
    (o.RateExceeded, WhenFull.BOUNCE): Reply(550, "5.2.122", "mailbox receives too many messages an hour"),
    (o.RateExceeded, WhenFull.REJECT): Reply(550, "5.2.122", "Mailbox receives too many messages an hour"),
    (o.RateExceeded, WhenFull.DEFER): Reply(450, "4.2.1", "Mailbox receives too many messages, please try again later"),
    (o.SenderRateExceeded, WhenFull.BOUNCE): Reply(550, "5.2.121", "too many messages an hour from this sender"),
    (o.SenderRateExceeded, WhenFull.REJECT): Reply(550, "5.2.121", "Too many messages an hour from this sender"),
    (o.SenderRateExceeded, WhenFull.DEFER): Reply(450, "4.2.1", "Too many messages from you, please try again later"),
    (o.Frozen, WhenFull.DEFER): Reply(450, "4.2.1", "Mailbox not accepting mail for now"),
    (o.NoSuchMailbox, None): Reply(550, "5.1.1", "No such mailbox here"),
    (o.TooBigForSystem, None): Reply(552, "5.3.4", "Message larger than {limit} octets"),
    (o.SystemFull, None): Reply(452, "4.3.1", "Insufficient system storage, please try again later"),
    (o.Unavailable, None): Reply(451, "4.3.0", "Temporary failure, please try again later"),
    (o.TooManyRecipients, None): Reply(452, "4.5.3", "Too many recipients, send the rest separately"),
    (o.TooManyHops, None): Reply(554, "5.4.6", "Too many hops, this mail is in a loop"),
    (o.BareLineEnd, None): Reply(550, "5.6.0", "Bare CR, bare LF or NUL in the message"),
}


# What of its outcome each row's text tells.
_FACTS = {key: [name for _, name, _, _ in Formatter().parse(row.text) if name] for key, row in REPLIES.items()}


def reply_to(outcome: o.Outcome, mode: WhenFull | None = None) -> Reply:
    """Return the reply to `outcome`; `mode` is the effective mode where the mailbox is full.

    Raises KeyError for an outcome without a row (a test holds the table complete).
    """
    row = REPLIES[type(outcome), mode]
    names = _FACTS[type(outcome), mode]
    if not names:
        return row
    facts = {name: getattr(outcome, name) for name in names}
    return Reply(row.code, row.enhanced, row.text.format_map(facts))


class Session(Enum):
    """Answers to commands, apart from what becomes of mail; `line` is the reply as it is sent."""

    line: bytes

    def __init__(self, reply: Reply) -> None:
        self.line = f"{reply}\r\n".encode("ascii")

    CLOSING = Reply(221, "2.0.0", "Bye")
    OK = Reply(250, "2.0.0", "OK")
    SENDER_OK = Reply(250, "2.1.0", "Sender OK")
    RECIPIENT_OK = Reply(250, "2.1.5", "Recipient OK")
    NO_VRFY = Reply(252, "2.0.0", "Cannot verify, but will take mail for listed mailboxes")
    HELP = Reply(214, "2.0.0", "EHLO HELO MAIL RCPT DATA RSET NOOP VRFY QUIT")
    HELP_LMTP = Reply(214, "2.0.0", "LHLO MAIL RCPT DATA RSET NOOP VRFY QUIT")
    START_TLS = Reply(220, "2.0.0", "Ready to start TLS")
    START_DATA = Reply(354, "", "End data with <CR><LF>.<CR><LF>")
    SHUTTING_DOWN = Reply(421, "4.3.2", "Service shutting down, please try again later")
    TOO_MANY_CONNECTIONS = Reply(421, "4.7.0", "Too many connections, please try again later")
    IDLE = Reply(421, "4.4.2", "Idle for too long, closing")
    TOO_SLOW = Reply(421, "4.4.2", "Data comes too slowly, closing")
    TOO_MANY_ERRORS = Reply(421, "4.7.0", "Too many errors, closing")
    TOO_MANY_COMMANDS = Reply(421, "4.7.0", "Too many commands, closing")
    EARLY_TALKER = Reply(554, "5.5.1", "Wait for the greeting before you speak")
    LINE_TOO_LONG = Reply(500, "5.5.2", "Command line too long")
    BARE_LINE_END = Reply(521, "5.5.2", "Bare CR, bare LF or NUL in a command, closing")
    UNKNOWN_COMMAND = Reply(500, "5.5.1", "Command not recognized")
    NOT_IMPLEMENTED = Reply(502, "5.5.1", "Command not implemented")
    BAD_SYNTAX = Reply(501, "5.5.4", "Syntax error in parameters")
    BAD_ADDRESS = Reply(553, "5.1.3", "Malformed address")
    BAD_REVERSE_PATH = Reply(553, "5.1.7", "Malformed sender address")
    UNKNOWN_PARAMETER = Reply(555, "5.5.4", "Parameter not recognized")
    NO_SMTPUTF8 = Reply(553, "5.6.7", "Address needs SMTPUTF8")
    NO_TLS_NOW = Reply(454, "4.7.0", "TLS not available for now, please try again later")
    TLS_ALREADY = Reply(503, "5.5.1", "TLS already active")
    HELLO_FIRST = Reply(503, "5.5.1", "Send EHLO first")
    LHLO_FIRST = Reply(503, "5.5.1", "Send LHLO first")
    MAIL_FIRST = Reply(503, "5.5.1", "Send MAIL first")
    RCPT_FIRST = Reply(503, "5.5.1", "Send RCPT first")
    NESTED_MAIL = Reply(503, "5.5.1", "Sender already given")
    NO_VALID_RCPT = Reply(554, "5.5.1", "No valid recipients")
    NO_VALID_RCPT_LMTP = Reply(503, "5.5.1", "No valid recipients")
