"""Lines 50 and 51: what the codes say. All dialogues of these tests are held to line 50."""

import re
from collections.abc import Iterator

import pytest

from smtpd_service.domain.replies import REPLIES, Reply, Session
from tests.conformance.client import Client, assert_form, session
from tests.conformance.stage import staged
from tests.service import Service, eventually, mail
from tests.session.dialogue import MAIL, RCPT

# In this order they meet nearly every reply that a command can get.
EVERYTHING = (
    *("NOOP", "VRFY hr", "VRFY", "EXPN all", "HELP", "RSET", "RSET now", "FOO", "", "DATA", RCPT, "MAIL", "STARTTLS"),
    *(MAIL, MAIL, "RCPT TO:<nobody@agency.test>", "DATA", "RCPT TO:<>", "RCPT TO", f"{RCPT} FOO=1", f"{RCPT} NOTIFY=X"),
    *("RSET", f"{MAIL} SIZE=1000001", f"{MAIL} FOO=1", f"{MAIL} SIZE=x", "MAIL FROM:<ä@b.test>", "NOOP " + "x" * 600),
    *(MAIL, "RCPT TO:<full-reject@agency.test>", "RCPT TO:<full-defer@agency.test>", "DATA now", "EHLO client.test"),
    *(MAIL, RCPT, "QUIT now"),
)


@pytest.mark.parametrize("part", range(3))
def test_line_50_every_reply_to_a_command_carries_a_code_of_its_own_class(house: Service, part: int) -> None:
    # In parts, since a session ends after too many errors. The client fails at the first reply without a code.
    with session(house) as client:
        client.ask_all(*EVERYTHING[part * 15 : part * 15 + 15], "RSET")
        client.transaction()
        assert client.data(mail()).startswith("250 2.6.0")
        client.converse(("QUIT", "221 2.0.0"))


@pytest.mark.parametrize(
    "reply", [each.value for each in Session if each.value.code != 354] + list(REPLIES.values()), ids=str
)
def test_line_50_every_reply_that_the_service_knows_carries_a_code_of_its_own_class(reply: Reply) -> None:
    assert_form(str(reply))


# RFC 3463 says of these details that they are useful only as one kind of error.
PERMANENT_ONLY = {"1.1", "1.2", "1.3", "3.4", "5.1", "5.2", "5.4", "6.1", "7.1"}
TRANSIENT_ONLY = {"3.1", "4.1"}


@pytest.mark.parametrize("reply", [*(each.value for each in Session), *REPLIES.values()], ids=str)
def test_line_50_no_code_is_said_in_a_class_that_it_is_not_defined_for(reply: Reply) -> None:
    kind, _, detail = reply.enhanced.partition(".")
    assert kind == "5" or detail not in PERMANENT_ONLY
    assert kind == "4" or detail not in TRANSIENT_ONLY


def test_line_50_the_greeting_the_answer_to_hello_and_354_carry_none(house: Service) -> None:
    with session(house, hello="") as client:
        hello = client.ask("EHLO client.test").splitlines()
        client.transaction()
        start = client.ask("DATA")
        client.send(mail() + b".\r\n")
        client.reply()
    assert client.heard[0] == "220 mx.agency.test ESMTP"
    assert not any(re.match(r"\d\.\d", line[4:]) for line in [*hello, start])


@pytest.mark.parametrize("hello", ["EHLO client.test", "HELO client.test"])
def test_line_50_the_codes_are_given_after_helo_too(house: Service, hello: str) -> None:
    with session(house, hello) as client:
        client.converse(("NOOP", "250 2.0.0"), (MAIL, "250 2.1.0"), ("RCPT TO:<nobody@agency.test>", "550 5.1.1"))


# Which code for what (RFC 3463 sections 3.2 to 3.4).


