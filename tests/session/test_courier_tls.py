"""TLS on the way out, the password for the smarthost, and what a domain demands by MTA-STS."""

import http.server
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from smtpd_service.outbound.encryption import Mode
from smtpd_service.outbound.relay import Login
from smtpd_service.outbound.route import Smarthost
from smtpd_service.outbound.sts import Policies
from storage.engine import Store
from storage.records import Mailbox
from tests.nameserver import Nameserver
from tests.posting import Authority, bounce, carrier, deliver, direct, owe, states
from tests.relay import HANG_UP, RelayServer, relay
from tests.storage.stock import add_box, box

ANN = "ann@far.test"


@pytest.fixture
def store(sqlite_store: Store) -> Store:
    return sqlite_store


@pytest.fixture
def hr(store: Store) -> Mailbox:
    return add_box(store, box())


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def sent(
    store: Store,
    hr: Mailbox,
    server: RelayServer,
    *,
    tls: Mode,
    ca: Path | None = None,
    host: str = "127.0.0.1",
    login: Login | None = None,
) -> tuple[str, str]:
    """Owe a bounce, have it carried to the smarthost, and return its state and last reply."""
    owe(store, bounce(hr, ANN))
    deliver(store, carrier(Smarthost(host, server.port, login), tls=tls, ca=ca))
    state, _, reply = states(store)[ANN]
    return state, reply


def test_without_tls_nothing_is_encrypted(store: Store, hr: Mailbox, authority: Authority) -> None:
    with relay(tls=authority.server("127.0.0.1")) as server:
        assert sent(store, hr, server, tls="none")[0] == "sent"
        assert [mail.tls for mail in server.taken] == [False]


def test_opportunistic_tls_takes_any_certificate(store: Store, hr: Mailbox, authority: Authority) -> None:
    with relay(tls=authority.server("another.test")) as server:
        assert sent(store, hr, server, tls="opportunistic")[0] == "sent"
        assert [mail.tls for mail in server.taken] == [True]


@pytest.mark.parametrize("offered", [True, False])
def test_opportunistic_tls_goes_in_plain_where_none_can_be_had(
    store: Store, hr: Mailbox, authority: Authority, offered: bool
) -> None:
    """Offered, and then the server hangs up: once more without."""
    context = authority.server("127.0.0.1") if offered else None
    with relay(tls=context, starttls=HANG_UP) as server:
        assert sent(store, hr, server, tls="opportunistic")[0] == "sent"
        assert [mail.tls for mail in server.taken] == [False]
        assert server.sessions == (2 if offered else 1)


@pytest.mark.parametrize("tls", ["required", "implicit"])
def test_checked_tls_delivers_under_the_right_certificate(
    store: Store, hr: Mailbox, authority: Authority, tls: Mode
) -> None:
    with relay(tls=authority.server("localhost"), implicit=tls == "implicit") as server:
        assert sent(store, hr, server, tls=tls, ca=authority.file, host="localhost")[0] == "sent"
        assert [mail.tls for mail in server.taken] == [True]


@pytest.mark.parametrize("tls", ["required", "implicit"])
@pytest.mark.parametrize("wrong", ["name", "authority"])
def test_checked_tls_sends_nothing_under_a_wrong_certificate(
    store: Store, hr: Mailbox, authority: Authority, tls: Mode, wrong: str
) -> None:
    name = "localhost" if wrong == "authority" else "another.test"
    ca = authority.file if wrong == "name" else None
    with relay(tls=authority.server(name), implicit=tls == "implicit") as server:
        state, reply = sent(store, hr, server, tls=tls, ca=ca, host="localhost")
        assert (state, server.taken) == ("due", [])
    assert "certificate" in reply


def test_required_tls_sends_nothing_where_none_is_offered(store: Store, hr: Mailbox) -> None:
    with relay() as server:
        state, reply = sent(store, hr, server, tls="required")
        assert (state, server.taken) == ("due", [])
    assert reply.startswith("4.7.4 ")


LOGIN = Login("pulsebox", "ß:geheim".encode())


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_a_smarthost_is_told_who_we_are_before_any_mail(
    store: Store, hr: Mailbox, authority: Authority, mechanism: str
) -> None:
    with relay(tls=authority.server("localhost"), user=("pulsebox", "ß:geheim")) as server:
        server.mechanisms = (mechanism,)
        found = sent(store, hr, server, tls="required", ca=authority.file, host="localhost", login=LOGIN)
        assert found[0] == "sent"
        assert [mail.user for mail in server.taken] == ["pulsebox"]
        assert any(line.startswith(f"AUTH {mechanism}") for line in server.said)


