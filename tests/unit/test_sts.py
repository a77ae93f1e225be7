"""What is a policy of MTA-STS, and which hosts it names (RFC 8461 sections 3.2 and 4.1)."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpd_service.outbound.sts import LARGEST, LONGEST_AGE, NoPolicyError, Policy, parse_policy

PLAIN = "version: STSv1\r\nmode: enforce\r\nmx: mail.far.test\r\nmx: *.far.test\r\nmax_age: 604800\r\n"


@pytest.mark.parametrize(
    "text",
    [PLAIN, PLAIN.replace("\r\n", "\n"), PLAIN.rstrip(), PLAIN + "later_field: x\r\n", PLAIN.replace(": ", ":  ")],
)
def test_a_policy_is_read_as_it_may_be_written(text: str) -> None:
    assert parse_policy(text) == Policy("enforce", ("mail.far.test", "*.far.test"), 604_800)


def test_a_policy_of_none_needs_no_mx() -> None:
    assert parse_policy("version: STSv1\nmode: none\nmax_age: 0") == Policy("none", (), 0)


def test_an_age_beyond_a_year_is_a_year() -> None:
    assert parse_policy(PLAIN.replace("604800", "9999999999")).max_age == LONGEST_AGE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>",
        PLAIN.replace("STSv1", "STSv2"),
        PLAIN.replace("enforce", "force"),
        PLAIN.replace("604800", "a week"),
        PLAIN.replace("604800", "-1"),
        PLAIN.replace("max_age: 604800\r\n", ""),
        "version: STSv1\nmode: enforce\nmax_age: 1",
    ],
)
def test_what_is_no_policy_says_so(text: str) -> None:
    with pytest.raises(NoPolicyError):
        parse_policy(text)


@pytest.mark.parametrize(
    "line", ["x: a" + " " * LARGEST + "b", "x" + " " * LARGEST + "y", "x:" + " \t" * (LARGEST // 2)]
)
def test_a_hostile_line_takes_linear_time(line: str) -> None:
    begun = time.process_time()
    with suppress(NoPolicyError):
        parse_policy(PLAIN + line)
    assert time.process_time() - begun < 0.5


@given(st.text())
def test_any_text_is_a_policy_or_none(text: str) -> None:
    try:
        parse_policy(text)
    except NoPolicyError:
        return


@pytest.mark.parametrize(
    ("host", "named"),
    [
        ("mail.far.test", True),
        ("MAIL.far.test.", True),
        ("mx1.far.test", True),
        ("far.test", False),
        ("a.mx1.far.test", False),
        ("mail.near.test", False),
    ],
)
def test_a_star_stands_for_one_label(host: str, named: bool) -> None:
    assert parse_policy(PLAIN).names(host) is named
