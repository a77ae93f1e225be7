"""Lines 44 to 46: what of the original's octets a DSN repeats, and what it does not let them do."""

from collections.abc import Iterator
from email import message_from_bytes
from email.header import decode_header, make_header

import pytest

from tests.conformance.conftest import boxes
from tests.conformance.report import Offer, Post, Report
from tests.conformance.stage import staged
from tests.relay import relay
from tests.service import eventually, mail
from tests.session.dialogue import rows

FULL, VOLL = "<full-bounce@agency.test>", "<büro.voll@agency.test>"
CAP = 50_000

# Every field of the DSN and of its three parts, in order; those of the thread only where the original names one.
OURS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Auto-Submitted",
    "Content-Language",
    "Content-Type",
]
THREAD = ["In-Reply-To", "References"]
MESSAGE_GROUP = ["Original-Envelope-Id", "Reporting-MTA", "Received-From-MTA", "Arrival-Date"]
RECIPIENT_GROUP = ["Original-Recipient", "Final-Recipient", "Action", "Status", "Diagnostic-Code"]


def assert_names_are_ours(report: Report) -> None:
    """Fail where a field is not one of ours, as our own reader and as Python's parser find them."""
    top = [name for name in report.whole.names if name not in THREAD]
    assert top == OURS
    assert message_from_bytes(report.octets).keys() == report.whole.names
    assert list(report.of_the_message) == [name for name in MESSAGE_GROUP if name in report.of_the_message]
    for group in report.of_the_recipients:
        assert list(group) == [name for name in RECIPIENT_GROUP if name in group]


# CR LF, an encoded word, and what Python or Unicode takes for the end of a line.
ENDS = ["=?utf-8?Q?a=0D=0ABcc:_b@evil.test?=", "=?utf-8?B?YQ0KQmNjOiBiQGV2aWwudGVzdA==?=", "=?utf-8?Q?a=0ABcc:_b@c?="]


def test_line_44_a_subject_cannot_add_a_field(post: Post, sender: str) -> None:
    texts = [*ENDS, *(f"a{each}Bcc: b@c" for each in ("\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\x7f", "\x1b"))]
    contents = (f"Subject: {each}\r\nTo: {each}\r\nFrom: {each}\r\n\r\nhi\r\n".encode() for each in texts)
    for report in post.bounced_each(sender, (Offer((FULL,), content=each) for each in contents)):
        assert_names_are_ours(report)
        subject = str(make_header(decode_header(report.whole.get("Subject"))))
        assert not any(ord(character) < 32 or character in "\x7f\x85\u2028" for character in subject)


def test_line_44_envid_and_orcpt_cannot_add_a_field_or_a_group(post: Post, sender: str) -> None:
    ends = ("+0D+0A", "+0A", "+0D", "+00", "+0B", "+C2+85", "+E2+80+A8")
    evil = [f"x{end}Bcc:+20b@evil.test{end}{end}Final-Recipient:+20rfc822;+20ann@agency.test" for end in ends]
    offers = (Offer((f"{FULL} ORCPT=rfc822;{each}",), f"ENVID={each[:97].rpartition('+')[0]}") for each in evil)
    for report in post.bounced_each(sender, offers):
        assert_names_are_ours(report)
        assert [each["Final-Recipient"] for each in report.of_the_recipients] == ["rfc822; full-bounce@agency.test"]


def test_line_44_the_name_in_ehlo_cannot_add_a_field(post: Post, sender: str) -> None:
    names = ("a;b", "a)b(", "[x]:", "=?utf-8?Q?=0D=0ABcc:_x?=", "x" * 255)
    for report in post.bounced_each(sender, (Offer((FULL,), hello=each) for each in names)):
        assert_names_are_ours(report)


def test_line_44_message_id_and_references_cannot_add_a_field(post: Post, sender: str) -> None:
    threads = ("<a@b>\r\n\t<c@d>", "<a@b> Bcc: <c@d>", "<a@b>\r\n <c\x0b@d>", "=?utf-8?Q?=0D=0ABcc:x?=")
    contents = (f"Message-ID: <{sender}>\r\nReferences: {each}\r\n\r\nhi\r\n".encode() for each in threads)
    for report in post.bounced_each(sender, (Offer((FULL,), content=each) for each in contents)):
        assert_names_are_ours(report)


@pytest.mark.parametrize("ret", ["FULL", "HDRS"])
def test_line_44_a_boundary_in_the_original_ends_no_part_of_ours(post: Post, sender: str, ret: str) -> None:
    first = post.bounced(sender, FULL, parameters=f"RET={ret}")
    mark = f"--{first.whole.boundary}--\r\n--{first.readable.boundary}--\r\n".encode()
    report = post.bounced(f"again.{sender}", FULL, parameters=f"RET={ret}", content=b"Subject: x\r\n\r\n" + mark * 2)
    assert_names_are_ours(report)


