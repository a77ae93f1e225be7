"""A notice's facts in, the finished mail out: the same arguments give the same octets.

A report (bounce, delivered) has the layout of Exchange's: multipart/report of readable text (plain and HTML), the
status for machines, and what is returned of the original (RFC 3464, 6522, 6533). Receipts and warnings are readable
text alone. Nothing that a sender wrote can add a header: each text is cleaned on its way in, and the finished mail is
parsed again before it leaves.

Not made: delayed reports, since mail is stored or refused at once and none waits here for another server; relayed and
expanded ones, since nothing is passed on.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from smtpd_service.domain.headers import header_block
from smtpd_service.domain.language import language_of
from smtpd_service.domain.notice import Bounce, DeliveryReport, Letterhead, Receipt, UsageWarning
from smtpd_service.outbound.facts import bounce_facts, delivered_facts, receipt_facts, warning_facts
from smtpd_service.outbound.header import mailbox
from smtpd_service.outbound.letter import opening, postmaster, readable, thread, with_readable
from smtpd_service.outbound.original import Original, read_original
from smtpd_service.outbound.part import ComposeError, Part, fits_the_wire, multipart, prove, quoted_printable
from smtpd_service.outbound.status import status_part
from smtpd_service.outbound.wording import Words, words
from storage.records import NoticeKind

__all__ = [
    "ComposeError",
    "Takes",
    "compose",
    "compose_bounce",
    "compose_delivered",
    "compose_receipt",
    "compose_warning",
]


@dataclass(frozen=True, slots=True)
class Takes:
    """What the next server takes beyond plain SMTP (RFC 6531, RFC 6152)."""

    smtputf8: bool = True
    eight_bit: bool = True


EVERYTHING = Takes()
Composer = Callable[[dict[str, Any], bytes, Letterhead, datetime, Takes], bytes]


def compose(
    kind: NoticeKind,
    facts: dict[str, Any],
    returned: bytes,
    letterhead: Letterhead,
    written_at: datetime,
    *,
    takes: Takes = EVERYTHING,
) -> bytes:
    """Return any notice as it goes out: CRLF line ends, no line over 998 octets.

    `facts` and `returned` are as they are stored, `written_at` is when the notice was owed, `takes` is what the next
    server can do. For one without SMTPUTF8 addresses outside ASCII are written in RFC 6533's escapes; for one without
    8BITMIME an original in 8 bits returns as its header. Raises ComposeError where the facts make no such notice, or
    where the finished mail has other headers than were meant.
    """
    return _COMPOSERS[kind](facts, returned, letterhead, written_at, takes)


def _bounce(facts: dict[str, Any], returned: bytes, letterhead: Letterhead, at: datetime, takes: Takes) -> bytes:
    bounce = Bounce.from_facts(facts, returned)
    if not (takes.eight_bit or returned.isascii()):
        # Parts of message/rfc822 may not be encoded (RFC 2046 section 5.2.1), and a header alone may.
        bounce = replace(bounce, returned=header_block(returned), returned_whole=False)
    return compose_bounce(replace(bounce, smtputf8=bounce.smtputf8 and takes.smtputf8), letterhead, at)


def _delivered(facts: dict[str, Any], returned: bytes, letterhead: Letterhead, at: datetime, takes: Takes) -> bytes:
    report = DeliveryReport.from_facts(facts, returned)
    return compose_delivered(replace(report, smtputf8=report.smtputf8 and takes.smtputf8), letterhead, at)


def _receipt(facts: dict[str, Any], _: bytes, letterhead: Letterhead, at: datetime, takes: Takes) -> bytes:
    receipt = Receipt.from_facts(facts)
    return compose_receipt(replace(receipt, smtputf8=receipt.smtputf8 and takes.smtputf8), letterhead, at)


def _warning(facts: dict[str, Any], _: bytes, letterhead: Letterhead, _at: datetime, takes: Takes) -> bytes:
    return compose_warning(UsageWarning.from_facts(facts), letterhead, utf8=takes.smtputf8)


_COMPOSERS: dict[NoticeKind, Composer] = {
    NoticeKind.BOUNCE: _bounce,
    NoticeKind.DELIVERED: _delivered,
    NoticeKind.RECEIPT: _receipt,
    NoticeKind.WARNING: _warning,
}


def compose_bounce(bounce: Bounce, letterhead: Letterhead, written_at: datetime) -> bytes:
    """Return a failed DSN; 8-bit only where the original was.

    Raises ComposeError where there is nobody who failed, or a status is not permanent.
    """
    if not bounce.failed:
        raise ComposeError("a bounce names at least one failed recipient")
    original = read_original(bounce.returned)
    language = language_of(header_block(bounce.returned), bounce.language, letterhead.language)
    facts = bounce_facts(bounce, letterhead, language, original.subject)
    said = words(letterhead.wording, language, facts, letterhead.templates)
    return _report(bounce, bounce.failed[0].address, original, said, letterhead=letterhead, at=written_at)


def compose_delivered(report: DeliveryReport, letterhead: Letterhead, written_at: datetime) -> bytes:
    """Return a delivered DSN. Raises ComposeError where it names nobody."""
    if not report.delivered:
        raise ComposeError("a report of delivery names at least one recipient")
    original = read_original(report.returned)
    language = language_of(header_block(report.returned), report.language, letterhead.language)
    facts = delivered_facts(report, letterhead, language, original.subject)
    said = words("delivered", language, facts, letterhead.templates)
    return _report(report, report.delivered[0].address, original, said, letterhead=letterhead, at=written_at)


def compose_receipt(receipt: Receipt, letterhead: Letterhead, written_at: datetime) -> bytes:
    """Return what we read of a reply, as an answer of the mailbox that it came to (RFC 3834 section 3)."""
    language = language_of(b"", receipt.language, letterhead.language)
    said = words("receipt", language, receipt_facts(receipt, letterhead, language), letterhead.templates)
    own = receipt.mailbox.isascii() or receipt.smtputf8
    fields = (
        ("From", mailbox(receipt.mailbox, utf8=True) if own else postmaster(receipt.mailbox, letterhead)),
        ("To", mailbox(receipt.recipient, utf8=receipt.smtputf8)),
        *opening(receipt.id, said, letterhead, written_at),
        ("Auto-Submitted", "auto-replied"),
        *thread(receipt.message_id, receipt.references),
        ("Content-Language", said.language),
    )
    return _finished(with_readable(fields, said, receipt.id))


def compose_warning(warning: UsageWarning, letterhead: Letterhead, *, utf8: bool = True) -> bytes:
    """Return the mail that tells an operator how full a mailbox is, dated when it crossed the level."""
    language = language_of(b"", warning.language, letterhead.language)
    said = words("warning", language, warning_facts(warning, letterhead, language), letterhead.templates)
    fields = (
        ("From", postmaster(warning.mailbox, letterhead)),
        ("To", mailbox(warning.recipient, utf8=utf8)),
        *opening(warning.id, said, letterhead, warning.at),
        ("Auto-Submitted", "auto-generated"),
        ("Content-Language", said.language),
    )
    return _finished(with_readable(fields, said, warning.id))


def _report(
    report: Bounce | DeliveryReport,
    about: str,
    original: Original,
    said: Words,
    *,
    letterhead: Letterhead,
    at: datetime,
) -> bytes:
    """Return a DSN from the postmaster of the recipient `about`."""
    fields = (
        ("From", postmaster(about, letterhead)),
        ("To", mailbox(report.recipient, utf8=report.smtputf8)),
        *opening(report.id, said, letterhead, at),
        ("Auto-Submitted", "auto-replied"),
        *thread(original.message_id, original.references),
        ("Content-Language", said.language),
    )
    parts = (readable(said, report.id), status_part(report, letterhead.hostname), _returned_part(report))
    return _finished(multipart(fields, "multipart/report; report-type=delivery-status", f"{report.id} report", parts))


def _returned_part(report: Bounce | DeliveryReport) -> Part:
    """Return the original, whole only if it can travel as it is: message/rfc822 may not be encoded.

    Nor may its header be other than ASCII (RFC 2046 section 5.2.1), as that of message/global may.
    """
    block = header_block(report.returned)
    utf8 = report.smtputf8 and not block.isascii()
    is_lawful = utf8 or block.isascii()
    if isinstance(report, Bounce) and report.returned_whole and is_lawful and fits_the_wire(report.returned):
        return _as_it_is("message/global" if utf8 else "message/rfc822", report.returned)
    if fits_the_wire(block) and is_lawful:
        return _as_it_is("message/global-headers" if utf8 else "text/rfc822-headers", block)
    fields = (
        ("Content-Type", "text/rfc822-headers"),
        ("Content-Transfer-Encoding", "quoted-printable"),
    )
    return Part(fields, quoted_printable(block))


def _as_it_is(content_type: str, octets: bytes) -> Part:
    encoding = "7bit" if octets.isascii() else "8bit"
    return Part((("Content-Type", content_type), ("Content-Transfer-Encoding", encoding)), octets)


def _finished(mail: Part) -> bytes:
    octets = mail.octets
    prove(mail, octets)
    return octets
