"""What must happen also without mail: warnings and samples of use on a timer, old marks forgotten, partitions made."""

import asyncio
import contextlib
import logging
from datetime import timedelta

from smtpd_service.events import Event, note
from smtpd_service.identity import now
from smtpd_service.storing import Policy, note_level, warn
from storage import acceptance, arrivals, mailboxes, notices, usage
from storage.engine import StorageError, Store
from storage.partitions import make_months

EVERY = 30.0
FORGOTTEN_AT_ONCE = 5_000
# Forecasts look back for hours; an operator may ask what a week was like.
SAMPLES_KEPT = timedelta(days=8)


def keep_house(store: Store, policy: Policy) -> None:
    """Do one round. Raises StorageError."""
    with store.reading() as tx:
        due = [box.id for box in mailboxes.all_mailboxes(tx) if warn(box, policy, now())[0] is not box]
    _forget(store)
    with store.unit() as tx:
        make_months(tx, now())
        usage.note(tx, mailboxes.all_mailboxes(tx), now())
        usage.forget(tx, now() - SAMPLES_KEPT)
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
            forgotten = acceptance.forget(tx, now(), FORGOTTEN_AT_ONCE)
    more = True
    while more:
        with store.unit() as tx:
            more = arrivals.forget(tx, now())


async def keep_house_for_ever(store: Store, policy: Policy, stopping: asyncio.Event) -> None:
    while not stopping.is_set():
        try:
            await asyncio.to_thread(keep_house, store, policy)
        except StorageError as error:
            note(Event.DATABASE_AWAY, logging.WARNING, text=error)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), EVERY)
