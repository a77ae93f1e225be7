"""What the templates of each notice may say. All that a sender wrote is cleaned on its way in."""

from dataclasses import asdict
from datetime import datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

from smtpd_service.domain.headers import header_block
from smtpd_service.domain.notice import (
    Bounce,
    DeliveryReport,
    FailedRecipient,
    Letterhead,
    Receipt,
    UsageWarning,
    cut_at_line_end,
)
from smtpd_service.outbound.header import clean
from smtpd_service.outbound.letter import domain_of
from smtpd_service.outbound.moments import moment_in_words, time_in_words, weekday_in_words

Facts = dict[str, object]

# The readable part shows the original's header too; the whole of it returns in the third part.
SHOWN_HEADER = 8_000
# Why a recipient failed, by the status; any other is a mailbox that is full.
REASONS = {"5.2.3": "too_large", "5.3.4": "too_large", "5.2.121": "too_often", "5.2.122": "too_often"}


def bounce_facts(bounce: Bounce, letterhead: Letterhead, language: str, subject: str) -> Facts:
    return {
        "failed": [_failed(recipient) for recipient in bounce.failed],
        "subject": subject,
        "original_headers": _shown_header(bounce.returned),
        "reference": bounce.id,
        "arrived_at": moment_in_words(bounce.arrived_at, letterhead.zone, language),
        "hostname": letterhead.hostname,
        "sender": clean(bounce.recipient),
        "postmaster": f"postmaster@{domain_of(bounce.failed[0].address, letterhead)}",
        "resend_when": letterhead.resend_when,
        "resend_to": letterhead.resend_to,
    }


def _failed(recipient: FailedRecipient) -> Facts:
    return {
        "address": clean(recipient.address),
        "mailto": _mailto(recipient.address),
        "reason": REASONS.get(recipient.status, "full"),
        "status": recipient.status,
        "diagnostic": clean(recipient.diagnostic),
        "used_octets": recipient.used_octets,
        "quota_octets": recipient.quota_octets,
        "quota_messages": recipient.quota_messages,
    }


def delivered_facts(report: DeliveryReport, letterhead: Letterhead, language: str, subject: str) -> Facts:
    return {
        "delivered": [{"address": clean(each.address), "mailto": _mailto(each.address)} for each in report.delivered],
        "subject": subject,
        "reference": report.id,
        "arrived_at": moment_in_words(report.arrived_at, letterhead.zone, language),
        "hostname": letterhead.hostname,
        "sender": clean(report.recipient),
    }


def receipt_facts(receipt: Receipt, letterhead: Letterhead, language: str) -> Facts:
    zone = ZoneInfo(receipt.zone)

    def said(at: datetime | None) -> tuple[str | None, str | None]:
        return (moment_in_words(at, zone, language), weekday_in_words(at, zone, language)) if at else (None, None)

    deadline, deadline_day = said(receipt.deadline)
    return {
        "mailbox": clean(receipt.mailbox),
        "subject": clean(receipt.subject),
        "received_at": moment_in_words(receipt.received_at, zone, language),
        "received_time": time_in_words(receipt.received_at, zone, language),
        "late": receipt.late,
        "deadline": deadline,
        "deadline_day": deadline_day,
        "count": len(receipt.items) + receipt.more + receipt.withheld,
        "items": [clean(item) for item in receipt.items],
        "more": receipt.more,
        "withheld": receipt.withheld,
        "under_review": receipt.under_review,
        "reference": receipt.id,
        "hostname": letterhead.hostname,
    }


def warning_facts(warning: UsageWarning, letterhead: Letterhead, language: str) -> Facts:
    told = asdict(warning)
    return {name: told[name] for name in _OF_WARNING} | {
        "mailbox": clean(warning.mailbox),
        "reference": warning.id,
        "crossed_at": moment_in_words(warning.at, letterhead.zone, language),
        "hostname": letterhead.hostname,
    }


_OF_WARNING = ("level", "rising", "used_octets", "quota_octets", "used_messages", "quota_messages")


def _mailto(address: str) -> str:
    return f"mailto:{quote(clean(address), safe='@')}"


def _shown_header(returned: bytes) -> list[str]:
    block = cut_at_line_end(header_block(returned), SHOWN_HEADER)
    lines = block.decode("utf-8", "replace").replace("\t", "    ").split("\n")
    # Leading spaces show which lines are folded.
    return [" " * (len(line) - len(line.lstrip(" "))) + clean(line) for line in lines if clean(line)]
