"""Who is sent a receipt for a reply, and what it says; nothing that only reviewers may see is repeated in it.

Promises: a receipt goes only to a reverse-path that is proved, of mail that a person wrote (RFC 3834), at most one a
message and `per_day` to one sender in 24 hours. It is owed by the unit that files the submission, so that who has a
receipt is on record; what is read again owes none. Known limit: two readers that file replies of one sender in the
same moment may pass `per_day` by one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from parsers.model import Reading, Status
from smtpd_service.domain.address import mailbox_key
from smtpd_service.domain.answering import may_answer
from smtpd_service.domain.headers import header_block
from smtpd_service.domain.language import language_of
from smtpd_service.domain.notice import Receipt
from smtpd_service.domain.round import is_late
from smtpd_service.identity import new_id
from smtpd_service.outbound.original import read_original
from smtpd_service.submitting import storable
from storage import mailboxes, receipts
from storage.engine import Tx
from storage.receipts import Addressed
from storage.records import Campaign, NewNotice, NoticeId, NoticeKind, PendingMessage, Round

# What a person has said, and what we could not make out: a machine's mail is answered by nobody.
ANSWERED = frozenset({Status.OK, Status.FEW, Status.MANY, Status.SENSITIVE, Status.EMPTY, Status.ENCRYPTED})
MOST_ITEMS = 10
LONGEST_ITEM = 120
LONGEST_SUBJECT = 200
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ReceiptPolicy:
    """`per_day` receipts to one sender; `language` and `zone` count where a reply has none of its own."""

    per_day: int
    language: str
    zone: str


@dataclass(frozen=True, slots=True)
class Filed:
    """A reply that was filed, and the rounds that it answers."""

    message: PendingMessage
    reading: Reading
    rounds: tuple[Round, ...]


def receipts_owed(
    tx: Tx, policy: ReceiptPolicy, filed: Sequence[Filed], campaigns: Mapping[str, Campaign], now: datetime
) -> list[NewNotice]:
    """Return the receipts that this unit owes, the oldest message first."""
    answered = [each for each in filed if _is_answered(each)]
    if not answered:
        return []
    places = receipts.addressed(tx, [each.message.id for each in answered])
    had = receipts.counts(tx, {each.message.mail_from for each in answered}, now - DAY)
    owed = []
    for each in answered:
        to = each.message.mail_from
        place = places.get(each.message.id)
        # A mailbox of ours is nobody who replies.
        ours = mailboxes.find(tx, mailbox_key(to)) is not None
        if place is not None and not ours and had.get(to, 0) < policy.per_day:
            had[to] = had.get(to, 0) + 1
            owed.append(_notice(_receipt(each, place, policy, campaigns), each, place, now))
    return owed


def _is_answered(each: Filed) -> bool:
    message = each.message
    if not message.returnable or message.octets is None or each.reading.status not in ANSWERED:
        return False
    return may_answer(header_block(message.octets), message.mail_from)


def _receipt(each: Filed, place: Addressed, policy: ReceiptPolicy, campaigns: Mapping[str, Campaign]) -> Receipt:
    message, reading = each.message, each.reading
    header = header_block(message.octets or b"")
    round_ = next((one for one in each.rounds if one.campaign == place.campaign), None)
    shown = [] if reading.quarantine else [one.text for one in reading.bullets if one.quarantine is None]
    items = tuple(_shortened(text, LONGEST_ITEM) for text in shown[:MOST_ITEMS])
    original = read_original(header)
    return Receipt(
        id=new_id(),
        recipient=message.mail_from,
        mailbox=place.address,
        received_at=message.received_at,
        deadline=round_.deadline if round_ else None,
        late=round_ is not None and is_late(round_, message.received_at),
        zone=campaigns[round_.campaign].zone if round_ else policy.zone,
        # A subject is kept back with the reply as a whole.
        subject="" if reading.quarantine else _shortened(reading.subject, LONGEST_SUBJECT),
        message_id=original.message_id,
        references=original.references,
        items=items,
        more=len(shown) - len(items),
        withheld=len(reading.bullets) - len(shown),
        under_review=bool(reading.quarantine),
        smtputf8=not message.mail_from.isascii(),
        language=language_of(header, place.language, policy.language),
    )


def _notice(receipt: Receipt, each: Filed, place: Addressed, now: datetime) -> NewNotice:
    return NewNotice(
        id=NoticeId(receipt.id),
        kind=NoticeKind.RECEIPT,
        recipient=receipt.recipient,
        mailbox=place.mailbox,
        message=each.message.id,
        created_at=now,
        facts=receipt.facts(),
        returned=b"",
    )


def _shortened(text: str, limit: int) -> str:
    line = " ".join(storable(text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
