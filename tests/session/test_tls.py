"""TLS, by STARTTLS and from the first octet: nothing of before it counts, and who never shakes hands harms nobody."""

import contextlib
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.certificates import Authority, Files, serial
from tests.conformance.client import Client
from tests.service import Service, eventually, mail
from tests.session.dialogue import HR, MAIL, RCPT, ClosedError, rows, serving, stored_octets
from tests.session.reaching import at, log_of, secured, ways_in
from tests.session.test_smtp_flood import MEMORY_LIMIT, PROMPT, Neighbour, peak_memory


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Service]:
    """A service with STARTTLS at its first address and TLS from the first octet at its second; it trusts nobody."""
    folder = tmp_path_factory.mktemp("tls")
    with with_tls(folder, authority.issue(folder), trusted_networks=[], max_connections_per_address=200) as running:
        yield running


@contextlib.contextmanager
def with_tls(folder: Path, files: Files, *, drain: str = "8 s", **smtp: object) -> Iterator[Service]:
    sections: dict[str, dict[str, object]] = {"tls": dict(files.settings()), "service": {"drain": drain}}
    with serving(folder, sections=sections, listen=["127.0.0.1:0", "127.0.0.1:0 tls"], **smtp) as running:
        yield running


@pytest.fixture
def client(house: Service, authority: Authority) -> Iterator[Client]:
    """A client that has said EHLO, and STARTTLS, and shaken hands."""
    with at(house.address) as made:
        made.hello()
        assert made.ask("STARTTLS").startswith("220 2.0.0")
        yield secured(made, authority)


def offered(reply: str) -> set[str]:
    return {line[4:].split(" ")[0] for line in reply.splitlines()[1:]}


def trace(service: Service) -> str:
    return str(rows(service, "SELECT trace FROM message ORDER BY id")[-1]["trace"])


# STARTTLS.


def test_starttls_is_offered_before_tls_and_not_after(house: Service, authority: Authority) -> None:
    with at(house.address) as client:
        client.reply()
        assert "STARTTLS" in offered(client.ask("EHLO client.test"))
        client.ask("STARTTLS")
        secured(client, authority)
        assert "STARTTLS" not in offered(client.ask("EHLO client.test"))


def test_a_mail_after_starttls_is_traced_as_esmtps(house: Service, authority: Authority) -> None:
    with smtplib.SMTP(*house.address, timeout=20) as client:
        client.starttls(context=authority.client)
        client.sendmail("ann@agency.test", [HR], mail(subject="by STARTTLS"))
    assert mail(subject="by STARTTLS") in stored_octets(house)
    assert " with ESMTPS id " in trace(house)


def test_a_mail_with_smtputf8_over_tls_is_traced_as_utf8smtps(client: Client, house: Service) -> None:
    client.converse(("EHLO client.test", "250-"), (f"{MAIL} SMTPUTF8", "250"), (RCPT, "250"))
    assert client.data(mail(subject="in UTF-8")).startswith("250 2.6.0")
    assert " with UTF8SMTPS id " in trace(house)


def test_a_second_starttls_gets_503(client: Client) -> None:
    client.converse(("STARTTLS", "503 5.5.1"), ("EHLO client.test", "250-"), ("STARTTLS", "503 5.5.1"), ("NOOP", "250"))


def test_starttls_takes_no_parameter(house: Service) -> None:
    with at(house.address) as client:
        client.hello()
        client.converse(("STARTTLS now", "501 5.5.4"), ("NOOP", "250"))


def test_after_starttls_the_client_says_ehlo_again(client: Client) -> None:
    client.converse((MAIL, "503 5.5.1"), ("EHLO client.test", "250-"), (MAIL, "250"))


def test_after_starttls_an_envelope_of_before_is_gone(house: Service, authority: Authority) -> None:
    with at(house.address) as client:
        client.hello().transaction()
        client.ask("STARTTLS")
        secured(client, authority)
        client.converse(("DATA", "503 5.5.1"), (RCPT, "503 5.5.1"), ("EHLO client.test", "250-"), (RCPT, "503 5.5.1"))


@pytest.mark.parametrize(
    "injected", [b"RSET\r\n", b"EHLO evil.test\r\nMAIL FROM:<evil@agency.test>\r\n", b"NO", b"\n" * 9]
)
def test_what_is_sent_in_one_piece_with_starttls_is_never_looked_at(
    house: Service, authority: Authority, injected: bytes
) -> None:
    with at(house.address) as client:
        client.hello()
        client.send(b"STARTTLS\r\n" + injected)
        assert client.reply().startswith("220 2.0.0")
        secured(client, authority)
        client.converse(("NOOP", "250 2.0.0 OK"), (RCPT, "503 5.5.1 Send MAIL first"), (MAIL, "503 5.5.1 Send EHLO"))
        client.converse(("EHLO client.test", "250-"), (MAIL, "250 2.1.0"))


