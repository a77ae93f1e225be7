"""LMTP (RFC 2033): SMTP for a mail server beside us, with one answer after DATA for each recipient.

LHLO stands in place of EHLO and HELO, which are not known here; all else is as in SMTP, extensions included.
"""

from collections.abc import Sequence
from typing import ClassVar

from smtpd_service.domain.replies import Reply, Session
from smtpd_service.smtp.connection import Transaction
from smtpd_service.smtp.handler import Said
from smtpd_service.smtp.protocol import Protocol


class Lmtp(Protocol):
    """One session of LMTP."""

    commands: ClassVar[dict[bytes, str]] = {
        verb: name for verb, name in Protocol.commands.items() if verb not in {b"EHLO", b"HELO"}
    } | {b"LHLO": Protocol.commands[b"EHLO"]}
    protocol_name = "LMTP"
    utf8_name = "UTF8LMTP"
    individually = True
    hello_first = Session.LHLO_FIRST
    no_valid_rcpt = Session.NO_VALID_RCPT_LMTP
    help = Session.HELP_LMTP

    def _replies(self, envelope: Transaction, said: Said) -> Sequence[Reply]:
        """Return one reply for each RCPT that was accepted, in their order, also where two named one recipient."""
        return [said.each[place] if said.each else said.reply for place in envelope.accepted]
