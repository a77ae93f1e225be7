"""A sample of each notice: the same decision, reply and letterhead as a real one, of a mail that nobody sent."""

from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path
from typing import Literal

from smtpd_service.cli.complaint import Complaint
from smtpd_service.cli.desk import mailbox_at, open_desk
from smtpd_service.domain.language import LANGUAGES
from smtpd_service.domain.notice import FailedRecipient, Letterhead
from smtpd_service.domain.outcomes import MailboxFull
from smtpd_service.domain.replies import reply_to
from smtpd_service.domain.verdict import Refused
from smtpd_service.identity import now
from smtpd_service.outbound.compose import compose
from smtpd_service.outbound.proofreading import proofread
from smtpd_service.outbound.samples import sample_bounce, sample_delivered, sample_receipt, sample_warning
from smtpd_service.outbound.writing import letterhead_of
from smtpd_service.owing import diagnostic
from smtpd_service.settings import ConfigError, MailboxToMake, Settings
from storage.records import Mailbox, MailboxId, NoticeKind, Quota, Usage, WhenFull


def full_mailbox(settings: Settings, config: Path | None, named: str | None) -> Mailbox:
    """Return the mailbox that was named, as if it were full; else one made up from the settings."""
    if named is not None:
        with open_desk(config) as desk, desk.store.reading() as tx:
            box = mailbox_at(tx, named)
        return replace(box, used=Usage(box.used.messages, box.quota.octets))
    wanted = settings.mailbox[0] if settings.mailbox else MailboxToMake(address=f"hr@{settings.smtp.hostname}")
    octets = int(wanted.quota)
    made = Mailbox(MailboxId(""), wanted.address, Quota(octets), Usage(1, octets), WhenFull.BOUNCE, False, 0, None)
    return replace(made, language=wanted.language)


def sample_notice(
    settings: Settings,
    box: Mailbox,
    kind: NoticeKind,
    *,
    wording: Literal["incident", "helpful"] | None,
    language: str | None,
) -> bytes:
    """Return the notice that a reply to `box` would cause now, with the operator's templates.

    Raises Complaint for templates that cannot be used.
    """
    try:
        proofread(settings)
    except ConfigError as error:
        raise Complaint(str(error)) from error
    ours = letterhead_of(settings)
    spoken = language or box.language or ours.language
    letterhead = replace(ours, wording=wording or ours.wording, language=spoken)
    facts, returned = _facts(kind, box, letterhead, settings.campaign.time_zone)
    return compose(kind, facts, returned, letterhead, now())


def _facts(kind: NoticeKind, box: Mailbox, letterhead: Letterhead, zone: str) -> tuple[dict[str, object], bytes]:
    language = letterhead.language if letterhead.language in LANGUAGES else LANGUAGES[0]
    match kind:
        case NoticeKind.BOUNCE:
            bounce = sample_bounce(_failed(box), language=language, at=now())
            return bounce.facts(), bounce.returned
        case NoticeKind.DELIVERED:
            report = sample_delivered(box.address, language, now())
            return report.facts(), report.returned
        case NoticeKind.RECEIPT:
            return sample_receipt(box.address, language, zone).facts(), b""
        case NoticeKind.WARNING:
            return sample_warning(box.address, now()).facts(), b""


def _failed(box: Mailbox) -> FailedRecipient:
    refused = Refused(0, MailboxFull("octets", box.quota.octets, box.used.octets), WhenFull.BOUNCE)
    return FailedRecipient(
        address=box.address,
        original=None,
        status=reply_to(refused.why, refused.mode).enhanced,
        diagnostic=diagnostic(refused),
        used_octets=box.used.octets,
        quota_octets=box.quota.octets,
    )


def shown_part(octets: bytes, content_type: Literal["text/plain", "text/html"]) -> str:
    """Return the readable text of a notice, as plain text or as HTML."""
    mail = message_from_bytes(octets, policy=policy.default)
    return next(str(part.get_content()) for part in mail.walk() if part.get_content_type() == content_type)
