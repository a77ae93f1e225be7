"""LMTP over TCP and on a unix socket: LHLO, one answer for each recipient after DATA, all else as in SMTP."""

import contextlib
import smtplib
import socket
import sqlite3
import stat
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.certificates import Authority
from tests.conformance.client import Client
from tests.service import Service, eventually, mail
from tests.session.dialogue import HR, MAIL, rows, serving, stored_octets
from tests.session.reaching import at, log_of, secured, ways_in

BOXES = [{"address": HR, "aliases": ["replies@agency.test"]}, {"address": "ops@agency.test"}]
NUMBERS = count(1)
RECIPIENTS = [HR, "ops@agency.test", "replies@agency.test", HR]


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Service]:
    """A service with LMTP on TCP, on a unix socket and over TLS, beside SMTP."""
    folder = tmp_path_factory.mktemp("lmtp")
    listen = ["127.0.0.1:0", "127.0.0.1:0 lmtp", f"unix:{folder}/lmtp.sock lmtp", "127.0.0.1:0 tls lmtp"]
    sections: dict[str, dict[str, object]] = {"tls": dict(authority.issue(folder).settings())}
    boxes = [*BOXES, {"address": "full@agency.test", "quota_messages": 0, "when_full": "reject"}]
    with serving(folder, *boxes, sections=sections, listen=listen, max_message="1 MB") as running:
        yield running


@pytest.fixture(params=[1, 2, 3], ids=["tcp", "unix", "tls"])
def client(request: pytest.FixtureRequest, house: Service, authority: Authority) -> Iterator[Client]:
    """A client that has heard the greeting and said LHLO, on each kind of socket."""
    with at(ways_in(house)[request.param], tls=authority if request.param == 3 else None) as made:
        assert made.reply() == "220 mx.agency.test LMTP"
        assert made.ask("LHLO client.test").startswith("250-mx.agency.test")
        yield made


def trace(service: Service) -> str:
    return str(rows(service, "SELECT trace FROM message ORDER BY id")[-1]["trace"])


def new_mail() -> bytes:
    """Return a message that has not been sent before: one that has is stored once."""
    return mail(message_id=f"{next(NUMBERS)}@agency.test")


def answers(client: Client, content: bytes, *recipients: str) -> list[str]:
    """Send a message and return the reply to each recipient that was accepted."""
    accepted = client.transaction(*(f"<{each}>" for each in recipients))[1:]
    assert client.ask("DATA").startswith("354")
    client.send(content + b".\r\n")
    return [client.reply() for each in accepted if each.startswith("250")]


def test_each_recipient_hears_its_own_reply_in_the_order_of_rcpt(client: Client, house: Service) -> None:
    content = new_mail()
    said = answers(client, content, *RECIPIENTS)
    assert [each[:9] for each in said] == ["250 2.6.0"] * 4
    assert content in stored_octets(house)
    client.converse(("NOOP", "250 2.0.0"), ("QUIT", "221 2.0.0"))


def test_a_refused_recipient_gets_no_second_reply_after_data(client: Client) -> None:
    said = answers(client, mail(), HR, "nobody@agency.test", "full@agency.test", "ops@agency.test")
    assert [each[:9] for each in said] == ["250 2.6.0"] * 2
    client.converse(("NOOP", "250 2.0.0"))


def test_without_recipients_data_gets_503(client: Client) -> None:
    client.converse(("DATA", "503 5.5.1"), (MAIL, "250"), ("DATA", "503 5.5.1"))
    client.converse(("RCPT TO:<nobody@agency.test>", "550 5.1.1"), ("DATA", "503 5.5.1"))


def test_a_message_too_big_is_refused_for_each_recipient(client: Client) -> None:
    said = answers(client, mail(octets=1_000_100), *RECIPIENTS)
    assert [each[:9] for each in said] == ["552 5.3.4"] * 4
    client.converse(("NOOP", "250 2.0.0"))


def test_a_bare_line_end_is_refused_for_each_recipient_and_closes(client: Client) -> None:
    said = answers(client, b"Subject: a\nb\r\n", *RECIPIENTS)
    assert [each[:9] for each in said] == ["550 5.6.0"] * 4
    assert client.closed()


def test_ehlo_and_helo_are_not_known(client: Client) -> None:
    client.converse(("EHLO client.test", "500 5.5.1"), ("HELO client.test", "500 5.5.1"))


def test_lhlo_is_not_known_to_smtp(house: Service) -> None:
    with at(house.address) as client:
        client.reply()
        client.converse(("LHLO client.test", "500 5.5.1"))


def test_mail_before_lhlo_gets_503(house: Service) -> None:
    with at(ways_in(house)[1]) as client:
        client.reply()
        client.converse((MAIL, "503 5.5.1 Send LHLO first"), ("HELP", "214 2.0.0 LHLO "))


def test_the_extensions_are_those_of_smtp(house: Service) -> None:
    with at(house.address) as smtp, at(ways_in(house)[1]) as lmtp:
        smtp.reply(), lmtp.reply()
        offered = smtp.ask("EHLO client.test")
        assert offered == lmtp.ask("LHLO client.test")
    keywords = {line[4:].split(" ")[0] for line in offered.splitlines()[1:]}
    assert {"PIPELINING", "ENHANCEDSTATUSCODES", "LIMITS", "STARTTLS", "DSN", "SMTPUTF8", "8BITMIME"} <= keywords


