"""The writer: one thread, one connection; all offers that wait are stored in one transaction and answered.

Promises: `Stored` is answered after the commit that holds the octets and the charge; quota is decided on
locked rows in order of arrival; a mail sent again is recognised; a bad message never fails its batch; local
trouble is `Unavailable` or `SystemFull`, never a permanent refusal; nobody waits longer than `ANSWERED_WITHIN`.
"""

import asyncio
import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from queue import SimpleQueue
from typing import Any

from smtpd_service import metrics, traces
from smtpd_service.admission import Offer
from smtpd_service.domain.outcomes import SystemFull, Unavailable
from smtpd_service.events import Event, note
from smtpd_service.identity import now
from smtpd_service.storing import Answer, prepare, store_batch
from smtpd_service.warning import Policy
from storage import acceptance
from storage.engine import StorageError, Store
from storage.records import NewRefusal
from storage.statement import COPIED

# How long a thread that has Python's lock may keep it when another waits, in seconds. With Python's own 5 ms, the
# writer waited for busy sessions, and they for it: at 800 messages a second, 50 ms instead of 10 at p99 (measured).
SWITCH_EVERY = 0.000_5
# Where the last transaction took so many, the next waits until `ENOUGH` have come, looking up to `LOOKS` times after
# `GATHER` seconds each: fewer transactions, and fewer times that two threads want Python's lock, save a third of the
# time a message, and more come through (measured). Who comes alone waits for nobody.
CROWD, ENOUGH = 8, 12
GATHER, LOOKS = 0.001, 3
# A database may hang, and a commit wait for a standby that is away. Whoever waits is put off after so many seconds, up
# to `LOOK_EVERY` more; what is stored after all is recognised when it is sent again.
ANSWERED_WITHIN = 15.0
LOOK_EVERY = 1.0


class _Waiting:
    """One piece of work, and who is to be told; refusals made before DATA come without an offer."""

    __slots__ = ("loop", "offer", "refusals", "since", "tell", "told")

    def __init__(
        self,
        offer: Offer | None,
        refusals: tuple[NewRefusal, ...],
        loop: asyncio.AbstractEventLoop,
        tell: Callable[[Any], object],
    ) -> None:
        self.offer = offer
        self.refusals = refusals
        self.loop = loop
        # Called once, in the event loop, with an `Answer`, or with None where there is nothing more to say.
        self.tell = tell
        self.told = False
        self.since = loop.time()

    @property
    def octets(self) -> int:
        return len(self.offer.octets) if self.offer else 0

    def answer(self, answer: Answer | None) -> None:
        """Tell who waits, unless that was done; what goes wrong there concerns nobody else."""
        if self.told:
            return
        self.told = True
        try:
            self.tell(answer)
        except Exception as error:  # the border
            note(Event.SESSION_FAILED, logging.ERROR, trouble=error)


