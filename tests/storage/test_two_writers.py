"""Two writers on one database, as two listeners are: each stores for one mailbox and writes down a refusal of
another, in opposite orders, and neither waits for the other for ever.
"""

import threading
from collections.abc import Callable

from smtpd_service.domain.outcomes import Stored
from smtpd_service.identity import now
from smtpd_service.storing import prepare, store_batch
from smtpd_service.warning import Policy
from storage import acceptance, mailboxes
from storage.engine import StorageError, Store
from storage.records import Mailbox, NewRefusal, Usage
from tests.acceptance.books import rows
from tests.storage.stock import add_box, box, offer, refusal

UNITS = 200


def in_turn(store: Store, name: str, kept: Mailbox, refused: Callable[[], NewRefusal]) -> None:
    """Store one message for `kept` and one refusal in each of so many units."""
    with store.reading() as tx:
        key = acceptance.key(tx)
    for number in range(UNITS):
        prepared = prepare(offer(f"{name} {number}".encode(), kept), key)
        with store.unit() as tx:
            [answer] = store_batch(tx, [prepared], [refused()], Policy((), ""), now())
        assert isinstance(answer.outcome, Stored)


def test_writers_that_store_for_one_mailbox_and_refuse_for_another_never_deadlock(store: Store) -> None:
    hr, it = add_box(store, box()), add_box(store, box("it@agency.test"))
    trouble: list[StorageError] = []

    def write(name: str, kept: Mailbox, other: Mailbox) -> None:
        try:
            in_turn(store, name, kept, lambda: refusal(other, refused_at=now()))
        except StorageError as error:
            trouble.append(error)

    writers = [threading.Thread(target=write, args=args) for args in (("one", hr, it), ("two", it, hr))]
    for each in writers:
        each.start()
    for each in writers:
        each.join()

    assert trouble == []
    with store.reading() as tx:
        for made in (hr, it):
            found = mailboxes.find(tx, made.address)
            assert found is not None
            assert mailboxes.stored_usage(tx, made.id) == found.used == Usage(UNITS, found.used.octets)
    assert sorted(rows(store, "SELECT mailbox, count(*) FROM refusals GROUP BY mailbox")) == [
        (hr.address, UNITS),
        (it.address, UNITS),
    ]
