"""Notices about mail that nobody sent: what `bounce preview` shows, and what an operator's templates are tried on."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from smtpd_service.domain.notice import (
    Bounce,
    DeliveryReport,
    FailedRecipient,
    Letterhead,
    ReachedRecipient,
    Receipt,
    UsageWarning,
)
from smtpd_service.outbound.facts import Facts, bounce_facts, delivered_facts, receipt_facts, warning_facts
from smtpd_service.outbound.header import unstructured

ID = "01957f3e-7c00-7abc-8def-0123456789ab"
SENDER = "ann.sample@agency.example"
MAILBOX = "hr@agency.example"
AT = datetime(2025, 3, 10, 20, 11, 5, tzinfo=UTC)
DEADLINE = datetime(2025, 3, 11, 3, 59, 59, tzinfo=UTC)
SUBJECTS = {"en": "Re: What did you do last week?", "es": "Re: ¿Qué hizo la semana pasada?"}
_ITEMS = {
    "en": (
        "Closed 14 benefit cases and answered 31 letters",
        "Trained two new colleagues at the front desk",
        "Sent the March figures to the regional office",
    ),
    "es": (
        "Cerré 14 expedientes de prestaciones y contesté 31 cartas",
        "Formé a dos nuevos compañeros de ventanilla",
        "Envié las cifras de marzo a la oficina regional",
    ),
}


def sample_bounce(*failed: FailedRecipient, language: str = "en", at: datetime = AT) -> Bounce:
    """Return a bounce that names `failed`, without a language of its own."""
    return Bounce(ID, SENDER, at, None, None, failed, _header(failed[0].address, language, at), False, False, "")


def sample_delivered(address: str, language: str = "en", at: datetime = AT) -> DeliveryReport:
    reached = (ReachedRecipient(address, None),)
    return DeliveryReport(ID, SENDER, at, None, reached, _header(address, language, at), False, "")


def sample_receipt(address: str, language: str = "en", zone: str = "America/New_York") -> Receipt:
    return Receipt(
        id=ID,
        recipient=SENDER,
        mailbox=address,
        received_at=AT,
        deadline=DEADLINE,
        late=False,
        zone=zone,
        subject=SUBJECTS[language],
        message_id="<sample@agency.example>",
        references=("<sample@agency.example>",),
        items=_ITEMS[language],
        more=0,
        withheld=2,
        under_review=False,
        smtputf8=False,
    )


def sample_warning(address: str, at: datetime = AT) -> UsageWarning:
    octets = 50_000_000_000
    return UsageWarning(ID, "operator@agency.example", address, 85, True, octets * 86 // 100, octets, 1_204, None, at)


def _header(to: str, language: str, at: datetime) -> bytes:
    lines = (
        f"From: Ann Sample <{SENDER}>",
        f"To: <{to}>",
        f"Subject: {unstructured(SUBJECTS[language])}",
        f"Date: {format_datetime(at)}",
        "Message-ID: <sample@agency.example>",
    )
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "replace")


def cases(name: str, letterhead: Letterhead, language: str) -> Iterator[Facts]:
    """Yield what the template `name` may be given, as it differs most."""
    subject = SUBJECTS[language]
    match name:
        case "incident" | "helpful":
            for failed in _failures():
                yield bounce_facts(sample_bounce(*failed), letterhead, language, subject)
            resent = replace(letterhead, resend_when="tomorrow", resend_to=MAILBOX)
            yield bounce_facts(sample_bounce(*_failures()[0]), resent, language, "")
        case "delivered":
            yield delivered_facts(sample_delivered(MAILBOX), letterhead, language, subject)
            yield delivered_facts(sample_delivered(MAILBOX), letterhead, language, "")
        case "receipt":
            for receipt in _receipts(language):
                yield receipt_facts(receipt, letterhead, language)
        case "warning":
            warning = sample_warning(MAILBOX)
            for each in (warning, replace(warning, rising=False), replace(warning, quota_messages=2_000)):
                yield warning_facts(each, letterhead, language)


def _failures() -> list[tuple[FailedRecipient, ...]]:
    full = FailedRecipient(MAILBOX, None, "5.2.2", "552 5.2.2 Mailbox full", 50_000_000_000, 50_000_000_000)
    large = replace(full, status="5.2.3", diagnostic="552 5.2.3 Larger than the whole mailbox", used_octets=0)
    often = replace(full, status="5.2.121", diagnostic="550 5.2.121 Too many messages")
    return [(full,), (large,), (often,), (full, large, often)]


def _receipts(language: str) -> list[Receipt]:
    whole = sample_receipt(MAILBOX, language)
    nothing = replace(whole, items=(), withheld=0)
    return [
        whole,
        replace(whole, items=whole.items[:1], withheld=0),
        replace(whole, more=3, withheld=1),
        replace(whole, late=True, received_at=DEADLINE + timedelta(hours=9)),
        replace(whole, deadline=None, subject=""),
        nothing,
        replace(nothing, withheld=3),
        replace(nothing, under_review=True, subject=""),
    ]
