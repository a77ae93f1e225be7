"""Claims notices that are due, writes them, and hands them to the smarthost or the maildir.

Promises: a notice ends as sent, given up or dropped; what could not be delivered is tried again after a
restart too, with the same octets; a bad notice never fails its wave; a killed courier's notices are free again
when its lease runs out. Known limit: a kill between the relay's 250 and our commit sends a notice again, under
the same Message-ID.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from smtpd_service.domain.notice import Bounce, Delivered, GivenUp, Letterhead, TryLater, UsageWarning
from smtpd_service.domain.retry import GiveUp, Retry, next_attempt
from smtpd_service.events import Event, note
from smtpd_service.identity import new_id, now
from smtpd_service.outbound import maildir
from smtpd_service.outbound.compose import ComposeError, compose_bounce, compose_warning
from smtpd_service.outbound.relay import Relay, send
from smtpd_service.settings import Settings
from storage import notices
from storage.engine import StorageError, Store, Tx
from storage.records import DueNotice, NoticeKind, NoticeState

LEASE = timedelta(seconds=8)
RENEW_EVERY = 3.0
IDLE = 0.2
PAUSE_AFTER_TROUBLE = 1.0
# A maildir is fast and never hangs: one commit settles many.
MAILDIR_WAVE = 50

Result = Delivered | TryLater | GivenUp


@dataclass(frozen=True, slots=True)
class Tried:
    notice: DueNotice
    octets: bytes
    result: Result

    @property
    def reply(self) -> str:
        """Return the answer that ended the try, as both databases can hold it."""
        code, text = self.result.code, self.result.text
        return _storable(text if code is None else f"{code} {text}")


class Carrier(Protocol):
    """Where notices go; `wave` is how many are under way at one time."""

    wave: int

    async def carry(self, slot: int, notice: DueNotice, letterhead: Letterhead) -> Tried:
        """Write and deliver one notice; `slot` counts from 0 to below `wave`."""

    async def close(self) -> None:
        """Take leave of whoever takes the notices."""


class MaildirCarrier:
    """Delivers into a maildir, once under each notice's name."""

    wave = MAILDIR_WAVE

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def carry(self, _slot: int, notice: DueNotice, letterhead: Letterhead) -> Tried:
        octets = notice.octets or compose(notice, letterhead)
        try:
            file = await asyncio.to_thread(maildir.deliver, self._folder, notice.id, octets, recipient=notice.recipient)
        except OSError as error:
            return Tried(notice, octets, TryLater(None, f"maildir: {error.strerror}"))
        return Tried(notice, octets, Delivered(250, f"written to {file.parent.name}/{file.name}"))

    async def close(self) -> None:
        """Nothing to take leave of."""


class RelayCarrier:
    """Delivers to the smarthost over as many connections as are under way."""

    def __init__(self, relays: Sequence[Relay]) -> None:
        self._relays = relays
        self.wave = len(relays)

    async def carry(self, slot: int, notice: DueNotice, letterhead: Letterhead) -> Tried:
        relay = self._relays[slot]
        smtputf8 = bool(notice.facts.get("smtputf8")) and await relay.takes_smtputf8()
        octets = notice.octets or compose(notice, letterhead, smtputf8=smtputf8)
        return Tried(notice, octets, await send(relay, notice.recipient, octets, smtputf8=smtputf8))

    async def close(self) -> None:
        for relay in self._relays:
            await relay.__aexit__(None, None, None)


def compose(notice: DueNotice, letterhead: Letterhead, *, smtputf8: bool = True) -> bytes:
    """Return the notice as it goes out; the same notice gives the same octets. Raises ComposeError.

    `smtputf8` False writes it for a relay that does not take that extension (RFC 6533 section 4).
    """
    if notice.kind is NoticeKind.WARNING:
        return compose_warning(UsageWarning.from_facts(notice.facts), letterhead)
    bounce = Bounce.from_facts(notice.facts, notice.returned)
    return compose_bounce(replace(bounce, smtputf8=bounce.smtputf8 and smtputf8), letterhead, notice.created_at)


def letterhead_of(settings: Settings) -> Letterhead:
    return Letterhead(
        hostname=settings.smtp.hostname,
        display_name=settings.outbound.display_name,
        wording=settings.outbound.wording,
        zone=ZoneInfo(settings.campaign.time_zone),
    )


def carrier_of(settings: Settings) -> Carrier:
    """Return the smarthost's carrier where one is configured, the maildir's where none is."""
    relay = settings.outbound.relay
    if relay is None:
        return MaildirCarrier(settings.maildir)
    return RelayCarrier(
        [
            Relay(
                relay.host,
                relay.port,
                hostname=settings.smtp.hostname,
                tls=settings.outbound.tls,
                timeout=settings.outbound.timeout.total_seconds(),
            )
            for _ in range(settings.outbound.concurrency)
        ]
    )