# How much returns (RFC 3461 section 4.3 leaves a limit to us).


@pytest.mark.parametrize(
    ("octets", "content_type"),
    [(CAP, "message/rfc822"), (CAP + 1, "text/rfc822-headers"), (CAP * 10, "text/rfc822-headers")],
)
def test_line_45_a_message_of_50_kb_returns_whole_and_of_a_larger_one_only_the_header(
    post: Post, sender: str, octets: int, content_type: str
) -> None:
    content = mail(octets)
    report = post.bounced(sender, FULL, parameters="RET=FULL", content=content)
    assert report.returned.content_type == content_type
    assert content.startswith(report.returned.body)
    assert len(report.returned.body) <= CAP


def test_line_45_a_header_over_the_cap_is_cut_at_the_end_of_a_line(post: Post, sender: str) -> None:
    content = b"".join(b"X-Number-%05d: %s\r\n" % (number, b"x" * 80) for number in range(1_500)) + b"\r\nbody\r\n"
    returned = post.bounced(sender, FULL, parameters="RET=FULL", content=content).returned
    assert CAP - 200 < len(returned.body) <= CAP
    assert content.startswith(returned.body)
    assert returned.body.endswith(b"\r\n")


# Addresses in UTF-8 (RFC 6533).

UTF8 = "Subject: Grüße\r\n\r\nÄ\r\n".encode()


@pytest.mark.parametrize(
    ("parameters", "third"), [("RET=FULL", "message/global"), ("RET=HDRS", "message/global-headers")]
)
def test_line_46_an_smtputf8_original_gets_the_types_and_addresses_of_rfc_6533(
    post: Post, sender: str, parameters: str, third: str
) -> None:
    reverse_path = f"jürgen.{sender}"
    report = post.bounced(reverse_path, VOLL, parameters=f"SMTPUTF8 {parameters}", content=UTF8)
    assert "SMTPUTF8" in report.taken.parameters
    assert [each.content_type for each in report.whole.parts][1:] == ["message/global-delivery-status", third]
    assert report.of_the_recipients[0]["Final-Recipient"] == "utf-8; büro.voll@agency.test"
    assert report.whole.get("To") == f"<{reverse_path}>"


def test_line_46_an_smtputf8_original_that_is_all_ascii_gets_the_plain_types(post: Post, sender: str) -> None:
    report = post.bounced(sender, FULL, parameters="SMTPUTF8 RET=FULL")
    assert [each.content_type for each in report.whole.parts][1:] == ["message/delivery-status", "message/rfc822"]
    assert "SMTPUTF8" not in report.taken.parameters


@pytest.fixture(scope="module")
def ascii_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    """A service whose relay takes no SMTPUTF8."""
    with relay(extensions=("PIPELINING", "8BITMIME")) as server:
        outbound = {"outbound": {"smarthost": server.smarthost}}
        with staged(tmp_path_factory.mktemp("ascii-only"), *boxes(), sections=outbound) as service:
            yield Post(service, server)


def test_line_46_a_next_hop_without_smtputf8_gets_the_dsn_in_ascii(ascii_only: Post, sender: str) -> None:
    report = ascii_only.bounced(sender, VOLL, parameters="SMTPUTF8 RET=FULL", content=UTF8)
    assert report.taken.parameters == ()
    assert report.octets.isascii()
    assert report.returned.get("Content-Transfer-Encoding") == "quoted-printable"
    assert report.status.content_type == "message/delivery-status"
    # RFC 6533 section 3: utf-8-addr-xtext, where the way takes no UTF-8.
    assert report.of_the_recipients[0]["Final-Recipient"] == "utf-8; b\\x{FC}ro.voll@agency.test"
    assert report.returned.content_type == "text/rfc822-headers"


def test_line_46_a_reverse_path_in_utf8_is_given_up_where_the_next_hop_takes_no_smtputf8(
    ascii_only: Post, sender: str
) -> None:
    reverse_path = f"jürgen.{sender}"
    _, reply = ascii_only.offer(reverse_path, VOLL, parameters="SMTPUTF8", content=UTF8)
    assert reply.startswith("250 2.0.0")
    state = "SELECT state, last_reply FROM notice WHERE recipient = :a"
    eventually(lambda: rows(ascii_only.service, state, a=reverse_path)[0]["state"] == "given_up")
    # RFC 6531 section 3.5: no UTF-8 for who does not offer to take it.
    assert rows(ascii_only.service, state, a=reverse_path)[0]["last_reply"].startswith("5.6.7 ")
    assert all(each.isascii() for each in ascii_only.relay.said)
