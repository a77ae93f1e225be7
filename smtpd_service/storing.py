"""One transaction of intake: lock, decide in order of arrival, and write everything that follows from it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from smtpd_service import owing
from smtpd_service.admission import Offer, Recipient
from smtpd_service.domain.outcomes import Bounced, Outcome, PartlyStored, Repeated, Stored
from smtpd_service.domain.quota import NOTHING_LATELY, admit, rate_key
from smtpd_service.domain.verdict import Place, Refused, Verdict, decide
from smtpd_service.identity import new_id
from smtpd_service.warning import Policy, note_level, warn
from storage import acceptance, arrivals, mailboxes, messages, notices, refusals
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
    Recent,
    RefusalId,
    Usage,
    WhenFull,
)
from storage.statement import pipeline, take_answers


class Told(NamedTuple):
    """An outcome, and the effective mode where a mailbox refused."""

    outcome: Outcome
    mode: WhenFull | None = None


class Answer(NamedTuple):
    """What a session is told: the outcome, and the effective mode where a mailbox refused.

    `each` is what each recipient is told, in the order of the offer, where they are answered `individually`;
    it is empty where the same holds for all, as in local trouble.
    """

    outcome: Outcome
    mode: WhenFull | None = None
    each: tuple[Told, ...] = ()


class Prepared(NamedTuple):
    """An offer with all that can be made before the rows are locked."""

    offer: Offer
    encoding: str
    packed: bytes
    places: tuple["Addressed", ...]
    # Whether anybody is to be told once it is stored, by NOTIFY=SUCCESS.
    asks: bool
    # The same with postmasters' mail led to where there always is room.
    detour: "Prepared | None" = None

    @property
    def all_places(self) -> tuple["Addressed", ...]:
        return self.places + (self.detour.places if self.detour else ())


class Addressed(NamedTuple):
    """One mailbox of an offer, with every address that it was named by; `token` recognises the same mail."""

    mailbox: MailboxId
    recipients: tuple[Recipient, ...]
    token: bytes

    @property
    def never(self) -> bool:
        """Say whether all who were named asked for no DSN."""
        return all(each.parameters.never for each in self.recipients)


@dataclass(slots=True)
class Rows:
    """What the batch will write, gathered while it decides.

    `rated` are the mailboxes that have a rate, `lately` what they had in the last hour when the batch began.
    """

    messages: list[NewMessage] = field(default_factory=list)
    deliveries: list[NewDelivery] = field(default_factory=list)
    refusals: list[NewRefusal] = field(default_factory=list)
    notices: list[NewNotice] = field(default_factory=list)
    marks: dict[bytes, Mark] = field(default_factory=dict)
    arrived: Counter[arrivals.Pair] = field(default_factory=Counter)
    rated: frozenset[MailboxId] = frozenset()
    lately: Mapping[arrivals.Pair, int] = field(default_factory=dict)


def prepare(offer: Offer, key: bytes) -> Prepared:
    """Compress and make tokens before any row is locked; `key` is the database's own."""
    return _addressed(offer, key, *pack(offer.octets))


def _addressed(offer: Offer, key: bytes, encoding: str, packed: bytes) -> Prepared:
    named: dict[MailboxId, list[Recipient]] = {}
    for recipient in offer.recipients:
        named.setdefault(recipient.mailbox, []).append(recipient)
    places = tuple(
        Addressed(box, tuple(recipients), acceptance.token(key, offer.digest, offer.sender.mail_from, box))
        for box, recipients in named.items()
    )
    detour = None
    if any(to.otherwise for to in offer.recipients):
        led = tuple(to._replace(mailbox=to.otherwise or to.mailbox, otherwise=None) for to in offer.recipients)
        detour = _addressed(offer._replace(recipients=led), key, encoding, packed)
    return Prepared(offer, encoding, packed, places, any(map(owing.asks, offer.recipients)), detour)


def store_batch(
    tx: Tx, offers: Sequence[Prepared], refused: Iterable[NewRefusal], policy: Policy, now: datetime
) -> list[Answer]:
    """Store what fits, refuse the rest, and return an answer for each offer, in order."""
    places = [each for one in offers for each in one.all_places]
    locked = mailboxes.ask_locked(tx, (each.mailbox for each in places))
    # Only what is asked after the locks are held is sure to be all that was stored before.
    marked = acceptance.ask_marks(tx, (each.token for each in places), now)
    take_answers(tx)
    boxes, known = locked(), marked()
    before = dict(boxes)
    rated = frozenset(box.id for box in boxes.values() if box.quota.has_rate and not box.exempt)
    rows = Rows(refusals=list(refused), rated=rated, lately=_lately(tx, offers, rated, now))
    answers = [_decide_one(one, boxes, known, rows, now) for one in offers]
    changed = [box for id_, box in boxes.items() if box is not before[id_]]
    warned = [_with_warning(box, rows, policy, now) for box in changed]
    messages.store(tx, rows.messages, rows.deliveries)
    with pipeline(tx):
        notices.owe(tx, rows.notices)
        refusals.record(tx, rows.refusals)
        acceptance.remember(tx, list(rows.marks.items()), now)
        mailboxes.set_usage(tx, warned)
        arrivals.count(tx, rows.arrived, now)
    return answers


def _lately(
    tx: Tx, offers: Sequence[Prepared], rated: frozenset[MailboxId], now: datetime
) -> Mapping[arrivals.Pair, int]:
    """Return what the mailboxes that have a rate had in the last hour; without one nothing is asked."""
    if not rated:
        return {}
    concerned = (one.offer for one in offers if any(each.mailbox in rated for each in one.places))
    return arrivals.lately(tx, rated, {_sender_key(offer) for offer in concerned}, now)


