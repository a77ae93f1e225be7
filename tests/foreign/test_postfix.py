"""Postfix as relay to us: what it hands on is stored as it is, and it understands our refusals."""

import shutil
import smtplib
import tempfile
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import flufl.bounce
import pytest

from storage import messages
from storage.records import MessageId
from tests.certificates import NAME, Authority
from tests.foreign.programs import needs
from tests.foreign.reports import Group, assert_sound_dsn
from tests.postfix import Postfix, postfix
from tests.service import Service, eventually, mail
from tests.session.dialogue import HR, Dialogue, rows, serving, stuffed
from tests.session.reaching import ways_in

TINY, DEFERRING, BOUNCING = "tiny@agency.test", "defer@agency.test", "bounce@agency.test"
SENDER = "ann@sender.test"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Service]:
    needs("postfix")
    boxes = (
        {"address": HR},
        {"address": TINY, "quota": 50, "when_full": "reject"},
        {"address": DEFERRING, "quota": 1_000, "when_full": "defer"},
        {"address": BOUNCING, "quota": 0, "when_full": "bounce"},
        {"address": "büro@agency.test"},
    )
    folder = tmp_path_factory.mktemp("postfix")
    sections = {"tls": dict(authority.issue(folder).settings())}
    with serving(folder, *boxes, sections=sections, listen=["127.0.0.1:0", "127.0.0.1:0 lmtp"]) as running:
        yield running


@pytest.fixture(scope="module")
def relay(service: Service) -> Iterator[Postfix]:
    with postfix(service.port) as running:
        yield running


def letter(name: str) -> bytes:
    head = (
        f"From: Ann <{SENDER}>\r\nTo: {HR}\r\nSubject: last week\r\nDate: Mon, 17 Nov 2025 10:00:00 +0000\r\n"
        f"Message-ID: <{name}@sender.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: 8bit\r\n\r\n"
    )
    body = "- answered 12 letters\r\n- wrote the Q3 report für Zürich\r\n.- not a bullet of mine\r\n..\r\n.\r\n"
    return (head + body).encode()


def relayed(service: Service, name: str) -> list[bytes]:
    """Return the octets of all stored messages with that Message-ID."""
    found = rows(service, "SELECT id FROM message WHERE message_id = :id", id=f"<{name}@sender.test>")
    with service.store() as store, store.reading() as tx:
        return [octets for row in found if (octets := messages.octets(tx, MessageId(row["id"]))) is not None]


def bounces_of(relay: Postfix, address: str) -> list[EmailMessage]:
    """Return the bounces that Postfix wrote because of `address`, and of no other recipient."""
    found = [BytesParser(policy=policy.default).parsebytes(octets) for octets in relay.bounces()]
    return [each for each in found if flufl.bounce.all_failures(each) == (set(), {address.encode()})]


def test_what_postfix_relays_is_stored_once_octet_for_octet_below_its_received(
    service: Service, relay: Postfix
) -> None:
    with smtplib.SMTP(*relay.address) as client:
        client.sendmail(SENDER, [HR], letter("relayed"), mail_options=["BODY=8BITMIME"])
    eventually(lambda: bool(relayed(service, "relayed")))

    [octets] = relayed(service, "relayed")
    trace = octets.removesuffix(letter("relayed"))
    assert len(octets) - len(trace) == len(letter("relayed"))
    assert trace.startswith(b"Received: from ")
    assert all(line.startswith(b"\t") for line in trace.split(b"\r\n")[1:-1])
    eventually(relay.empty)


def test_what_postfix_relays_is_read_into_its_bullets(service: Service, relay: Postfix) -> None:
    with smtplib.SMTP(*relay.address) as client:
        client.sendmail(SENDER, [HR], letter("bullets").replace(b".- not a bullet of mine\r\n..\r\n.\r\n", b""))
    statement = (
        "SELECT b.text FROM bullets b JOIN messages m ON m.id = b.message "
        "WHERE m.message_id = '<bullets@sender.test>' ORDER BY b.position"
    )
    eventually(lambda: bool(rows(service, statement)))
    assert [row["text"] for row in rows(service, statement)] == [
        "answered 12 letters",
        "wrote the Q3 report für Zürich",
    ]


def test_postfix_relays_an_smtputf8_message(service: Service, relay: Postfix) -> None:
    with smtplib.SMTP(*relay.address) as client:
        client.ehlo()
        client.mail("jürgen@sender.test", ["SMTPUTF8", "BODY=8BITMIME"])
        client.rcpt("büro@agency.test")
        assert client.data(letter("utf8"))[0] == 250
    eventually(lambda: bool(relayed(service, "utf8")))
    [row] = rows(service, "SELECT mail_from, smtputf8 FROM message WHERE message_id = '<utf8@sender.test>'")
    assert (row["mail_from"], bool(row["smtputf8"])) == ("jürgen@sender.test", True)


