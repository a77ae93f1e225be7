"""What the service takes when nothing happens."""

import resource
import socket
from contextlib import ExitStack

import psutil
import pytest

from tests.acceptance.books import settled
from tests.service import Service, eventually, mail
from tests.session.dialogue import Dialogue

ALLOWED = 250_000_000
IDLE = 10_000
ALLOWED_IDLE = 150_000_000


@pytest.mark.acceptance
def test_a_service_at_rest_takes_no_more_than_250_mb(
    service_on_each: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    service = service_on_each
    service.mailbox("hr@agency.test")
    service.start()
    for number in range(20):
        service.send(mail(octets=20_000, message_id=f"{number}@load.test"))
    with service.store() as store:
        settled(store)
    assert service.process is not None
    main = psutil.Process(service.process.pid)
    eventually(lambda: len(main.children(recursive=True)) == 4)

    # Shared pages are counted once: PSS, not RSS.
    taken = {each.pid: each.memory_full_info().pss for each in [main, *main.children(recursive=True)]}

    with capsys.disabled():
        print(f"\nat rest: {sum(taken.values()) / 1e6:.0f} MB in {len(taken)} processes ({store.dialect})")
    assert sum(taken.values()) <= ALLOWED


@pytest.mark.acceptance
def test_ten_thousand_idle_connections_take_no_more_than_150_mb(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files[1] < IDLE + 1_000:
        pytest.skip(f"this system lets a process open only {files[1]} files")
    service.mailbox("hr@agency.test")
    service.set("smtp", max_connections=IDLE + 100)
    service.start()
    assert service.process is not None
    with ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, files)
        resource.setrlimit(resource.RLIMIT_NOFILE, (files[1], files[1]))
        clients = [stack.enter_context(socket.create_connection(service.address)) for _ in range(IDLE)]
        for client in clients:
            client.settimeout(20)
            assert client.recv(100).startswith(b"220 ")
            client.sendall(b"EHLO client.test\r\n")
        assert all(client.recv(1_000).startswith(b"250-") for client in clients)

        [listener] = [
            each for each in map(psutil.Process, service.pids()["children"]) if len(each.net_connections()) > IDLE
        ]
        taken = listener.memory_info().rss
        with Dialogue(service.address) as neighbour:
            neighbour.hello().transaction()
            assert neighbour.data(mail()).startswith("250 2.6.0")

    with capsys.disabled():
        print(f"\n{IDLE} idle: {taken / 1e6:.0f} MB in the listener")
    assert taken <= ALLOWED_IDLE
