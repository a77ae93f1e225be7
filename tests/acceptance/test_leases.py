"""A node that dies gives back what it held: within 10 s others have read and sent it."""

import threading
import time
import uuid
from datetime import timedelta

import pytest

from smtpd_service.claiming import LEASE as MESSAGE_LEASE
from smtpd_service.identity import now
from smtpd_service.outbound.courier import LEASE as NOTICE_LEASE
from smtpd_service.parsing import Child
from smtpd_service.reader import Reader
from storage import messages, notices
from storage.clock import moment
from storage.engine import Store
from tests.acceptance.books import rows
from tests.service import Service, eventually, mail
from tests.storage.stock import add_box, add_messages, box, message

BACK_WITHIN = 10.0
HELD = 100


def test_a_reader_whose_clock_is_wrong_leaves_alone_what_another_one_holds(
    store: Store, child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smtpd_service.reader.now", lambda: now() + timedelta(hours=1))
    held = add_messages(store, add_box(store, box()), message())
    with store.unit() as tx:
        at = moment(tx)
        assert messages.claim(tx, str(uuid.uuid4()), at, at + MESSAGE_LEASE, HELD) == held

    assert Reader(store, child, batch=HELD, stopping=threading.Event()).read() == 0


@pytest.mark.acceptance
def test_what_a_dead_reader_and_a_dead_courier_held_is_read_and_sent_within_10_s(
    service_on_each: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    service = service_on_each
    service.mailbox("hr@agency.test")
    service.mailbox("full@agency.test", quota=10, when_full="bounce")
    service.start("listener")
    with service.client() as client:
        for number in range(HELD):
            client.sendmail("ann@agency.test", ["hr@agency.test"], mail(message_id=f"{number}@load.test"))
            client.sendmail("ann@agency.test", ["full@agency.test"], mail(message_id=f"full.{number}@load.test"))
    dead = str(uuid.uuid4())
    with service.store() as store:
        # As readers and couriers do it; this one never comes back.
        with store.unit() as tx:
            at = moment(tx)
            assert len(messages.claim(tx, dead, at, at + MESSAGE_LEASE, HELD)) == HELD
            assert len(notices.claim(tx, dead, at, at + NOTICE_LEASE, {"agency.test": HELD})) == HELD
        died = time.monotonic()
        assert service.stop() == 0
        service.start()
        left = "SELECT (SELECT count(*) FROM messages WHERE state = 'read'), "
        left += "(SELECT count(*) FROM notices WHERE state = 'sent')"
        assert rows(store, left) == [(0, 0)]
        eventually(lambda: time.monotonic() > died + 7, 10)
        assert rows(store, left) == [(0, 0)], "a living one would still hold them"
        eventually(
            lambda: rows(store, left)[0][0] > 0 and rows(store, left)[0][1] > 0, died + BACK_WITHIN - time.monotonic()
        )
        back = time.monotonic() - died
        eventually(lambda: rows(store, left) == [(HELD, HELD)], 20)
        done = time.monotonic() - died
    assert service.stop() == 0
    with capsys.disabled():
        print(f"\n{store.dialect}: free again after {back:.1f} s, {HELD} read and {HELD} sent after {done:.1f} s")
