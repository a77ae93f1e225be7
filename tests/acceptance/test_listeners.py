"""Two listeners, and two services, on one database: no mail is put off for the other's sake, no counter is wrong."""

import random
import smtplib
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest

from storage.engine import Store
from storage.records import Usage
from tests.acceptance.books import rows, settled, usage
from tests.servers import PostgresServer
from tests.service import Service, eventually, mail

HR, IT, SCARCE, ROOM = "hr@agency.test", "it@agency.test", "scarce@agency.test", 7
OCTETS = 500
# More than HR and IT may ever hold: refused at RCPT, and written down.
DECLARED = "SIZE=20000000"
# What a session does next: a mail's recipients in this order, or one refusal. Few have two recipients, since
# writers that lock both mailboxes do so in one order; many are refused, since that touches another one's row.
PLANS = [*[[HR], [IT], [HR, DECLARED], [IT, DECLARED]] * 2, [HR, IT], [IT, HR], [IT, SCARCE]]


def list_mailboxes(service: Service) -> Service:
    service.mailbox(HR, quota="10 MB", when_full="reject")
    service.mailbox(IT, quota="10 MB", when_full="bounce")
    # So many fit and one octet less than another one.
    service.mailbox(SCARCE, quota=(ROOM + 1) * OCTETS - 1, when_full="bounce")
    return service


class Session(threading.Thread):
    """One connection that carries out `count` plans and keeps each reply that it did not expect."""

    def __init__(self, client: smtplib.SMTP, name: str, count: int) -> None:
        super().__init__()
        self._client, self._name, self._count = client, name, count
        self._random = random.Random(name)
        self.done: Counter[str] = Counter()
        self.surprises: list[str] = []

    def run(self) -> None:
        try:
            for number in range(self._count):
                plan = self._random.choice(PLANS)
                if plan[-1] == DECLARED:
                    self._be_refused(plan[0])
                else:
                    self._send(plan, f"{self._name}.{number}@load.test")
        except (OSError, smtplib.SMTPException) as error:
            self.surprises.append(repr(error))

    def _be_refused(self, address: str) -> None:
        self._ask("MAIL FROM:<ann@agency.test> " + DECLARED, 250)
        # A mail larger than the whole mailbox is 552 in every mode but `bounce`, which takes it and bounces it.
        code, _ = self._client.docmd(f"RCPT TO:<{address}> NOTIFY=NEVER")
        self._note(code, 552, f"RCPT {address}")
        self._ask("RSET", 250)
        self.done[f"refused {address}"] += 1

    def _send(self, recipients: Sequence[str], name: str) -> None:
        self._ask(f"MAIL FROM:<{self._name}@load.test>", 250)
        for each in recipients:
            self._ask(f"RCPT TO:<{each}>", 250)
        code, text = self._client.data(mail(OCTETS, message_id=name))
        self._note(code, 250, text.decode())
        self.done.update(f"sent {each}" for each in recipients)

    def _ask(self, command: str, expected: int) -> None:
        code, text = self._client.docmd(command)
        self._note(code, expected, f"{command} {text.decode()}")

    def _note(self, code: int, expected: int, about: str) -> None:
        if code != expected:
            self.surprises.append(f"{code} {about}")


def listeners(service: Service) -> list[psutil.Process]:
    assert service.process is not None
    children = psutil.Process(service.process.pid).children()
    return [each for each in children if any(c.status == psutil.CONN_LISTEN for c in each.net_connections())]


def guests(listener: psutil.Process) -> int:
    return sum(each.status == psutil.CONN_ESTABLISHED for each in listener.net_connections("tcp"))


@contextmanager
def connected(services: Sequence[Service], enough: Callable[[], bool], at_least: int) -> Iterator[list[smtplib.SMTP]]:
    """Connect to the services in turn, until the sessions are spread as they should be."""
    with ExitStack() as stack:
        clients: list[smtplib.SMTP] = []
        while len(clients) < at_least or not enough():
            assert len(clients) < 300, "all sessions are at one listener"
            clients.append(stack.enter_context(services[len(clients) % len(services)].client()))
            clients[-1].ehlo()
        yield clients


