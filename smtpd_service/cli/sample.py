"""A sample bounce: the same decision, reply and letterhead as a real one, of a mail that nobody sent."""

from dataclasses import replace
from email import message_from_bytes, policy
from email.utils import format_datetime
from pathlib import Path
from typing import Literal

from smtpd_service.cli.desk import mailbox_at, open_desk
from smtpd_service.domain.notice import Bounce, FailedRecipient
from smtpd_service.domain.outcomes import MailboxFull
from smtpd_service.domain.replies import reply_to
from smtpd_service.domain.verdict import Refused
from smtpd_service.identity import new_id, now
from smtpd_service.outbound.compose import compose_bounce
from smtpd_service.outbound.courier import letterhead_of
from smtpd_service.settings import MailboxToMake, Settings
from smtpd_service.storing import diagnostic
from storage.records import Mailbox, MailboxId, Quota, Usage, WhenFull

_SENDER = "ann.sample@agency.example"


def full_mailbox(settings: Settings, config: Path | None, named: str | None) -> Mailbox:
    """Return the mailbox that was named, as if it were full; else one made up from the settings."""
    if named is not None:
        with open_desk(config) as desk, desk.store.reading() as tx:
            box = mailbox_at(tx, named)
        return replace(box, used=Usage(box.used.messages, box.quota.octets))
    wanted = settings.mailbox[0] if settings.mailbox else MailboxToMake(address=f"hr@{settings.smtp.hostname}")
    octets = int(wanted.quota)
    return Mailbox(MailboxId(""), wanted.address, Quota(octets), Usage(1, octets), WhenFull.BOUNCE, False, 0, None)


def sample_bounce(settings: Settings, box: Mailbox, wording: Literal["incident", "helpful"] | None) -> bytes:
    """Return the bounce that a reply to `box` would cause now."""
    refused = Refused(0, MailboxFull("octets", box.quota.octets, box.used.octets), WhenFull.BOUNCE)
    failed = FailedRecipient(
        address=box.address,
        original=None,
        status=reply_to(refused.why, refused.mode).enhanced,
        diagnostic=diagnostic(refused, box),
        used_octets=box.used.octets,
        quota_octets=box.quota.octets,
    )
    at = now()
    bounce = Bounce(
        id=new_id(),
        recipient=_SENDER,
        arrived_at=at,
        envid=None,
        ret=None,
        failed=(failed,),
        returned=_header(box, format_datetime(at)),
        returned_whole=False,
        smtputf8=False,
        sender_host="192.0.2.25",
    )
    letterhead = letterhead_of(settings)
    return compose_bounce(bounce, replace(letterhead, wording=wording or letterhead.wording), at)


def _header(box: Mailbox, date: str) -> bytes:
    lines = (
        f"From: Ann Sample <{_SENDER}>",
        f"To: <{box.address}>",
        "Subject: Re: What did you do last week?",
        f"Date: {date}",
        "Message-ID: <sample@agency.example>",
    )
    return "".join(f"{line}\r\n" for line in lines).encode()


def html_of(octets: bytes) -> str:
    """Return the HTML part of a bounce."""
    mail = message_from_bytes(octets, policy=policy.default)
    return next(str(part.get_content()) for part in mail.walk() if part.get_content_type() == "text/html")
