"""Lines 4 and 23 to 30: what a sender may ask about notices, and what comes of it (RFC 3461)."""

import pytest

from tests.conformance.client import Client
from tests.conformance.report import Offer, Post
from tests.service import mail
from tests.session.dialogue import HR, MAIL, RCPT, rows

FULL, FULL_TOO, SMALL = "<full-bounce@agency.test>", "<full-too@agency.test>", "<small-bounce@agency.test>"


def notices(post: Post, sender: str) -> list[dict[str, object]]:
    return rows(post.service, "SELECT kind, state FROM notice WHERE recipient = :a", a=sender)


# The null reverse-path (RFC 5321 section 4.5.5).


@pytest.mark.parametrize("recipient", [f"<{HR}>", "<büro@agency.test>"])
def test_line_04_the_null_reverse_path_is_taken_and_its_mail_stored(client: Client, recipient: str) -> None:
    client.converse(("MAIL FROM:<> SMTPUTF8", "250 2.1.0"), (f"RCPT TO:{recipient}", "250 2.1.5"))
    assert client.data(mail(subject="from nobody")).startswith("250 2.6.0")


def test_line_04_mail_from_the_null_reverse_path_to_nobody_we_know_is_550(client: Client) -> None:
    client.converse(("MAIL FROM:<>", "250"), ("RCPT TO:<nobody@agency.test>", "550 5.1.1"), ("DATA", "554 5.5.1"))


@pytest.mark.parametrize(
    ("recipient", "replies"),
    [
        *((FULL, "552"), ("<full-reject@agency.test>", "552"), ("<full-defer@agency.test>", "552")),
        *((f"{FULL} NOTIFY=FAILURE", "552"), (f"{FULL} NOTIFY=SUCCESS,FAILURE,DELAY", "552")),
        *((SMALL, "250 552"), ("<small-reject@agency.test>", "250 552"), ("<small-defer@agency.test>", "250 552")),
        (f"{SMALL} NOTIFY=FAILURE", "250 552"),
    ],
)
def test_line_04_what_cannot_be_stored_of_it_is_refused_in_the_session_and_never_answered_with_a_notice(
    post: Post, recipient: str, replies: str
) -> None:
    before = rows(post.service, "SELECT count(*) AS n FROM notice")
    content = mail(1_500, subject=f"{recipient} from nobody")
    [rcpt], data = post.offer("", recipient, content=content)

    assert " ".join(each[:3] for each in (rcpt, data) if not each.startswith("554")) == replies
    assert rows(post.service, "SELECT count(*) AS n FROM notice") == before


# NOTIFY (section 4.1).


@pytest.mark.parametrize(
    "value", ["never", "NEVER", "Success", "success,FAILURE", "Success,Failure,Delay", "DELAY,SUCCESS", "failure"]
)
def test_line_23_notify_is_taken_in_any_case(client: Client, value: str) -> None:
    client.converse((MAIL, "250"), (f"{RCPT} NOTIFY={value}", "250 2.1.5"), (f"{RCPT} notify={value}", "250 2.1.5"))


@pytest.mark.parametrize(
    "parameter",
    [
        *("NOTIFY", "NOTIFY=", "NOTIFY=ALWAYS", "NOTIFY=FAILURE,", "NOTIFY=,FAILURE", "NOTIFY=FAILURE;DELAY"),
        *("NOTIFY=NEVER,FAILURE", "NOTIFY=FAILURE,NEVER", "NOTIFY=NEVER,NEVER", "NOTIFY=FAILURE,,DELAY"),
        *("NOTIFY=FAILURE NOTIFY=DELAY", "NOTIFY=NEVER notify=NEVER", "ORCPT=rfc822;a@b orcpt=rfc822;a@b"),
        *("NOTIFY=\u017fUCCESS", "NOTIFY=FA\u0131LURE"),
    ],
)
def test_line_23_a_wrong_notify_or_a_parameter_given_twice_is_501_and_adds_no_recipient(
    client: Client, parameter: str
) -> None:
    client.converse((MAIL, "250"), (f"{RCPT} {parameter}", "501 5.5.4"), ("DATA", "503 5.5.1"))


