"""One transaction of intake: lock, decide in order of arrival, and write everything that follows from it."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from smtpd_service.admission import Offer, Recipient
from smtpd_service.domain.notice import Bounce, FailedRecipient, UsageWarning, what_to_return
from smtpd_service.domain.outcomes import Bounced, MailboxFull, Outcome, PartlyStored, Repeated, Stored
from smtpd_service.domain.quota import percent, warning_level
from smtpd_service.domain.replies import reply_to
from smtpd_service.domain.verdict import Place, Refused, Verdict, decide
from smtpd_service.events import Event, note
from smtpd_service.identity import new_id
from storage import acceptance, mailboxes, messages, notices, refusals
from storage.engine import Tx
from storage.octets import pack
from storage.records import (
    Fate,
    Mailbox,
    MailboxId,
    Mark,
    NewDelivery,
    NewMessage,
    NewNotice,
    NewRefusal,
    NoticeId,
    NoticeKind,
    RefusalId,
    WhenFull,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a session is told: the outcome, and the effective mode where a mailbox refused."""

    outcome: Outcome
    mode: WhenFull | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """An offer with all that can be made before the rows are locked."""

    offer: Offer
    encoding: str
    packed: bytes
    places: tuple["Addressed", ...]


@dataclass(frozen=True, slots=True)
class Addressed:
    """One mailbox of an offer, with every address that it was named by; `token` recognises the same mail."""

    mailbox: MailboxId
    recipients: tuple[Recipient, ...]
    token: bytes

    @property
    def never(self) -> bool:
        """Say whether all who were named asked for no DSN."""
        return all(each.parameters.never for each in self.recipients)


@dataclass(frozen=True, slots=True)
class Policy:
    """`warn_at` in percent; `operator` gets the warnings, nobody when empty."""

    warn_at: tuple[int, ...]
    operator: str


@dataclass(slots=True)
class Rows:
    """What the batch will write, gathered while it decides."""

    messages: list[NewMessage] = field(default_factory=list)
    deliveries: list[NewDelivery] = field(default_factory=list)
    refusals: list[NewRefusal] = field(default_factory=list)
    notices: list[NewNotice] = field(default_factory=list)
    marks: dict[bytes, Mark] = field(default_factory=dict)


def prepare(offer: Offer, key: bytes) -> Prepared:
    """Compress and make tokens before any row is locked; `key` is the database's own."""
    encoding, packed = pack(offer.octets)
    named: dict[MailboxId, list[Recipient]] = {}
    for recipient in offer.recipients:
        named.setdefault(recipient.mailbox, []).append(recipient)
    places = tuple(
        Addressed(box, tuple(recipients), acceptance.token(key, offer.digest, offer.sender.mail_from, box))
        for box, recipients in named.items()
    )
    return Prepared(offer, encoding, packed, places)


def store_batch(
    tx: Tx, offers: Sequence[Prepared], refused: Iterable[NewRefusal], policy: Policy, now: datetime
) -> list[Answer]:
    """Store what fits, refuse the rest, and return an answer for each offer, in order."""
    boxes = mailboxes.lock(tx, (each.mailbox for one in offers for each in one.places))
    before = dict(boxes)
    known = acceptance.marks(tx, (each.token for one in offers for each in one.places), now)
    rows = Rows(refusals=list(refused))
    answers = [_decide_one(one, boxes, known, rows, now) for one in offers]
    changed = [box for id_, box in boxes.items() if box is not before[id_]]
    warned = [_with_warning(box, rows, policy, now) for box in changed]
    messages.store(tx, rows.messages, rows.deliveries)
    notices.owe(tx, rows.notices)
    refusals.record(tx, rows.refusals)
    acceptance.remember(tx, list(rows.marks.items()), now)
    mailboxes.set_usage(tx, warned)
    return answers


def _decide_one(
    one: Prepared, boxes: dict[MailboxId, Mailbox], known: dict[bytes, Mark], rows: Rows, now: datetime
) -> Answer:
    """Decide over one offer; `boxes` and `known` move on for the next one of the batch."""
    offer = one.offer
    places = [Place(boxes[each.mailbox], each.never, known.get(each.token)) for each in one.places]
    verdict = decide(
        places, len(offer.octets), null_sender=not offer.sender.mail_from, proved=offer.sender.proof.proved
    )
    for index, usage in verdict.stored:
        named = one.places[index]
        boxes[named.mailbox] = replace(boxes[named.mailbox], used=usage)
        rows.deliveries.append(_delivery(offer, named.recipients[0]))
        _remember(named.token, Mark(Fate.STORED, offer.id), known, rows)
    if verdict.stored:
        rows.messages.append(_message(one))
    notice = _bounce(one, verdict, places, rows, now) if verdict.bounce else None
    for each in verdict.refused:
        named = one.places[each.place]
        for recipient in named.recipients:
            rows.refusals.append(_refusal(offer, recipient, each, places[each.place], notice=notice, now=now))
        if notice is not None:
            _remember(named.token, Mark(Fate.BOUNCED, notice), known, rows)
    return _answer(offer, verdict, places, notice)


def _remember(token: bytes, mark: Mark, known: dict[bytes, Mark], rows: Rows) -> None:
    known[token] = mark
    rows.marks[token] = mark


def _answer(offer: Offer, verdict: Verdict, places: Sequence[Place], notice: NoticeId | None) -> Answer:
    worst = verdict.worst
    if worst is not None:
        marks = (places[index].mark for index in verdict.repeated)
        stored_before = any(mark is not None and mark.fate is Fate.STORED for mark in marks)
        partly = bool(verdict.stored) or stored_before
        return Answer(PartlyStored(offer.id)) if partly else Answer(worst.why, worst.mode)
    if verdict.stored:
        return Answer(Stored(offer.id))
    if notice is not None:
        return Answer(Bounced(notice))
    mark = places[verdict.repeated[0]].mark
    assert mark is not None  # noqa: S101  # nothing stored, nothing refused: all was known
    return Answer(Repeated(mark.subject))


