"""The writer: one thread, one connection; all offers that wait are stored in one transaction and answered.

Promises: `Stored` is answered after the commit that holds the octets and the charge; quota is decided on
locked rows in order of arrival; a mail sent again is recognised; a bad message never fails its batch; local
trouble is `Unavailable` or `SystemFull`, never a permanent refusal.
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from smtpd_service.admission import Offer
from smtpd_service.domain.outcomes import SystemFull, Unavailable
from smtpd_service.events import Event, note
from smtpd_service.identity import now
from smtpd_service.storing import Answer, Policy, prepare, store_batch
from storage import acceptance
from storage.engine import StorageError, Store
from storage.records import NewRefusal


@dataclass(frozen=True, slots=True)
class _Waiting:
    """One piece of work, and who waits for it; refusals made before DATA come without an offer."""

    offer: Offer | None
    refusals: tuple[NewRefusal, ...]
    loop: asyncio.AbstractEventLoop
    answered: asyncio.Future[Answer | None]

    @property
    def octets(self) -> int:
        return len(self.offer.octets) if self.offer else 0


class Intake:
    """Takes offers from the event loop, stores them in a thread of its own, and answers in the loop."""

    def __init__(self, store: Store, policy: Policy, *, batch_messages: int, batch_octets: int) -> None:
        self._store = store
        self._policy = policy
        self._batch_messages = batch_messages
        self._batch_octets = batch_octets
        self._queue: deque[_Waiting] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        self._key: bytes | None = None
        self._thread = threading.Thread(target=self._run, name="intake")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Store what waits, then end; blocks until that is done."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join()

    async def offer(self, offer: Offer) -> Answer:
        """Return what became of `offer`, after the commit that made it so.

        The storing goes on when the caller is cancelled: a session that is gone changes nothing.
        """
        answer = await asyncio.shield(self._submit(offer, ()))
        assert answer is not None  # noqa: S101  # an offer always gets one
        return answer

    async def record(self, refusals: Sequence[NewRefusal]) -> bool:
        """Write down refusals that needed no decision of intake; False if that failed."""
        return await asyncio.shield(self._submit(None, tuple(refusals))) is None

    def _submit(self, offer: Offer | None, refusals: tuple[NewRefusal, ...]) -> "asyncio.Future[Answer | None]":
        loop = asyncio.get_running_loop()
        waiting = _Waiting(offer, refusals, loop, loop.create_future())
        with self._wake:
            self._queue.append(waiting)
            self._wake.notify()
        return waiting.answered

    def _run(self) -> None:
        while batch := self._take():
            answers = self._store_all(batch)
            _answer(batch, answers)

    def _take(self) -> list[_Waiting]:
        """Wait for work and take what there is, up to a count and an octet limit; empty at the end."""
        with self._wake:
            while not self._queue and not self._stopping:
                self._wake.wait()
            batch: list[_Waiting] = []
            octets = 0
            while self._queue and len(batch) < self._batch_messages:
                octets += self._queue[0].octets
                if batch and octets > self._batch_octets:
                    break
                batch.append(self._queue.popleft())
            return batch

    def _store_all(self, batch: Sequence[_Waiting]) -> list[Answer | None]:
        try:
            return self._store_once(batch)
        except StorageError as error:
            if error.cause != "fault":
                note(Event.STORING_FAILED, logging.ERROR, cause=error.cause, messages=len(batch), text=error)
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
        return [Answer(Unavailable())]

    def _store_once(self, batch: Sequence[_Waiting]) -> list[Answer | None]:
        key = self._acceptance_key()
        offers = [prepare(waiting.offer, key) for waiting in batch if waiting.offer]
        refusals = [refusal for waiting in batch for refusal in waiting.refusals]
        with self._store.unit() as tx:
            answers = iter(store_batch(tx, offers, refusals, self._policy, now()))
        return [next(answers) if waiting.offer else None for waiting in batch]

    def _acceptance_key(self) -> bytes:
        if self._key is None:
            with self._store.reading() as tx:
                self._key = acceptance.key(tx)
        return self._key


def _answer(batch: Sequence[_Waiting], answers: Sequence[Answer | None]) -> None:
    """Wake the sessions: one call into the event loop for the whole batch."""

    def wake() -> None:
        for waiting, answer in zip(batch, answers, strict=True):
            if not waiting.answered.done():
                waiting.answered.set_result(answer)

    if not batch[0].loop.is_closed():
        batch[0].loop.call_soon_threadsafe(wake)
