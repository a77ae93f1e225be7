"""What every notice has: who writes to whom, about what, in which thread, and its readable part."""

from datetime import datetime
from email.utils import format_datetime

from smtpd_service.domain.notice import Letterhead
from smtpd_service.outbound.header import is_address, mailbox, unstructured
from smtpd_service.outbound.part import Fields, Part, multipart, text_part
from smtpd_service.outbound.wording import Words


def opening(notice_id: str, said: Words, letterhead: Letterhead, at: datetime) -> Fields:
    """Return what follows From and To."""
    return (
        ("Subject", unstructured(said.subject)),
        ("Date", format_datetime(at)),
        ("Message-ID", f"<{notice_id}@{letterhead.hostname}>"),
        ("MIME-Version", "1.0"),
    )


def thread(message_id: str, references: tuple[str, ...]) -> Fields:
    """Return what ties an answer to its original; nothing where that had no Message-ID."""
    answered = (("In-Reply-To", message_id),) if message_id else ()
    before = (("References", " ".join(references)),) if references else ()
    return answered + before


def postmaster(address: str, letterhead: Letterhead) -> str:
    """Return From of a notice about the mailbox `address`."""
    sender = f"postmaster@{domain_of(address, letterhead)}"
    return mailbox(sender, utf8=False, display_name=letterhead.display_name)


def domain_of(address: str, letterhead: Letterhead) -> str:
    """Return the mailbox's domain in ASCII, or our own name where it has none that mail could go to."""
    _, at_sign, domain = address.rpartition("@")
    try:
        domain = domain.encode("idna").decode("ascii") if at_sign else ""
    except UnicodeError:
        return letterhead.hostname
    return domain if is_address(f"postmaster@{domain}") else letterhead.hostname


def readable(said: Words, notice_id: str) -> Part:
    """Return text and HTML, of which a mail program shows one."""
    parts = (text_part("plain", said.text, said.language), text_part("html", said.html, said.language))
    return multipart((), "multipart/alternative", f"{notice_id} readable", parts)


def with_readable(fields: Fields, said: Words, notice_id: str) -> Part:
    """Return a whole mail that is nothing but readable."""
    body = readable(said, notice_id)
    return Part(fields + body.fields, body.body, (), body.children, body.boundary)
