"""DSN parameters as a session gives them, and the bounce as others read it (RFC 3461, 3464, 6522)."""

from collections.abc import Iterator
from email.message import EmailMessage

import flufl.bounce
import pytest

from tests.service import Service, eventually, mail
from tests.session.dialogue import HR, MAIL, Dialogue, rows, serving

FULL = "full@agency.test"
TINY = "tiny@agency.test"
# Other names of `hr`, `full` and `tiny`.
REPLIES, FULL_TOO, TINY_TOO = "replies@agency.test", "full.too@agency.test", "tiny.too@agency.test"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    boxes = (
        {"address": HR, "aliases": [REPLIES]},
        {"address": FULL, "aliases": [FULL_TOO], "quota_messages": 0},
        {"address": TINY, "aliases": [TINY_TOO], "quota": 10},
    )
    with serving(tmp_path_factory.mktemp("dsn"), *boxes) as running:
        yield running


@pytest.fixture
def client(service: Service) -> Iterator[Dialogue]:
    with Dialogue(service.address) as dialogue:
        yield dialogue.hello()


def send(client: Dialogue, *, mail_parameters: str = "", rcpt_parameters: str = "", subject: str) -> str:
    """Send one mail to `hr` and return the id it is stored under."""
    client.transaction(f"<{HR}> {rcpt_parameters}", mail=f"{MAIL} {mail_parameters}")
    reply = client.data(mail(subject=subject))
    assert reply.startswith("250 2.6.0"), reply
    return reply.split()[-1]


def bounced(service: Service, sender: str, *recipients: str, parameters: str = "", octets: bytes = b"") -> EmailMessage:
    """Send one mail that bounces and return the bounce as the maildir has it."""
    with Dialogue(service.address) as client:
        client.hello().transaction(*recipients, mail=f"MAIL FROM:<{sender}> {parameters}")
        assert client.data(octets or mail(message_id=f"of-{sender}")).startswith("250 ")
    eventually(lambda: bool(service.outbox(sender)))
    [bounce] = service.outbox(sender)
    return bounce


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        *(
            ("NOTIFY=NEVER", "NEVER"),
            ("notify=never", "NEVER"),
            ("NOTIFY=Success,FAILURE,delay", "DELAY,FAILURE,SUCCESS"),
        ),
        *(("", None), ("NOTIFY=FAILURE", "FAILURE")),
    ],
)
def test_notify_is_kept_with_the_delivery(service: Service, client: Dialogue, given: str, kept: str | None) -> None:
    id_ = send(client, rcpt_parameters=given, subject=f"notify {given}")
    [row] = rows(service, "SELECT notify FROM delivery WHERE message = :id", id=id_)
    assert row["notify"] == kept


@pytest.mark.parametrize(
    "orcpt",
    [
        *("rfc822;Dana+2BTag@Agency.Test", "RFC822;a+3Db@c", "x400;/C+3Dus/ADMD+3Dx", "rfc822;no-address-at-all"),
        *("utf-8;jos\\x{E9}@agency.test", "rfc822;" + "x" * 493),
    ],
)
def test_orcpt_is_kept_in_its_case_and_not_read(service: Service, client: Dialogue, orcpt: str) -> None:
    id_ = send(client, rcpt_parameters=f"ORCPT={orcpt}", subject=f"orcpt {orcpt[:20]}")
    [row] = rows(service, "SELECT orcpt FROM delivery WHERE message = :id", id=id_)
    assert row["orcpt"] == orcpt


@pytest.mark.parametrize(
    ("given", "ret", "envid"),
    [
        *(("RET=FULL ENVID=QQ314159", "FULL", "QQ314159"), ("ret=hdrs envid=aBc+2Bd+3De", "HDRS", "aBc+2Bd+3De")),
        *(("", None, None), ("ENVID=" + "x" * 100, None, "x" * 100)),
    ],
)
def test_ret_and_envid_are_kept_with_the_message(
    service: Service, client: Dialogue, given: str, ret: str | None, envid: str | None
) -> None:
    id_ = send(client, mail_parameters=given, subject=f"ret {given}")
    [row] = rows(service, "SELECT ret, envid FROM message WHERE id = :id", id=id_)
    assert row == {"ret": ret, "envid": envid}


