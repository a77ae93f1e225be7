"""MAIL and RCPT parameters (RFC 1870, 3461, 6152, 6531)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpd_service.domain.parameters import (
    MailParameters,
    RcptParameters,
    decode_xtext,
    mail_parameters,
    rcpt_parameters,
)


def test_no_parameters_are_the_defaults() -> None:
    assert mail_parameters("") == MailParameters(None, "7BIT", False, None, None)
    assert rcpt_parameters("") == RcptParameters(None, None)


def test_all_parameters_of_mail_together_in_any_case_and_order() -> None:
    found = mail_parameters("envid=Qq+2B1 SmtpUtf8 body=8BitMime RET=hdrs  size=00042")
    assert found == MailParameters(42, "8BITMIME", True, "HDRS", "Qq+2B1")


def test_all_parameters_of_rcpt_together_in_any_case_and_order() -> None:
    found = rcpt_parameters("orcpt=RFC822;Dana+2Bx@Agency.Test notify=delay,Success")
    assert found == RcptParameters(frozenset({"DELAY", "SUCCESS"}), "RFC822;Dana+2Bx@Agency.Test")


@pytest.mark.parametrize("text", ["FOO", "FOO=1", "SIZE=1 X-FOO", "NOTIFY=NEVER", "AUTH=<>", "SMTPUTF-8"])
def test_a_keyword_that_mail_does_not_know_is_unknown(text: str) -> None:
    assert mail_parameters(text) == "unknown"


@pytest.mark.parametrize("text", ["SIZE=1", "NOTIFY=NEVER FOO", "RET=FULL"])
def test_a_keyword_that_rcpt_does_not_know_is_unknown(text: str) -> None:
    assert rcpt_parameters(text) == "unknown"


@pytest.mark.parametrize(
    "text",
    [
        *("SIZE", "SIZE=", "SIZE=x", "SIZE=1 size=1", "SIZE=" + "1" * 21, "SIZE=\u0661", "SIZE=1\n", "BODY=BINARYMIME"),
        *(
            "BODY",
            "BODY=8B\u0131TMIME",
            "SMTPUTF8=1",
            "RET",
            "RET=BOTH",
            "RET=HDR\u017f",
            "ENVID",
            "ENVID=a=b",
            "ENVID=a+2b",
        ),
        *(
            "ENVID=+",
            "ENVID=\u00fc",
            "ENVID=stra\u00dfe",
            "ENVID=" + "x" * 101,
            "=1",
            "-A=1",
            "SIZE=1\u2028RET=FULL",
            "A,B",
        ),
    ],
)
def test_a_bad_value_of_mail_is_bad_syntax(text: str) -> None:
    assert mail_parameters(text) == "syntax"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "NOTIFY",
            "NOTIFY=",
            "NOTIFY=X",
            "NOTIFY=NEVER,DELAY",
            "NOTIFY=DELAY,NEVER",
            "NOTIFY=,DELAY",
            "NOTIFY=DELAY,",
        ),
        *(
            "NOTIFY=DELAY NOTIFY=DELAY",
            "NOTIFY=\u017fUCCESS",
            "ORCPT",
            "ORCPT=",
            "ORCPT=rfc822",
            "ORCPT=rfc822;",
            "ORCPT=;x",
        ),
        *("ORCPT=rfc822;a=b", "ORCPT=rfc822;a+b", "ORCPT=rfc822;a+2b", "ORCPT=rf c;x", "ORCPT=rfc822;\u00fc@b"),
        "ORCPT=rfc822;" + "x" * 494,
    ],
)
def test_a_bad_value_of_rcpt_is_bad_syntax(text: str) -> None:
    assert rcpt_parameters(text) == "syntax"


@given(st.text(max_size=200))
def test_any_text_is_parameters_unknown_or_bad_syntax(text: str) -> None:
    assert isinstance(mail_parameters(text), MailParameters) or mail_parameters(text) in ("unknown", "syntax")
    assert isinstance(rcpt_parameters(text), RcptParameters) or rcpt_parameters(text) in ("unknown", "syntax")


@given(st.text(st.characters(min_codepoint=1, max_codepoint=126), max_size=30))
def test_xtext_survives_the_round_trip(text: str) -> None:
    encoded = "".join(c if "!" <= c <= "~" and c not in "+=" else f"+{ord(c):02X}" for c in text)
    assert decode_xtext(encoded) == text
    if text:
        assert mail_parameters(f"ENVID={encoded}") == MailParameters(envid=encoded)
        assert rcpt_parameters(f"ORCPT=rfc822;{encoded}") == RcptParameters(orcpt=f"rfc822;{encoded}")


@pytest.mark.parametrize(
    ("text", "never"),
    [
        *(("", False), ("NOTIFY=NEVER", True), ("NOTIFY=never", True), ("NOTIFY=FAILURE", False)),
        *(("NOTIFY=SUCCESS", True), ("NOTIFY=DELAY,SUCCESS", True), ("NOTIFY=DELAY,FAILURE", False)),
    ],
)
def test_who_names_others_than_failure_is_never_sent_a_failed_dsn(text: str, never: bool) -> None:
    found = rcpt_parameters(text)
    assert isinstance(found, RcptParameters)
    assert found.never is never