def busy(services: Sequence[Service], store: Store, enough: Callable[[], bool], *, sessions: int, each: int) -> None:
    """Let sessions store and be refused at once, and hold the books against what was said."""
    with connected(services, enough, sessions) as clients:
        threads = [Session(client, f"s{number}", each) for number, client in enumerate(clients)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()

    assert [surprise for one in threads for surprise in one.surprises] == []
    done = sum((one.done for one in threads), Counter())
    for service in services:
        assert "storing_failed" not in service.log.read_text()
    settled(store)
    for address in (HR, IT):
        assert usage(store, address) == Usage(done[f"sent {address}"], done[f"sent {address}"] * OCTETS)
    assert usage(store, SCARCE) == Usage(ROOM, ROOM * OCTETS)
    refused = dict(rows(store, "SELECT mailbox, count(*) FROM refusals GROUP BY mailbox"))
    wanted = {address: done[f"refused {address}"] for address in (HR, IT)} | {SCARCE: done[f"sent {SCARCE}"] - ROOM}
    assert refused == wanted
    assert rows(store, "SELECT count(*) FROM notices WHERE kind = 'bounce'") == [(wanted[SCARCE],)]


def two_listeners(service: Service, *, sessions: int, each: int) -> None:
    service.set("service", listeners=2)
    list_mailboxes(service).start()
    both = listeners(service)
    assert len(both) == 2
    with service.store() as store:
        busy([service], store, lambda: min(map(guests, both)) >= 3, sessions=sessions, each=each)
    assert service.stop() == 0


def test_two_listeners_put_no_mail_off_and_charge_exactly(service_on_each: Service) -> None:
    two_listeners(service_on_each, sessions=8, each=50)


@pytest.mark.acceptance
@pytest.mark.timeout(600)
def test_two_listeners_put_no_mail_off_and_charge_exactly_at_full_size(service_on_each: Service) -> None:
    two_listeners(service_on_each, sessions=60, each=100)


def test_who_waits_for_a_listener_that_is_killed_is_served_by_its_successor(tmp_path: Path) -> None:
    service = Service(tmp_path)
    service.set("service", listeners=2)
    try:
        service.start()
        both = listeners(service)
        still = both[1]
        # It takes nobody: whoever the kernel gives to it waits in its queue.
        still.suspend()
        with ExitStack() as stack:
            waiting = [stack.enter_context(socket.create_connection(service.address)) for _ in range(40)]
            eventually(lambda: guests(both[0]) >= 5)
            assert guests(both[0]) < 40
            still.kill()
            for each in waiting:
                each.settimeout(10)
                assert each.recv(3) == b"220"
        assert service.stop() == 0
    finally:
        service.kill()


def test_an_address_that_listeners_share_is_refused_to_a_second_service(tmp_path: Path) -> None:
    first, second = (Service(tmp_path / name) for name in ("first", "second"))
    for each in (first, second):
        each.folder.mkdir()
        each.set("service", listeners=2)
    try:
        first.start()
        second.set("smtp", listen=[f"{first.host}:{first.port}"])
        with pytest.raises(AssertionError, match="cannot listen on"):
            second.start()
    finally:
        for each in (first, second):
            each.kill()


def test_two_services_on_one_database_put_no_mail_off_and_charge_exactly(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    with postgres.database() as url, ExitStack() as stack:
        services = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            services.append(list_mailboxes(Service(tmp_path / name, url)))
            stack.callback(services[-1].kill)
            services[-1].start()
        with services[0].store() as store:
            busy(services, store, lambda: True, sessions=8, each=50)
        assert [each.stop() for each in services] == [0, 0]
