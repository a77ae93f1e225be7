"""The watch: what a listener knows of the database and the disk without asking."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from smtpd_service.identity import now
from smtpd_service.watch import Watch
from storage import changes, mailboxes, nodes
from storage.engine import Store
from storage.records import Quota, Usage, WhenFull
from tests.service import eventually
from tests.storage.stock import add_box, box


@pytest.fixture
def watch(store: Store) -> Iterator[Watch]:
    add_box(store, box())
    made = Watch(store, reserve=0)
    made.start()
    yield made
    made.stop()


def test_a_change_of_quota_is_seen_within_a_second_and_confirmed(watch: Watch, store: Store) -> None:
    before = watch.condition.directory
    box_ = before.find("HR@agency.test", "mx.agency.test")
    assert box_ is not None
    with store.unit() as tx:
        mailboxes.set_quota(tx, box_.id, Quota(7), WhenFull.DEFER)
        changes.record(
            tx, at=now(), who="root", verb="quota set", subject=box_.address, before={}, after={}, reason="test"
        )

    def seen() -> bool:
        found = watch.condition.directory.find("hr@agency.test", "mx.agency.test")
        return found is not None and found.quota == Quota(7)

    eventually(seen, 1)

    def confirmed() -> bool:
        with store.reading() as tx:
            return nodes.confirmed(tx, "listener", before.generation + 1) == (1, 1)

    eventually(confirmed, 2)


def test_a_watch_that_ends_leaves_the_nodes(store: Store) -> None:
    watch = Watch(store, reserve=0)
    watch.start()
    watch.stop()

    with store.reading() as tx:
        assert nodes.confirmed(tx, "listener", 0) == (0, 0)


def test_a_database_that_is_away_is_noticed_and_so_is_its_return(watch: Watch, store: Store) -> None:
    with store.unit() as tx:
        tx.execute(text("ALTER TABLE generation RENAME TO elsewhere"))
    eventually(lambda: watch.condition.away)
    with store.unit() as tx:
        tx.execute(text("ALTER TABLE elsewhere RENAME TO generation"))
    eventually(lambda: not watch.condition.away)


def test_draining_is_never_forgotten(watch: Watch) -> None:
    watch.drain()
    before = watch.condition
    eventually(lambda: watch.condition is not before)
    assert watch.condition.draining


def test_too_little_space_is_noticed(sqlite_store: Store) -> None:
    watch = Watch(sqlite_store, reserve=2**62)
    watch.start()
    assert watch.condition.low
    watch.stop()


def test_a_disk_that_cannot_be_asked_does_not_end_the_watch(sqlite_store: Store) -> None:
    """The folder is gone for a moment, as when a disk is mounted anew: the look fails, the next one does not."""
    watch = Watch(sqlite_store, reserve=0)
    watch.start()
    folder = sqlite_store.path.parent if sqlite_store.path else Path()
    away = folder.with_name("away")
    folder.rename(away)
    eventually(lambda: watch.condition.away)
    away.rename(folder)
    eventually(lambda: not watch.condition.away)
    watch.stop()


def test_a_mailbox_that_fills_is_frozen_or_accepts_again_is_logged_once(
    watch: Watch, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever changed it: the watch sees what the database says."""
    caplog.set_level(logging.INFO, "pulsebox")
    made = next(iter(watch.condition.directory.boxes.values()))

    def told() -> list[str]:
        return [record.getMessage().partition(" ")[0] for record in caplog.records]

    # Mail of 300,000 octets is what comes here, and less is left.
    for used, state in ((Usage(3, 900_000), "mailbox_full"), (Usage(0, 0), "mailbox_accepting")):
        with store.unit() as tx:
            mailboxes.set_usage(tx, [replace(made, used=used)])
        eventually(lambda state=state: told()[-1:] == [state], 5)
    for frozen, state in ((True, "mailbox_frozen"), (False, "mailbox_accepting")):
        with store.unit() as tx:
            mailboxes.set_frozen(tx, made.id, frozen)
        eventually(lambda state=state: told()[-1:] == [state], 5)
    assert told() == ["mailbox_full", "mailbox_accepting", "mailbox_frozen", "mailbox_accepting"]