def test_half_a_megabyte_behind_starttls_is_never_looked_at(house: Service) -> None:
    with at(house.address) as client:
        client.hello()
        with contextlib.suppress(ConnectionError):
            client.send(b"STARTTLS\r\n" + b"NOOP\r\n" * 80_000)
        assert client.reply().startswith("220 2.0.0")
        # More than one read takes: the rest comes where a handshake is due.
        with contextlib.suppress(UnicodeDecodeError):
            assert client.closed()


def test_commands_in_one_piece_are_answered_in_order_over_tls(client: Client) -> None:
    client.converse(("EHLO client.test", "250-"))
    client.converse_at_once((MAIL, "250 2.1.0"), (RCPT, "250 2.1.5"), ("NOOP", "250 2.0.0"), ("DATA", "354"))
    client.send(mail(message_id="pieces@agency.test") + b".\r\nQUIT\r\n")
    assert [client.reply()[:9], client.reply()[:9]] == ["250 2.6.0", "221 2.0.0"]
    assert client.closed()


def test_a_large_message_comes_whole_over_tls(client: Client, house: Service) -> None:
    content = mail(octets=3_000_000, message_id="large@agency.test")
    client.converse(("EHLO client.test", "250-"), (MAIL, "250"), (RCPT, "250"))
    assert client.data(content, end=b".\r\n").startswith("250 2.6.0")
    assert content in stored_octets(house)


def test_without_a_handshake_the_connection_is_closed_and_logged_in_one_line(house: Service) -> None:
    before = log_of(house).count("tls_failed client=127.0.0.1")
    with at(house.address) as client:
        client.hello()
        client.ask("STARTTLS")
        client.send(b"NOOP\r\n" * 10)
        with contextlib.suppress(UnicodeDecodeError):
            assert client.closed()
    eventually(lambda: log_of(house).count("tls_failed client=127.0.0.1") > before)
    assert "Traceback" not in log_of(house)


def test_who_shakes_hands_too_slowly_is_cut_off(house: Service) -> None:
    with at(house.address, timeout=30) as late, at(ways_in(house)[1], timeout=30) as silent:
        late.hello()
        late.ask("STARTTLS")
        assert late.closed()
        assert silent.closed()


def test_a_handshake_too_many_at_one_time_gets_454(tmp_path: Path, authority: Authority) -> None:
    with with_tls(tmp_path, authority.issue(tmp_path), max_connections=4) as service, contextlib.ExitStack() as open_:
        clients = [open_.enter_context(at(service.address)) for _ in range(4)]
        for each in clients:
            each.hello()
        assert [each.ask("STARTTLS")[:9] for each in clients] == ["220 2.0.0"] * 3 + ["454 4.7.0"]
        secured(clients[0], authority)
        eventually(lambda: clients[3].ask("STARTTLS").startswith("220 2.0.0"))
        secured(clients[3], authority).converse(("EHLO client.test", "250-"))


# TLS from the first octet.


def test_a_mail_over_tls_from_the_first_octet_is_stored_and_traced(house: Service, authority: Authority) -> None:
    host, port = ways_in(house)[1]
    with smtplib.SMTP_SSL(str(host), int(port), context=authority.client, timeout=20) as client:
        client.sendmail("ann@agency.test", [HR], mail(subject="by TLS"))
    assert mail(subject="by TLS") in stored_octets(house)
    assert " with ESMTPS id " in trace(house)


def test_starttls_within_tls_is_not_offered_and_gets_503(house: Service, authority: Authority) -> None:
    with at(ways_in(house)[1], tls=authority) as client:
        client.reply()
        assert "STARTTLS" not in offered(client.ask("EHLO client.test"))
        client.converse(("STARTTLS", "503 5.5.1"))


def test_who_speaks_before_the_greeting_gets_554_over_tls_too(house: Service, authority: Authority) -> None:
    with at(ways_in(house)[1], tls=authority) as client:
        client.send(b"EHLO client.test\r\n")
        assert client.reply().startswith("554 5.5.1")
        assert client.closed()


