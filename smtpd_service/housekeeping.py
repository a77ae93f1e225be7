"""What must happen also without mail, on a timer: warnings and samples of use, old marks forgotten, months kept.

A month that PostgreSQL is busy with is tried again the next time, since mail would wait behind whoever waits for it.
"""

import asyncio
import contextlib
import logging
import time
from datetime import timedelta

from smtpd_service.events import Event, note
from smtpd_service.identity import now
from smtpd_service.retention import By, let_go, plans, sweep
from smtpd_service.warning import Policy, note_level, warn
from storage import acceptance, arrivals, mailboxes, notices, partitions, usage
from storage.clock import moment
from storage.engine import StorageError, Store
from storage.partitions import Month

EVERY = 30.0
MONTHS_EVERY = 600.0
# So many messages of a month that had no partition are moved without being asked: mail waits for about a second.
MOVED_UNASKED = 5_000
MEND = "stop the nodes or choose a quiet hour, and run: pulsebox db partitions --mend"
FORGOTTEN_AT_ONCE = 5_000
# Forecasts look back for hours; an operator may ask what a week was like.
SAMPLES_KEPT = timedelta(days=8)


def keep_house(store: Store, policy: Policy) -> None:
    """Do one round. Raises StorageError."""
    with store.reading() as tx:
        due = [box.id for box in mailboxes.all_mailboxes(tx) if warn(box, policy, now())[0] is not box]
    _forget(store)
    with store.unit() as tx:
        at = moment(tx)
        usage.note(tx, mailboxes.all_mailboxes(tx), at)
        usage.forget(tx, at - SAMPLES_KEPT)
        for box in mailboxes.lock(tx, due).values() if due else ():
            moved, warning = warn(box, policy, now())
            if moved is not box:
                note_level(moved)
            mailboxes.set_usage(tx, [moved])
            notices.owe(tx, [warning] if warning else [])


def _forget(store: Store) -> None:
    """Forget old marks and counts, few in each unit: arriving mail waits for as long as one takes."""
    forgotten = FORGOTTEN_AT_ONCE
    while forgotten == FORGOTTEN_AT_ONCE:
        with store.unit() as tx:
            forgotten = acceptance.forget(tx, moment(tx), FORGOTTEN_AT_ONCE)
    more = True
    while more:
        with store.unit() as tx:
            more = arrivals.forget(tx, moment(tx))


def keep_months(store: Store, keep: int) -> None:
    """Make the partitions that are missing, move what lies beside them, let go of months older than `keep` (0: none).

    Raises StorageError.
    """
    sweep(store)
    with store.reading() as tx:
        missing, strays = partitions.missing(tx, moment(tx)), partitions.strays(tx)
    for month, messages in strays.items():
        if messages > MOVED_UNASKED:
            note(Event.MONTH_HELD, logging.WARNING, month=month, text=f"{messages} messages lie beside; {MEND}")
            continue
        with store.unit() as tx:
            partitions.settle(tx, month)
        note(Event.MONTH_MADE, month=month, messages=messages)
    if missing:
        with store.unit() as tx:
            partitions.make_months(tx, moment(tx))
    for plan in plans(store, keep) if keep else ():
        _let_go(store, plan.month, keep)


def _let_go(store: Store, month: Month, keep: int) -> None:
    try:
        done = let_go(store, month, By("housekeeping", f"[storage] keep_months = {keep}"))
    except StorageError as error:
        if error.cause != "fault":
            raise
        # Somebody is busy there.
        note(Event.MONTH_HELD, logging.WARNING, month=month, text=error)
        return
    if done.held:
        note(Event.MONTH_HELD, logging.WARNING, month=month, text=done.held)
    else:
        note(Event.MONTH_DROPPED, month=month, messages=done.messages, octets=done.octets)


async def keep_house_for_ever(store: Store, policy: Policy, stopping: asyncio.Event, keep: int = 0) -> None:
    """Do it again and again until `stopping`; `keep` is how many whole months of mail are kept, 0 all of them."""
    months_at = 0.0
    while not stopping.is_set():
        try:
            await asyncio.to_thread(keep_house, store, policy)
            if time.monotonic() >= months_at:
                months_at = time.monotonic() + MONTHS_EVERY
                await asyncio.to_thread(keep_months, store, keep)
        except StorageError as error:
            note(Event.DATABASE_AWAY, logging.WARNING, text=error)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), EVERY)
