"""Postfix as relay to us: what it hands on is stored as it is, and it understands our refusals."""

import smtplib
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import flufl.bounce
import pytest

from storage import messages
from storage.records import MessageId
from tests.postfix import Postfix, missing, postfix
from tests.service import Service, eventually
from tests.session.dialogue import HR, rows, serving

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())

DEFERRING, REJECTING, BOUNCING = "defer@agency.test", "reject@agency.test", "bounce@agency.test"
SENDER = "ann@sender.test"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    boxes = (
        {"address": HR},
        {"address": DEFERRING, "quota": 0, "when_full": "defer"},
        {"address": REJECTING, "quota": 0, "when_full": "reject"},
        {"address": BOUNCING, "quota": 0, "when_full": "bounce"},
        {"address": "büro@agency.test"},
    )
    with serving(tmp_path_factory.mktemp("postfix"), *boxes) as running:
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


def test_postfix_hands_dsn_parameters_on_and_they_are_kept(service: Service, relay: Postfix) -> None:
    with smtplib.SMTP(*relay.address) as client:
        client.sendmail(
            SENDER,
            [HR],
            letter("parameters"),
            mail_options=["RET=HDRS", "ENVID=QQ+2B1"],
            rcpt_options=["NOTIFY=FAILURE,DELAY", "ORCPT=rfc822;Hr+2BAlias@Agency.Test"],
        )
    eventually(lambda: bool(relayed(service, "parameters")))
    [row] = rows(
        service,
        "SELECT m.ret, m.envid, d.notify, d.orcpt FROM message m JOIN delivery d ON d.message = m.id "
        "WHERE m.message_id = '<parameters@sender.test>'",
    )
    assert row == {
        "ret": "HDRS",
        "envid": "QQ+2B1",
        "notify": "DELAY,FAILURE",
        "orcpt": "rfc822;Hr+2BAlias@Agency.Test",
    }


def test_postfix_relays_an_smtputf8_message(service: Service, relay: Postfix) -> None:
    with smtplib.SMTP(*relay.address) as client:
        client.ehlo()
        client.mail("jürgen@sender.test", ["SMTPUTF8", "BODY=8BITMIME"])
        client.rcpt("büro@agency.test")
        assert client.data(letter("utf8"))[0] == 250
    eventually(lambda: bool(relayed(service, "utf8")))
    [row] = rows(service, "SELECT mail_from, smtputf8 FROM message WHERE message_id = '<utf8@sender.test>'")
    assert (row["mail_from"], bool(row["smtputf8"])) == ("jürgen@sender.test", True)


def test_a_full_mailbox_in_defer_mode_stays_in_postfix_s_queue_until_there_is_room(
    service: Service, relay: Postfix
) -> None:
    with smtplib.SMTP(*relay.address) as client:
        client.sendmail(SENDER, [DEFERRING], letter("deferred"))
    eventually(lambda: relay.queued() == 1)
    assert "452 4.2.2 Mailbox full, please try again later" in relay.log
    assert relayed(service, "deferred") == []

    service.pulsebox("quota", "set", DEFERRING, "1 MB", "--reason", "room again")
    eventually(lambda: len(relayed(service, "deferred")) == 1)
    eventually(relay.empty)


def test_a_full_mailbox_in_reject_mode_makes_postfix_bounce(service: Service, relay: Postfix) -> None:
    with smtplib.SMTP(*relay.address) as client:
        client.sendmail(SENDER, [REJECTING], letter("rejected"))
    eventually(lambda: bool(bounces_of(relay, REJECTING)))

    [bounce] = bounces_of(relay, REJECTING)
    assert "Diagnostic-Code: smtp; 552 5.2.2 Mailbox full" in bounce.as_string()
    assert relayed(service, "rejected") == []
    assert service.outbox(SENDER) == []


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


def test_a_service_that_drains_and_comes_back_loses_none_of_what_postfix_relays(tmp_path: Path) -> None:
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
