"""Lines 31 to 41: what a DSN looks like, and to whom it goes (RFC 3464, RFC 6522). Each is provoked and read raw."""

import re
from email.utils import parsedate_to_datetime
from quopri import decodestring

import flufl.bounce
import pytest

from smtpd_service.identity import now
from tests.conformance.conftest import LONGEST_DOMAIN, LONGEST_LOCAL
from tests.conformance.report import Offer, Post
from tests.service import eventually, mail
from tests.session.dialogue import HR, rows

FULL, FULL_TOO, SMALL = "<full-bounce@agency.test>", "<full-too@agency.test>", "<small-bounce@agency.test>"
OVER_SMALL = mail(1_500)

# The envelope (RFC 3461 section 5.2, RFC 5321 section 4.5.5).


def test_line_31_a_dsn_goes_from_the_null_reverse_path_to_the_reverse_path(post: Post, sender: str) -> None:
    report = post.bounced(sender, FULL)
    assert (report.taken.sender, report.taken.recipients) == ("", (sender,))
    assert report.whole.get("To") == f"<{sender}>"


def test_line_31_no_header_field_of_the_original_moves_the_dsn_elsewhere(post: Post, sender: str) -> None:
    names = (
        "Reply-To",
        "From",
        "Sender",
        "Errors-To",
        "Return-Path",
        "Disposition-Notification-To",
        "Return-Receipt-To",
    )
    elsewhere = f"elsewhere.{sender}"
    contents = (f"{name}: <{elsewhere}>\r\n".encode() + mail(message_id=name) for name in names)
    post.bounced_each(sender, (Offer((FULL,), content=each) for each in contents))
    assert post.sent_to(elsewhere) == []


def test_line_31_a_reverse_path_of_any_form_and_length_is_written_to_as_it_was_given(post: Post, sender: str) -> None:
    forms = ('"ann lee"@agency.test', "ann@[192.0.2.1]", "a!b%c@agency.test", "ANN@Agency.TEST")
    addresses = (*forms, f"{LONGEST_LOCAL}@{LONGEST_DOMAIN}")
    for address in addresses:
        post.offer(address, FULL, content=mail(subject=f"{sender} to {address[:20]}"))
    said = [f"RCPT TO:<{address}>" for address in addresses]
    eventually(lambda: all(each in post.relay.said for each in said))


def test_line_31_a_source_route_of_the_reverse_path_is_left_out(post: Post, sender: str) -> None:
    post.offer(f"@relay.test,@other.test:{sender}", FULL)
    eventually(lambda: bool(post.sent_to(sender)))


# The outermost part, and those within (RFC 6522 section 3).


def test_line_32_the_outermost_part_is_a_multipart_report_of_delivery_status(post: Post, sender: str) -> None:
    report = post.bounced(sender, FULL)
    assert report.whole.content_type == "multipart/report"
    assert "report-type=delivery-status" in report.whole.get("Content-Type")
    assert report.whole.get("MIME-Version") == "1.0"


@pytest.mark.parametrize(
    ("ret", "third"), [("RET=FULL", "message/rfc822"), ("RET=HDRS", "text/rfc822-headers"), ("", "text/rfc822-headers")]
)
def test_line_33_the_parts_are_the_human_one_the_status_and_the_returned_in_this_order(
    post: Post, sender: str, ret: str, third: str
) -> None:
    report = post.bounced(sender, FULL, parameters=ret)
    assert [each.content_type for each in report.whole.parts] == [
        "multipart/alternative",
        "message/delivery-status",
        third,
    ]
    assert [each.content_type for each in report.readable.parts] == ["text/plain", "text/html"]


def test_line_33_only_the_header_returns_of_a_message_that_no_part_may_carry_whole(post: Post, sender: str) -> None:
    # RFC 2046 section 5.2.1: message/rfc822 takes no encoding, so that a line over 998 octets has no place in it.
    report = post.bounced(sender, FULL, parameters="RET=FULL", content=mail() + b"x" * 2_000 + b"\r\n")
    assert report.returned.content_type == "text/rfc822-headers"


def test_line_33_a_header_that_is_not_ascii_returns_encoded(post: Post, sender: str) -> None:
    content = b"X-Raw: \xe4\xff\r\n" + mail(message_id=f"of.{sender}")
    returned = post.bounced(sender, FULL, content=content).returned
    assert (returned.content_type, returned.get("Content-Transfer-Encoding")) == (
        "text/rfc822-headers",
        "quoted-printable",
    )
    assert b"X-Raw: =E4=FF\r\n" in returned.body
    assert returned.body.isascii()


