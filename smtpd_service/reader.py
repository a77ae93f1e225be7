"""Claims pending messages by lease, has them parsed, and stores what they say.

Promises: each message ends as read or as parked with its reason; one that makes the parser fail is tried
three times; a bad one never fails its batch; a reader that is killed loses nothing, since its lease runs out
and the rows were not committed.
"""

import contextlib
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from parsers.model import Reading, Status
from smtpd_service import filing
from smtpd_service.comparing import Known, Read, look
from smtpd_service.domain.round import asking_at
from smtpd_service.domain.submission import TRIES
from smtpd_service.events import Event, note
from smtpd_service.identity import new_id, now
from smtpd_service.parsing import Child, NoChildError, ParsingError
from smtpd_service.receipting import Filed, ReceiptPolicy, receipts_owed
from smtpd_service.submitting import rules_of, storable
from storage import messages, notices, rounds
from storage.engine import StorageError, Store, Tx
from storage.records import Campaign, MessageId, PendingMessage, Round

# A lease of a reader that was killed is free again after this.
LEASE = timedelta(seconds=8)
RENEW_EVERY = 3.0
# How long an idle reader waits before it looks again, in seconds.
IDLE = 0.2
# Mail that arrives waits for as long as one unit takes: about 5 ms with so many, 15 to 20 with a hundred (measured).
STORED_AT_ONCE = 25
PAUSE_AFTER_TROUBLE = 1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What parsing gave for one message: a reading, or why there is none."""

    message: PendingMessage
    reading: Reading | None
    failure: str


class Reader:
    """One reading process: `batch` messages in a lease, each parsed by `child`; without `receipts` none is owed."""

    def __init__(
        self,
        store: Store,
        child: Child,
        *,
        batch: int,
        stopping: threading.Event,
        receipts: ReceiptPolicy | None = None,
    ) -> None:
        self._store = store
        self._child = child
        self._batch = batch
        self._stopping = stopping
        self._receipts = receipts
        self._owner = new_id()
        self._rounds: dict[tuple[str, str], Round] = {}

    def run(self) -> None:
        """Read until `stopping` is set; the message under way is finished, and what is read is stored."""
        while not self._stopping.is_set():
            try:
                if self.read_batch() < self._batch:
                    # Few at a time would hold the database as often as they come, and mail waits for it.
                    self._stopping.wait(IDLE)
            except (StorageError, NoChildError) as error:
                note(Event.READING_FAILED, logging.WARNING, text=error)
                self._stopping.wait(PAUSE_AFTER_TROUBLE)
        self._child.close()

    def read_batch(self) -> int:
        """Claim, parse and store one batch; return how many messages it held.

        Raises StorageError, and NoChildError where parsing cannot even begin.
        """
        with self._store.reading() as tx:
            if not messages.any_claimable(tx, now()):
                return 0
        with self._store.unit() as tx:
            ids = messages.claim(tx, self._owner, now(), now() + LEASE, self._batch)
        with self._leases_kept(ids):
            # Not in the unit that claims: arriving mail would wait for the octets to be unpacked.
            with self._store.reading() as tx:
                claimed = messages.load(tx, ids)
                asked = {id_: each.request for id_, each in rounds.campaigns(tx).items()}
            outcomes = self._parse(claimed, asked)
            for start in range(0, len(outcomes), STORED_AT_ONCE):
                self._store_all(outcomes[start : start + STORED_AT_ONCE])
        return len(claimed)

    @contextlib.contextmanager
    def _leases_kept(self, ids: Sequence[MessageId]) -> Iterator[None]:
        """Renew the leases for as long as the batch takes, however long one message may take."""
        done = threading.Event()

        def keep() -> None:
            while not done.wait(RENEW_EVERY):
                # One that could not be renewed may go to another reader: what we read is not stored then.
                with contextlib.suppress(StorageError), self._store.unit() as tx:
                    messages.renew(tx, self._owner, ids, now() + LEASE)

        keeper = threading.Thread(target=keep, name="leases")
        keeper.start()
        try:
            yield
        finally:
            done.set()
            keeper.join()

    def _parse(self, claimed: Sequence[PendingMessage], asked: Mapping[str, str]) -> list[Outcome]:
        """Return an outcome for each message; `asked` is the text that each campaign sends."""
        whole = [(each, each.octets) for each in claimed if each.octets is not None]
        outcomes = [
            Outcome(each, None, "the stored octets cannot be unpacked") for each in claimed if each.octets is None
        ]
        requests = [filing.request(message, octets, asked) for message, octets in whole]
        with contextlib.closing(self._child.readings(requests)) as readings:
            for message, _ in whole:
                if self._stopping.is_set():
                    break
                outcomes.append(_outcome(message, next(readings)))
        return outcomes

    def _store_all(self, outcomes: Sequence[Outcome]) -> None:
        try:
            self._store_once(outcomes)
        except StorageError as error:
            if error.cause != "fault":
                raise
            self._store_each(outcomes, error)
        except Exception as error:  # whatever one message provokes must not stop the others
            self._store_each(outcomes, error)

    def _store_each(self, outcomes: Sequence[Outcome], error: Exception) -> None:
        """After an error nobody knows whose fault it was: store one by one; the bad one is set aside."""
        if len(outcomes) > 1:
            for each in outcomes:
                self._store_all([each])
            return
        note(Event.READING_FAILED, logging.ERROR, id=outcomes[0].message.id, text=error)
        self._store_once([replace(outcomes[0], reading=None, failure=f"cannot be stored: {error}")])

    def _store_once(self, outcomes: Sequence[Outcome]) -> None:
        try:
            with self._store.reading() as tx:
                known = look(tx, _read(outcomes))
            with self._store.unit() as tx:
                mine = self._store_outcomes(tx, outcomes, known)
        except Exception:
            # A round that this unit has made is gone with it.
            self._rounds.clear()
            raise
        for outcome in mine:
            _note(outcome)

    def _store_outcomes(self, tx: Tx, outcomes: Sequence[Outcome], known: Mapping[str, Known]) -> list[Outcome]:
        """Settle what is still leased to us, and return it; another reader has taken the rest."""
        held = messages.still_held(tx, self._owner, [outcome.message.id for outcome in outcomes])
        mine = [outcome for outcome in outcomes if outcome.message.id in held]
        read = _read(mine)
        for outcome in mine:
            if outcome.reading is None or outcome.reading.status is Status.UNREADABLE:
                _set_aside(tx, outcome)
        self._store_readings(tx, read, known)
        messages.settle_read(tx, [message.id for message, _ in read])
        return mine

    def _store_readings(self, tx: Tx, read: Read, known: Mapping[str, Known]) -> None:
        if not read:
            return
        campaigns = rounds.campaigns(tx)
        filed = [
            Filed(message, reading, tuple(self._round(tx, campaigns[id_], message) for id_ in message.campaigns))
            for message, reading in read
        ]
        # One submission for each campaign that a message was sent to; one without a round if to none.
        new = [one for each in filed for one in filing.submissions(each.message, each.reading, each.rounds)]
        filing.store(tx, new, known)
        if self._receipts is not None:
            notices.owe(tx, receipts_owed(tx, self._receipts, filed, campaigns, now()))

    def _round(self, tx: Tx, campaign: Campaign, message: PendingMessage) -> Round:
        key = (campaign.id, asking_at(campaign, message.received_at).name)
        if key not in self._rounds:
            self._rounds[key] = filing.round_of(tx, campaign, message)
        return self._rounds[key]


def _outcome(message: PendingMessage, answer: Reading | ParsingError) -> Outcome:
    if isinstance(answer, Reading):
        return Outcome(message, answer, "")
    note(Event.CHILD_REPLACED, logging.WARNING, id=message.id, reason=answer)
    return Outcome(message, None, str(answer))


def _read(outcomes: Sequence[Outcome]) -> list[tuple[PendingMessage, Reading]]:
    """Return those that could be read."""
    return [
        (each.message, each.reading)
        for each in outcomes
        if each.reading is not None and each.reading.status is not Status.UNREADABLE
    ]


def _set_aside(tx: Tx, outcome: Outcome) -> None:
    """Park what can never be read, or has failed too often; give the rest back for another try."""
    attempts = outcome.message.attempts + 1
    if _is_parked(outcome):
        messages.park(tx, outcome.message.id, attempts, _reason(outcome))
    else:
        messages.note_failure(tx, outcome.message.id, attempts, _reason(outcome))


def _is_parked(outcome: Outcome) -> bool:
    return outcome.reading is not None or outcome.message.attempts + 1 >= TRIES


def _reason(outcome: Outcome) -> str:
    defects = outcome.reading.defects if outcome.reading else ()
    return storable(outcome.failure or "; ".join(defects) or "unreadable")


def _note(outcome: Outcome) -> None:
    """Log what is committed."""
    id_, reading = outcome.message.id, outcome.reading
    if reading is not None and reading.status is not Status.UNREADABLE:
        note(Event.MESSAGE_READ, id=id_, status=reading.status, bullets=len(reading.bullets))
        if rules := rules_of(reading):
            note(Event.QUARANTINED, logging.WARNING, id=id_, rule=",".join(rules))
    elif _is_parked(outcome):
        note(Event.MESSAGE_PARKED, logging.WARNING, id=id_, reason=_reason(outcome))
