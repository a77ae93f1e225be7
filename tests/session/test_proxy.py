"""Behind a front server: its PROXY header names the client, for everything, and nobody else may write one."""

import contextlib
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.certificates import Authority
from tests.conformance.client import Client
from tests.proxying import LOCAL, PROXY, TCP4, TCP6, UNSPECIFIED, v1, v2
from tests.service import Service, eventually, mail
from tests.session.dialogue import HR, rows, serving
from tests.session.reaching import at, log_of, secured, ways_in

RELAY = "127.0.0.1"
STRANGER = "127.0.0.2"
FULL = {"address": "full@agency.test", "quota_messages": 0, "when_full": "bounce"}
NUMBERS = count(1)
HEADERS = [v1("192.0.2.7"), v2(PROXY, TCP4, "192.0.2.7"), v2(PROXY, TCP4, "192.0.2.7", more=b"\x02\x00\x03abc")]


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Service]:
    """A service that believes headers from 127.0.0.1, and senders from 198.51.100.0/24 and from 127.0.0.1."""
    folder = tmp_path_factory.mktemp("proxy")
    unix = f"unix:{folder}/in.sock proxy lmtp"
    smtp = {
        "listen": ["127.0.0.1:0", "127.0.0.1:0 proxy", "127.0.0.1:0 proxy tls", unix],
        "trusted_relays": [f"{RELAY}/32"],
        "trusted_networks": ["198.51.100.0/24", f"{RELAY}/32"],
        "max_connections_per_address": 2,
    }
    sections: dict[str, dict[str, object]] = {"tls": dict(authority.issue(folder).settings())}
    with serving(folder, {"address": HR}, FULL, sections=sections, **smtp) as running:
        yield running


