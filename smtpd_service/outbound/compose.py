"""A notice's facts in, the finished mail out: the same arguments give the same octets.

A bounce has the layout of Exchange's non-delivery reports: multipart/report of readable text
(plain and HTML), the status for machines, and what is returned of the original (RFC 3464, 6522,
6533). Nothing that a sender wrote can add a header to it: each text is cleaned on its way in,
and the finished mail is parsed again before it leaves.

Not made here: delayed, delivered and relayed DSNs.
"""

from dataclasses import asdict
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import quote

from smtpd_service.domain.headers import header_block
from smtpd_service.domain.notice import Bounce, FailedRecipient, Letterhead, UsageWarning, cut_at_line_end
from smtpd_service.outbound.header import clean, is_address, mailbox, unstructured
from smtpd_service.outbound.original import Original, read_original
from smtpd_service.outbound.part import (
    ComposeError,
    Fields,
    Part,
    fits_the_wire,
    multipart,
    prove,
    quoted_printable,
    text_part,
)
from smtpd_service.outbound.status import status_part
from smtpd_service.outbound.wording import Words, time_in_words, words

__all__ = ["ComposeError", "compose_bounce", "compose_warning"]

# The readable part shows the original's header too; the whole of it returns in the third part.
SHOWN_HEADER = 8_000


def compose_bounce(bounce: Bounce, letterhead: Letterhead, written_at: datetime) -> bytes:
    """Return the DSN, CRLF line ends, no line over 998 octets.

    8-bit only where the original was. Raises ComposeError where there is nobody who failed, a status
    is not permanent, or the parsed result has other headers than were meant.
    """
    if not bounce.failed:
        raise ComposeError("a bounce names at least one failed recipient")
    original = read_original(bounce.returned)
    said = words(letterhead.wording, letterhead.language, _bounce_facts(bounce, letterhead, original))
    parts = (
        _readable(said, f"{bounce.id} readable"),
        status_part(bounce, letterhead.hostname),
        _returned_part(bounce),
    )
    fields = _bounce_header(bounce, letterhead, original, said, written_at)
    return _finished(multipart(fields, "multipart/report; report-type=delivery-status", f"{bounce.id} report", parts))


def compose_warning(warning: UsageWarning, letterhead: Letterhead) -> bytes:
    """Return the mail that tells an operator how full a mailbox is, dated when it crossed the level.

    Raises ComposeError where the parsed result has other headers than were meant.
    """
    facts = asdict(warning) | {
        "mailbox": clean(warning.mailbox),
        "reference": warning.id,
        "crossed_at": time_in_words(warning.at, letterhead.zone),
        "hostname": letterhead.hostname,
    }
    said = words("warning", letterhead.language, facts)
    fields = (
        ("From", _postmaster(warning.mailbox, letterhead)),
        ("To", mailbox(warning.recipient, utf8=not warning.recipient.isascii())),
        *_opening(warning.id, said, letterhead, warning.at),
        ("Auto-Submitted", "auto-generated"),
    )
    readable = _readable(said, f"{warning.id} readable")
    return _finished(Part(fields + readable.fields, readable.body, (), readable.children, readable.boundary))


def _bounce_header(bounce: Bounce, letterhead: Letterhead, original: Original, said: Words, at: datetime) -> Fields:
    return (
        ("From", _postmaster(bounce.failed[0].address, letterhead)),
        ("To", mailbox(bounce.recipient, utf8=bounce.smtputf8)),
        *_opening(bounce.id, said, letterhead, at),
        ("Auto-Submitted", "auto-replied"),
        *_thread(original),
        ("Content-Language", letterhead.language),
    )


def _bounce_facts(bounce: Bounce, letterhead: Letterhead, original: Original) -> dict[str, object]:
    """Return what the templates may say; all that a sender wrote is cleaned."""
    return {
        "failed": [_failed_facts(recipient) for recipient in bounce.failed],
        "subject": original.subject,
        "original_headers": _shown_header(bounce.returned),
        "reference": bounce.id,
        "arrived_at": time_in_words(bounce.arrived_at, letterhead.zone),
        "generating_server": letterhead.hostname,
        "sender": clean(bounce.recipient),
        "postmaster": f"postmaster@{_domain(bounce.failed[0].address, letterhead)}",
        "resend_when": letterhead.resend_when,
        "resend_to": letterhead.resend_to,
    }


def _failed_facts(recipient: FailedRecipient) -> dict[str, object]:
    address = clean(recipient.address)
    return asdict(recipient) | {
        "address": address,
        "mailto": f"mailto:{quote(address, safe='@')}",
        "diagnostic": clean(recipient.diagnostic),
    }


def _shown_header(returned: bytes) -> list[str]:
    block = cut_at_line_end(header_block(returned), SHOWN_HEADER)
    lines = block.decode("utf-8", "replace").replace("\t", "    ").split("\n")
    # Leading spaces show which lines are folded.
    return [" " * (len(line) - len(line.lstrip(" "))) + clean(line) for line in lines if clean(line)]


def _opening(notice_id: str, said: Words, letterhead: Letterhead, at: datetime) -> Fields:
    return (
        ("Subject", unstructured(said.subject)),
        ("Date", format_datetime(at)),
        ("Message-ID", f"<{notice_id}@{letterhead.hostname}>"),
        ("MIME-Version", "1.0"),
    )


def _thread(original: Original) -> Fields:
    answered = (("In-Reply-To", original.message_id),) if original.message_id else ()
    thread = (("References", " ".join(original.references)),) if original.references else ()
    return answered + thread


def _postmaster(address: str, letterhead: Letterhead) -> str:
    sender = f"postmaster@{_domain(address, letterhead)}"
    return mailbox(sender, utf8=False, display_name=letterhead.display_name)


def _domain(address: str, letterhead: Letterhead) -> str:
    """Return the mailbox's domain in ASCII, or our own name where it has none that mail could go to."""
    _, at_sign, domain = address.rpartition("@")
    try:
        domain = domain.encode("idna").decode("ascii") if at_sign else ""
    except UnicodeError:
        return letterhead.hostname
    return domain if is_address(f"postmaster@{domain}") else letterhead.hostname


def _readable(said: Words, seed: str) -> Part:
    parts = (text_part("plain", said.text, said.language), text_part("html", said.html, said.language))
    return multipart((), "multipart/alternative", seed, parts)


def _returned_part(bounce: Bounce) -> Part:
    """Return the original, whole only if it can travel as it is: message/rfc822 may not be encoded."""
    block = header_block(bounce.returned)
    utf8 = bounce.smtputf8 and not block.isascii()
    if bounce.returned_whole and fits_the_wire(bounce.returned):
        return _as_it_is("message/global" if utf8 else "message/rfc822", bounce.returned)
    if fits_the_wire(block) and (utf8 or block.isascii()):
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
