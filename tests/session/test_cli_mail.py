"""Stored mail, the queue and the outbox, as operators look at them and take a hand."""

from datetime import timedelta
from email import message_from_bytes, policy

import pytest

from smtpd_service.domain.outcomes import Bounced, Stored
from smtpd_service.identity import now
from storage import messages, notices
from storage.records import Mailbox, MessageId, NoticeId, NoticeState, Usage
from tests.session.office import NODE, Office
from tests.storage.stock import add_box, add_messages, box, message

MAIL = b"Subject: one\r\nMessage-ID: <1@x>\r\n\r\n- a\r\n"


def stored(office: Office, octets: bytes, *to: Mailbox) -> MessageId:
    outcome = office.receive(octets, *to).outcome
    assert isinstance(outcome, Stored)
    return MessageId(outcome.id)


def bounced(office: Office) -> NoticeId:
    """Let a mail bounce off a full mailbox and return the notice's id."""
    full = add_box(office.store, box("full@agency.test", octets=1_000, used=Usage(1, 1_000)))
    outcome = office.receive(MAIL, full).outcome
    assert isinstance(outcome, Bounced)
    return NoticeId(outcome.notice)


def test_messages_are_listed_newest_first_with_the_views_columns(office: Office) -> None:
    made = add_box(office.store, box())
    first, second = stored(office, MAIL, made), stored(office, MAIL + b"- b\r\n", made)

    rows = office.json("message", "list")

    assert [row["id"] for row in rows] == [second, first]
    assert {"mailbox", "received_at", "mail_from", "message_id", "octets", "state"} < set(rows[0])
    assert rows[0]["received_at"].endswith("Z")


def test_messages_are_found_by_mailbox_state_sender_and_time(each_office: Office) -> None:
    hr, it = add_box(each_office.store, box()), add_box(each_office.store, box("it@agency.test"))
    only = stored(each_office, MAIL, hr)
    stored(each_office, MAIL + b"- b\r\n", it)
    each_office.receive(MAIL + b"- c\r\n", it, mail_from="")

    def ids(*options: str) -> list[str]:
        return [row["id"] for row in each_office.json("message", "list", *options)]

    assert ids("--mailbox", "HR@agency.test") == [only]
    assert len(ids("--sender", "ANN@agency.test")) == 2
    assert len(ids("--sender", "<>")) == 1
    assert (len(ids("--state", "pending")), ids("--state", "parked")) == (3, [])
    assert (len(ids("--since", "2020-01-01")), ids("--since", "2999-01-01")) == (3, [])
    assert len(ids("--limit", "1")) == 1


def test_a_message_to_two_mailboxes_is_never_split_over_two_pages(each_office: Office) -> None:
    hr, it = add_box(each_office.store, box()), add_box(each_office.store, box("it@agency.test"))
    older, newer = stored(each_office, MAIL, hr, it), stored(each_office, MAIL + b"- b\r\n", hr, it)

    page = each_office.json("message", "list", "--limit", "1")
    rest = each_office.json("message", "list", "--limit", "1", "--after", page[-1]["id"])

    assert [row["id"] for row in page] == [newer, newer]
    assert [row["id"] for row in rest] == [older, older]


def test_raw_gives_the_octets_as_received(each_office: Office) -> None:
    octets = b"Subject: \xff\xfe raw\r\n\r\n\x80\x81 no line end"
    made = add_box(each_office.store, box())
    id_ = stored(each_office, octets, made)

    assert each_office.types("message", "show", id_, "--raw").octets == octets
    assert each_office.types("message", "show", id_.replace("-", "").upper(), "--raw").octets == octets


def test_damaged_octets_are_one_clear_line(each_office: Office) -> None:
    made = add_box(each_office.store, box())
    [id_] = add_messages(each_office.store, made, message(MAIL, encoding="zstd", raw=b"no frame"))

    said = each_office.types("message", "show", id_, "--raw", code=2).err

    assert f"message {id_} cannot be shown: stored octets are damaged" in said


