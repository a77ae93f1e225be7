"""Claims notices that are due, in turns over destinations, and has them carried, as many at once as may be.

Promises: a notice ends as sent, given up or dropped; what could not be delivered is tried again after a
restart too, with the same octets; a bad notice never holds up the others; a server that is dead costs one
connection a look and no try of what waits for it, and all of that goes once it is back; a killed courier's
notices are free again when its lease runs out. Known limit: a kill between the server's 250 and our commit sends
a notice again, under the same Message-ID.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from smtpd_service import traces
from smtpd_service.domain.notice import GivenUp, TryLater
from smtpd_service.domain.retry import PATIENCE
from smtpd_service.events import Event, note
from smtpd_service.identity import new_id, now
from smtpd_service.outbound.carrier import Carrier, Held, Tried, storable
from smtpd_service.outbound.compose import ComposeError
from smtpd_service.outbound.lanes import EVERYTHING, Lanes, shares
from smtpd_service.outbound.relay import Unreachable
from smtpd_service.outbound.settling import Findings, Settling
from storage import notices, outages
from storage.clock import moment
from storage.engine import StorageError, Store
from storage.records import DueNotice, NoticeId, Outage

LEASE = timedelta(seconds=8)
RENEW_EVERY = 3.0
IDLE = 0.2
PAUSE_AFTER_TROUBLE = 1.0
# Claimed at one time; and when so few are left that more are claimed.
BATCH = 100
LOW = 50
# What is under way at the end may go on for so long, in seconds.
GRACE = 6.0
# An operator who typed `outbox retry` waits.
LISTEN_EVERY = 1.0
# Of a server that nothing was sent to for so long.
OUTAGE_KEPT = timedelta(days=1)


class Courier:
    """One courier process; storage is asked in threads, deliveries run in the event loop."""

    def __init__(self, store: Store, carrier: Carrier, give_up_after: timedelta = PATIENCE) -> None:
        self._store = store
        self._carrier = carrier
        self._owner = new_id()
        self._settling = Settling(store, self._owner, give_up_after)
        self._lanes = Lanes(carrier.at_once_of_lane, carrier.held_of_lane, time.monotonic)
        self._waiting: deque[DueNotice] = deque()
        self._leases: dict[NoticeId, float] = {}
        self._under_way: set[asyncio.Task[Tried | Held]] = set()
        self._news = asyncio.Event()
        self._ending = False
        # What is still to be written down.
        self._unsettled: list[Tried] = []
        self._untried: list[NoticeId] = []
        self._back: set[str] = set()
        self._dead: dict[str, str] = {}
        self._outages: dict[str, Outage | None] = {}
        self._troubled = False
        # Where the round over the destinations stands; when to look at the database again.
        self._after = ""
        self._claim_at = 0.0
        self._listen_at = 0.0
        self._told: dict[str, datetime] = {}

    async def run(self, stopping: asyncio.Event) -> None:
        """Deliver until `stopping` is set; what is under way is finished."""
        remembered = False
        while not stopping.is_set():
            pause = IDLE
            try:
                if not remembered:
                    await asyncio.to_thread(self._remember)
                    remembered = True
                await self.deliver_due(stopping)
            except StorageError as error:
                note(Event.NOTICE_FAILED, logging.WARNING, text=error)
                pause = PAUSE_AFTER_TROUBLE
            await self._carrier.tidy()
            await _within(stopping, pause)
        await self._leave()

    async def deliver_due(self, stopping: asyncio.Event | None = None) -> int:
        """Deliver until nothing is due any more; return how many were tried. Raises StorageError."""
        tried = 0
        keeping = asyncio.create_task(self._keep_leases())
        try:
            while True:
                self._news.clear()
                tried += await self._write_down()
                if stopping is not None and stopping.is_set():
                    return tried
                claimed = await self._claim_more()
                self._start_more()
                if not self._under_way and not self._waiting and not claimed and not self._unwritten():
                    return tried
                await _within(self._news, IDLE)
        finally:
            keeping.cancel()

    # Claiming.

    def _remember(self) -> None:
        """Begin with doubts about the servers that an earlier courier could not reach."""
        with self._store.unit() as tx:
            outages.forget(tx, now() - OUTAGE_KEPT)
            known = outages.known(tx)
        for each in known:
            self._carrier.doubt(each)
            self._told[each.hop] = each.look_at

    async def _claim_more(self) -> bool:
        """Claim when little is left; say whether there was anything."""
        busy = self._under_way or self._waiting
        if len(self._waiting) > LOW or (busy and time.monotonic() < self._claim_at):
            return False
        begun = time.monotonic()
        claimed = await asyncio.to_thread(self._claim)
        for each in claimed:
            if each.id in self._leases:
                # It ran out while the database stood still; we have it in hand all the same.
                self._leases[each.id] = begun + LEASE.total_seconds()
            elif self._lanes.barred(self._lane(each)):
                # While we asked.
                self._untried.append(each.id)
            elif each.id not in self._untried:
                self._lanes.claim(self._lane(each))
                self._leases[each.id] = begun + LEASE.total_seconds()
                self._waiting.append(each)
        if not claimed:
            self._claim_at = time.monotonic() + IDLE
        return bool(claimed)

    def _claim(self) -> list[DueNotice]:
        if self._lanes.any_barred:
            self._listen()
        if self._lanes.barred(EVERYTHING):
            return []
        total = BATCH - len(self._waiting)
        with self._store.reading() as tx:
            at = moment(tx)
            if not notices.any_due(tx, at):
                return []
            found = notices.destinations_due(tx, at, self._after)
            destinations = found.destinations
            if self._after and not found.end:
                # The round is over and begins again, so that those before are served in the same turn.
                destinations += notices.destinations_due(tx, at, "").destinations
        open_ = [each for each in dict.fromkeys(destinations) if self._lanes.room(self._carrier.lane(each)) > 0]
        wanted = shares(open_[:total], total, self._carrier.lane, self._lanes)
        self._after = list(wanted)[-1] if wanted else found.end
        if not wanted:
            return []
        with self._store.unit() as tx:
            return notices.claim(tx, self._owner, at, moment(tx) + LEASE, wanted)

    def _listen(self) -> None:
        """Hear whether an operator wants a look before its time."""
        if time.monotonic() < self._listen_at:
            return
        self._listen_at = time.monotonic() + LISTEN_EVERY
        with self._store.reading() as tx:
            known = outages.known(tx)
        early = [each for each in known if each.look_at < self._told.get(each.hop, each.look_at)]
        for each in early:
            self._carrier.doubt(each)
            self._told[each.hop] = each.look_at
        if early:
            self._lanes.look_now()

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY)
            begun, ids = time.monotonic(), list(self._leases)
            with contextlib.suppress(StorageError):
                await asyncio.to_thread(self._renew, ids)
                self._leases |= {id_: begun + LEASE.total_seconds() for id_ in ids if id_ in self._leases}

    def _renew(self, ids: Sequence[NoticeId]) -> None:
        if ids:
            with self._store.unit() as tx:
                notices.renew(tx, self._owner, ids, moment(tx) + LEASE)

    # Delivering.

    def _lane(self, notice: DueNotice) -> str:
        return self._carrier.lane(notice.destination)

    def _start_more(self) -> None:
        """Begin as many as may be under way, in order but for those whose lane has no room."""
        passed_over: list[DueNotice] = []
        while self._waiting and self._may_start():
            notice = self._waiting.popleft()
            lane = self._lane(notice)
            if self._leases[notice.id] < time.monotonic():
                # We were stopped for a while: another courier may have it by now.
                self._let_go(notice)
            elif not self._lanes.may_begin(lane):
                passed_over.append(notice)
            else:
                self._lanes.begin(lane)
                task = asyncio.create_task(self._try(notice))
                self._under_way.add(task)
                task.add_done_callback(partial(self._ended, notice))
        self._waiting.extendleft(reversed(passed_over))

    def _may_start(self) -> bool:
        # What was handed over and is not written down goes twice if we are killed now: that must stay little.
        most = self._carrier.at_once
        room = len(self._under_way) < most and len(self._unsettled) < most
        return room and not self._troubled and not self._ending

    async def _try(self, notice: DueNotice) -> Tried | Held:
        begun = time.monotonic()
        try:
            carried = await self._carrier.carry(notice)
            traces.notice(notice.id, time.monotonic() - begun, kind=notice.kind.value, result=_named(carried))
            return carried
        except ComposeError as error:
            # The same facts will give the same mail tomorrow.
            note(Event.NOTICE_FAILED, logging.ERROR, trouble=error, id=notice.id)
            return Tried(notice, None, GivenUp(None, f"cannot be written: {storable(error)}"))
        except Exception as error:  # whatever one notice provokes must not hold up the others
            note(Event.NOTICE_FAILED, logging.ERROR, trouble=error, id=notice.id)
            return Tried(notice, notice.octets, TryLater(None, f"cannot be delivered: {storable(error)}"))

    def _ended(self, notice: DueNotice, task: asyncio.Task[Tried | Held]) -> None:
        self._under_way.discard(task)
        lane = self._lane(notice)
        self._lanes.end(lane)
        self._news.set()
        if task.cancelled():
            self._leases.pop(notice.id, None)
            return
        ended = task.result()
        if isinstance(ended, Held):
            self._leases.pop(notice.id, None)
            self._untried.append(notice.id)
            self._bar(lane, ended.pause)
        else:
            self._unsettled.append(ended)
            self._learn(lane, ended)
        self._start_more()

    def _learn(self, lane: str, tried: Tried) -> None:
        """Take from a try what it says of all others in its lane."""
        if tried.back:
            self._lanes.look_now()
        if tried.pause is not None:
            self._dead[lane] = tried.reply
            self._bar(lane, tried.pause)
        elif not isinstance(tried.result, Unreachable) and (self._lanes.open(lane) or tried.back):
            self._back.add(lane)

    def _bar(self, lane: str, pause: float) -> None:
        self._lanes.bar(lane, pause)
        for notice in [each for each in self._waiting if self._lane(each) == lane]:
            self._waiting.remove(notice)
            self._untried.append(notice.id)
            self._let_go(notice)

    def _let_go(self, notice: DueNotice) -> None:
        self._leases.pop(notice.id, None)
        self._lanes.drop(self._lane(notice))

    # Writing down.

    def _unwritten(self) -> bool:
        return bool(self._unsettled or self._untried or self._back or self._dead or self._outages)

    async def _write_down(self) -> int:
        """Write down what was delivered and learnt; what the database did not take comes before any other delivery.

        Returns how many tries. Raises StorageError.
        """
        self._outages |= self._carrier.outages()
        if not self._unwritten():
            return 0
        tried, untried, back = tuple(self._unsettled), tuple(self._untried), frozenset(self._back)
        dead, changed = dict(self._dead), dict(self._outages)
        try:
            await asyncio.to_thread(self._settling.write, Findings(tried, untried, back, dead, changed))
        except StorageError:
            self._troubled = True
            raise
        self._troubled = False
        del self._unsettled[: len(tried)], self._untried[: len(untried)]
        self._start_more()
        self._back -= back
        self._dead = {lane: reply for lane, reply in self._dead.items() if dead.get(lane) != reply}
        self._outages = {hop: each for hop, each in self._outages.items() if changed.get(hop, hop) != each}
        self._told |= {hop: each.look_at for hop, each in changed.items() if each is not None}
        for each in tried:
            self._leases.pop(each.notice.id, None)
        return len(tried)

    async def _leave(self) -> None:
        """Finish what is under way, give back what is not, and take leave."""
        self._ending = True
        if self._under_way:
            _, late = await asyncio.wait(set(self._under_way), timeout=GRACE)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._untried += [each.id for each in self._waiting]
        self._waiting.clear()
        try:
            await self._write_down()
        except StorageError as error:
            note(Event.NOTICE_FAILED, logging.WARNING, text=error)
        await self._carrier.tidy(all_=True)


def _named(carried: Tried | Held) -> str:
    return type(carried.result).__name__ if isinstance(carried, Tried) else "Held"


async def _within(event: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
