"""Rows for tests of the database: a mailbox, a message, a notice, an offer, each valid as it stands."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from smtpd_service.admission import Offer, Recipient, Sender
from smtpd_service.domain.parameters import MailParameters, RcptParameters
from smtpd_service.domain.sender import Proof
from smtpd_service.identity import new_id
from storage import mailboxes, messages, rounds
from storage.engine import Store
from storage.octets import pack
from storage.records import (
    Campaign,
    Mailbox,
    MailboxId,
    MessageId,
    NewDelivery,
    NewMessage,
    NewNotice,
    NewRefusal,
    NoticeId,
    NoticeKind,
    Quota,
    RefusalId,
    Usage,
    WhenFull,
)

NOON = datetime(2026, 11, 18, 12, 0, 0, 123456, tzinfo=UTC)


def box(address: str = "hr@agency.test", octets: int = 1_000_000, **more: Any) -> Mailbox:
    plain = Mailbox(
        id=MailboxId(new_id()),
        address=address,
        quota=Quota(octets),
        used=Usage(0, 0),
        when_full=WhenFull.BOUNCE,
        frozen=False,
        warned=0,
        campaign=None,
    )
    return replace(plain, **more)


def add_box(store: Store, made: Mailbox) -> Mailbox:
    with store.unit() as tx:
        mailboxes.add(tx, made, NOON)
    return made


def add_campaign(store: Store, name: str = "weekly") -> Campaign:
    made = Campaign(new_id(), name, "America/New_York", 0, "23:59:59", 6, 0)
    with store.unit() as tx:
        rounds.add_campaign(tx, made)
    return made


def message(octets: bytes = b"Subject: hi\r\n\r\n- one\r\n", **more: Any) -> NewMessage:
    encoding, raw = pack(octets)
    plain = NewMessage(
        id=MessageId(new_id()),
        received_at=NOON,
        mail_from="ann@agency.test",
        message_id="<1@agency.test>",
        digest=hashlib.sha256(octets).digest(),
        octets=len(octets),
        encoding=encoding,
        raw=raw,
        client="127.0.0.1",
        helo="client.test",
        proved=True,
        proved_by="trusted network",
        smtputf8=False,
        body="7BIT",
        ret=None,
        envid=None,
        trace="",
    )
    return plain._replace(**more)


def delivery(of: NewMessage, to: Mailbox) -> NewDelivery:
    return NewDelivery(of.id, to.id, to.address, of.octets, None, None)


def add_messages(store: Store, to: Mailbox, *made: NewMessage) -> list[MessageId]:
    with store.unit() as tx:
        messages.store(tx, made, [delivery(each, to) for each in made])
    return [each.id for each in made]


def notice(to: Mailbox, **more: Any) -> NewNotice:
    plain = NewNotice(
        id=NoticeId(new_id()),
        kind=NoticeKind.BOUNCE,
        recipient="ann@agency.test",
        mailbox=to.id,
        message=None,
        created_at=NOON,
        facts={},
        returned=b"Subject: hi\r\n",
    )
    return replace(plain, **more)


def refusal(of: Mailbox, **more: Any) -> NewRefusal:
    plain = NewRefusal(
        id=RefusalId(new_id()),
        mailbox=of.id,
        refused_at=NOON,
        recipient=of.address,
        mail_from="ann@agency.test",
        client="127.0.0.1",
        message_id=None,
        octets=None,
        stage="rcpt",
        outcome="MailboxFull",
        reply="552 5.2.2 Mailbox full",
        notice=None,
    )
    return replace(plain, **more)


def offer(
    octets: bytes, *to: Mailbox, mail_from: str = "ann@agency.test", proved: bool = True, never: bool = False
) -> Offer:
    notify = frozenset({"NEVER"}) if never else None
    proof = Proof(proved, "trusted network" if proved else "", returnable=proved)
    return Offer(
        id=MessageId(new_id()),
        received_at=NOON + timedelta(seconds=1),
        sender=Sender(mail_from, "127.0.0.1", "client.test", proof),
        parameters=MailParameters(),
        recipients=tuple(Recipient(each.address, each.id, RcptParameters(notify=notify)) for each in to),
        octets=octets,
        digest=hashlib.sha256(octets).digest(),
        message_id="<1@agency.test>",
        trace="",
    )
