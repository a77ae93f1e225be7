"""swaks, the postmaster's own test client, comes in by every way there is: pipelined, TLS, LMTP, PROXY."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.certificates import NAME, Authority
from tests.foreign.clients import Ran, swaks
from tests.foreign.programs import needs
from tests.service import Service, eventually
from tests.session.dialogue import ANN, HR, rows, serving, stored_octets
from tests.session.reaching import Address, ways_in

FULL, TINY, DEFERRING = "full@agency.test", "tiny@agency.test", "defer@agency.test"
BOXES = (
    {"address": HR},
    {"address": FULL, "quota_messages": 0, "when_full": "reject"},
    {"address": TINY, "quota": 50, "when_full": "reject"},
    {"address": DEFERRING, "quota": 50, "when_full": "defer"},
)
BODY = "Hello,\\n\\n- answered 12 letters\\n- closed the budget\\n\\n.leading dot\\n-- \\nAnn\\n"
# Its own exit codes.
NO_RECIPIENT_TAKEN, MESSAGE_REFUSED, NO_TLS = 24, 26, 29
CLIENT = "192.0.2.7"
PROXIED = ("--proxy-source", CLIENT, "--proxy-source-port", "40000", "--proxy-dest", "127.0.0.1")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def ca_file(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.write_root(file)
    return file


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Service]:
    needs("swaks")
    folder = tmp_path_factory.mktemp("swaks")
    words = ("", " tls", " lmtp", " proxy", " proxy tls")
    listen = [*(f"127.0.0.1:0{each}" for each in words), f"unix:{folder}/lmtp.sock lmtp"]
    tls = dict(authority.issue(folder).settings())
    with serving(folder, *BOXES, sections={"tls": tls}, listen=listen, trusted_relays=["127.0.0.1/32"]) as running:
        yield running


@pytest.fixture(scope="module")
def ways(service: Service) -> dict[str, str]:
    """Return where swaks finds each way in."""
    names = ("smtp", "tls", "lmtp", "proxy", "proxy tls", "unix lmtp")
    return dict(zip(names, map(_server, ways_in(service)), strict=True))


def _server(address: Address) -> str:
    return address if isinstance(address, str) else f"{address[0]}:{address[1]}"


def send(server: str, *arguments: str, subject: str, to: str = HR) -> Ran:
    return swaks(server, "--from", ANN, "--to", to, "--header", f"Subject: {subject}", "--body", BODY, *arguments)


def stored(service: Service, subject: str) -> dict[str, str]:
    """Return the one stored message of that subject: its trace and client."""
    [found] = [
        row
        for row, octets in zip(
            rows(service, "SELECT trace, client FROM message ORDER BY id"), stored_octets(service), strict=True
        )
        if f"Subject: {subject}\r\n".encode() in octets
    ]
    return found


def test_a_reply_is_stored_once_and_read_into_its_bullets(service: Service, ways: dict[str, str]) -> None:
    done = send(ways["smtp"], subject="plain")
    assert done.code == 0, done.text
    [octets] = [each for each in stored_octets(service) if b"Subject: plain\r\n" in each]
    assert b"\r\n\r\nHello,\r\n\r\n- answered 12 letters\r\n- closed the budget\r\n" in octets
    assert b"\r\n.leading dot\r\n" in octets
    eventually(lambda: len(rows(service, "SELECT text FROM bullets")) >= 2)
    texts = [row["text"] for row in rows(service, "SELECT text FROM bullets ORDER BY position")]
    assert {"answered 12 letters", "closed the budget"} <= set(texts)


def test_pipelined_commands_are_answered_in_order(service: Service, ways: dict[str, str]) -> None:
    done = send(ways["smtp"], "--pipeline", subject="pipelined")
    assert done.code == 0, done.text
    assert stored(service, "pipelined")


def test_pipelined_recipients_are_answered_each_for_itself(service: Service, ways: dict[str, str]) -> None:
    to = f"{HR},nobody@agency.test,{FULL}"
    done = send(ways["smtp"], "--pipeline", subject="pipelined to three", to=to)
    assert done.code == 0, done.text
    assert "550 5.1.1" in done.text
    assert "552 5.2.2" in done.text
    assert stored(service, "pipelined to three")


def test_a_refused_recipient_is_another_thing_than_a_refused_message(ways: dict[str, str]) -> None:
    assert send(ways["smtp"], subject="refused", to="nobody@agency.test").code == NO_RECIPIENT_TAKEN
    done = send(ways["smtp"], subject="refused", to=TINY)
    assert done.code == MESSAGE_REFUSED
    assert "552 5.2.3" in done.text


@pytest.mark.parametrize(
    ("way", "option", "protocol"),
    [("smtp", "--tls", "ESMTPS"), ("tls", "--tls-on-connect", "ESMTPS"), ("lmtp", "--tls", "LMTPS")],
    ids=["STARTTLS", "implicit TLS", "STARTTLS in LMTP"],
)
def test_over_tls_with_a_certificate_that_it_checks(
    service: Service, ways: dict[str, str], ca_file: Path, *, way: str, option: str, protocol: str
) -> None:
    subject = f"secured {way} {option}"
    more = ("--protocol", "LMTP") if way == "lmtp" else ()
    verify = ("--tls-verify", "--tls-ca-path", str(ca_file), "--tls-sni", NAME)
    done = send(ways[way], option, *verify, *more, subject=subject)
    assert done.code == 0, done.text
    assert "TLS started" in done.text
    assert f" with {protocol} id " in stored(service, subject)["trace"]


def test_starttls_is_offered_once_and_not_on_the_port_that_begins_with_tls(ways: dict[str, str]) -> None:
    assert send(ways["smtp"], "--quit-after", "EHLO", subject="-").text.count("STARTTLS") == 1
    assert "STARTTLS" not in send(ways["tls"], "--tls-on-connect", "--quit-after", "EHLO", subject="-").text
    after = send(ways["smtp"], "--tls", "--quit-after", "EHLO", subject="-").text
    # Offered, and said; not offered again.
    assert after.count("STARTTLS") == 2


@pytest.mark.parametrize("way", ["lmtp", "unix lmtp"])
def test_lmtp_over_tcp_and_over_a_unix_socket(service: Service, ways: dict[str, str], way: str) -> None:
    done = send(ways[way], "--protocol", "LMTP", subject=f"by {way}")
    assert done.code == 0, done.text
    assert " with LMTP id " in stored(service, f"by {way}")["trace"]


@pytest.mark.parametrize("way", ["lmtp", "unix lmtp"])
def test_lmtp_answers_each_recipient_after_data(service: Service, ways: dict[str, str], way: str) -> None:
    subject = f"to three by {way}"
    done = send(ways[way], "--protocol", "LMTP", subject=subject, to=f"{HR},{TINY},{DEFERRING}")
    after = done.text.rpartition(" -> .")[2]
    assert [line.split()[1] for line in after.splitlines() if line.startswith(("<-  2", "<** "))] == [
        *("250", "552", "552"),
        "221",
    ]
    assert stored(service, subject)


def test_smtp_is_not_spoken_to_lmtp_nor_the_other_way_round(ways: dict[str, str]) -> None:
    assert send(ways["smtp"], "--protocol", "LMTP", subject="-").code != 0
    assert send(ways["lmtp"], "--protocol", "ESMTP", subject="-").code != 0


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("way", ["proxy", "proxy tls"])
def test_a_proxy_header_names_the_client(service: Service, ways: dict[str, str], way: str, version: str) -> None:
    subject = f"{way} {version}"
    family = ("--proxy-family", "TCP4" if version == "1" else "AF_INET")
    tls = ("--tls-on-connect",) if way.endswith("tls") else ()
    port = ways[way].rpartition(":")[2]
    header = ("--proxy-version", version, *family, *PROXIED, "--proxy-dest-port", port)
    done = send(ways[way], *header, *tls, subject=subject)
    assert done.code == 0, done.text
    assert stored(service, subject)["client"] == CLIENT
