"""Takes pending messages, has them parsed, and stores what they say.

Promises: each message ends as read or as parked with its reason; one that makes the parser fail is tried
three times; a bad one never fails its batch; a reader that is killed loses nothing, since its lease runs out
and the rows were not committed.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from parsers.model import Reading, Status
from smtpd_service import filing, metrics, traces
from smtpd_service.claiming import Claims
from smtpd_service.comparing import Read, look
from smtpd_service.domain.round import asking_at
from smtpd_service.domain.submission import TRIES
from smtpd_service.events import Event, note
from smtpd_service.identity import now
from smtpd_service.parsing import Child, NoChildError, ParsingError
from smtpd_service.receipting import Filed, ReceiptPolicy, receipts_owed
from smtpd_service.submitting import rules_of, storable
from smtpd_service.traffic import Traffic
from storage import messages, notices
from storage.engine import StorageError, Store, Tx
from storage.records import Campaign, PendingMessage, Round

# How long an idle reader waits before it looks again, in seconds.
IDLE = 0.2
# Mail that arrives waits for as long as one unit takes: under 2 ms with so few (measured). A unit of many costs a third
# less for each, and is taken where nobody else seems to write.
STORED_BESIDE, STORED_AT_ONCE = 25, 100
# Who waits so long for a unit to begin is not alone, and holds back for some time after, in seconds.
WAITED, BESIDE_FOR = 0.001, 1.0
# Of large messages fewer are stored in one unit: their octets are in memory until then.
STORED_OCTETS = 8_000_000
PAUSE_AFTER_TROUBLE = 1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What parsing gave for one message, after so many seconds: a reading, or why there is none."""

    message: PendingMessage
    reading: Reading | None
    failure: str
    seconds: float = 0.0


class Reader:
    """One reading process: `batch` messages in a lease, each parsed by `child`; without `receipts` none is owed.

    Without `traffic` it never stands back for mail that arrives.
    """

    def __init__(
        self,
        store: Store,
        child: Child,
        *,
        batch: int,
        stopping: threading.Event,
        receipts: ReceiptPolicy | None = None,
        traffic: Traffic | None = None,
    ) -> None:
        self._store = store
        self._child = child
        self._batch = batch
        self._stopping = stopping
        self._receipts = receipts
        self._claims = Claims(store, batch)
        self._traffic = traffic or Traffic(longest=0)
        self._rounds: dict[tuple[str, str], Round] = {}
        # Of each campaign, the round that was answered last.
        self._latest: dict[str, Round] = {}
        self._beside_until = 0.0

    def run(self) -> None:
        """Read until `stopping` is set; the message under way is finished, and what is read is stored."""
        while not self._stopping.is_set():
            try:
                self.read()
                # Few at a time would hold the database as often as they come, and mail waits for it.
                self._stopping.wait(IDLE)
            except (StorageError, NoChildError) as error:
                note(Event.READING_FAILED, logging.WARNING, text=error)
                self._stopping.wait(PAUSE_AFTER_TROUBLE)
        self._child.close()

    def read(self) -> int:
        """Claim, parse and store until fewer wait than a batch holds; return how many messages that were.

        Unless mail is arriving, the child is given the next batch while the last is stored; in a burst the next is not
        claimed at all. Raises StorageError, and NoChildError where parsing cannot even begin.
        """
        read = 0
        if self._traffic.first() or not self._claims.any_free():
            return read
        with self._claims.kept(), self._child.talk():
            outcomes = self._outcomes()
            begun = time.monotonic()
            while some := self._unit(outcomes):
                self._store_all(some)
                metrics.observe("pulsebox_reading_seconds", time.monotonic() - begun)
                begun = time.monotonic()
                read += len(some)
                # Large ones are not kept until the next are there.
                some.clear()
        return read

    def _unit(self, outcomes: Iterator[Outcome]) -> list[Outcome]:
        """Take as many outcomes as are stored in one unit, none at the end."""
        beside = time.monotonic() < self._beside_until
        most = min(STORED_BESIDE if beside else STORED_AT_ONCE, self._batch)
        some: list[Outcome] = []
        octets = 0
        for each in islice(outcomes, most):
            some.append(each)
            octets += len(each.message.octets or b"")
            if octets >= STORED_OCTETS:
                break
        return some

    def _outcomes(self) -> Iterator[Outcome]:
        """Give an outcome for each message; what was tried too often, or is damaged, is not parsed at all."""
        asked: deque[PendingMessage] = deque()
        last, enough = False, 0
        while not self._stopping.is_set():
            last = last or self._traffic.first()
            if not last and len(asked) <= enough:
                claimed = self._claims.more()
                # Half of them read, the next are claimed and sent ahead. Not while mail arrives, which comes first:
                # then the child parses or the reader stores, and both have one processor.
                last, enough = claimed.last, 0 if claimed.busy else len(claimed.messages) // 2
                yield from self._ask(claimed.messages, asked)
                del claimed
            if asked:
                begun = time.monotonic()
                answer = self._child.reading()
                yield _outcome(asked.popleft(), answer, time.monotonic() - begun)
                # It would be claimed again at once; it is tried again after a while.
                last = last or isinstance(answer, ParsingError)
            elif last:
                return

    def _ask(self, claimed: Sequence[PendingMessage], asked: deque[PendingMessage]) -> Iterator[Outcome]:
        """Send what can be parsed to the child, and give an outcome for the rest."""
        whole = [each for each in claimed if _refused(each) is None]
        texts = {id_: each.request for id_, each in self._claims.campaigns.items()}
        self._child.ask([filing.request(each, each.octets or b"", texts) for each in whole])
        asked += whole
        return (Outcome(each, None, why) for each in claimed if (why := _refused(each)) is not None)

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
        # The fault may be ours: a round that we remember is gone where an earlier state of the database was restored.
        self._rounds.clear()
        self._latest.clear()
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
            held = self._claims.still(tx, [outcome.message.id for outcome in outcomes])
            if len(held) < len(outcomes):  # another reader has taken the rest
                filed = [each for each in filed if each.message.id in held]
                ready = filing.ready(tx, [each for each in new if each.message in held], known)
            self._store_outcomes(tx, [each for each in outcomes if each.message.id in held], filed, ready)
        self._claims.settled(outcome.message.id for outcome in outcomes)
        for outcome in outcomes:
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
            notices.owe(tx, receipts_owed(tx, self._receipts, filed, self._claims.campaigns, now()))
        messages.settle_read(tx, [each.message.id for each in filed])

    def _filed(self, read: Read) -> list[Filed]:
        return [
            Filed(
                message, reading, tuple(self._round(self._claims.campaigns[id_], message) for id_ in message.campaigns)
            )
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


def _refused(message: PendingMessage) -> str | None:
    """Return why a message is not given to the child at all."""
    if message.octets is None:
        return "the stored octets cannot be unpacked"
    return messages.LEFT if message.attempts >= TRIES else None


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