def test_line_33_a_header_line_that_is_too_long_for_a_part_returns_encoded(post: Post, sender: str) -> None:
    # The reader of these reports fails at any line over 998 octets.
    content = (
        f"X-Long: {'x' * 5_000}\r\nSubject: {'y' * 5_000}\r\nMessage-ID: <{'z' * 2_000}@a.test>\r\n".encode() + mail()
    )
    returned = post.bounced(sender, FULL, parameters="RET=FULL", content=content).returned
    assert returned.get("Content-Transfer-Encoding") == "quoted-printable"
    assert decodestring(returned.body).startswith(f"X-Long: {'x' * 5_000}\r\n".encode())


# The status part (RFC 3464 section 2).


def test_line_34_the_status_part_is_in_7_bits_and_its_groups_are_parted_by_one_blank_line(
    post: Post, sender: str
) -> None:
    recipients = (FULL, f"{FULL} ORCPT=utf-8;jos\\x{{E9}}@agency.test", f"{FULL} ORCPT=rfc822;a+FFb", SMALL)
    for report in post.bounced_each(sender, (Offer((each, FULL_TOO), content=OVER_SMALL) for each in recipients)):
        assert report.status.get("Content-Transfer-Encoding") == "7bit"
        assert report.status.body.isascii()
        assert report.status.body.count(b"\r\n\r\n") == 2
        assert not report.status.body.startswith(b"\r\n")
        assert len(report.of_the_recipients) == 2


def test_line_35_the_reporting_mta_is_our_name_and_the_arrival_date_is_when_it_came(post: Post, sender: str) -> None:
    before = now().replace(microsecond=0)
    group = post.bounced(sender, FULL).of_the_message
    assert group["Reporting-MTA"] == "dns; mx.agency.test"
    assert before <= parsedate_to_datetime(group["Arrival-Date"]) <= now()
    assert re.fullmatch(r"\w{3}, \d{2} \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", group["Arrival-Date"])


def test_line_36_original_recipient_stands_there_only_where_orcpt_was_given(post: Post, sender: str) -> None:
    table = {"": False, "NOTIFY=FAILURE": False, "ORCPT=rfc822;a@b.c": True}
    reports = post.bounced_each(sender, (Offer((f"{FULL} {parameter}",)) for parameter in table))
    assert ["Original-Recipient" in report.of_the_recipients[0] for report in reports] == list(table.values())


def test_line_36_each_recipient_has_its_own(post: Post, sender: str) -> None:
    report = post.bounced(sender, f"{FULL} ORCPT=rfc822;first@here.test", FULL_TOO, content=OVER_SMALL)
    assert [each.get("Original-Recipient") for each in report.of_the_recipients] == ["rfc822; first@here.test", None]


def test_line_37_each_group_has_final_recipient_action_and_status(post: Post, sender: str) -> None:
    report = post.bounced(sender, FULL, FULL_TOO, SMALL, content=OVER_SMALL)
    assert [(each["Final-Recipient"], each["Action"], each["Status"]) for each in report.of_the_recipients] == [
        ("rfc822; full-bounce@agency.test", "failed", "5.2.2"),
        ("rfc822; full-too@agency.test", "failed", "5.2.2"),
        ("rfc822; small-bounce@agency.test", "failed", "5.2.3"),
    ]


def test_line_37_the_final_recipient_is_the_address_of_rcpt_in_its_case(post: Post, sender: str) -> None:
    [group] = post.bounced(sender, "<Full-Bounce@AGENCY.test>").of_the_recipients
    assert group["Final-Recipient"] == "rfc822; Full-Bounce@AGENCY.test"


@pytest.mark.parametrize("recipient", [FULL, SMALL])
def test_line_38_what_failed_has_a_status_of_class_5(post: Post, sender: str, recipient: str) -> None:
    [group] = post.bounced(sender, recipient, content=OVER_SMALL).of_the_recipients
    assert group["Action"] == "failed"
    assert re.fullmatch(r"5\.\d{1,3}\.\d{1,3}", group["Status"])


def test_line_39_a_bounce_of_ours_says_x_pulsebox_and_names_no_remote_mta(post: Post, sender: str) -> None:
    [group] = post.bounced(sender, FULL).of_the_recipients
    assert group["Diagnostic-Code"].startswith("x-pulsebox; 552 5.2.2 mailbox full")
    assert "Remote-MTA" not in group


