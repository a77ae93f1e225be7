"""Sender proof through the real listener: signed mail of a client that is not trusted, and what becomes of it."""

import smtplib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from storage import messages
from storage.records import MessageId
from tests.nameserver import Nameserver
from tests.service import Service, eventually
from tests.session.dialogue import Dialogue, rows, serving
from tests.signing import letter, publish, rsa_key, signed

ROOM, FULL = "room@office.test", "full@office.test"
BOXES = ({"address": ROOM}, {"address": FULL, "when_full": "bounce", "quota_messages": 0})
HOSTNAME = "mx.agency.test"


@contextmanager
def checking(folder: Path, nameserver: Nameserver, smtp: dict[str, Any], **authentication: Any) -> Iterator[Service]:
    said = {"check": True, "resolvers": [str(nameserver.endpoint)], **authentication}
    with serving(folder, *BOXES, sections={"authentication": said}, greet_delay="0 s", **smtp) as running:
        yield running


@pytest.fixture(scope="module")
def names() -> Iterator[Nameserver]:
    """The DNS of all tests of this file: two who sign, one who names his client, one who answers nobody."""
    with Nameserver() as serving:
        publish(serving, "signs.test")
        publish(serving, "spam.test")
        serving.txt("names.test", "v=spf1 ip4:127.0.0.1 -all")
        serving.txt("victim.test", "v=spf1 -all")
        serving.txt("_dmarc.victim.test", "v=DMARC1; p=reject")
        serving.dead("dead.test")
        yield serving


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, names: Nameserver) -> Iterator[Service]:
    """A service that trusts no client."""
    with checking(
        tmp_path_factory.mktemp("proof"), names, {"trusted_networks": []}, timeout="30 s", deadline="60 s"
    ) as running:
        yield running


@pytest.fixture(scope="module")
def hurried(tmp_path_factory: pytest.TempPathFactory, names: Nameserver) -> Iterator[Service]:
    """The same, which waits for DNS no longer than 300 ms."""
    with checking(
        tmp_path_factory.mktemp("hurried"), names, {"trusted_networks": []}, timeout="60 s", deadline="300 ms"
    ) as running:
        yield running


def send(service: Service, octets: bytes, sender: str, to: str = ROOM) -> str:
    """Offer a message; return the reply to DATA."""
    with Dialogue(service.address) as client:
        client.hello()
        said = client.transaction(f"<{to}>", mail=f"MAIL FROM:<{sender}>")
        assert [reply[:3] for reply in said] == ["250", "250"]
        return client.data(octets, end=b".\r\n")


def stored(service: Service, sender: str) -> dict[str, Any]:
    [row] = rows(
        service,
        "SELECT id, proved, proved_by, authentication, trace FROM message WHERE mail_from = :sender",
        sender=sender,
    )
    return row | {"proved": bool(row["proved"])}


def notices(service: Service, to: str) -> list[dict[str, Any]]:
    return rows(service, "SELECT kind FROM notice WHERE recipient = :to", to=to)


def test_a_signed_mail_is_stored_with_its_proof_and_its_octets_as_they_came(service: Service) -> None:
    octets = signed(letter("ann@signs.test"), "signs.test")
    assert send(service, octets, "ann@signs.test").startswith("250 ")
    row = stored(service, "ann@signs.test")
    assert (row["proved"], row["proved_by"]) == (True, "dkim:signs.test")
    assert row["authentication"].startswith(f"{HOSTNAME};\r\n\tdkim=pass header.d=signs.test")
    assert f"Authentication-Results: {row['authentication']}\r\nReceived: from client.test" in row["trace"]
    with service.store() as store, store.reading() as tx:
        assert messages.octets(tx, MessageId(str(row["id"]))) == octets


def test_a_client_that_the_reverse_path_names_proves_it(service: Service) -> None:
    send(service, letter("ann@names.test"), "ann@names.test")
    assert stored(service, "ann@names.test")["proved_by"] == "spf:names.test"


def test_a_mail_that_its_domain_wants_rejected_is_stored_as_unproved(service: Service) -> None:
    assert send(service, letter("bob@victim.test"), "forger@victim.test").startswith("250 ")
    row = stored(service, "forger@victim.test")
    assert (row["proved"], row["proved_by"]) == (False, "failed")
    assert "dmarc=fail header.from=victim.test policy.dmarc=reject" in row["authentication"]


def test_a_full_mailbox_bounces_to_who_is_proved(service: Service) -> None:
    octets = signed(letter("full@signs.test"), "signs.test")
    assert send(service, octets, "full@signs.test", FULL).startswith("250 ")
    assert [each["kind"] for each in notices(service, "full@signs.test")] == ["bounce"]
    [refusal] = rows(service, "SELECT proved, reply FROM refusal WHERE mail_from = 'full@signs.test'")
    assert bool(refusal["proved"])


@pytest.mark.parametrize(
    ("author", "signer", "reverse"),
    [
        ("x@nobody.test", None, "x@nobody.test"),
        ("bob@victim.test", None, "bob@victim.test"),
        ("bob@victim.test", "spam.test", "bob2@victim.test"),
        # A spammer who proves himself, and would have the notice sent to somebody else.
        ("x@spam.test", "spam.test", "bob3@victim.test"),
    ],
)
def test_a_full_mailbox_refuses_in_the_session_whose_reverse_path_may_be_forged(
    service: Service, author: str, signer: str | None, reverse: str
) -> None:
    octets = signed(letter(author), signer) if signer else letter(author)
    assert send(service, octets, reverse, FULL).startswith("552 5.2.2 ")
    assert notices(service, reverse) == []
    [refusal] = rows(service, "SELECT proved FROM refusal WHERE mail_from = :reverse", reverse=reverse)
    assert bool(refusal["proved"]) is (author == "x@spam.test")


