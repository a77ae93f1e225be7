"""Many sessions for the last octets of one mailbox: never over by one octet, and everybody told the truth."""

import threading

import pytest

from storage import mailboxes
from storage.engine import Store
from storage.records import Usage
from tests.acceptance.books import check, rows, settled, usage
from tests.acceptance.killing import strike
from tests.load import Load, running, until_answered
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


def race(
    service: Service, when_full: str, *, processes: int, sessions: int, messages: int, kills_of_the_listener: int = 0
) -> None:
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
            for number in range(1, kills_of_the_listener + 1):
                until_answered(loads, offered * number // (kills_of_the_listener + 1), 300)
                strike(service, "listener")
            for each in loads:
                each.wait(300)
        auditor.end()
        assert auditor.wrong == []
        assert auditor.looks > 3
        settled(store, 120)
        told = [each for load in loads for each in load.told()]
        count = check(service, store, told)
        used = usage(store, BOX)
        stored = {name for (name,) in rows(store, "SELECT message_id FROM messages")}

    assert count.total() == len(told) == offered
    assert used.messages == count["stored"]
    assert used.octets == sum(each.octets for each in told if each.message_id in stored) <= quota
    # It is full: the smallest that was not taken would have crossed the line.
    left_out = [each.octets for each in told if each.message_id not in stored]
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


def test_a_mailbox_is_never_over_by_one_octet_while_its_listener_is_killed(service: Service) -> None:
    race(service, "bounce", processes=1, sessions=20, messages=5, kills_of_the_listener=1)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("when_full", ["bounce", "reject"])
@pytest.mark.parametrize("round_", range(1, 6))
def test_a_mailbox_is_never_over_by_one_octet_round_after_round(
    service_on_each: Service, when_full: str, round_: int
) -> None:
    race(service_on_each, when_full, processes=4, sessions=200, messages=5, kills_of_the_listener=round_)
