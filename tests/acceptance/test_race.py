"""Many sessions for the last octets of one mailbox: never over by one octet, and everybody told the truth."""

import threading

import pytest

from storage import mailboxes
from storage.engine import Store
from storage.records import Usage
from tests.acceptance.books import check, settled, usage
from tests.load import Load, running
from tests.service import Service

BOX = "hr@agency.test"


class Auditor(threading.Thread):
    """Looks at the counter and the sum, in one moment, for as long as the race goes on."""

    def __init__(self, store: Store, quota: int) -> None:
        super().__init__()
        self._store, self._quota = store, quota
        self._end = threading.Event()
        self.looks = 0
        self.wrong: list[tuple[Usage, Usage]] = []

    def run(self) -> None:
        while not self._end.wait(0.02):
            with self._store.reading() as tx:
                box = mailboxes.find(tx, BOX)
                assert box is not None
                stored = mailboxes.stored_usage(tx, box.id)
            self.looks += 1
            if box.used != stored or stored.octets > self._quota:
                self.wrong.append((box.used, stored))

    def end(self) -> None:
        self._end.set()
        self.join()


def race(service: Service, when_full: str, *, processes: int, sessions: int, messages: int) -> None:
    offered = processes * sessions * messages
    quota = offered * 1100 + 7
    service.mailbox(BOX, quota=quota, when_full=when_full)
    service.start()
    with service.store() as store:
        auditor = Auditor(store, quota)
        auditor.start()
        logs = [service.folder / f"client{number}.log" for number in range(processes)]
        options = {"sessions": sessions, "messages": messages, "smallest": 400, "largest": 4000}
        with running([Load(service.port, log, BOX, **options) for log in logs]) as loads:
            for each in loads:
                each.wait(300)
        auditor.end()
        assert auditor.wrong == []
        assert auditor.looks > 3
        settled(store, 120)
        told = [each for load in loads for each in load.told()]
        count = check(service, store, told)
        used = usage(store, BOX)

    assert count.total() == len(told) == offered
    assert used.messages == count["stored"]
    assert used.octets == sum(each.octets for each in told if each.stored) <= quota
    # It is full: the smallest that was not taken would have crossed the line.
    left_out = [each.octets for each in told if not each.stored]
    assert left_out
    assert used.octets + min(left_out) > quota
    assert service.stop() == 0


@pytest.mark.parametrize("when_full", ["bounce", "reject"])
def test_a_mailbox_is_never_over_by_one_octet(service_on_each: Service, when_full: str) -> None:
    race(service_on_each, when_full, processes=2, sessions=40, messages=2)


@pytest.mark.acceptance
@pytest.mark.parametrize("when_full", ["bounce", "reject"])
def test_a_mailbox_is_never_over_by_one_octet_at_full_size(service_on_each: Service, when_full: str) -> None:
    race(service_on_each, when_full, processes=4, sessions=200, messages=5)
