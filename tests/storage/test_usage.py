"""What mailboxes held: noted where it changed, given back for a window, forgotten."""

from dataclasses import replace
from datetime import timedelta

from smtpd_service.housekeeping import SAMPLES_KEPT, keep_house
from smtpd_service.identity import now
from smtpd_service.warning import Policy
from storage import mailboxes, usage
from storage.engine import Store
from storage.records import Mailbox, Sample, Usage
from tests.storage.stock import NOON, add_box, box

MINUTE = timedelta(minutes=1)


def noted(store: Store, of: Mailbox) -> list[Sample]:
    with store.reading() as tx:
        return usage.since(tx, of.id, NOON - timedelta(days=365))


def fill(store: Store, of: Mailbox, octets: int) -> Mailbox:
    filled = replace(of, used=Usage(1, octets))
    with store.unit() as tx:
        mailboxes.set_usage(tx, [filled])
    return filled


def test_a_sample_is_made_only_where_something_changed(store: Store) -> None:
    first, second = add_box(store, box()), add_box(store, box("it@agency.test"))
    with store.unit() as tx:
        usage.note(tx, [first, second], NOON)
        usage.note(tx, [first, second], NOON + MINUTE)
        usage.note(tx, [replace(first, used=Usage(1, 5)), second], NOON + 2 * MINUTE)
        usage.note(tx, [first, second], NOON + 3 * MINUTE)

    held = [(0, 0), (2, 5), (3, 0)]
    assert noted(store, first) == [Sample(NOON + at * MINUTE, octets, min(octets, 1)) for at, octets in held]
    assert noted(store, second) == [Sample(NOON, 0, 0)]


def test_a_window_begins_with_what_was_held_at_its_begin(store: Store) -> None:
    made = add_box(store, box())
    with store.unit() as tx:
        for minute in range(5):
            usage.note(tx, [replace(made, used=Usage(1, minute))], NOON + minute * MINUTE)

    with store.reading() as tx:
        assert [each.octets for each in usage.since(tx, made.id, NOON + 2.5 * MINUTE)] == [2, 3, 4]
        assert [each.octets for each in usage.since(tx, made.id, NOON + 3 * MINUTE)] == [2, 3, 4]
        assert [each.octets for each in usage.since(tx, made.id, NOON)] == [0, 1, 2, 3, 4]


def test_the_house_is_kept_with_samples_that_are_forgotten_in_time(store: Store) -> None:
    made = add_box(store, box())
    with store.unit() as tx:
        usage.note(tx, [replace(made, used=Usage(9, 9))], now() - SAMPLES_KEPT - MINUTE)
    keep_house(store, Policy((), ""))
    filled = fill(store, made, 700)
    keep_house(store, Policy((), ""))
    keep_house(store, Policy((), ""))

    assert [(each.octets, each.messages) for each in noted(store, filled)] == [(0, 0), (700, 1)]