@pytest.mark.parametrize("parameters", ["RET=FULL RET=HDRS", "RET=FULL ret=FULL", "ENVID=a ENVID=a", "RET=FULL,HDRS"])
def test_line_23_ret_and_envid_are_given_once(client: Client, parameters: str) -> None:
    client.converse((f"{MAIL} {parameters}", "501 5.5.4"), (RCPT, "503 5.5.1"))


def test_line_24_a_failure_is_told_where_notify_is_missing_or_names_it(post: Post, sender: str) -> None:
    parameters = ("", "NOTIFY=FAILURE", "NOTIFY=SUCCESS,FAILURE", "notify=delay,failure")
    for report in post.bounced_each(sender, (Offer((f"{FULL} {each}",)) for each in parameters)):
        assert [each["Action"] for each in report.of_the_recipients] == ["failed"]


@pytest.mark.parametrize("parameter", ["NOTIFY=NEVER", "notify=never", "NOTIFY=SUCCESS", "NOTIFY=DELAY,SUCCESS"])
@pytest.mark.parametrize(("recipient", "stage"), [(FULL, "rcpt"), (SMALL, "data")])
def test_line_25_never_and_any_notify_without_failure_gets_552_in_the_session_and_no_dsn(
    post: Post, sender: str, *, parameter: str, recipient: str, stage: str
) -> None:
    [rcpt], data = post.offer(sender, f"{recipient} {parameter}", content=mail(1_500))
    assert (rcpt if stage == "rcpt" else data).startswith("552 5.2.")
    assert notices(post, sender) == []


@pytest.mark.parametrize("order", [1, -1])
def test_line_25_who_asked_for_none_is_not_named_in_the_dsn_that_another_recipient_gets(
    post: Post, sender: str, order: int
) -> None:
    # Names of one mailbox: the first would have been refused at RCPT, where it is not in `bounce`.
    recipients = (f"{FULL_TOO} NOTIFY=NEVER ORCPT=rfc822;never@here.test", "<full-alias@agency.test> NOTIFY=FAILURE")
    report = post.bounced(sender, *recipients[::order])
    assert [each["Final-Recipient"] for each in report.of_the_recipients] == ["rfc822; full-alias@agency.test"]
    assert b"never@here.test" not in report.octets


# RET (section 4.3).


def test_line_27_ret_says_whether_the_whole_message_or_its_header_returns(post: Post, sender: str) -> None:
    table = {"RET=FULL": "whole", "ret=full": "whole", "RET=HDRS": "header", "Ret=Hdrs": "header", "": "header"}
    content = mail(message_id=f"of.{sender}", subject="What returns")
    header = content.partition(b"\r\n\r\n")[0] + b"\r\n"
    reports = post.bounced_each(sender, (Offer((FULL,), each, content) for each in table))

    for report, what in zip(reports, table.values(), strict=True):
        found = (report.returned.content_type, report.returned.body)
        assert found == (("message/rfc822", content) if what == "whole" else ("text/rfc822-headers", header))


@pytest.mark.parametrize("value", ["", "ALL", "FULL,", "HEADERS", "\u017full"])
def test_line_27_any_other_ret_is_501(client: Client, value: str) -> None:
    client.converse((f"{MAIL} RET={value}", "501 5.5.4"))


# ENVID (section 4.4).


@pytest.mark.parametrize(
    ("xtext", "reply"),
    [
        *(
            ("e" * 100, "250 2.1.0"),
            ("e" * 101, "501 5.5.4"),
            ("+41" * 33 + "e", "250 2.1.0"),
            ("+41" * 34, "501 5.5.4"),
        ),
        *(("", "501 5.5.4"), ("a+b", "501 5.5.4"), ("a+", "501"), ("a+2", "501"), ("a+2b", "501"), ("a=b", "501")),
        *(("stra\u00dfe", "501 5.5.4"), ("<>@,;:.[]\\\"'!#$%&*/?^_`{|}~-", "250 2.1.0"), ("+2B+3D", "250 2.1.0")),
    ],
)
def test_line_28_envid_is_xtext_of_up_to_100_characters(client: Client, xtext: str, reply: str) -> None:
    client.converse((f"{MAIL} ENVID={xtext}", reply))


