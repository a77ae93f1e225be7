"""Claims pending messages by lease, has them parsed, and stores what they say.

Promises: each message ends as read or as parked with its reason; one that makes the parser fail is tried
three times; a bad one never fails its batch; a reader that is killed loses nothing, since its lease runs out
and the rows were not committed.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice

from parsers.model import Reading, Status
from smtpd_service import filing, metrics, traces
from smtpd_service.comparing import Read, look
from smtpd_service.domain.round import asking_at
from smtpd_service.domain.submission import TRIES
from smtpd_service.events import Event, note
from smtpd_service.identity import new_id, now
from smtpd_service.parsing import Child, NoChildError, ParsingError
from smtpd_service.receipting import Filed, ReceiptPolicy, receipts_owed
from smtpd_service.submitting import rules_of, storable
from storage import messages, notices, rounds
from storage.clock import moment
from storage.engine import StorageError, Store, Tx
from storage.records import Campaign, MessageId, PendingMessage, Round

# A lease of a reader that was killed is free again after this.
LEASE = timedelta(seconds=8)
RENEW_EVERY = 3.0
# How long an idle reader waits before it looks again, in seconds.
IDLE = 0.2
# Mail that arrives waits for as long as one unit takes: under 2 ms with so few (measured). A unit of many costs a third
# less for each, and is taken where nobody else seems to write.
STORED_BESIDE, STORED_AT_ONCE = 25, 100
# Who waits so long for a unit to begin is not alone, and holds back for some time after, in seconds.
WAITED, BESIDE_FOR = 0.001, 1.0
PAUSE_AFTER_TROUBLE = 1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What parsing gave for one message, after so many seconds: a reading, or why there is none."""

    message: PendingMessage
    reading: Reading | None
    failure: str
    seconds: float = 0.0


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
        # Of each campaign, the round that was answered last.
        self._latest: dict[str, Round] = {}
        self._campaigns: Mapping[str, Campaign] = {}
        self._beside_until = 0.0
        # What of the batch is not settled yet.
        self._left: set[MessageId] = set()

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
            if not messages.any_claimable(tx, moment(tx)):
                return 0
        with self._store.unit() as tx:
            at = moment(tx)
            ids = messages.claim(tx, self._owner, at, at + LEASE, self._batch)
        begun = time.monotonic()
        with self._leases_kept(ids):
            # Not in the unit that claims: arriving mail would wait for the octets to be unpacked.
            with self._store.reading() as tx:
                claimed = messages.load(tx, ids)
                self._campaigns = rounds.campaigns(tx)
            # What is read is stored while the child reads on.
            with contextlib.closing(self._outcomes(claimed)) as outcomes:
                while some := list(islice(outcomes, self._at_once())):
                    self._store_all(some)
        metrics.observe("pulsebox_reading_seconds", time.monotonic() - begun)
        return len(claimed)

    def _at_once(self) -> int:
        """Return how many readings to store in one unit."""
        return STORED_BESIDE if time.monotonic() < self._beside_until else STORED_AT_ONCE

    @contextlib.contextmanager
    def _leases_kept(self, ids: Sequence[MessageId]) -> Iterator[None]:
        """Renew the leases for as long as the batch takes, however long one message may take; give back what is left.

        A lease that ran out would count as a try.
        """
        done = threading.Event()

        def keep() -> None:
            while not done.wait(RENEW_EVERY):
                # One that could not be renewed may go to another reader: what we read is not stored then.
                with contextlib.suppress(StorageError), self._store.unit() as tx:
                    messages.renew(tx, self._owner, ids, moment(tx) + LEASE)

        keeper = threading.Thread(target=keep, name="leases")
        keeper.start()
        self._left = set(ids)
        try:
            yield
        finally:
            done.set()
            keeper.join()
            if self._left:
                with contextlib.suppress(StorageError), self._store.unit() as tx:
                    messages.give_back(tx, self._owner, sorted(self._left))

    def _outcomes(self, claimed: Sequence[PendingMessage]) -> Generator[Outcome, None, None]:
        """Give an outcome for each message; what was tried too often, or is damaged, is not parsed at all."""
        whole: list[tuple[PendingMessage, bytes]] = []
        for each in claimed:
            if each.octets is None:
                yield Outcome(each, None, "the stored octets cannot be unpacked")
            elif each.attempts >= TRIES:
                yield Outcome(each, None, messages.LEFT)
            else:
                whole.append((each, each.octets))
        asked = {id_: each.request for id_, each in self._campaigns.items()}
        requests = [filing.request(message, octets, asked) for message, octets in whole]
        with contextlib.closing(self._child.readings(requests)) as readings:
            for message, _ in whole:
                if self._stopping.is_set():
                    break
                begun = time.monotonic()
                answer = next(readings)
                yield _outcome(message, answer, time.monotonic() - begun)

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
        read = _read(outcomes)
        filed = self._filed(read)
        # One submission for each campaign that a message was sent to; one without a round if to none.
        new = [one for each in filed for one in filing.submissions(each.message, each.reading, each.rounds)]
        with self._store.reading() as tx:
            known = look(tx, read)
            ready = filing.ready(tx, new, known)
        asked_at = time.monotonic()
        with self._store.unit() as tx:
            if time.monotonic() - asked_at > WAITED:
                self._beside_until = asked_at + BESIDE_FOR
            held = messages.still_held(tx, self._owner, [outcome.message.id for outcome in outcomes])
            if len(held) < len(outcomes):  # another reader has taken the rest
                filed = [each for each in filed if each.message.id in held]
                ready = filing.ready(tx, [each for each in new if each.message in held], known)
            self._store_outcomes(tx, [each for each in outcomes if each.message.id in held], filed, ready)
        for outcome in outcomes:
            self._left.discard(outcome.message.id)
            if outcome.message.id in held:
                _note(outcome)

    def _store_outcomes(self, tx: Tx, mine: Sequence[Outcome], filed: Sequence[Filed], ready: filing.Ready) -> None:
        for outcome in mine:
            if outcome.reading is None or outcome.reading.status is Status.UNREADABLE:
                _set_aside(tx, outcome)
        if not filed:
            return
        filing.store(tx, ready)
        if self._receipts is not None:
            notices.owe(tx, receipts_owed(tx, self._receipts, filed, self._campaigns, now()))
        messages.settle_read(tx, [each.message.id for each in filed])

    def _filed(self, read: Read) -> list[Filed]:
        return [
            Filed(message, reading, tuple(self._round(self._campaigns[id_], message) for id_ in message.campaigns))
            for message, reading in read
        ]

    def _round(self, campaign: Campaign, message: PendingMessage) -> Round:
        """Return the round that a message answers, made in a unit of its own where it is missing."""
        latest = self._latest.get(campaign.id)
        # Between its opening and its deadline no other is asked.
        if latest is not None and latest.opens <= message.received_at < latest.deadline:
            return latest
        key = (campaign.id, asking_at(campaign, message.received_at).name)
        if key not in self._rounds:
            with self._store.unit() as tx:
                self._rounds[key] = filing.round_of(tx, campaign, message)
        self._latest[campaign.id] = self._rounds[key]
        return self._rounds[key]


def _outcome(message: PendingMessage, answer: Reading | ParsingError, seconds: float) -> Outcome:
    if isinstance(answer, Reading):
        return Outcome(message, answer, "", seconds)
    metrics.add("pulsebox_parsing_children_replaced")
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
    attempts = min(outcome.message.attempts + 1, TRIES)
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
        metrics.read(reading.status.name, len(reading.bullets))
        traces.read(id_, outcome.seconds, status=reading.status.name, bullets=len(reading.bullets))
        ms = round(outcome.seconds * 1000, 1)
        note(Event.MESSAGE_READ, id=id_, status=reading.status, bullets=len(reading.bullets), ms=ms)
        if rules := rules_of(reading):
            note(Event.QUARANTINED, logging.WARNING, id=id_, rule=",".join(rules))
    elif _is_parked(outcome):
        metrics.add("pulsebox_messages_parked")
        note(Event.MESSAGE_PARKED, logging.WARNING, id=id_, reason=_reason(outcome))