class Intake:
    """Takes offers from the event loop, stores them in a thread of its own, and answers in the loop."""

    def __init__(self, store: Store, policy: Policy, *, batch_messages: int, batch_octets: int) -> None:
        self._store = store
        self._policy = policy
        self._batch_messages = batch_messages
        self._batch_octets = batch_octets
        self._queue: deque[_Waiting] = deque()
        # Whoever takes from it.
        self._taking = threading.Lock()
        # Something is in it when there is something new in the queue: the writer sleeps before it.
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._ringing = False
        # How many the last transaction took.
        self._crowd = 0
        self._stopping = False
        self._key: bytes | None = None
        # Who waits, in order; kept by the event loop.
        self._unanswered: deque[_Waiting] = deque()
        self._look: asyncio.TimerHandle | None = None
        self._thread = threading.Thread(target=self._run, name="intake")

    def start(self) -> None:
        sys.setswitchinterval(SWITCH_EVERY)
        self._thread.start()

    def stop(self) -> None:
        """Store what waits, then end; blocks until that is done."""
        self._stopping = True
        self._bell.put(None)
        self._thread.join()

    @property
    def waiting(self) -> int:
        """Return how many wait for the next transaction."""
        return len(self._queue)

    def submit(self, offer: Offer, tell: Callable[[Answer], object]) -> None:
        """Call `tell` with what became of `offer`, after the commit that made it so."""
        self._submit(offer, (), tell)

    async def offer(self, offer: Offer) -> Answer:
        """Return the same.

        The storing goes on when the caller is cancelled: a session that is gone changes nothing.
        """
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._submit(offer, (), partial(_set, answered))
        return await answered

    async def record(self, refusals: Sequence[NewRefusal]) -> bool:
        """Write down refusals that needed no decision of intake; False if that failed."""
        answered: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._submit(None, tuple(refusals), partial(_set, answered))
        return await answered is None

    def _submit(self, offer: Offer | None, refusals: tuple[NewRefusal, ...], tell: Callable[[Any], object]) -> None:
        loop = asyncio.get_running_loop()
        waiting = _Waiting(offer, refusals, loop, tell)
        self._unanswered.append(waiting)
        self._queue.append(waiting)
        if not self._ringing:
            # Once the event loop has heard all clients that have something to say now: the batch is larger, and the
            # writer does not begin to want Python's lock in the midst of it (a tenth less time a message, measured).
            self._ringing = True
            loop.call_soon(self._ring)
        if self._look is None:
            self._look = loop.call_later(LOOK_EVERY, self._put_off, loop)

    def _ring(self) -> None:
        self._ringing = False
        self._bell.put(None)

    def _put_off(self, loop: asyncio.AbstractEventLoop) -> None:
        """Answer those who have waited too long; the writer may be at their mail all the same."""
        late = loop.time() - ANSWERED_WITHIN
        put_off = 0
        while self._unanswered and self._unanswered[0].since < late:
            self._unanswered.popleft().answer(Answer(Unavailable()))
            put_off += 1
        if put_off:
            with self._taking:
                self._queue = deque(each for each in self._queue if not each.told)
            note(Event.STORING_FAILED, logging.ERROR, cause="slow", messages=put_off, text="the database hangs")
            metrics.add_to("pulsebox_storing_failures", "slow")
        self._look = loop.call_later(LOOK_EVERY, self._put_off, loop) if self._unanswered else None

    def _run(self) -> None:
        while batch := self._take():
            self._crowd = len(batch)
            answers = self._store_all(batch)
            loop = batch[0].loop
            if not loop.is_closed():
                # One call into the event loop for the whole batch.
                loop.call_soon_threadsafe(self._answer, batch, answers)

    def _take(self) -> list[_Waiting]:
        """Wait for work and take what there is, up to a count and an octet limit; empty at the end."""
        batch: list[_Waiting] = []
        octets = 0
        while not batch:
            while not self._queue:
                if self._stopping:
                    return []
                self._bell.get()
            self._gather()
            with self._taking:
                while self._queue and len(batch) < self._batch_messages:
                    octets += self._queue[0].octets
                    if batch and octets > self._batch_octets:
                        break
                    waiting = self._queue.popleft()
                    if not waiting.told:
                        batch.append(waiting)
        return batch

    def _gather(self) -> None:
        """Let more come where many came the last time."""
        for _ in range(LOOKS if self._crowd >= CROWD else 0):
            time.sleep(GATHER)
            if len(self._queue) >= ENOUGH:
                return

    def _store_all(self, batch: Sequence[_Waiting]) -> list[Answer | None]:
        try:
            return self._store_once(batch)
        except StorageError as error:
            if error.cause != "fault":
                note(Event.STORING_FAILED, logging.ERROR, cause=error.cause, messages=len(batch), text=error)
                metrics.add_to("pulsebox_storing_failures", error.cause)
                return [Answer(SystemFull() if error.cause == "full" else Unavailable())] * len(batch)
            return self._store_each(batch, error)
        except Exception as error:  # whatever one message provokes must not fail the others
            return self._store_each(batch, error)

    def _store_each(self, batch: Sequence[_Waiting], error: Exception) -> list[Answer | None]:
        """After an error nobody knows whose fault it was: store one by one; the bad one is `Unavailable`."""
        if len(batch) > 1:
            return [answer for waiting in batch for answer in self._store_all([waiting])]
        offer = batch[0].offer
        note(Event.STORING_FAILED, logging.ERROR, trouble=error, id=offer.id if offer else None)
        metrics.add_to("pulsebox_storing_failures", "fault")
        return [Answer(Unavailable())]

    def _store_once(self, batch: Sequence[_Waiting]) -> list[Answer | None]:
        key = self._acceptance_key()
        offers = [prepare(waiting.offer, key) for waiting in batch if waiting.offer]
        refusals = [refusal for waiting in batch for refusal in waiting.refusals]
        begun = time.monotonic()
        with self._store.unit(pipelined=len(offers) < COPIED) as tx:
            answers = iter(store_batch(tx, offers, refusals, self._policy, now()))
        if offers:
            metrics.committed(len(offers), time.monotonic() - begun)
            traces.batch((each.offer.id for each in offers), time.monotonic() - begun)
        return [next(answers) if waiting.offer else None for waiting in batch]

    def _acceptance_key(self) -> bytes:
        if self._key is None:
            with self._store.reading() as tx:
                self._key = acceptance.key(tx)
        return self._key

    def _answer(self, batch: Sequence[_Waiting], answers: Sequence[Answer | None]) -> None:
        for waiting, answer in zip(batch, answers, strict=True):
            waiting.answer(answer)
        while self._unanswered and self._unanswered[0].told:
            self._unanswered.popleft()


def _set(answered: asyncio.Future[Any], answer: Answer | None) -> None:
    """Answer one who may be gone."""
    if not answered.done():
        answered.set_result(answer)