def test_a_full_mailbox_in_bounce_mode_is_bounced_by_us_and_not_by_postfix(service: Service, relay: Postfix) -> None:
    with smtplib.SMTP(*relay.address) as client:
        client.sendmail(SENDER, [BOUNCING], letter("bounced"))
    eventually(lambda: bool(service.outbox(SENDER)))

    [bounce] = service.outbox(SENDER)
    assert flufl.bounce.all_failures(bounce) == (set(), {BOUNCING.encode()})
    eventually(relay.empty)
    assert bounces_of(relay, BOUNCING) == []


def test_an_unknown_recipient_makes_postfix_bounce_for_that_one_alone(service: Service, relay: Postfix) -> None:
    with smtplib.SMTP(*relay.address) as client:
        client.sendmail(SENDER, [HR, "nobody@agency.test"], letter("half"))
    eventually(lambda: len(bounces_of(relay, "nobody@agency.test")) == 1)

    assert len(relayed(service, "half")) == 1


def test_over_lmtp_each_recipient_has_its_own_end_in_postfix(service: Service) -> None:
    _, port = ways_in(service)[1]
    # A first one leaves no room for a second.
    service.send(mail(octets=900), DEFERRING)
    with postfix(int(port), default_transport=f"lmtp:inet:127.0.0.1:{port}", relayhost="") as front:
        with smtplib.SMTP(*front.address) as client:
            client.sendmail(SENDER, [HR, TINY, DEFERRING], letter("three"))
        eventually(lambda: bool(bounces_of(front, TINY)))
        eventually(lambda: front.queued() == 1)
        [waiting] = front.queue()
        log = front.log
    assert [each["address"] for each in waiting["recipients"]] == [DEFERRING]
    assert "452 4.2.2 Mailbox full" in waiting["recipients"][0]["delay_reason"]
    assert "552 5.2.3 Message too large for this mailbox" in log
    assert len(relayed(service, "three")) == 1
    [row] = rows(service, "SELECT trace FROM message WHERE message_id = '<three@sender.test>'")
    assert " with LMTP id " in row["trace"]


def test_postfix_hands_on_over_tls_once_it_has_checked_our_certificate(service: Service, authority: Authority) -> None:
    # Its smtp process reads it as a user that may not enter a test's folder.
    root = Path(tempfile.mkdtemp(prefix="authority-"))
    try:
        root.chmod(0o755)
        authority.write_root(root / "ca.pem")
        secure = {
            "smtp_tls_security_level": "verify",
            "smtp_tls_verify_cert_match": NAME,
            "smtp_tls_CAfile": str(root / "ca.pem"),
        }
        with postfix(service.port, **secure) as front:
            with smtplib.SMTP(*front.address) as client:
                client.sendmail(SENDER, [HR], letter("secured"))
            eventually(lambda: len(relayed(service, "secured")) == 1)
    finally:
        shutil.rmtree(root)
    [row] = rows(service, "SELECT trace FROM message WHERE message_id = '<secured@sender.test>'")
    assert " with ESMTPS id " in row["trace"]


@pytest.mark.parametrize("sender", ["ann@sender.test", "jürgen@sender.test"])
def test_a_bounce_of_ours_goes_through_a_postfix_unharmed(tmp_path: Path, sender: str) -> None:
    needs("postfix", "sisimai")
    box = {"address": BOUNCING, "quota_messages": 0}
    with postfix(9) as front:
        outbound = {"smarthost": f"127.0.0.1:{front.address[1]}"}
        with serving(tmp_path, box, sections={"outbound": outbound}) as service:
            with Dialogue(service.address) as client:
                client.hello().transaction(f"<{BOUNCING}>", mail=f"MAIL FROM:<{sender}> SMTPUTF8 RET=FULL")
                assert client.data(stuffed(letter("through")), end=b".\r\n").startswith("250 ")
            eventually(lambda: len(front.bounces()) == 1)
        [delivered] = front.bounces()
    trace, start, report = delivered.partition(b"\nFrom: ")
    assert trace.startswith(b"Return-Path: <>\n")
    octets = (start[1:] + report).replace(b"\n", b"\r\n")
    assert_sound_dsn(octets, Group(BOUNCING, "5.2.2"), returned="message/rfc822")
    assert letter("through").rstrip() in octets


def test_a_service_that_drains_and_comes_back_loses_none_of_what_postfix_relays(tmp_path: Path) -> None:
    needs("postfix")
    with serving(tmp_path) as service:
        service.set("smtp", listen=[f"127.0.0.1:{service.port}"])
        with postfix(service.port) as relay:
            names = [f"drained.{number}" for number in range(30)]
            with smtplib.SMTP(*relay.address) as client:
                for name in names[:15]:
                    client.sendmail(SENDER, [HR], letter(name))
                assert service.stop() == 0
                for name in names[15:]:
                    client.sendmail(SENDER, [HR], letter(name))
            service.start()
            eventually(relay.empty, within=40)
            stored = rows(service, "SELECT message_id, COUNT(*) AS copies FROM message GROUP BY message_id")
    assert {row["message_id"] for row in stored} == {f"<{name}@sender.test>" for name in names}
    assert {row["copies"] for row in stored} == {1}