@pytest.fixture(params=[1, 2], ids=["plain", "tls"])
def way(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@contextlib.contextmanager
def behind(
    service: Service, way: int, header: bytes, authority: Authority, *, source: str | None = None
) -> Iterator[Client]:
    tls = authority if way == 2 else None
    with at(ways_in(service)[way], header=header, tls=tls, source=source) as client:
        yield client


def new_mail() -> bytes:
    """Return a message that has not been sent before: one that has is stored once."""
    return mail(message_id=f"{next(NUMBERS)}@agency.test")


def trace(service: Service) -> str:
    return str(rows(service, "SELECT trace FROM message ORDER BY id")[-1]["trace"])


@pytest.mark.parametrize("header", HEADERS, ids=["v1", "v2", "v2-more"])
def test_the_named_client_is_traced_and_logged(house: Service, authority: Authority, way: int, header: bytes) -> None:
    with behind(house, way, header, authority) as client:
        client.hello().transaction()
        assert client.data(new_mail()).startswith("250 2.6.0")
    assert "Received: from client.test ([192.0.2.7])\r\n" in trace(house)
    assert "client=192.0.2.7" in log_of(house)


def test_a_client_of_ipv6_is_traced(house: Service, authority: Authority, way: int) -> None:
    with behind(house, way, v2(PROXY, TCP6, "2001:db8::7"), authority) as client:
        client.hello().transaction()
        assert client.data(new_mail()).startswith("250 2.6.0")
    assert "([IPv6:2001:db8::7])\r\n" in trace(house)


def test_a_header_that_comes_octet_by_octet_is_taken(house: Service, authority: Authority, way: int) -> None:
    with at(ways_in(house)[way]) as client:
        for octet in v1("192.0.2.8"):
            client.send(bytes([octet]))
        (client if way == 1 else secured(client, authority)).hello()


def test_who_speaks_behind_the_header_before_the_greeting_gets_554(
    house: Service, authority: Authority, way: int
) -> None:
    with at(ways_in(house)[way], header=v1("192.0.2.9") + (b"EHLO client.test\r\n" if way == 1 else b"")) as client:
        if way == 2:
            secured(client, authority).send(b"EHLO client.test\r\n")
        assert client.reply().startswith("554 5.5.1")
        assert client.closed()


def test_caps_hold_for_the_named_client_and_not_for_the_front_server(
    house: Service, authority: Authority, way: int
) -> None:
    with contextlib.ExitStack() as open_:
        for host in (f"192.0.2.{10 * way}", f"192.0.2.{10 * way + 1}"):
            for _ in range(2):
                open_.enter_context(behind(house, way, v1(host), authority)).hello()
            with behind(house, way, v1(host), authority) as late:
                assert late.reply().startswith("421 4.7.0")
                assert late.closed()


def test_all_addresses_of_one_ipv6_network_have_one_cap(house: Service, authority: Authority, way: int) -> None:
    with contextlib.ExitStack() as open_:
        for host in range(2):
            named = v2(PROXY, TCP6, f"2001:db8:0:{way}::{host}")
            open_.enter_context(behind(house, way, named, authority)).hello()
        with behind(house, way, v2(PROXY, TCP6, f"2001:db8:0:{way}:ffff::7"), authority) as late:
            assert late.reply().startswith("421 4.7.0")
        with behind(house, way, v2(PROXY, TCP6, f"2001:db8:1:{way}::7"), authority) as another:
            another.hello()


def bounced(client: Client) -> bool:
    """Say whether a mail to a full mailbox is answered with a bounce, which only a proved sender is sent."""
    client.hello()
    admitted = client.transaction("<full@agency.test>")[-1]
    return admitted.startswith("250") and client.data(new_mail()).startswith("250 2.0.0")


def test_a_client_is_trusted_for_what_the_header_says(house: Service, authority: Authority, way: int) -> None:
    with behind(house, way, v1("198.51.100.7"), authority) as client:
        assert bounced(client)


@pytest.mark.parametrize(
    "header",
    [v1("192.0.2.7"), b"PROXY UNKNOWN\r\n", v2(LOCAL, UNSPECIFIED), v2(PROXY, UNSPECIFIED), v1(RELAY)],
    ids=["named", "unknown", "local", "unspecified", "itself"],
)
def test_being_behind_a_front_server_proves_nobody(
    house: Service, authority: Authority, way: int, header: bytes
) -> None:
    with behind(house, way, header, authority) as client:
        assert not bounced(client)


def test_a_front_servers_own_check_is_greeted(house: Service, authority: Authority, way: int) -> None:
    with behind(house, way, v2(LOCAL, UNSPECIFIED), authority) as client:
        client.hello()
        client.converse(("QUIT", "221 2.0.0"))


@pytest.mark.parametrize(
    "header",
    [
        b"EHLO client.test\r\n",
        b"PROXY TCP4 192.0.2.7\r\n",
        b"PROXY TCP4 192.0.2.7 127.0.0.1 40000 25" + b" " * 200,
        b"PROXY UNKNOWN " + b"x" * 4_000,
        v2(0x31, TCP4, "192.0.2.7"),
        v2(PROXY, 0x12, "192.0.2.7"),
        v2(PROXY, TCP6, "192.0.2.7"),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x01" * 200,
    ],
)
def test_a_malformed_header_is_closed_without_a_word(house: Service, way: int, header: bytes) -> None:
    before = log_of(house).count("why=malformed")
    with at(ways_in(house)[way], header=header) as client, contextlib.suppress(ConnectionError):
        assert client.closed()
    eventually(lambda: log_of(house).count("why=malformed") == before + 1)
    assert "Traceback" not in log_of(house)


@pytest.mark.parametrize("half", [b"", b"PROXY TCP4 192.0.2.7", v2(PROXY, TCP4, "192.0.2.7")[:-1]])
def test_a_header_that_does_not_come_in_time_is_closed_without_a_word(house: Service, half: bytes) -> None:
    with at(ways_in(house)[1], header=half) as client:
        assert client.closed()
    eventually(lambda: "proxy_header_refused client=127.0.0.1 why=" in log_of(house))


def test_a_header_from_a_stranger_is_closed_without_a_word(house: Service, way: int) -> None:
    with at(ways_in(house)[way], source=STRANGER) as client, contextlib.suppress(ConnectionError):
        client.send(v1("198.51.100.7"))
        assert client.closed()
    eventually(lambda: f'proxy_header_refused client={STRANGER} why="not in trusted_relays"' in log_of(house))


def test_a_stranger_who_knocks_again_and_again_does_not_fill_the_log(house: Service) -> None:
    before = log_of(house).count("not in trusted_relays")
    for _ in range(10):
        with at(ways_in(house)[1], source=STRANGER) as client, contextlib.suppress(ConnectionError):
            assert client.closed()
    assert log_of(house).count("not in trusted_relays") <= before + 1


def test_a_header_where_none_is_asked_for_is_no_command(house: Service) -> None:
    with at(house.address) as client:
        assert client.reply().startswith("220 ")
        assert client.ask("PROXY TCP4 198.51.100.7 127.0.0.1 40000 25").startswith("500 5.5.1")


def test_a_header_on_a_unix_socket_names_the_client(house: Service) -> None:
    with at(ways_in(house)[3], header=v1("192.0.2.77")) as client:
        assert client.reply() == "220 mx.agency.test LMTP"
        client.ask("LHLO client.test")
        client.transaction()
        assert client.data(new_mail()).startswith("250 2.6.0")
    assert "([192.0.2.77])\r\n" in trace(house)


def test_starttls_behind_a_header_goes_on_over_tls(house: Service, authority: Authority) -> None:
    with at(ways_in(house)[1], header=v1("192.0.2.78")) as client:
        client.hello().ask("STARTTLS")
        secured(client, authority).converse(("EHLO client.test", "250-"))
        client.transaction()
        assert client.data(new_mail()).startswith("250 2.6.0")
    assert "([192.0.2.78])\r\n" in trace(house)


def test_headers_that_never_come_do_not_hold_up_the_end(tmp_path: Path) -> None:
    smtp = {"listen": ["127.0.0.1:0 proxy"], "trusted_relays": [f"{RELAY}/32"]}
    with serving(tmp_path, **smtp) as service, contextlib.ExitStack() as open_:
        for _ in range(20):
            open_.enter_context(at(ways_in(service)[0], header=b"PROXY "))
        served = open_.enter_context(at(ways_in(service)[0], header=v1("192.0.2.7")))
        served.hello()
        assert service.process is not None
        service.process.terminate()
        assert served.reply().startswith("421 4.3.2")
        assert service.process.wait(timeout=20) == 0
        assert "Traceback" not in log_of(service)