class Courier:
    """One courier process; storage is asked in threads, deliveries run in the event loop."""

    def __init__(self, store: Store, carrier: Carrier, letterhead: Letterhead) -> None:
        self._store = store
        self._carrier = carrier
        self._letterhead = letterhead
        self._owner = new_id()
        self._unsettled: list[Tried] = []

    async def run(self, stopping: asyncio.Event) -> None:
        """Deliver until `stopping` is set; what is under way is finished."""
        while not stopping.is_set():
            try:
                pause = 0.0 if await self.deliver_wave() else IDLE
            except StorageError as error:
                note(Event.NOTICE_FAILED, logging.WARNING, text=error)
                pause = PAUSE_AFTER_TROUBLE
            if pause:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), pause)
        await self._carrier.close()

    async def deliver_wave(self) -> int:
        """Deliver what is due, as many as may be under way; return how many. Raises StorageError."""
        await self._settle_all()
        due = await asyncio.to_thread(self._claim)
        if not due:
            return 0
        keeping = asyncio.create_task(self._keep_leases(due))
        try:
            tried = await asyncio.gather(*(self._try(slot, notice) for slot, notice in enumerate(due)))
        finally:
            keeping.cancel()
        self._unsettled = list(tried)
        await self._settle_all()
        return len(due)

    async def _settle_all(self) -> None:
        """Write down what was delivered; what the database did not take comes before any other delivery."""
        if self._unsettled:
            await asyncio.to_thread(self._settle, self._unsettled)
            self._unsettled = []

    def _claim(self) -> list[DueNotice]:
        at = now()
        with self._store.reading() as tx:
            if not notices.any_due(tx, at):
                return []
        with self._store.unit() as tx:
            return notices.claim(tx, self._owner, at, at + LEASE, self._carrier.wave)

    async def _keep_leases(self, due: Sequence[DueNotice]) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY)
            with contextlib.suppress(StorageError):
                await asyncio.to_thread(self._renew, due)

    def _renew(self, due: Sequence[DueNotice]) -> None:
        with self._store.unit() as tx:
            notices.renew(tx, self._owner, [notice.id for notice in due], now() + LEASE)

    async def _try(self, slot: int, notice: DueNotice) -> Tried:
        try:
            return await self._carrier.carry(slot, notice, self._letterhead)
        except ComposeError as error:
            # The same facts will give the same mail tomorrow.
            note(Event.NOTICE_FAILED, logging.ERROR, trouble=error, id=notice.id)
            return Tried(notice, b"", GivenUp(None, f"cannot be written: {_storable(error)}"))
        except Exception as error:  # whatever one notice provokes must not hold up the others
            note(Event.NOTICE_FAILED, logging.ERROR, trouble=error, id=notice.id)
            return Tried(notice, notice.octets or b"", TryLater(None, f"cannot be delivered: {_storable(error)}"))

    def _settle(self, tried: Sequence[Tried]) -> None:
        try:
            self._settle_once(tried)
        except StorageError as error:
            if error.cause != "fault":
                raise
            self._settle_each(tried, error)

    def _settle_each(self, tried: Sequence[Tried], error: StorageError) -> None:
        """After an error nobody knows whose fault it was: one by one; the bad one keeps its lease for a while."""
        if len(tried) > 1:
            for each in tried:
                self._settle([each])
            return
        note(Event.NOTICE_FAILED, logging.ERROR, id=tried[0].notice.id, text=error)

    def _settle_once(self, tried: Sequence[Tried]) -> None:
        with self._store.unit() as tx:
            mine = [each for each in tried if notices.held(tx, self._owner, each.notice.id)]
            settled = [(each, _settle_one(tx, each)) for each in mine]
        for each, state in settled:
            attempts = each.notice.attempts + 1
            note(_EVENTS[state], id=each.notice.id, kind=each.notice.kind, attempts=attempts, reply=each.reply)


def _settle_one(tx: Tx, tried: Tried) -> NoticeState | None:
    """Write down one try; return the state in which the notice has ended, None where it is tried again."""
    notice, result, reply, at = tried.notice, tried.result, tried.reply, now()
    attempts = notice.attempts + 1
    notices.note_attempt(tx, notice.id, number=attempts, at=at, result=type(result).__name__, reply=reply)
    # A clock that was set back must not make the plan fail.
    plan = next_attempt(min(notice.created_at, at), at, attempts)
    ended = _ended(result, plan)
    if ended is not None:
        notices.settle(tx, notice.id, state=ended, at=at, attempts_made=attempts, reply=reply, octets=tried.octets)
    elif isinstance(plan, Retry):
        notices.postpone(tx, notice.id, next_at=plan.at, attempts_made=attempts, reply=reply, octets=tried.octets)
    return ended


def _storable(text: object) -> str:
    """Return text that both databases take, on one line: another server's reply may hold any octets."""
    lines = str(text).replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8").split()
    return " ".join(lines)


def _ended(result: Result, plan: Retry | GiveUp) -> NoticeState | None:
    """Return the state in which the notice ends, None where it is tried again."""
    if isinstance(result, Delivered):
        return NoticeState.SENT
    final = isinstance(result, GivenUp) or isinstance(plan, GiveUp)
    return NoticeState.GIVEN_UP if final else None


_EVENTS = {
    NoticeState.SENT: Event.NOTICE_SENT,
    NoticeState.GIVEN_UP: Event.NOTICE_GIVEN_UP,
    None: Event.NOTICE_POSTPONED,
}
