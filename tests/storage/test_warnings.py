"""When an operator is warned: by the mailbox's own thresholds, up and down, on a timer, once for each crossing."""

import json
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from smtpd_service.housekeeping import keep_house
from smtpd_service.intake import Intake
from storage import mailboxes
from storage.engine import Store, open_store
from storage.records import Mailbox, Quota, Usage, WhenFull
from tests.storage.stock import add_box, box, offer
from tests.storage.writer import POLICY, outcomes, writing


@pytest.fixture
def intake(store: Store) -> Iterator[Intake]:
    with writing(store) as started:
        yield started


def told(store: Store) -> list[tuple[int, bool]]:
    with store.reading() as tx:
        facts = tx.execute(text("SELECT facts FROM notice WHERE kind = 'warning' ORDER BY id")).scalars()
        return [(each["level"], each["rising"]) for each in map(json.loads, facts)]


def limit(store: Store, made: Mailbox, octets: int) -> None:
    with store.unit() as tx:
        mailboxes.set_quota(tx, made.id, Quota(octets), WhenFull.BOUNCE)


def test_a_mailbox_has_thresholds_of_its_own(intake: Intake, store: Store) -> None:
    made = add_box(store, box(octets=100, warn_at=(20, 40)))
    plain = add_box(store, box("plain@agency.test", octets=100))

    outcomes(intake, offer(b"a" * 45, made), offer(b"a" * 45, plain))
    assert told(store) == [(40, True)]
    outcomes(intake, offer(b"b" * 30, made), offer(b"b" * 30, plain))
    assert told(store) == [(40, True), (70, True)]


def test_own_thresholds_hold_on_the_timer_too_up_and_down_with_five_percent_between(store: Store) -> None:
    made = add_box(store, box(octets=1000, warn_at=(30,), used=Usage(1, 100)))
    for octets, expected in ((1000, 0), (334, 0), (333, 1), (399, 1), (401, 2), (334, 2), (333, 3)):
        limit(store, made, octets)
        keep_house(store, POLICY)
        assert len(told(store)) == expected, octets
    assert told(store) == [(30, True), (30, False), (30, True)]


def test_houses_kept_by_several_nodes_at_once_warn_once(store: Store, database_url: str) -> None:
    for number in range(20):
        add_box(store, box(f"{number}@agency.test", octets=100, used=Usage(1, 90)))
    stores = [open_store(database_url) for _ in range(3)]
    together = threading.Barrier(len(stores))

    def keep(own: Store) -> None:
        together.wait()
        keep_house(own, POLICY)

    threads = [threading.Thread(target=keep, args=(each,)) for each in stores]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    for own in stores:
        own.close()

    assert told(store) == [(85, True)] * 20


def test_mail_and_the_timer_warn_once_of_one_crossing(intake: Intake, store: Store) -> None:
    made = add_box(store, box(octets=100))
    outcomes(intake, offer(b"a" * 72, made))
    keep_house(store, POLICY)
    keep_house(store, POLICY)
    assert told(store) == [(70, True)]


def test_nobody_is_warned_of_a_mailbox_without_a_limit(intake: Intake, store: Store) -> None:
    made = add_box(store, box("postmaster@agency.test", octets=10))
    outcomes(intake, offer(b"a" * 72, made))
    keep_house(store, POLICY)
    assert told(store) == []