@pytest.mark.parametrize("said", [b"EHLO client.test\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" * 9])
def test_what_is_no_handshake_is_closed_without_a_traceback(house: Service, said: bytes) -> None:
    before = log_of(house).count("tls_failed")
    with at(ways_in(house)[1], header=said) as client, contextlib.suppress(UnicodeDecodeError, ConnectionError):
        assert client.closed()
    eventually(lambda: log_of(house).count("tls_failed") > before)
    assert "Traceback" not in log_of(house)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3_are_spoken(house: Service, authority: Authority, version: ssl.TLSVersion) -> None:
    context = authority.only(version)
    plain = socket.create_connection(ways_in(house)[1])  # type: ignore[arg-type]
    with context.wrap_socket(plain, server_hostname="mx.agency.test") as client:
        assert client.version() == version.name.replace("_", ".")
        assert client.recv(4) == b"220 "


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_tls_1_1_is_refused(house: Service, authority: Authority) -> None:
    context = authority.only(ssl.TLSVersion.TLSv1_1)
    with socket.create_connection(ways_in(house)[1]) as plain, pytest.raises(OSError, match=r"."):  # type: ignore[arg-type]
        context.wrap_socket(plain, server_hostname="mx.agency.test")


def test_one_address_has_so_many_connections_over_tls_and_the_next_hears_421(
    tmp_path: Path, authority: Authority
) -> None:
    smtp = {"trusted_networks": [], "max_connections_per_address": 2}
    with with_tls(tmp_path, authority.issue(tmp_path), **smtp) as service, contextlib.ExitStack() as open_:
        way = ways_in(service)[1]
        first, _ = (open_.enter_context(at(way, tls=authority)).hello() for _ in range(2))
        with at(way, tls=authority) as late:
            assert late.reply().startswith("421 4.7.0")
            assert late.closed()
        first.socket.close()
        eventually(lambda: greeted(way, authority))


def greeted(way: tuple[str, int] | str, authority: Authority) -> bool:
    with at(way, tls=authority) as client:
        return client.reply().startswith("220 ")


def test_a_handshake_counts_against_the_cap_by_address(tmp_path: Path, authority: Authority) -> None:
    smtp = {"trusted_networks": [], "max_connections_per_address": 2}
    with with_tls(tmp_path, authority.issue(tmp_path), **smtp) as service, contextlib.ExitStack() as open_:
        way = ways_in(service)[1]
        for _ in range(2):
            open_.enter_context(at(way))
        eventually(lambda: not greeted(way, authority))
        with at(service.address) as client:
            assert client.reply().startswith("421 4.7.0")


# The end of the service.


def test_sigterm_says_421_over_tls_and_lets_a_message_finish(tmp_path: Path, authority: Authority) -> None:
    with with_tls(tmp_path, authority.issue(tmp_path)) as service, contextlib.ExitStack() as open_:
        idle, busy = (open_.enter_context(at(way, tls=authority)) for way in [ways_in(service)[1]] * 2)
        slow, starting = (open_.enter_context(at(way)) for way in reversed(ways_in(service)))
        starting.hello()
        starting.ask("STARTTLS")
        idle.hello()
        busy.hello().transaction()
        busy.ask("DATA")
        busy.send(mail()[:40])
        assert service.process is not None
        service.process.terminate()
        assert idle.reply().startswith("421 4.3.2")
        for late in (slow, starting):
            assert secured(late, authority).reply().startswith("421 4.3.2")
        busy.send(mail()[40:] + b".\r\n")
        assert busy.reply().startswith("250 2.6.0")
        assert busy.reply().startswith("421 4.3.2")
        assert service.process.wait(timeout=20) == 0
        assert stored_octets(service) == [mail()]


def test_handshakes_that_never_end_do_not_hold_up_the_end(tmp_path: Path, authority: Authority) -> None:
    with with_tls(tmp_path, authority.issue(tmp_path), drain="1 s") as service, contextlib.ExitStack() as open_:
        starting, silent = (open_.enter_context(at(way)) for way in ways_in(service))
        starting.hello()
        starting.ask("STARTTLS")
        silent.send(b"\x16\x03\x01")
        assert service.stop() == 0
        assert "Traceback" not in log_of(service)


def test_a_client_that_vanishes_within_tls_leaves_nothing_behind(tmp_path: Path, authority: Authority) -> None:
    with with_tls(tmp_path, authority.issue(tmp_path), max_connections=1) as service:
        for _ in range(5):
            with at(ways_in(service)[1], tls=authority) as client:
                eventually(lambda client=client: client.reply().startswith("220 "))  # type: ignore[misc]
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            eventually(lambda: room(service))
        assert "Traceback" not in log_of(service)


def room(service: Service) -> bool:
    with at(service.address) as client:
        return client.reply().startswith("220 ") and client.ask("QUIT").startswith("221 ")


# The certificate.