@pytest.mark.parametrize(
    ("declared", "recipient", "content", "reply"),
    [
        ("", "full-reject", None, "552 5.2.2"),
        ("", "full-defer", None, "452 4.2.2"),
        ("", "small-reject", mail(1_001), "552 5.2.3"),
        ("", "small-defer", mail(1_001), "552 5.2.3"),
        (" SIZE=1001", "small-reject", None, "552 5.2.3"),
        (" SIZE=1000001", "hr", None, "552 5.3.4"),
        ("", "hr", mail(1_000_002), "552 5.3.4"),
        ("", "nobody", None, "550 5.1.1"),
        ("", "hr@elsewhere.test", None, "550 5.1.1"),
    ],
)
def test_line_51_each_reason_to_refuse_has_its_own_code(
    client: Client, *, declared: str, recipient: str, content: bytes | None, reply: str
) -> None:
    address = recipient if "@" in recipient else f"{recipient}@agency.test"
    said = client.ask_all(MAIL + declared, f"RCPT TO:<{address}>")
    if content is not None:
        said.append(client.data(content, end=b".\r\n"))
    refusals = [each for each in said if each[0] in "45" and not each.startswith("503")]
    assert [each[:9] for each in refusals] == [reply]


def test_line_51_a_mailbox_that_is_frozen_is_450_and_never_says_that_it_is_full(house: Service) -> None:
    frozen = "RCPT TO:<frozen@agency.test>"
    house.pulsebox("mailbox", "freeze", "frozen@agency.test", "--reason", "an audit")
    with session(house) as client:
        client.converse((MAIL, "250"))
        # A change holds within a second.
        eventually(lambda: client.ask(frozen).startswith("450 4.2.1"))
        client.converse(("RSET", "250"), (MAIL, "250"), (frozen, "450 4.2.1"), ("DATA", "554 5.5.1"))


def test_line_51_a_mailbox_that_is_full_is_never_called_unknown(client: Client) -> None:
    for mode in ("reject", "defer"):
        assert client.transaction(f"<full-{mode}@agency.test>")[-1][4:9] in ("5.2.2", "4.2.2")
        client.ask("RSET")


# Rates (Exchange's codes, which other servers know).


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Mailboxes that take two messages an hour, and one an hour from one sender, for each mode and each test."""
    found: list[dict[str, object]] = []
    for mode in ("bounce", "reject", "defer"):
        found.append({"address": f"all-{mode}@agency.test", "when_full": mode, "rate_messages": 2})
        found.append({"address": f"each-{mode}@agency.test", "when_full": mode, "rate_sender": 1})
    with staged(tmp_path_factory.mktemp("rated"), *found) as running:
        yield running


def codes_of_each(service: Service, box: str, *senders: str) -> list[str]:
    """Offer one message of each sender; return the codes that decide over each, at RCPT or after DATA."""
    found = []
    for number, sender in enumerate(senders):
        with session(service) as client:
            said = client.transaction(f"<{box}@agency.test>", mail=f"MAIL FROM:<{sender}@agency.test>")[-1]
            if said.startswith("250"):
                said = client.data(mail(subject=f"{box} {number}"))
            found.append(" ".join(said.split()[:2]))
    return found


@pytest.mark.parametrize(("mode", "codes"), [("reject", "550 5.2.122"), ("defer", "450 4.2.1")])
def test_line_51_a_mailbox_over_its_rate_is_5_2_122_or_4_2_1(rated: Service, mode: str, codes: str) -> None:
    assert codes_of_each(rated, f"all-{mode}", "ann", "bob", "cy") == ["250 2.6.0", "250 2.6.0", codes]


@pytest.mark.parametrize(("mode", "codes"), [("reject", "550 5.2.121"), ("defer", "450 4.2.1")])
def test_line_51_one_sender_over_the_rate_is_5_2_121_or_4_2_1_and_others_are_taken(
    rated: Service, mode: str, codes: str
) -> None:
    assert codes_of_each(rated, f"each-{mode}", "ann", "ann", "bob") == ["250 2.6.0", codes, "250 2.6.0"]