def test_the_null_reverse_path_is_refused_before_its_mail_comes(service: Service) -> None:
    with Dialogue(service.address) as client:
        assert client.hello().transaction(f"<{FULL}>", mail="MAIL FROM:<>")[1].startswith("552 5.2.2 ")


def test_a_dns_that_does_not_answer_takes_no_longer_than_it_may_and_loses_no_mail(hurried: Service) -> None:
    octets = letter("ann@dead.test")
    for number in range(5):
        octets = signed(octets, "dead.test", rsa_key(1024), f"s{number}")
    begin = time.monotonic()
    assert send(hurried, octets, "ann@dead.test").startswith("250 ")
    assert time.monotonic() - begin < 20
    row = stored(hurried, "ann@dead.test")
    assert (row["proved"], row["proved_by"]) == (False, "temperror")
    assert send(hurried, letter("ann@dead.test"), "full@dead.test", FULL).startswith("552 5.2.2 ")


def test_one_slow_mail_holds_up_no_other(hurried: Service) -> None:
    with Dialogue(hurried.address) as slow:
        slow.hello().transaction(f"<{ROOM}>", mail="MAIL FROM:<slow@dead.test>")
        slow.ask("DATA")
        slow.send(letter("slow@dead.test") + b".\r\n")
        assert send(hurried, letter("quick@names.test"), "quick@names.test").startswith("250 ")
        assert slow.reply().startswith("250 ")


def test_results_that_claim_to_be_ours_are_not_believed_nor_handed_on(service: Service, names: Nameserver) -> None:
    forged = f"Authentication-Results: {HOSTNAME}; dmarc=pass header.from=victim.test\r\n"
    send(service, letter("bob@victim.test", extra=forged), "forged@victim.test")
    row = stored(service, "forged@victim.test")
    assert not row["proved"]
    with service.store() as store, store.reading() as tx:
        assert forged.encode() in (messages.octets(tx, MessageId(str(row["id"]))) or b"")
    octets = signed(letter("returned@signs.test", extra=forged), "signs.test")
    send(service, octets, "returned@signs.test", FULL)
    eventually(lambda: len(service.outbox("returned@signs.test")) == 1)
    [bounce] = service.outbox("returned@signs.test")
    assert b"DKIM-Signature:" in bounce.as_bytes()
    assert b"Authentication-Results" not in bounce.as_bytes()


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\r\n",
        b" \r\n\r\n",
        b"From\r\n",
        b"From: " + b"(" * 5000 + b"\r\n\r\n",
        b"DKIM-Signature: " + b"b= " * 1500 + b"\r\n\r\n",
        b"ARC-Seal: i=1\r\nDKIM-Signature: \xff\r\nFrom: \xff@\xff\r\n\r\n",
        b"X: y\r\n" * 20_000 + b"From: a@signs.test\r\n\r\n",
    ],
)
def test_what_is_hardly_a_message_is_stored_all_the_same(service: Service, octets: bytes) -> None:
    assert send(service, octets, "odd@nobody.test").startswith("250 ")
    assert rows(service, "SELECT id FROM message WHERE mail_from = 'odd@nobody.test' AND proved") == []


def test_a_front_server_in_a_trusted_network_proves_nobody_but_is_believed(tmp_path: Path, names: Nameserver) -> None:
    smtp = {"trusted_networks": ["127.0.0.0/8"], "trusted_relays": ["127.0.0.1/32"]}
    results = "Authentication-Results: front.test; spf=pass smtp.mailfrom=there@nobody.test\r\n"
    with checking(tmp_path, names, smtp, trusted_authserv_ids=["front.test"]) as service:
        send(service, letter("x@nobody.test"), "without@nobody.test")
        assert not stored(service, "without@nobody.test")["proved"]
        send(service, letter("there@nobody.test", extra=results), "there@nobody.test")
        assert stored(service, "there@nobody.test")["proved_by"] == "spf:nobody.test (said by front.test)"
        assert send(service, letter("x@nobody.test"), "x@nobody.test", FULL).startswith("552 5.2.2 ")
        assert send(service, letter("y@nobody.test", extra=results), "y@nobody.test", FULL).startswith("250 ")
        assert len(notices(service, "y@nobody.test")) == 1


def test_where_nothing_is_checked_nobody_is_asked(tmp_path: Path) -> None:
    with (
        Nameserver() as silent,
        checking(tmp_path, silent, {"trusted_networks": []}, check=False) as service,
    ):
        send(service, signed(letter("ann@signs.test"), "signs.test"), "ann@signs.test")
        row = stored(service, "ann@signs.test")
        assert (row["proved"], row["proved_by"], row["authentication"]) == (False, "none", "")
        assert not silent.asked


def test_a_trusted_client_is_not_looked_at(tmp_path: Path) -> None:
    with Nameserver() as silent, checking(tmp_path, silent, {}) as service, smtplib.SMTP(*service.address) as client:
        client.sendmail("ann@nobody.test", [ROOM], letter("ann@nobody.test"))
        assert stored(service, "ann@nobody.test")["proved_by"] == "trusted_networks"
        assert not silent.asked