def test_a_new_certificate_is_shown_to_the_next_client_and_open_sessions_go_on(
    tmp_path: Path, authority: Authority
) -> None:
    with with_tls(tmp_path, authority.issue(tmp_path)) as service:
        with at(ways_in(service)[1], tls=authority) as old:
            old.hello()
            authority.issue(tmp_path)
            eventually(lambda: shown(service, authority, 1) != serial(old.socket))
            assert shown(service, authority, 0) == shown(service, authority, 1)
            old.transaction()
            assert old.data(mail()).startswith("250 2.6.0")
        assert "certificate_taken" in log_of(service)


def shown(service: Service, authority: Authority, way: int) -> str:
    """Return the serial number of the certificate that a new client is shown."""
    with at(ways_in(service)[way]) as client:
        if way == 0:
            client.hello()
            client.ask("STARTTLS")
        return serial(secured(client, authority).socket)


@pytest.mark.parametrize("broken", ["certificate", "key"])
def test_a_broken_certificate_or_key_keeps_the_old_pair_until_a_good_one_comes(
    tmp_path: Path, authority: Authority, broken: str
) -> None:
    files = authority.issue(tmp_path)
    with with_tls(tmp_path, files) as service:
        before = shown(service, authority, 1)
        getattr(files, broken).write_text("-----BEGIN NOTHING-----\n")
        eventually(lambda: f"tls.{broken} = " in log_of(service))
        assert shown(service, authority, 0) == shown(service, authority, 1) == before
        assert len(re.findall("ERROR certificate_kept", log_of(service))) == 1
        authority.issue(tmp_path)
        eventually(lambda: shown(service, authority, 1) != before)


def test_a_certificate_that_is_missing_for_a_while_keeps_the_old_one(tmp_path: Path, authority: Authority) -> None:
    files = authority.issue(tmp_path)
    with with_tls(tmp_path, files) as service:
        before = shown(service, authority, 1)
        files.certificate.rename(tmp_path / "away.pem")
        eventually(lambda: "certificate_kept" in log_of(service))
        assert shown(service, authority, 0) == before


def not_started(service: Service, **tls: str) -> str:
    """Return what `serve` says with this certificate: it must not start."""
    service.set("tls", **tls)
    service.mailbox(HR)
    service.write_config()
    return service.pulsebox("serve", code=2)


def test_a_missing_certificate_is_said_at_the_start(service: Service) -> None:
    said = not_started(service, certificate="missing.pem", key="missing.key")
    assert "tls.certificate = " in said
    assert "missing.pem': No such file or directory; name the PEM file" in said


def test_a_key_of_another_certificate_is_said_at_the_start(
    service: Service, tmp_path: Path, authority: Authority
) -> None:
    files = authority.issue(tmp_path)
    other = files.key.read_bytes()
    authority.issue(tmp_path)
    files.key.write_bytes(other)
    said = not_started(service, **files.settings())
    assert "tls.key = " in said
    assert "is not the key of" in said


def test_a_file_without_a_certificate_is_said_at_the_start(
    service: Service, tmp_path: Path, authority: Authority
) -> None:
    files = authority.issue(tmp_path)
    said = not_started(service, certificate=str(files.key), key=str(files.key))
    assert "tls.certificate = " in said
    assert "holds no certificate" in said


def test_a_key_with_a_password_is_said_at_the_start_and_never_asked_for(
    service: Service, tmp_path: Path, authority: Authority
) -> None:
    files = authority.issue(tmp_path)
    files.lock_key("secret")
    said = not_started(service, **files.settings())
    assert "tls.key = " in said
    assert "without a password" in said


# Floods.


@pytest.mark.parametrize("way", [0, 1])
def test_a_thousand_half_open_handshakes_hold_nobody_up_and_take_little_memory(
    tmp_path: Path, authority: Authority, way: int
) -> None:
    with with_tls(tmp_path, authority.issue(tmp_path)) as service, contextlib.ExitStack() as open_:
        for _ in range(1_000):
            half = open_.enter_context(at(ways_in(service)[way]))
            with contextlib.suppress(ClosedError):
                if way == 0:
                    half.reply()
                    half.ask("STARTTLS")
                # A record is announced and never comes whole.
                half.send(b"\x16\x03\x01\x40\x00" + b"\x01" * 1_000)
        with Neighbour(service).watching() as neighbour:
            assert greeted(ways_in(service)[1], authority)
            for _ in range(50):
                with at(service.address) as client:
                    client.hello()
        assert 0 < neighbour.slowest < PROMPT
        assert peak_memory(service) < MEMORY_LIMIT
