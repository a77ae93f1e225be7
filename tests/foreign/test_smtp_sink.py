"""Postfix's smtp-sink is the relay for our bounces: they arrive over the wire, from `<>`, as reports."""

from pathlib import Path

import pytest

from tests.foreign.programs import needs
from tests.foreign.reports import Group, assert_sound_dsn
from tests.foreign.sink import smtp_sink
from tests.service import Service, eventually, mail
from tests.session.dialogue import rows, serving

FULL = "full@agency.test"
BOX = {"address": FULL, "quota_messages": 0}


def test_bounces_arrive_one_each_from_the_null_sender_and_are_sound(tmp_path: Path) -> None:
    needs("sisimai")
    senders = [f"ann.{number}@agency.test" for number in range(5)]
    with smtp_sink(tmp_path / "sink") as sink:
        outbound = {"smarthost": sink.smarthost}
        with serving(tmp_path, BOX, sections={"outbound": outbound}) as service:
            for sender in senders:
                service.send(mail(message_id=f"of.{sender}"), FULL, sender)
            eventually(lambda: _sent(service) == len(senders))
        dumped = sink.dumps()

    assert sorted(each.recipients for each in dumped) == [(f"<{sender}>",) for sender in senders]
    for each in dumped:
        assert each.sender.split()[0] == "<>"
        assert_sound_dsn(each.octets, Group(FULL, "5.2.2"))
        assert f"In-Reply-To: <of.{each.recipients[0][1:]}\r\n".encode() in each.octets


@pytest.mark.parametrize(
    "options",
    [
        *(("-e",), ("-8",), ("-p",), ("-N", "-E")),
        # A PIX in front: it asks for HELO.
        ("-P",),
    ],
    ids=["no ESMTP", "no 8BITMIME", "no pipelining", "no DSN, no enhanced codes", "behind a PIX"],
)
def test_a_bounce_arrives_also_where_the_relay_can_do_little(tmp_path: Path, options: tuple[str, ...]) -> None:
    needs("sisimai")
    with smtp_sink(tmp_path / "sink", *options) as sink:
        outbound = {"smarthost": sink.smarthost}
        with serving(tmp_path, BOX, sections={"outbound": outbound}) as service:
            service.send(mail(message_id="original@laptop.test"), FULL)
            eventually(lambda: _sent(service) == 1)
        [bounce] = sink.dumps()
    assert_sound_dsn(bounce.octets, Group(FULL, "5.2.2"))


@pytest.mark.parametrize(
    ("options", "state", "reply"),
    [
        (("-r", "RCPT"), "due", "450 4.3.0 Error: command failed"),
        (("-f", "RCPT"), "given_up", "500 5.3.0 Error: command failed"),
        (("-q", "DATA"), "due", None),
        (("-Q", "MAIL"), "due", "421 4.0.0 Server closing connection"),
    ],
    ids=["450 at RCPT", "500 at RCPT", "closes at DATA", "421 at MAIL"],
)
def test_what_the_relay_answers_stands_with_the_notice(
    tmp_path: Path, options: tuple[str, ...], state: str, reply: str | None
) -> None:
    with smtp_sink(tmp_path / "sink", *options) as sink:
        outbound = {"smarthost": sink.smarthost}
        with serving(tmp_path, BOX, sections={"outbound": outbound}) as service:
            service.send(mail(), FULL)
            eventually(lambda: bool(rows(service, "SELECT * FROM notice_attempt")))
            [attempt] = rows(service, "SELECT * FROM notice_attempt")
            [notice] = rows(service, "SELECT state FROM notice")
        assert sink.dumps() == []
    assert notice["state"] == state
    assert reply is None or reply in str(attempt), attempt


def _sent(service: Service) -> int:
    return len(rows(service, "SELECT id FROM notice WHERE state = 'sent'"))
