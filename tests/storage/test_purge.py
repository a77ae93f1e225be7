"""Giving mail up: what a unit releases of what it was asked to, decided while nobody else can change it."""

from storage import mailboxes, messages, purge, quarantine
from storage.engine import Store
from storage.readings import NewSubmission, Withheld
from storage.records import Mailbox, MessageId, Usage
from tests.storage.stock import NOON, add_box, add_messages, box, message


def read(store: Store, to: Mailbox, octets: bytes = b"Subject: hi\r\n\r\n- one\r\n") -> MessageId:
    [id_] = add_messages(store, to, message(octets))
    with store.unit() as tx:
        messages.settle_read(tx, [id_])
    return id_


def release(store: Store, box_: Mailbox, *ids: MessageId) -> purge.Released:
    with store.unit() as tx:
        return purge.release(tx, box_.id, ids, at=NOON, why="ROOM-1")


def test_what_was_given_up_already_is_given_up_once(store: Store) -> None:
    to = add_box(store, box())
    id_ = read(store, to)

    assert release(store, to, id_) == purge.Released((id_,), 22, 1)
    assert release(store, to, id_) == purge.Released((), 0, 0)


def test_what_went_into_quarantine_or_back_to_the_queue_meanwhile_is_left_out(store: Store) -> None:
    to = add_box(store, box())
    held, parked, free = read(store, to), read(store, to), read(store, to)
    with store.unit() as tx:
        quarantine.hold(tx, [_withheld(held)])
        messages.park(tx, parked, 3, "too deep")

    assert release(store, to, held, parked, free).ids == (free,)
    with store.reading() as tx:
        assert messages.octets(tx, held) == messages.octets(tx, parked) == b"Subject: hi\r\n\r\n- one\r\n"
        assert mailboxes.stored_usage(tx, to.id) == Usage(2, 44)
        assert purge.extent(tx, purge.Scope(to.id)).held == 1
        assert purge.extent(tx, purge.Scope(to.id)).parked == 1


def _withheld(of: MessageId) -> NewSubmission:
    text = Withheld(of, "leftover", None, "ssn", None, "123-45-6789", NOON)
    return NewSubmission(
        id=of,
        message=of,
        sender="ann@agency.test",
        person=None,
        round=None,
        status="OK",
        flags=(),
        received_at=NOON,
        late=False,
        repeats=None,
        leftover="",
        fingerprint=None,
        trace=(),
        defects=(),
        parser="1",
        bullets=(),
        withheld=(text,),
    )


def test_another_mailboxes_mail_is_not_given_up(store: Store) -> None:
    mine, other = add_box(store, box()), add_box(store, box("it@agency.test"))
    id_ = read(store, other)

    assert release(store, mine, id_).ids == ()
    with store.reading() as tx:
        assert mailboxes.stored_usage(tx, other.id) == Usage(1, 22)


def test_a_batch_goes_on_after_the_last_id_and_stops_at_its_octets(store: Store) -> None:
    to = add_box(store, box())
    ids = sorted(read(store, to) for _ in range(5))
    scope = purge.Scope(to.id)

    with store.reading() as tx:
        assert purge.batch(tx, scope, None, messages=2, octets=1000) == ids[:2]
        assert purge.batch(tx, scope, ids[1], messages=9, octets=44) == ids[2:4]
        # A message larger than that is taken alone.
        assert purge.batch(tx, scope, ids[3], messages=9, octets=1) == ids[4:]
        assert purge.batch(tx, scope, ids[4], messages=9, octets=1000) == []