def test_each_recipient_keeps_its_own_parameters(service: Service, client: Dialogue) -> None:
    client.transaction(f"<{HR}> NOTIFY=NEVER", f"<{FULL}> NOTIFY=FAILURE ORCPT=rfc822;Full@A")
    assert client.data(mail(subject="each its own")).startswith("250 2.6.0")
    [row] = rows(
        service, "SELECT notify, orcpt FROM delivery WHERE recipient = :hr ORDER BY message DESC LIMIT 1", hr=HR
    )
    assert row == {"notify": "NEVER", "orcpt": None}


def test_postmaster_without_a_domain_may_carry_parameters(client: Dialogue) -> None:
    client.ask(MAIL)
    assert not client.ask("RCPT TO:<Postmaster> NOTIFY=NEVER").startswith(("501", "553"))


def test_a_bounce_is_a_permanent_failure_of_the_right_address_for_flufl_bounce(service: Service) -> None:
    bounce = bounced(service, "flufl@agency.test", f"<{FULL}>")
    temporary, permanent = flufl.bounce.all_failures(bounce)
    assert (temporary, permanent) == (set(), {FULL.encode()})


def test_a_bounce_is_three_parts_for_pythons_email_parser(service: Service) -> None:
    bounce = bounced(service, "parts@agency.test", f"<{FULL}>")
    readable, status, returned = bounce.iter_parts()

    assert (bounce.get_content_type(), bounce.get_param("report-type")) == ("multipart/report", "delivery-status")
    assert [each.get_content_type() for each in readable.iter_parts()] == ["text/plain", "text/html"]
    assert status.get_content_type() == "message/delivery-status"
    assert returned.get_content_type() == "text/rfc822-headers"
    assert "Message-ID: <of-parts@agency.test>" in returned.get_content()
    assert bounce["Return-Path"] == "<>"


def test_a_bounce_names_the_failed_recipients_and_none_of_the_others(service: Service) -> None:
    recipients = (f"<{HR}>", f"<{FULL}> ORCPT=rfc822;Full+2Bx@Agency.Test", f"<{TINY}>")
    bounce = bounced(service, "groups@agency.test", *recipients, parameters="ENVID=a+2Bb")
    message, *groups = bounce.get_payload(1).get_payload()

    assert message["Reporting-MTA"] == "dns; mx.agency.test"
    assert message["Original-Envelope-Id"] == "a+b"
    assert [each["Final-Recipient"] for each in groups] == [f"rfc822; {FULL}", f"rfc822; {TINY}"]
    assert [each["Original-Recipient"] for each in groups] == ["rfc822; Full+x@Agency.Test", None]
    assert [each["Action"] for each in groups] == ["failed", "failed"]
    assert [each["Status"] for each in groups] == ["5.2.2", "5.2.3"]
    assert groups[0]["Diagnostic-Code"].startswith("x-pulsebox; 552 5.2.2 mailbox full")
    # What the sender called it comes first.
    assert flufl.bounce.all_failures(bounce) == (set(), {b"Full+x@Agency.Test", TINY.encode()})


def test_ret_full_returns_the_whole_message_octet_for_octet(service: Service) -> None:
    octets = mail(subject="give it back", message_id="whole@agency.test")
    bounce = bounced(service, "whole@agency.test", f"<{FULL}>", parameters="RET=FULL", octets=octets)
    returned = bounce.get_payload(2)

    assert returned.get_content_type() == "message/rfc822"
    assert octets.replace(b"\r\n", b"\n").strip() in bounce.as_bytes()


def test_notify_never_gets_a_reply_in_the_session_and_no_bounce(service: Service, client: Dialogue) -> None:
    client.ask("MAIL FROM:<never@agency.test>")
    assert client.ask(f"RCPT TO:<{FULL}> NOTIFY=NEVER").startswith("552 5.2.2")
    assert client.ask("DATA").startswith("554 ")
    assert rows(service, "SELECT * FROM notice WHERE recipient = 'never@agency.test'") == []
    [refusal] = rows(service, "SELECT stage, notice FROM refusal WHERE mail_from = 'never@agency.test'")
    assert refusal == {"stage": "rcpt", "notice": None}