def test_all_at_once_is_answered_in_order(client: Client) -> None:
    client.converse_at_once(
        (MAIL, "250 2.1.0"),
        (f"RCPT TO:<{HR}>", "250 2.1.5"),
        ("RCPT TO:<ops@agency.test>", "250 2.1.5"),
        ("DATA", "354"),
    )
    client.send(mail() + b".\r\nRSET\r\nQUIT\r\n")
    assert [client.reply()[:9] for _ in range(4)] == ["250 2.6.0", "250 2.6.0", "250 2.0.0", "221 2.0.0"]


def test_a_foreign_client_delivers_by_lmtp(house: Service) -> None:
    host, port = ways_in(house)[1]
    with smtplib.LMTP(str(host), int(port)) as client:
        client.sendmail("ann@agency.test", [HR], mail(subject="by LMTP"))
    assert mail(subject="by LMTP") in stored_octets(house)
    assert " with LMTP id " in trace(house)


def test_a_foreign_client_delivers_on_a_unix_socket(house: Service) -> None:
    with smtplib.LMTP(str(ways_in(house)[2])) as client:
        client.sendmail("ann@agency.test", [HR], mail(subject="by a socket"))
    assert mail(subject="by a socket") in stored_octets(house)
    assert "(unix socket)\r\n" in trace(house)


def test_after_starttls_it_is_traced_as_lmtps_and_lhlo_is_due_again(house: Service, authority: Authority) -> None:
    with at(ways_in(house)[2]) as client:
        client.reply()
        client.ask("LHLO client.test")
        assert client.ask("STARTTLS").startswith("220 2.0.0")
        secured(client, authority)
        client.converse((MAIL, "503 5.5.1"), ("LHLO client.test", "250-"), ("STARTTLS", "503 5.5.1"))
        assert answers(client, mail(subject="secured"), HR)[0].startswith("250 2.6.0")
    assert " with LMTPS id " in trace(house)


def test_utf8_over_lmtp_is_traced_as_utf8lmtp(house: Service) -> None:
    with at(ways_in(house)[1]) as client:
        client.reply()
        client.converse(("LHLO client.test", "250-"), (f"{MAIL} SMTPUTF8", "250"), (f"RCPT TO:<{HR}>", "250"))
        assert client.data(mail(subject="utf-8"), end=b".\r\n").startswith("250 2.6.0")
    assert " with UTF8LMTP id " in trace(house)


def test_where_the_database_takes_nothing_each_recipient_hears_451(tmp_path: Path) -> None:
    with serving(tmp_path, *BOXES, listen=["127.0.0.1:0 lmtp"]) as service, at(ways_in(service)[0]) as client:
        client.reply()
        client.ask("LHLO client.test")
        client.transaction(*(f"<{each}>" for each in RECIPIENTS))
        client.ask("DATA")
        with contextlib.closing(sqlite3.connect(tmp_path / "var/pulsebox.db")) as database:
            database.execute("ALTER TABLE message RENAME TO gone")
        client.send(mail() + b".\r\n")
        assert [client.reply()[:9] for _ in range(4)] == ["451 4.3.0"] * 4
        client.converse(("NOOP", "250 2.0.0"))


# The unix socket.


def test_a_client_on_a_unix_socket_has_no_cap_by_address_and_proves_nobody(tmp_path: Path) -> None:
    boxes = [{"address": HR, "quota_messages": 0, "when_full": "bounce"}]
    smtp = {"listen": [f"unix:{tmp_path}/in.sock"], "max_connections_per_address": 1, "greet_delay": "1 min"}
    with serving(tmp_path, *boxes, **smtp) as service, contextlib.ExitStack() as open_:
        clients = [open_.enter_context(at(ways_in(service)[0])).hello() for _ in range(3)]
        # Who is proved is sent a bounce; who is not is refused in the session.
        clients[2].transaction()
        assert "250 2.0.0" not in clients[2].data(mail())
        assert service.outbox() == []


def test_the_socket_is_for_its_owner_and_its_group_and_goes_with_the_service(tmp_path: Path) -> None:
    path = tmp_path / "in.sock"
    with serving(tmp_path, listen=["127.0.0.1:0", f"unix:{path} lmtp"]) as service:
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert service.stop() == 0
        assert not path.exists()


def test_the_file_of_a_dead_process_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "in.sock"
    with serving(tmp_path, listen=["127.0.0.1:0", f"unix:{path}"]) as service:
        service.kill()
        eventually(lambda: refused(path))
        service.start()
        with at(str(path)) as client:
            client.hello()


def refused(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return True
        return False


@pytest.mark.parametrize("kind", ["listening", "file"])
def test_a_path_that_is_taken_is_left_alone_and_said_at_the_start(service: Service, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "in.sock"
    with socket.socket(socket.AF_UNIX) as other:
        if kind == "listening":
            other.bind(str(path))
            other.listen()
        else:
            path.write_text("precious")
        service.set("smtp", listen=[f"unix:{path}"])
        service.mailbox(HR)
        service.write_config()
        said = service.pulsebox("serve", code=2)
    assert f"cannot listen on unix:{path}: " in said
    assert path.exists()


def test_sigterm_says_421_to_lmtp(tmp_path: Path) -> None:
    listen = ["127.0.0.1:0", f"unix:{tmp_path}/in.sock lmtp"]
    with serving(tmp_path, listen=listen) as service, at(ways_in(service)[1]) as client:
        client.reply()
        client.ask("LHLO client.test")
        assert service.process is not None
        service.process.terminate()
        assert client.reply().startswith("421 4.3.2")
        assert service.process.wait(timeout=20) == 0
        assert "Traceback" not in log_of(service)
