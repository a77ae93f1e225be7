"""What operators see of what waits, and what they can do about it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from smtpd_service.identity import now
from storage.records import Mailbox
from tests.nameserver import Nameserver
from tests.posting import bounce, carrier, deliver, direct, owe, smarthost
from tests.relay import relay
from tests.session.office import Office, office_in
from tests.storage.stock import add_box, box


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_in(tmp_path) as made:
        yield made


@pytest.fixture
def hr(office: Office) -> Mailbox:
    return add_box(office.store, box())


def test_a_list_shows_where_a_notice_goes_and_when_it_is_tried_next(office: Office, hr: Mailbox) -> None:
    owe(office.store, bounce(hr, "ann@Far.test"), bounce(hr, "bob@near.test"))
    with relay(recipients={"bob@near.test": "450 4.2.1 later"}) as server:
        deliver(office.store, carrier(smarthost(server)))

    bob, ann = office.json("outbox", "list")
    assert (ann["destination"], ann["state"], ann["next_at"]) == ("far.test", "sent", None)
    assert (bob["destination"], bob["state"], bob["last_reply"]) == ("near.test", "due", "450 4.2.1 later")
    assert bob["next_at"] > ann["settled_at"]
    assert [each["id"] for each in office.json("outbox", "list", "--destination", "FAR.test")] == [ann["id"]]
    assert "next try" in office.types("outbox", "show", bob["id"]).out
    [tried] = office.json("outbox", "show", bob["id"])["tries"]
    assert (tried["number"], tried["result"], tried["reply"]) == (1, "TryLater", "450 4.2.1 later")


def test_a_server_that_does_not_answer_is_named_with_its_next_look(office: Office, hr: Mailbox) -> None:
    owe(office.store, *(bounce(hr, f"a{number}@far.test") for number in range(9)))
    with relay(greeting="421 4.3.2 busy") as server:
        deliver(office.store, carrier(smarthost(server)))
        hop = f"127.0.0.1:{server.port}"

    said = office.types("outbox", "list").out
    assert f"{hop} does not answer since " in said
    assert "; next look " in said
    [outage] = office.json("outbox", "outages")
    assert (outage["hop"], outage["reply"]) == (hop, f"421 4.3.2 busy ({hop})")
    assert hop in office.types("outbox", "outages").out
    # Asked for a retry, the courier looks now.
    office.types("outbox", "retry", "--all", "--reason", "relay mended")
    [outage] = office.json("outbox", "outages")
    assert outage["look_at"] <= f"{now() + timedelta(seconds=1):%Y-%m-%dT%H:%M:%S}"
    assert "every server answers" not in office.types("outbox", "outages").out


def test_without_trouble_every_server_answers(office: Office) -> None:
    assert office.types("outbox", "outages").out == "every server answers\n"
    assert office.json("outbox", "outages") == []


def test_a_bounce_that_cannot_be_delivered_is_given_up_and_never_answered(office: Office, hr: Mailbox) -> None:
    """The double-bounce rule: it is on record, and no notice is owed about it."""
    owe(office.store, bounce(hr, "gone@far.test"), bounce(hr, "ann@null.test"))
    with Nameserver() as dns, relay(recipients={"gone@far.test": "550 5.1.1 unknown"}) as server:
        dns.add("far.test", "A", "127.0.0.1")
        dns.add("null.test", "MX", "0 .")
        deliver(office.store, carrier(direct(dns, server.port)))
        assert server.taken == []

    given_up = office.json("outbox", "list", "--state", "given_up")
    assert {each["recipient"]: each["last_reply"].split()[:2] for each in given_up} == {
        "gone@far.test": ["550", "5.1.1"],
        "ann@null.test": ["5.1.10", "The"],
    }
    assert len(office.json("outbox", "list")) == 2
    assert "try 1" in office.types("outbox", "show", given_up[0]["id"]).out
    # What never got as far as to be written can be looked at all the same.
    assert b"multipart/report" in office.types("outbox", "show", given_up[0]["id"], "--raw").octets