def test_line_28_envid_is_echoed_decoded_in_its_case(post: Post, sender: str) -> None:
    table = {"QQ314159": "QQ314159", "aBc+2Bd+3De": "aBc+d=e", "two+20words": "two words", "e" * 100: "e" * 100}
    reports = post.bounced_each(sender, (Offer((FULL,), f"ENVID={xtext}") for xtext in table))
    assert [report.of_the_message["Original-Envelope-Id"] for report in reports] == list(table.values())


def test_line_28_without_envid_none_is_echoed(post: Post, sender: str) -> None:
    assert "Original-Envelope-Id" not in post.bounced(sender, FULL).of_the_message


# ORCPT (section 4.2).


@pytest.mark.parametrize(
    ("value", "reply"),
    [
        *(("rfc822;" + "o" * 493, "250 2.1.5"), ("rfc822;" + "o" * 494, "501 5.5.4")),
        *(("rfc822;no-address-at-all", "250"), ("RFC822;A+2BB@C.test", "250"), ("x400;/C+3DUS/O+3Dagency", "250")),
        *(("x-own_type;anything", "250"), ('unknown;\\"<>,;:()[]', "250"), ("utf-8;jos\\x{E9}@agency.test", "250")),
        *(("rfc822", "501"), ("rfc822;", "501"), (";a@b.test", "501"), ("", "501"), ("rfc822;a+b@c", "501")),
        *(("rfc822;a=b", "501"), ("rfc822;a+2b", "501"), ("rfc822;a+2", "501"), ("rfc 822;a", "501")),
    ],
)
def test_line_29_orcpt_is_a_type_and_xtext_of_up_to_500_characters_whatever_the_address(
    client: Client, value: str, reply: str
) -> None:
    client.converse((MAIL, "250"), (f"{RCPT} ORCPT={value}", reply))


def test_line_29_orcpt_returns_decoded_with_its_type_and_in_its_case(post: Post, sender: str) -> None:
    table = {
        "rfc822;Full.Name@Agency.Test": "rfc822; Full.Name@Agency.Test",
        "RFC822;a@b": "RFC822; a@b",
        "rfc822;not-an-address": "rfc822; not-an-address",
        "x400;/C+3DUS/S+3DLee": "x400; /C=US/S=Lee",
        "x-own_type;Any+20Thing": "x-own_type; Any Thing",
        "rfc822;" + "o" * 493: "rfc822; " + "o" * 493,
    }
    reports = post.bounced_each(sender, (Offer((f"{FULL} ORCPT={given}",)) for given in table))
    assert [each["Original-Recipient"] for report in reports for each in report.of_the_recipients] == [*table.values()]


def test_line_30_plus_and_equals_survive_the_round_trip(post: Post, sender: str) -> None:
    given = ("ann+tag@agency.test", "a=b@agency.test", "+=+@agency.test", "a+2Bb@agency.test", "ann+3D@agency.test")
    xtexts = [each.replace("+", "+2B").replace("=", "+3D") for each in given]
    reports = post.bounced_each(sender, (Offer((f"{FULL} ORCPT=rfc822;{each}",), f"ENVID={each}") for each in xtexts))
    for report, address in zip(reports, given, strict=True):
        assert report.of_the_recipients[0]["Original-Recipient"] == f"rfc822; {address}"
        assert report.of_the_message["Original-Envelope-Id"] == address


def test_line_30_plus_and_equals_in_the_reverse_path_are_left_alone(post: Post, sender: str) -> None:
    report = post.bounced(f"a+b=c+{sender}", FULL)
    assert report.taken.recipients == (f"a+b=c+{sender}",)
