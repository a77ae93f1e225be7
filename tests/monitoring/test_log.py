"""The log: one line an event, valid whatever is in it, and nothing of what anybody wrote."""

import json
import logging
import random
import re
import smtplib
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpd_service.demo.people import staff
from smtpd_service.demo.replies import reply
from smtpd_service.logline import Form, JsonForm, Line, hashing
from tests.service import Service, eventually, mail
from tests.session.dialogue import HR, rows

FULL = "full@agency.test"
PLACE = re.compile(r"20\d\d-\d\d-\d\d[ T]\d\d:\d\d:\d\d[.,]\d\d\dZ? ?")
VALUES = st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.binary(), st.just("half \ud800"))
FACTS = st.dictionaries(st.from_regex(r"[a-z_]{1,12}", fullmatch=True), VALUES, max_size=5)


def line(facts: dict[str, Any], form: Form, trouble: BaseException | None = None) -> str:
    return form.format(Line("pulsebox", logging.INFO, "message_taken", facts, trouble))


@given(FACTS)
def test_whatever_the_facts_a_json_line_is_one_object_that_others_can_read(facts: dict[str, Any]) -> None:
    text = line(facts, JsonForm())
    assert text.isascii()
    assert text.isprintable()
    said = json.loads(text, parse_constant=pytest.fail)
    # Half a surrogate pair is what many readers stumble over.
    json.dumps(said, ensure_ascii=False).encode()
    assert (said["event"], said["level"]) == ("message_taken", "info")
    assert set(said) == {"time", "level", "pid", "event"} | {key for key, value in facts.items() if value is not None}


@given(FACTS)
def test_whatever_the_facts_a_line_of_text_is_one_line(facts: dict[str, Any]) -> None:
    text = line(facts, Form())
    assert text.isprintable()
    assert PLACE.match(text)


def test_no_fact_of_a_line_of_text_passes_for_another() -> None:
    text = line({"reply": '550 no" outcome="Stored', "outcome": 'a"b\\', "ms": 1}, Form())
    assert text.endswith(r' reply="550 no\" outcome=\"Stored" outcome="a\"b\\" ms=1')


def test_no_line_of_a_traceback_passes_for_one_of_ours() -> None:
    try:
        raise ValueError("who?\n2026-11-22 12:30:00,124 1 INFO ready\x1b[2J")
    except ValueError as error:
        first, *below = line({}, Form(), error).split("\n")
    assert PLACE.match(first)
    assert below[-1].endswith("INFO ready?[2J")
    assert all(each.startswith("    ") and each.isprintable() for each in below)


def test_a_fact_does_not_pass_for_the_event_or_its_time() -> None:
    said = json.loads(line({"event": "ready", "time": "never", "level": "error", "pid": 1}, JsonForm()))
    assert said["event"] == "message_taken"
    assert said["level"] == "info"
    assert said["time"] != "never"


def test_what_a_library_says_is_a_line_like_any_other() -> None:
    record = logging.LogRecord("alembic", logging.WARNING, "", 0, "two\nlines of %s", ("ann@agency.test",), None)
    hide = hashing(b"key")
    said = json.loads(JsonForm(hide).format(record))
    assert (said["event"], said["logger"]) == ("library", "alembic")
    assert "ann@agency.test" not in said["text"]
    assert "\n" not in Form(hide).format(record)


def test_addresses_are_hashed_wherever_they_stand_and_alike() -> None:
    hide = hashing(b"key")
    try:
        raise ValueError("no such user ann@agency.test")
    except ValueError as error:
        said = json.loads(
            line(
                {
                    "client": "192.0.2.7",
                    "mailbox": "Ann@agency.test",
                    "reply": "550 <ann@agency.test>: who?",
                    "ms": 1.5,
                },
                JsonForm(hide),
                error,
            )
        )
    mark = said["mailbox"]
    assert re.fullmatch("#[0-9a-f]{16}", mark)
    assert said["reply"] == f"550 <{mark}>: who?"
    assert mark in said["trouble"]
    assert said["client"] == hide("client", "192.0.2.7")
    assert said["ms"] == 1.5
    assert "agency.test" not in json.dumps(said)
    # Without the key nobody can try which address it is.
    assert hashing(b"another")("mailbox", "ann@agency.test") != mark


@pytest.mark.parametrize(
    "address", ['"ann smith"@agency.test', r'"a\"@b"@agency.test', "o'brien@agency.test", "ann@[192.0.2.1]"]
)
def test_an_address_is_hashed_whole_in_each_form_that_it_may_have(address: str) -> None:
    hide = hashing(b"key")
    assert hide("reply", f"550 <{address}>: who?") == f"550 <{hide('mailbox', address)}>: who?"
    assert hide("reply", f"550 '{address}': who?") == f"550 '{hide('mailbox', address)}': who?"
    assert re.fullmatch("#[0-9a-f]{16}", hide("mailbox", address))


def words_of(octets: bytes) -> set[str]:
    """Return the subject, and the longer words of the text, of a mail."""
    message = message_from_bytes(octets, policy=default)
    part = message.get_body(("plain", "html"))
    assert part is not None
    text = re.sub(r"<[^>]*>|https?:\S+|\S+@\S+", " ", part.get_content())
    return {str(message["Subject"]), *re.findall(r"[A-Za-z]{9,}", text)}


def test_no_line_of_a_whole_service_holds_a_subject_a_text_or_an_address(service: Service) -> None:
    service.mailbox(HR)
    service.mailbox(FULL, quota="1 kB", when_full="bounce")
    service.set("service", log_level="debug", log_format="json", log_addresses="hashed")
    service.start()
    rng, written_at = random.Random(5), datetime(2025, 2, 24, 14, 5, tzinfo=UTC)
    letters = [reply(person, HR, 9, rng, written_at) for person in staff(30, 5)]
    secret = mail(subject="Zebra crossing", bullets=2).replace(b"did thing", b"(TS//SI) met zebras")
    with smtplib.SMTP(*service.address) as client:
        for each in letters:
            client.sendmail(each.sender, [HR], each.octets)
        client.sendmail("ann@agency.test", [HR], secret)
        client.sendmail("ann@agency.test", [FULL], mail(octets=4000, subject="Zebra crossing"))
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            client.sendmail("ann@agency.test", ["zebra@agency.test"], mail())
        client.docmd("ZEBRA", "crossing")
    eventually(lambda: not rows(service, "SELECT id FROM message WHERE state = 'pending'"))
    eventually(lambda: len(service.outbox("ann@agency.test")) == 1)
    assert service.stop() == 0

    text = service.log.read_text()
    lines = [json.loads(each) for each in text.splitlines()]
    taken = [each for each in lines if each["event"] == "message_taken"]
    assert len(taken) == 32
    assert all({"id", "client", "octets", "mailboxes", "outcome", "ms"} <= set(each) for each in taken)
    read = [each for each in lines if each["event"] == "message_read"]
    assert len(read) == 31
    assert all({"id", "status", "bullets", "ms"} <= set(each) for each in read)
    assert {each["id"] for each in read} <= {each["id"] for each in taken}
    for told in ("zebra", "127.0.0.1:", "@agency", "@"):
        assert told not in text.lower().replace(f'"addresses": "127.0.0.1:{service.port}"', "")
    words = {word for each in letters for word in (*words_of(each.octets), *each.bullets)}
    assert len(words) > 100
    assert {word for word in words if word in text} == set()