def test_line_39_other_readers_take_it_for_a_permanent_failure_of_that_address(post: Post, sender: str) -> None:
    report = post.bounced(sender, FULL, FULL_TOO)
    temporary, permanent = flufl.bounce.all_failures(report.message)
    assert not temporary
    assert set(permanent) == {b"full-bounce@agency.test", b"full-too@agency.test"}


@pytest.mark.parametrize("parameter", ["", "NOTIFY=FAILURE,DELAY"])
def test_line_40_what_failed_has_no_time_until_which_it_is_tried_again(post: Post, sender: str, parameter: str) -> None:
    report = post.bounced(sender, f"{FULL} {parameter}")
    assert b"will-retry-until" not in report.octets.lower()


def test_line_41_each_failed_recipient_has_one_group_and_the_others_have_none(post: Post, sender: str) -> None:
    table = {
        (FULL,): ["full-bounce"],
        (FULL, f"<{HR}>"): ["full-bounce"],
        (f"<{HR}>", FULL, "<box1@agency.test>", FULL_TOO): ["full-bounce", "full-too"],
        (FULL, "<nobody@agency.test>", "<full-reject@agency.test>"): ["full-bounce"],
        (FULL_TOO, "<full-alias@agency.test>"): ["full-too", "full-alias"],
        (FULL, FULL, "<FULL-BOUNCE@agency.test>", '<"full-bounce"@agency.test>'): ["full-bounce"],
    }
    reports = post.bounced_each(sender, (Offer(recipients) for recipients in table))
    for report, named in zip(reports, table.values(), strict=True):
        found = [each["Final-Recipient"] for each in report.of_the_recipients]
        assert found == [f"rfc822; {name}@agency.test" for name in named]


# Once, and never in answer to each other (RFC 3461 section 5.2.8, RFC 5321 section 4.5.5).


def test_line_42_the_same_message_sent_again_gets_no_second_dsn(post: Post, sender: str) -> None:
    post.bounced(sender, FULL)
    for _ in range(3):
        _, reply = post.offer(sender, FULL)
        assert reply.startswith("250 2.6.0 Received before")
    assert len(rows(post.service, "SELECT id FROM notice WHERE recipient = :a", a=sender)) == 1


def test_line_42_the_same_message_sent_again_gets_a_dsn_for_a_further_recipient_only(post: Post, sender: str) -> None:
    post.bounced(sender, FULL)
    post.offer(sender, FULL, FULL_TOO)
    _, again = post.reports_to(sender, count=2)
    assert [each["Final-Recipient"] for each in again.of_the_recipients] == ["rfc822; full-too@agency.test"]


def test_line_42_another_message_of_the_same_sender_gets_its_own(post: Post, sender: str) -> None:
    post.bounced(sender, FULL)
    post.offer(sender, FULL, content=mail(subject="another"))
    assert len(post.reports_to(sender, count=2)) == 2


def test_line_43_a_dsn_that_its_recipient_refuses_is_dropped_and_recorded(post: Post, sender: str) -> None:
    count, refused = "SELECT count(*) AS n FROM notice", "550 5.1.1 unknown"
    state = "SELECT state, last_reply FROM notice WHERE recipient = :a"
    tries = "SELECT a.result, a.reply FROM notice_attempt a JOIN notice n ON n.id = a.notice WHERE n.recipient = :a"
    before = rows(post.service, count)[0]["n"]
    with post.refusing(sender, refused):
        post.offer(sender, FULL)
        eventually(lambda: rows(post.service, state, a=sender)[0]["state"] != "due")

    assert rows(post.service, state, a=sender) == [{"state": "given_up", "last_reply": refused}]
    assert rows(post.service, tries, a=sender) == [{"result": "GivenUp", "reply": refused}]
    assert rows(post.service, count)[0]["n"] == before + 1


def test_line_43_a_dsn_of_another_server_to_a_full_mailbox_gets_none(post: Post) -> None:
    before = rows(post.service, "SELECT count(*) AS n FROM notice")
    content = (
        b"Auto-Submitted: auto-replied\r\nContent-Type: multipart/report; report-type=delivery-status\r\n" + mail()
    )
    [rcpt], _ = post.offer("", FULL, content=content)
    assert rcpt.startswith("552 5.2.2")
    assert rows(post.service, "SELECT count(*) AS n FROM notice") == before