def test_a_password_that_is_not_believed_is_for_later_and_in_no_record(
    store: Store, hr: Mailbox, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = Login("pulsebox", b"hunter2")
    with relay(tls=authority.server("localhost"), user=("pulsebox", "right")) as server:
        state, reply = sent(store, hr, server, tls="required", ca=authority.file, host="localhost", login=wrong)
        assert (state, server.taken) == ("due", [])
    assert reply.startswith("535 ")
    assert "hunter2" not in reply + caplog.text + repr(wrong)
    assert "aHVudGVyMg" not in reply + caplog.text


# MTA-STS, RFC 8461.


class PolicyServer:
    """An HTTPS server on loopback that says what a test wants; `asked` are the paths."""

    def __init__(self) -> None:
        self.status, self.kind, self.octets = 200, "text/plain", b""
        self.drips: tuple[bytes, ...] = ()
        self.asked: list[tuple[str, str]] = []
        self.port = 0

    def says(self, mode: str, *mx: str, max_age: int = 86_400) -> None:
        lines = ["version: STSv1", f"mode: {mode}", *(f"mx: {each}" for each in mx), f"max_age: {max_age}"]
        self.octets = "\r\n".join(lines).encode()


@contextmanager
def policies(context: ssl.SSLContext) -> Iterator[PolicyServer]:
    told = PolicyServer()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the library's name
            told.asked.append((self.headers["Host"], self.path))
            self.send_response(told.status)
            self.send_header("Content-Type", told.kind)
            self.send_header("Location", "/.well-known/mta-sts.txt")
            self.end_headers()
            self.wfile.write(told.octets)
            for drop in told.drips:
                time.sleep(0.05)
                self.wfile.write(drop)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that leaves in the middle is what some tests want."""

        def get_request(self) -> tuple[ssl.SSLSocket, object]:
            plain, address = super().get_request()
            return context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False), address

    with Server(("127.0.0.1", 0), Handler) as server:
        told.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield told
        server.shutdown()
        thread.join()


@pytest.fixture
def dns() -> Iterator[Nameserver]:
    """far.test has one MX and says that it has a policy."""
    with Nameserver() as server:
        server.add("far.test", "MX", "10 mx1.far.test.")
        server.add("mx1.far.test", "A", "127.0.0.1")
        server.add("mta-sts.far.test", "A", "127.0.0.1")
        server.txt("_mta-sts.far.test", "v=STSv1; id=20261122T091500;")
        yield server


@pytest.fixture
def https(authority: Authority) -> Iterator[PolicyServer]:
    with policies(authority.server("mta-sts.far.test")) as server:
        yield server


@dataclass(frozen=True)
class Site:
    """A domain with a policy, and a mailbox that owes it a bounce."""

    store: Store
    hr: Mailbox
    dns: Nameserver
    authority: Authority

    def sent(self, https: PolicyServer, server: RelayServer) -> tuple[str, str]:
        """Have the bounce carried, and return its state and last reply."""
        owe(self.store, bounce(self.hr, ANN))
        way = direct(self.dns, server.port, https=https.port, context=self.authority.client())
        deliver(self.store, carrier(way, ca=self.authority.file))
        state, _, reply = states(self.store)[ANN]
        return state, reply


@pytest.fixture
def site(store: Store, hr: Mailbox, dns: Nameserver, authority: Authority) -> Site:
    return Site(store, hr, dns, authority)


def test_an_enforced_policy_is_kept_where_certificate_and_mx_fit(site: Site, https: PolicyServer) -> None:
    https.says("enforce", "*.far.test")
    with relay(tls=site.authority.server("mx1.far.test")) as server:
        assert site.sent(https, server)[0] == "sent"
        assert [mail.tls for mail in server.taken] == [True]
    assert https.asked == [("mta-sts.far.test", "/.well-known/mta-sts.txt")]


@pytest.mark.parametrize(
    ("mx", "certificate", "why"),
    [
        (("mx1.far.test",), "another.test", "certificate"),
        (("mx2.far.test",), "mx1.far.test", "MTA-STS"),
        (("*.far.test",), None, "STARTTLS"),
    ],
)
def test_an_enforced_policy_that_is_broken_keeps_the_notice_here(
    site: Site,
    https: PolicyServer,
    mx: tuple[str, ...],
    certificate: str | None,
    why: str,
) -> None:
    https.says("enforce", *mx)
    with relay(tls=site.authority.server(certificate) if certificate else None) as server:
        state, reply = site.sent(https, server)
        assert (state, server.taken) == ("due", [])
    assert why in reply


@pytest.mark.parametrize("mx", ["mx1.far.test", "mx2.far.test"])
def test_a_policy_that_is_tested_only_shows_in_the_log(
    site: Site,
    https: PolicyServer,
    mx: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    https.says("testing", mx)
    with caplog.at_level("INFO", logger="pulsebox"), relay(tls=site.authority.server("another.test")) as server:
        assert site.sent(https, server)[0] == "sent"
        assert len(server.taken) == 1
    assert "mta-sts_policy_broken" in caplog.text


def spoil(https: PolicyServer, dns: Nameserver, how: str) -> None:
    https.says("enforce", "mx2.far.test")
    if how == "redirect":
        https.status = 301
    elif how == "not found":
        https.status = 404
    elif how == "another kind":
        https.kind = "text/html"
    elif how == "too long":
        https.octets += b"\r\n" + b"x: y\r\n" * 20_000
    elif how == "no policy":
        https.octets = b"<html>"
    elif how == "two records":
        dns.txt("_mta-sts.far.test", "v=STSv1; id=2;")
    elif how == "no record":
        dns.forget("_mta-sts.far.test", "TXT")


@pytest.mark.parametrize(
    "how", ["redirect", "not found", "another kind", "too long", "no policy", "two records", "no record"]
)
def test_what_is_no_policy_holds_nothing_up(site: Site, https: PolicyServer, how: str) -> None:
    spoil(https, site.dns, how)
    with relay() as server:
        assert site.sent(https, server)[0] == "sent"
        assert len(server.taken) == 1


def test_a_policy_under_a_wrong_certificate_is_none(site: Site) -> None:
    with policies(site.authority.server("another.test")) as https, relay() as server:
        https.says("enforce", "mx2.far.test")
        assert site.sent(https, server)[0] == "sent"
        assert https.asked == []


def test_a_policy_is_fetched_once_and_again_when_its_id_changes(
    dns: Nameserver, https: PolicyServer, authority: Authority
) -> None:
    https.says("enforce", "mx1.far.test")
    dns.forget("_mta-sts.far.test", "TXT")
    dns.txt("_mta-sts.far.test", "v=STSv1; id=1;", ttl=0)
    kept = direct(dns, 25, https=https.port, context=authority.client()).policies

    first, again = kept.of("far.test"), kept.of("far.test")
    assert first is not None
    assert (first.mode, again, len(https.asked)) == ("enforce", first, 1)

    https.says("none")
    dns.forget("_mta-sts.far.test", "TXT")
    dns.txt("_mta-sts.far.test", "v=STSv1; id=2;", ttl=0)
    changed = kept.of("far.test")
    assert changed is not None
    assert (changed.mode, len(https.asked)) == ("none", 2)


def test_a_policy_outlives_trouble_with_dns_and_https(
    dns: Nameserver, https: PolicyServer, authority: Authority
) -> None:
    https.says("enforce", "mx1.far.test")
    dns.forget("_mta-sts.far.test", "TXT")
    dns.txt("_mta-sts.far.test", "v=STSv1; id=1;", ttl=0)
    kept = direct(dns, 25, https=https.port, context=authority.client()).policies
    first = kept.of("far.test")

    https.status = 500
    dns.forget("_mta-sts.far.test", "TXT")
    dns.txt("_mta-sts.far.test", "v=STSv1; id=2;", ttl=0)
    assert kept.of("far.test") == first, "its new policy cannot be fetched"
    dns.forget("_mta-sts.far.test", "TXT")
    assert kept.of("far.test") == first, "its record is gone"


def test_a_policy_that_drips_is_cut_off(dns: Nameserver, https: PolicyServer, authority: Authority) -> None:
    """Each read ends in time; all of them together must, too."""
    https.says("enforce", "mx1.far.test")
    https.drips = (b"\r\nx: y",) * 40
    resolver = direct(dns, 25).resolver
    kept = Policies(resolver, authority.client(), port=https.port, patience=0.5)
    assert kept.of("far.test") is None
    assert len(https.asked) == 1


def test_a_fetch_that_failed_is_not_repeated_with_each_notice(
    dns: Nameserver, https: PolicyServer, authority: Authority
) -> None:
    kept = direct(dns, 25, https=https.port, context=authority.client()).policies
    https.says("enforce", "mx1.far.test")
    dns.forget("_mta-sts.far.test", "TXT")
    dns.txt("_mta-sts.far.test", "v=STSv1; id=first;", ttl=0)
    first = kept.of("far.test")
    https.status = 500
    for number in range(3):
        dns.forget("_mta-sts.far.test", "TXT")
        dns.txt("_mta-sts.far.test", f"v=STSv1; id={number};", ttl=0)
        assert kept.of("far.test") == first
    assert len(https.asked) == 2
