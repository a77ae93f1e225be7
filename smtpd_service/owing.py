"""The notices that storing one message makes us owe to its sender: one DSN for who failed, one for who asked.

Pure: both are made from what was decided, and written by the unit that decided it.
"""

from collections.abc import Sequence
from datetime import datetime

from smtpd_service.admission import Offer, Recipient
from smtpd_service.domain.headers import without_results
from smtpd_service.domain.notice import Bounce, DeliveryReport, FailedRecipient, ReachedRecipient, what_to_return
from smtpd_service.domain.outcomes import MailboxFull
from smtpd_service.domain.replies import reply_to
from smtpd_service.domain.verdict import Refused
from smtpd_service.identity import new_id
from storage.records import Mailbox, NewNotice, NoticeId, NoticeKind, WhenFull


def bounce(
    offer: Offer, failed: Sequence[tuple[Recipient, Refused, Mailbox]], *, stored: bool, now: datetime
) -> NewNotice:
    """Return the one failed DSN that names all the refused recipients who want one.

    `stored` says that other recipients have the message.
    """
    box = failed[0][2]
    returned, whole = what_to_return(without_results(offer.octets, offer.authserv_id), offer.parameters.ret)
    made = Bounce(
        id=new_id(),
        recipient=offer.sender.mail_from,
        arrived_at=offer.received_at,
        envid=offer.parameters.envid,
        ret=offer.parameters.ret,
        failed=tuple(_failed(*each) for each in failed if not each[0].parameters.never),
        returned=returned,
        returned_whole=whole,
        smtputf8=offer.parameters.smtputf8,
        sender_host=_host(offer),
        language=box.language,
    )
    return NewNotice(
        id=NoticeId(made.id),
        kind=NoticeKind.BOUNCE,
        recipient=made.recipient,
        mailbox=box.id,
        message=offer.id if stored else None,
        created_at=now,
        facts=made.facts(),
        returned=returned,
    )


def report(offer: Offer, stored: Sequence[tuple[Recipient, Mailbox]], now: datetime) -> NewNotice | None:
    """Return the delivered DSN for those of `stored` who asked by NOTIFY=SUCCESS, None where nobody is told.

    It goes only where it can be no backscatter, and never to `<>`. Source: RFC 3461 section 5.2.
    """
    asked = [each for each in stored if asks(each[0])]
    if not asked or not offer.sender.mail_from or not offer.sender.proof.returnable:
        return None
    box = asked[0][1]
    # RET is of failed DSNs only (RFC 3461 section 4.3).
    returned, _ = what_to_return(without_results(offer.octets, offer.authserv_id), "HDRS")
    made = DeliveryReport(
        id=new_id(),
        recipient=offer.sender.mail_from,
        arrived_at=offer.received_at,
        envid=offer.parameters.envid,
        delivered=tuple(ReachedRecipient(to.address, to.parameters.orcpt) for to, _ in asked),
        returned=returned,
        smtputf8=offer.parameters.smtputf8,
        sender_host=_host(offer),
        language=box.language,
    )
    return NewNotice(
        id=NoticeId(made.id),
        kind=NoticeKind.DELIVERED,
        recipient=made.recipient,
        mailbox=box.id,
        message=offer.id,
        created_at=now,
        facts=made.facts(),
        returned=returned,
    )


def asks(recipient: Recipient) -> bool:
    """Say whether a delivered DSN is asked for (RFC 3461 section 4.1)."""
    notify = recipient.parameters.notify
    return notify is not None and "SUCCESS" in notify


def diagnostic(refused: Refused) -> str:
    """Return the reply that refused, with what is used and allowed where that is the reason."""
    text = str(reply_to(refused.why, refused.mode))
    if isinstance(refused.why, MailboxFull) and refused.mode is WhenFull.BOUNCE:
        return f"{text}, {refused.why.used} of {refused.why.limit} {refused.why.dimension} used"
    return text


def _failed(recipient: Recipient, refused: Refused, box: Mailbox) -> FailedRecipient:
    why = refused.why
    return FailedRecipient(
        address=recipient.address,
        original=recipient.parameters.orcpt,
        status=reply_to(refused.why, refused.mode).enhanced,
        diagnostic=diagnostic(refused),
        used_octets=box.used.octets,
        quota_octets=box.quota.octets,
        quota_messages=why.limit if isinstance(why, MailboxFull) and why.dimension == "messages" else None,
    )


def _host(offer: Offer) -> str:
    return f"{offer.sender.helo} ([{offer.sender.client}])"