def test_a_search_that_takes_too_long_says_how_to_ask_for_less(
    each_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(each_office, MAIL, add_box(each_office.store, box()))
    # It has passed before the first row comes.
    monkeypatch.setattr("storage.listing.TIME_LIMIT", 0.0)

    said = each_office.types("message", "list", "--sender", "ann@agency.test", code=2).err

    assert "took too long and was stopped; look at less, such as with --since" in said


def test_show_tells_envelope_trace_and_mailboxes(office: Office) -> None:
    made = add_box(office.store, box())
    trace = "Return-Path: <ann@agency.test>\r\nReceived: from client.test\r\n\tby mx.agency.test\r\n"
    [id_] = add_messages(office.store, made, message(MAIL, trace=trace))

    said = office.json("message", "show", id_)
    assert said["trace"] == trace
    assert said["mailboxes"] == [{"mailbox": made.address, "recipient": made.address, "released_at": None}]
    assert (said["client"], said["attempts"], said["submissions"]) == ("127.0.0.1", 0, [])
    assert "Received: from client.test\tby" not in office.types("message", "show", id_).out
    assert "Received: from client.test by mx.agency.test" in office.types("message", "show", id_).out


def test_what_a_sender_wrote_does_nothing_to_a_terminal(office: Office) -> None:
    made = add_box(office.store, box())
    [id_] = add_messages(office.store, made, message(MAIL, message_id="<\x1b[31m\u202ered>"))

    assert "\x1b" not in office.types("message", "show", id_).out
    assert "\u202e" not in office.types("query", "SELECT message_id FROM messages").out


@pytest.mark.parametrize("verb", [("message", "show"), ("queue", "show"), ("queue", "retry"), ("outbox", "show")])
def test_an_id_that_is_none_or_unknown_is_one_clear_line(office: Office, verb: tuple[str, ...]) -> None:
    assert "'12' is no id; ids look like" in office.types(*verb, "12", code=2).err
    assert f"no {'notice' if verb[0] == 'outbox' else 'message'} {NODE}" in office.types(*verb, NODE, code=2).err


def test_parked_mail_is_shown_with_its_reason_and_read_again_on_request(each_office: Office) -> None:
    made = add_box(each_office.store, box())
    parked, waiting = stored(each_office, MAIL, made), stored(each_office, MAIL + b"- b\r\n", made)
    with each_office.store.unit() as tx:
        messages.park(tx, parked, 3, "took too long")

    assert [row["id"] for row in each_office.json("queue", "list")] == [waiting, parked]
    [row] = each_office.json("queue", "list", "--state", "parked")
    assert row["parked_reason"] == "took too long"
    assert f"pulsebox queue retry {parked}" in each_office.types("queue", "show", parked).out
    assert each_office.json("queue", "retry", parked, "--reason", "new parser")["retried"] == 1
    assert each_office.json("queue", "list", "--state", "parked") == []


def test_a_retry_with_one_wrong_id_changes_nothing(office: Office) -> None:
    made = add_box(office.store, box())
    parked, waiting = stored(office, MAIL, made), stored(office, MAIL + b"- b\r\n", made)
    with office.store.unit() as tx:
        messages.park(tx, parked, 3, "took too long")

    assert "is pending; only parked mail is retried" in office.types("queue", "retry", parked, waiting, code=2).err
    assert office.json("queue", "list", "--state", "parked")[0]["id"] == parked
    assert "--all" in office.types("queue", "retry", code=2).err
    assert office.json("queue", "retry", "--all")["retried"] == 1


def test_read_mail_is_in_no_queue(office: Office) -> None:
    made = add_box(office.store, box())
    id_ = stored(office, MAIL, made)
    with office.store.unit() as tx:
        messages.settle_read(tx, [id_])

    assert "not in the queue" in office.types("queue", "show", id_, code=2).err
    assert "in no queue" in office.types("queue", "list", "--state", "read", code=2).err


def test_a_bounce_that_waits_can_be_looked_at_before_it_goes(office: Office) -> None:
    id_ = bounced(office)

    mail = message_from_bytes(office.types("outbox", "show", id_, "--raw").octets, policy=policy.default)

    assert mail["To"] == "ann@agency.test"
    assert mail.get_content_type() == "multipart/report"
    said = office.json("outbox", "show", id_)
    assert (said["state"], said["tries"]) == ("due", [])
    assert said["facts"]["failed"][0]["status"] == "5.2.2"
    assert office.json("bounce", "list", "--recipient", "ann@agency.test")[0]["id"] == id_


def test_a_bounce_that_went_is_shown_as_it_went(each_office: Office) -> None:
    id_ = bounced(each_office)
    with each_office.store.unit() as tx:
        notices.note_attempt(tx, id_, number=1, at=now(), result="Delivered", reply="250 OK")
        notices.settle(tx, id_, state=NoticeState.SENT, at=now(), attempts_made=1, reply="250 OK", octets=b"as sent")

    assert each_office.types("outbox", "show", id_, "--raw").octets == b"as sent"
    assert each_office.json("outbox", "show", id_)["tries"][0]["reply"] == "250 OK"
    assert "try 1" in each_office.types("outbox", "show", id_).out
    assert "is sent" in each_office.types("outbox", "retry", id_, code=2).err


def test_a_notice_is_dropped_with_a_reason_and_stays_on_record(each_office: Office) -> None:
    id_ = bounced(each_office)

    assert "--reason" in each_office.types("outbox", "drop", id_, code=2).err
    assert "--reason" in each_office.types("outbox", "drop", id_, "--reason", " ", code=2).err
    assert each_office.json("outbox", "drop", id_, "--reason", "forged sender")["dropped"] == 1
    assert each_office.json("outbox", "list", "--state", "dropped")[0]["id"] == id_
    [change] = each_office.json("query", "SELECT verb, subject, reason FROM changes")
    assert change == {"verb": "outbox drop", "subject": id_, "reason": "forged sender"}


def test_a_notice_under_way_is_not_dropped(each_office: Office) -> None:
    add_box(each_office.store, box())
    id_ = bounced(each_office)
    with each_office.store.unit() as tx:
        notices.claim(tx, NODE, now(), now() + timedelta(minutes=1), {"agency.test": 1})

    said = each_office.types("outbox", "drop", id_, "--reason", "forged sender", code=2).err
    assert f"notice {id_} is being sent at this moment; nothing was changed" in said
    assert each_office.json("outbox", "show", id_)["state"] == "due"
    assert each_office.json("query", "SELECT verb FROM changes") == []

    with each_office.store.unit() as tx:
        notices.renew(tx, NODE, [id_], now() - timedelta(seconds=1))
    assert each_office.json("outbox", "drop", id_, "--reason", "its courier died")["dropped"] == 1


def test_a_notice_given_up_is_tried_again_on_request(office: Office) -> None:
    id_ = bounced(office)
    with office.store.unit() as tx:
        notices.settle(tx, id_, state=NoticeState.GIVEN_UP, at=now(), attempts_made=9, reply="no", octets=b"x")

    assert office.json("outbox", "retry", id_, "--reason", "relay is back")["retried"] == 1
    assert office.json("outbox", "list", "--state", "due")[0]["id"] == id_
    assert office.json("outbox", "retry", "--all")["retried"] == 1


def test_a_preview_is_a_bounce_of_the_named_mailbox(office: Office) -> None:
    add_box(office.store, box(octets=60_000_000))

    mail = message_from_bytes(
        office.types("bounce", "preview", "--mailbox", "hr@agency.test").octets, policy=policy.default
    )
    assert mail.get_content_type() == "multipart/report"
    assert "hr@agency.test" in mail.as_string()
    assert "60000000 of 60000000 octets" in mail.as_string()
    assert "<html" in office.types("bounce", "preview", "--html", "--wording", "helpful").out
    assert set(office.json("bounce", "preview")) == {"mail", "text", "html"}