def test_a_bounce_goes_to_the_reverse_path_and_never_to_reply_to(service: Service) -> None:
    octets = b"Reply-To: other@agency.test\r\nFrom: third@agency.test\r\n" + mail()
    bounce = bounced(service, "reverse@agency.test", f"<{FULL}>", octets=octets)
    assert bounce["To"] == "reverse@agency.test"
    assert service.outbox("other@agency.test") == service.outbox("third@agency.test") == []
    assert bounce["Auto-Submitted"] == "auto-replied"


def test_the_sender_of_a_mail_to_two_full_mailboxes_gets_one_bounce(service: Service) -> None:
    bounced(service, "two@agency.test", f"<{FULL}>", f"<{TINY}>")
    found = rows(service, "SELECT notice FROM refusal WHERE mail_from = 'two@agency.test'")
    assert len(found) == 2
    assert len({row["notice"] for row in found}) == 1


# An address and its alias in one message: one mailbox, two recipients who are each answered for.


def groups_of(bounce: EmailMessage) -> list[tuple[str, str]]:
    """Return each recipient group of a DSN: what the sender called it first, and what it is."""
    _, *groups = bounce.get_payload(1).get_payload()
    return [(each["Original-Recipient"], each["Final-Recipient"]) for each in groups]


@pytest.mark.parametrize(("address", "alias"), [(FULL, FULL_TOO), (TINY, TINY_TOO)], ids=["at RCPT", "at DATA"])
def test_an_address_and_its_alias_get_one_bounce_with_a_group_each(service: Service, address: str, alias: str) -> None:
    sender = f"both.of.{address}"
    recipients = (f"<{address}> ORCPT=rfc822;One+2B@Here.Test", f"<{alias}> ORCPT=rfc822;Two@There.Test")

    bounce = bounced(service, sender, *recipients)

    assert groups_of(bounce) == [
        ("rfc822; One+@Here.Test", f"rfc822; {address}"),
        ("rfc822; Two@There.Test", f"rfc822; {alias}"),
    ]
    refusals = rows(
        service, "SELECT recipient, notice FROM refusal WHERE mail_from = :sender ORDER BY 1", sender=sender
    )
    assert [each["recipient"] for each in refusals] == sorted([address, alias])
    assert len({each["notice"] for each in refusals}) == 1


@pytest.mark.parametrize(("address", "alias"), [(FULL, FULL_TOO), (TINY, TINY_TOO)], ids=["at RCPT", "at DATA"])
@pytest.mark.parametrize("order", [1, -1])
def test_who_asked_for_no_bounce_is_not_named_in_that_of_its_alias(
    service: Service, address: str, alias: str, order: int
) -> None:
    sender = f"one.of.{order}.{address}"
    recipients = (
        f"<{address}> NOTIFY=NEVER ORCPT=rfc822;never@here.test",
        f"<{alias}> NOTIFY=FAILURE ORCPT=rfc822;a@b.c",
    )

    bounce = bounced(service, sender, *recipients[::order])

    assert groups_of(bounce) == [("rfc822; a@b.c", f"rfc822; {alias}")]
    assert b"never@here.test" not in bounce.as_bytes()


def test_an_address_and_its_alias_with_room_are_stored_and_charged_once(service: Service, client: Dialogue) -> None:
    used = "SELECT used_messages, used_octets FROM mailbox WHERE address = :address"
    [before] = rows(service, used, address=HR)
    replies = client.transaction(f"<{HR}> NOTIFY=NEVER", f"<{REPLIES}> NOTIFY=FAILURE ORCPT=rfc822;x@y.z")
    octets = mail(subject="to one mailbox by two names")
    reply = client.data(octets, end=b".\r\n")

    assert [each[:3] for each in replies] == ["250"] * 3
    assert reply.startswith("250 2.6.0")
    [after] = rows(service, used, address=HR)
    assert after["used_messages"] - before["used_messages"] == 1
    assert after["used_octets"] - before["used_octets"] == len(octets)
    assert len(rows(service, "SELECT * FROM delivery WHERE message = :id", id=reply.split()[-1])) == 1
