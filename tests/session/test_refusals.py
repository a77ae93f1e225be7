"""Each refusal of a listed mailbox leaves a record, at whatever stage: who, when, how large, and how it was said."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.nameserver import Nameserver
from tests.service import Service, eventually, mail
from tests.session.dialogue import Dialogue, rows, serving

MODES = ("bounce", "reject", "defer")


def boxes() -> list[dict[str, Any]]:
    """A mailbox with room; for each mode one that is full of a message, and holds no more than 1,000 octets."""
    full = [{"address": f"{mode}@agency.test", "quota": 1000, "when_full": mode} for mode in MODES]
    return [{"address": "room@agency.test"}, *full]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("refusals"), *boxes()) as running:
        fill(running, "ann@agency.test")
        yield running


def fill(service: Service, sender: str) -> None:
    """Fill the mailboxes, and wait until the listener knows it."""
    for mode in MODES:
        service.send(mail(octets=1000, subject=mode), f"{mode}@agency.test", sender)
    with Dialogue(service.address) as client:
        # From `<>`, each of them rejects.
        client.hello().ask("MAIL FROM:<>")
        for mode in MODES:
            eventually(partial(lambda named: client.ask(named).startswith("552 "), f"RCPT TO:<{mode}@agency.test>"))


def of(service: Service, sender: str) -> list[dict[str, Any]]:
    return rows(service, "SELECT * FROM refusal WHERE mail_from = :sender ORDER BY id", sender=sender)


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    many = [{"address": f"{number}@agency.test"} for number in range(101)]
    with serving(tmp_path_factory.mktemp("crowded"), *many) as running:
        yield running


def test_a_listed_mailbox_beyond_the_limit_is_told_452_and_it_is_on_record(crowded: Service) -> None:
    with Dialogue(crowded.address) as client:
        client.hello().ask("MAIL FROM:<ann@agency.test> SIZE=300")
        for number in range(100):
            assert client.ask(f"RCPT TO:<{number}@agency.test>").startswith("250 ")
        assert client.ask("RCPT TO:<100@agency.test>").startswith("452 4.5.3")
        assert client.ask("RCPT TO:<nobody@agency.test>").startswith("452 4.5.3")
        assert client.data(mail(), end=b".\r\n").startswith("250 2.6.0")

    [refusal] = rows(crowded, "SELECT recipient, outcome, reply, stage, octets, proved FROM refusal")
    assert bool(refusal.pop("proved"))
    assert refusal == {
        "recipient": "100@agency.test",
        "outcome": "TooManyRecipients",
        "reply": "452 4.5.3 Too many recipients, send the rest separately",
        "stage": "rcpt",
        "octets": 300,
    }


def test_a_size_over_the_maximum_is_refused_at_mail_where_no_mailbox_is_named_and_none_has_a_record(
    service: Service,
) -> None:
    sender = "huge@agency.test"
    with Dialogue(service.address) as client:
        client.hello()
        assert client.ask(f"MAIL FROM:<{sender}> SIZE=99999999").startswith("552 5.3.4")
        assert client.ask("RCPT TO:<room@agency.test>").startswith("503 5.5.1")
    assert of(service, sender) == []


@pytest.mark.parametrize("mode", MODES)
def test_larger_than_the_whole_quota_is_5_2_3_also_where_the_mailbox_is_full(service: Service, mode: str) -> None:
    sender = f"large.{mode}@agency.test"
    with Dialogue(service.address) as client:
        client.hello().ask(f"MAIL FROM:<{sender}> SIZE=1001")
        reply = client.ask(f"RCPT TO:<{mode}@agency.test>")
        if mode == "bounce":
            assert reply.startswith("250 2.1.5")
            assert client.data(mail(octets=1001), end=b".\r\n").startswith("250 2.0.0")
        else:
            assert reply.startswith("552 5.2.3")
    [refusal] = of(service, sender)
    assert refusal["reply"].startswith("552 5.2.3")
    assert refusal["outcome"] == "TooBigForMailbox"


@pytest.mark.parametrize("mode", MODES)
def test_a_message_of_the_whole_quota_finds_a_full_mailbox_full(service: Service, mode: str) -> None:
    sender = f"whole.{mode}@agency.test"
    with Dialogue(service.address) as client:
        client.hello().ask(f"MAIL FROM:<{sender}> SIZE=1000")
        reply = client.ask(f"RCPT TO:<{mode}@agency.test>")
        assert reply[:9] == {"bounce": "250 2.1.5", "reject": "552 5.2.2", "defer": "452 4.2.2"}[mode]


def test_a_record_says_whether_the_sender_was_proved_and_nothing_while_nobody_has_looked(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with Nameserver() as nameserver:
        asks = {"check": True, "resolvers": [str(nameserver.endpoint)]}
        folder = tmp_path_factory.mktemp("proof")
        with serving(folder, *boxes(), sections={"authentication": asks}, trusted_networks=[]) as service:
            fill(service, "eve@elsewhere.test")
            with Dialogue(service.address) as client:
                client.hello().transaction("<reject@agency.test>", "<bounce@agency.test>")
                assert client.data(mail(), end=b".\r\n").startswith("552 5.2.2")
            found = rows(service, "SELECT recipient, stage, proved FROM refusal WHERE mail_from <> '' ORDER BY id")
            [message, *_] = rows(service, "SELECT authentication FROM message")
            bounces = rows(service, "SELECT id FROM notice WHERE kind = 'bounce'")
    assert [(row["recipient"], row["stage"], row["proved"]) for row in found] == [
        ("reject@agency.test", "rcpt", None),
        ("bounce@agency.test", "data", 0),
    ]
    assert message["authentication"].startswith("mx.agency.test;")
    assert bounces == []


def test_who_names_a_full_mailbox_again_and_again_leaves_one_record_a_message(service: Service) -> None:
    with Dialogue(service.address) as client:
        client.hello()
        for _ in range(2):
            client.ask("MAIL FROM:<again@agency.test>")
            for _ in range(30):
                assert client.ask("RCPT TO:<reject@agency.test>").startswith("552 5.2.2")
            assert client.ask("RCPT TO:<defer@agency.test>").startswith("452 4.2.2")
            client.ask("RSET")

    recorded = sorted(row["recipient"] for row in of(service, "again@agency.test"))
    assert recorded == ["defer@agency.test"] * 2 + ["reject@agency.test"] * 2
