"""Claims pending messages by lease, has them parsed, and stores what they say.

Promises: each message ends as read or as parked with its reason; one that makes the parser fail is tried
three times; a reader that is killed loses nothing, since its lease runs out and the rows were not committed.
"""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from parsers.model import Reading, Status
from smtpd_service.domain.address import mailbox_key
from smtpd_service.domain.round import asking_at, is_late
from smtpd_service.domain.submission import ANSWERS, TRIES, repeated
from smtpd_service.events import Event, note
from smtpd_service.identity import new_id, now
from smtpd_service.parsing import Child, ParsingError
from storage import messages, roster, rounds, submissions
from storage.engine import StorageError, Store, Tx
from storage.records import Campaign, NewBullet, NewSubmission, PendingMessage, Round

# A lease of a reader that was killed is free again after this.
LEASE = timedelta(seconds=8)
RENEW_AFTER = timedelta(seconds=3)
# How long an idle reader waits before it looks again, in seconds.
IDLE = 0.2
PAUSE_AFTER_TROUBLE = 1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What parsing gave for one message: a reading, or why there is none."""

    message: PendingMessage
    reading: Reading | None
    failure: str


class Reader:
    """One reading process: `batch` messages in a lease, each parsed by `child`."""

    def __init__(self, store: Store, child: Child, *, batch: int, stopping: threading.Event) -> None:
        self._store = store
        self._child = child
        self._batch = batch
        self._stopping = stopping
        self._owner = new_id()
        self._rounds: dict[tuple[str, str], Round] = {}

    def run(self) -> None:
        """Read until `stopping` is set; a batch that has begun is finished."""
        while not self._stopping.is_set():
            try:
                if not self.read_batch():
                    self._stopping.wait(IDLE)
            except StorageError as error:
                note(Event.READING_FAILED, logging.WARNING, text=error)
                self._rounds.clear()
                self._stopping.wait(PAUSE_AFTER_TROUBLE)
        self._child.close()

    def read_batch(self) -> int:
        """Claim, parse and store one batch; return how many messages it held. Raises StorageError."""
        with self._store.reading() as tx:
            if not messages.any_claimable(tx, now()):
                return 0
        with self._store.unit() as tx:
            claimed = messages.claim(tx, self._owner, now(), now() + LEASE, self._batch)
        outcomes = self._parse(claimed)
        with self._store.unit() as tx:
            self._store_outcomes(tx, outcomes)
        return len(claimed)

    def _parse(self, claimed: Sequence[PendingMessage]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        renewed = now()
        for message in claimed:
            if now() - renewed > RENEW_AFTER:
                renewed = now()
                with self._store.unit() as tx:
                    messages.renew(tx, self._owner, [each.id for each in claimed], renewed + LEASE)
            outcomes.append(self._parse_one(message))
        return outcomes

    def _parse_one(self, message: PendingMessage) -> Outcome:
        try:
            reading = self._child.read(message.octets, null_sender=not message.mail_from)
        except ParsingError as error:
            note(Event.CHILD_REPLACED, logging.WARNING, id=message.id, reason=error)
            return Outcome(message, None, str(error))
        return Outcome(message, reading, "")

    def _store_outcomes(self, tx: Tx, outcomes: Sequence[Outcome]) -> None:
        """Settle what is still leased to us; another reader has taken the rest."""
        held = messages.still_held(tx, self._owner, [outcome.message.id for outcome in outcomes])
        mine = [outcome for outcome in outcomes if outcome.message.id in held]
        read: list[tuple[PendingMessage, Reading]] = []
        for outcome in mine:
            if outcome.reading is None or outcome.reading.status is Status.UNREADABLE:
                _set_aside(tx, outcome)
            else:
                read.append((outcome.message, outcome.reading))
        self._store_readings(tx, read)
        messages.settle_read(tx, [message.id for message, _ in read])
        for message, reading in read:
            note(Event.MESSAGE_READ, id=message.id, status=reading.status, bullets=len(reading.bullets))

    def _store_readings(self, tx: Tx, read: Sequence[tuple[PendingMessage, Reading]]) -> None:
        if not read:
            return
        new = [each for message, reading in read for each in self._submissions(tx, message, reading)]
        persons = roster.persons_of(tx, {each.sender for each in new})
        keys = [(each.sender, each.fingerprint) for each in new if each.fingerprint]
        same = submissions.earlier_same(tx, keys)
        new = [
            replace(
                each,
                person=persons.get(each.sender),
                repeats=repeated(same.get((each.sender, each.fingerprint or ""), ()), each.round),
            )
            for each in new
        ]
        answers = [each for each in new if each.status in ANSWERS and each.round]
        submissions.lock_answers(tx, answers)
        submissions.store(tx, new)
        submissions.supersede(tx, answers, ANSWERS)

    def _submissions(self, tx: Tx, message: PendingMessage, reading: Reading) -> list[NewSubmission]:
        """Return one submission for each campaign that the message was sent to; one without a round if to none."""
        campaigns = rounds.campaigns(tx) if message.campaigns else {}
        found: list[Round | None] = [self._round(tx, campaigns[id_], message) for id_ in message.campaigns]
        return [_submission(message, reading, round_) for round_ in found or [None]]

    def _round(self, tx: Tx, campaign: Campaign, message: PendingMessage) -> Round:
        asking = asking_at(campaign, message.received_at)
        key = (campaign.id, asking.name)
        if key not in self._rounds:
            wanted = Round(new_id(), campaign.id, asking.name, asking.opens, asking.deadline, campaign.grace)
            self._rounds[key] = rounds.ensure_round(tx, wanted)
        return self._rounds[key]


def _set_aside(tx: Tx, outcome: Outcome) -> None:
    """Park what can never be read, or has failed too often; give the rest back for another try."""
    message, attempts = outcome.message, outcome.message.attempts + 1
    reason = outcome.failure or "; ".join(outcome.reading.defects if outcome.reading else ()) or "unreadable"
    if outcome.reading is None and attempts < TRIES:
        messages.note_failure(tx, message.id, attempts, reason)
    else:
        messages.park(tx, message.id, attempts, reason)
        note(Event.MESSAGE_PARKED, logging.WARNING, id=message.id, reason=reason)


def _submission(message: PendingMessage, reading: Reading, round_: Round | None) -> NewSubmission:
    flags = reading.flags if message.proved else (*reading.flags, "unproved")
    return NewSubmission(
        id=new_id(),
        message=message.id,
        sender=mailbox_key(reading.sender or message.mail_from),
        person=None,
        round=round_.id if round_ else None,
        status=reading.status,
        flags=flags,
        received_at=message.received_at,
        late=round_ is not None and is_late(round_, message.received_at),
        repeats=None,
        leftover=_storable(reading.leftover),
        fingerprint=reading.fingerprint,
        trace=reading.trace,
        defects=reading.defects,
        parser=reading.version,
        bullets=tuple(
            NewBullet(
                position=bullet.position,
                level=bullet.level,
                kind=bullet.kind,
                marker=_storable(bullet.marker),
                text=_storable(bullet.text),
                start=bullet.start,
                end=bullet.end,
                part=bullet.part,
                portion_mark=bullet.portion_mark,
                confidence=bullet.confidence,
                quarantined=False,
            )
            for bullet in reading.bullets
        ),
    )


def _storable(text: str) -> str:
    """Return text that both databases take: PostgreSQL has no NUL and no lone surrogates in text."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