def _message(one: Prepared) -> NewMessage:
    offer = one.offer
    return NewMessage(
        id=offer.id,
        received_at=offer.received_at,
        mail_from=offer.sender.mail_from,
        message_id=offer.message_id,
        octets=len(offer.octets),
        digest=offer.digest,
        encoding=one.encoding,
        raw=one.packed,
        client=offer.sender.client,
        helo=offer.sender.helo,
        proved=offer.sender.proof.proved,
        proved_by=offer.sender.proof.by,
        smtputf8=offer.parameters.smtputf8,
        body=offer.parameters.body,
        ret=offer.parameters.ret,
        envid=offer.parameters.envid,
        trace=offer.trace,
    )


def _delivery(offer: Offer, recipient: Recipient) -> NewDelivery:
    notify = recipient.parameters.notify
    return NewDelivery(
        message=offer.id,
        mailbox=recipient.mailbox,
        recipient=recipient.address,
        octets=len(offer.octets),
        notify=",".join(sorted(notify)) if notify is not None else None,
        orcpt=recipient.parameters.orcpt,
    )


def diagnostic(refused: Refused, box: Mailbox) -> str:
    """Return the reply that refused, with what is used and allowed where that is the reason."""
    text = str(reply_to(refused.why, refused.mode))
    if isinstance(refused.why, MailboxFull) and refused.mode is WhenFull.BOUNCE:
        return f"{text}, {box.used.octets} of {box.quota.octets} octets used"
    return text


def _refusal(
    offer: Offer, recipient: Recipient, refused: Refused, place: Place, *, notice: NoticeId | None, now: datetime
) -> NewRefusal:
    return NewRefusal(
        id=RefusalId(new_id()),
        mailbox=place.mailbox.id,
        refused_at=now,
        recipient=recipient.address,
        mail_from=offer.sender.mail_from,
        client=offer.sender.client,
        message_id=offer.message_id,
        octets=len(offer.octets),
        stage="data",
        outcome=type(refused.why).__name__,
        reply=diagnostic(refused, place.mailbox),
        # Who asked for no DSN is not named in the one that goes to the others.
        notice=None if recipient.parameters.never else notice,
    )


def _bounce(one: Prepared, verdict: Verdict, places: Sequence[Place], rows: Rows, now: datetime) -> NoticeId:
    """Owe one DSN that names all the refused recipients who want one, and return its id."""
    offer, notice = one.offer, NoticeId(new_id())
    returned, whole = what_to_return(offer.octets, offer.parameters.ret)
    bounce = Bounce(
        id=notice,
        recipient=offer.sender.mail_from,
        arrived_at=offer.received_at,
        envid=offer.parameters.envid,
        ret=offer.parameters.ret,
        failed=tuple(
            _failed(recipient, each, places[each.place].mailbox)
            for each in verdict.refused
            for recipient in one.places[each.place].recipients
            if not recipient.parameters.never
        ),
        returned=returned,
        returned_whole=whole,
        smtputf8=offer.parameters.smtputf8,
        sender_host=f"{offer.sender.helo} ([{offer.sender.client}])",
    )
    rows.notices.append(
        NewNotice(
            id=notice,
            kind=NoticeKind.BOUNCE,
            recipient=bounce.recipient,
            mailbox=places[verdict.refused[0].place].mailbox.id,
            message=offer.id if verdict.stored else None,
            created_at=now,
            facts=bounce.facts(),
            returned=returned,
        )
    )
    return notice


def _failed(recipient: Recipient, refused: Refused, box: Mailbox) -> FailedRecipient:
    return FailedRecipient(
        address=recipient.address,
        original=recipient.parameters.orcpt,
        status=reply_to(refused.why, refused.mode).enhanced,
        diagnostic=diagnostic(refused, box),
        used_octets=box.used.octets,
        quota_octets=box.quota.octets,
    )


def _with_warning(box: Mailbox, rows: Rows, policy: Policy, now: datetime) -> Mailbox:
    """Return the mailbox with its reported threshold moved, owing the operator a warning if it moved."""
    moved, warning = warn(box, policy, now)
    if moved is not box:
        note_level(moved)
    if warning is not None:
        rows.notices.append(warning)
    return moved


def note_level(box: Mailbox) -> None:
    """Log the threshold that now counts as reported: the operator may have no address for warnings."""
    note(Event.WARNING, logging.WARNING, mailbox=box.address, percent=box.warned, used_octets=box.used.octets)


def warn(box: Mailbox, policy: Policy, now: datetime) -> tuple[Mailbox, NewNotice | None]:
    """Return `box` with the threshold that now counts as reported, and the warning that this owes."""
    level = warning_level(policy.warn_at, box.warned, percent(box.quota, box.used))
    if level == box.warned:
        return box, None
    moved = replace(box, warned=level)
    if not policy.operator:
        return moved, None
    warning = UsageWarning(
        id=new_id(),
        recipient=policy.operator,
        mailbox=box.address,
        level=max(level, box.warned),
        rising=level > box.warned,
        used_octets=box.used.octets,
        quota_octets=box.quota.octets,
        used_messages=box.used.messages,
        quota_messages=box.quota.messages,
        at=now,
    )
    notice = NewNotice(
        id=NoticeId(warning.id),
        kind=NoticeKind.WARNING,
        recipient=policy.operator,
        mailbox=box.id,
        message=None,
        created_at=now,
        facts=warning.facts(),
        returned=b"",
    )
    return moved, notice