def _sender_key(offer: Offer) -> str:
    return rate_key(offer.sender.mail_from, returnable=offer.sender.proof.returnable)


def _decide_one(
    one: Prepared, boxes: dict[MailboxId, Mailbox], known: dict[bytes, Mark], rows: Rows, now: datetime
) -> Answer:
    """Decide over one offer; `boxes`, `known` and `rows` move on for the next one of the batch."""
    if one.detour is not None and _blocked(one, one.detour, boxes, known, rows):
        one = one.detour
    offer = one.offer
    places = [
        Place(boxes[each.mailbox], each.never, known.get(each.token), _recent(offer, each.mailbox, rows))
        for each in one.places
    ]
    verdict = decide(
        places,
        len(offer.octets),
        null_sender=not offer.sender.mail_from,
        returnable=offer.sender.proof.returnable,
        individually=offer.individually,
    )
    _store(one, verdict, places, boxes, rows)
    notice = _owe(one, verdict, places, rows, now)
    for each in verdict.stored:
        _remember(one.places[each[0]].token, Mark(Fate.STORED, offer.id), known, rows)
    for refused in verdict.refused:
        named = one.places[refused.place]
        told = notice if refused in verdict.bounced else None
        for recipient in named.recipients:
            rows.refusals.append(_refusal(offer, recipient, refused, places[refused.place], notice=told, now=now))
        if told is not None:
            _remember(named.token, Mark(Fate.BOUNCED, told), known, rows)
    return _answer_each(one, verdict, places, notice) if offer.individually else _answer(offer, verdict, places, notice)


def _blocked(
    one: Prepared, detour: Prepared, boxes: dict[MailboxId, Mailbox], known: dict[bytes, Mark], rows: Rows
) -> bool:
    """Say whether a mailbox that a postmaster is another name of has no room, or had none for the same mail before."""
    names = [each for each in one.places if each.token not in known and any(to.otherwise for to in each.recipients)]
    led_before = any(each.token in known for each in detour.places if each not in one.places)
    size = len(one.offer.octets)
    after = (admit(boxes[each.mailbox], size, _recent(one.offer, each.mailbox, rows)) for each in names)
    return bool(names) and (led_before or not all(isinstance(each, Usage) for each in after))


def _recent(offer: Offer, box: MailboxId, rows: Rows) -> Recent:
    if box not in rows.rated:
        return NOTHING_LATELY
    of = ((box, arrivals.ALL), (box, _sender_key(offer)))
    return Recent(*(rows.lately.get(pair, 0) + rows.arrived.get(pair, 0) for pair in of))


def _store(
    one: Prepared, verdict: Verdict, places: Sequence[Place], boxes: dict[MailboxId, Mailbox], rows: Rows
) -> None:
    """Gather the rows of what is stored, and move the counters on."""
    offer = one.offer
    for index, usage in verdict.stored:
        box = places[index].mailbox
        boxes[box.id] = box.holding(usage)
        rows.deliveries.append(_delivery(offer, one.places[index].recipients[0]))
        if box.id in rows.rated:
            rows.arrived[box.id, arrivals.ALL] += 1
            rows.arrived[box.id, _sender_key(offer)] += 1
    if verdict.stored:
        rows.messages.append(_message(one))


def _owe(one: Prepared, verdict: Verdict, places: Sequence[Place], rows: Rows, now: datetime) -> NoticeId | None:
    """Owe the sender what the verdict promises; return the id of the failed DSN, where there is one."""
    if one.asks:
        stored = [(to, places[index].mailbox) for index, _ in verdict.stored for to in one.places[index].recipients]
        delivered = owing.report(one.offer, stored, now)
        rows.notices += [delivered] if delivered is not None else []
    if not verdict.bounced:
        return None
    failed = [
        (recipient, refused, places[refused.place].mailbox)
        for refused in verdict.bounced
        for recipient in one.places[refused.place].recipients
    ]
    bounce = owing.bounce(one.offer, failed, stored=bool(verdict.stored), now=now)
    rows.notices.append(bounce)
    return bounce.id


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
    return Answer(_repeated(places[verdict.repeated[0]]))


def _answer_each(one: Prepared, verdict: Verdict, places: Sequence[Place], notice: NoticeId | None) -> Answer:
    """Return what each recipient is told; the answer as a whole is that of the first."""
    told = {places[index].mailbox.id: Told(Stored(one.offer.id)) for index, _ in verdict.stored}
    told |= {places[index].mailbox.id: Told(_repeated(places[index])) for index in verdict.repeated}
    for refused in verdict.refused:
        if notice is not None and refused in verdict.bounced:
            told[places[refused.place].mailbox.id] = Told(Bounced(notice))
        else:
            told[places[refused.place].mailbox.id] = Told(refused.why, refused.mode)
    each = tuple(told[recipient.mailbox] for recipient in one.offer.recipients)
    return Answer(*each[0], each)


def _repeated(place: Place) -> Repeated:
    assert place.mark is not None  # noqa: S101  # it was decided to be known
    return Repeated(place.mark.subject)


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
        authentication=offer.sender.proof.results,
        returnable=offer.sender.proof.returnable,
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
        reply=owing.diagnostic(refused),
        # Who asked for no DSN is not named in the one that goes to the others.
        notice=None if recipient.parameters.never else notice,
        proved=offer.sender.proof.proved,
    )


def _with_warning(box: Mailbox, rows: Rows, policy: Policy, now: datetime) -> Mailbox:
    """Return the mailbox with its reported threshold moved, owing the operator a warning if it moved."""
    moved, warning = warn(box, policy, now)
    if moved is not box:
        note_level(moved)
    if warning is not None:
        rows.notices.append(warning)
    return moved
