"""What of the original goes back with a bounce, and the facts that are kept of a notice."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpd_service.domain.notice import Bounce, FailedRecipient, UsageWarning, what_to_return

HEADER = b"From: ann@agency.test\r\nSubject: Five bullets\r\n"
MAIL = HEADER + b"\r\n* one\r\n"


def test_ret_full_returns_the_whole_message() -> None:
    assert what_to_return(MAIL, "FULL") == (MAIL, True)


@pytest.mark.parametrize("ret", [None, "HDRS"])
def test_without_ret_full_only_the_header_returns(ret: str | None) -> None:
    assert what_to_return(MAIL, ret) == (HEADER, False)


def test_ret_full_over_the_cap_returns_only_the_header() -> None:
    large = MAIL + b"x" * 50_000
    assert what_to_return(large, "FULL") == (HEADER, False)
    assert what_to_return(MAIL, "FULL", cap=len(MAIL)) == (MAIL, True)
    assert what_to_return(MAIL, "FULL", cap=len(MAIL) - 1) == (HEADER, False)


def test_a_header_over_the_cap_is_cut_at_a_line_end() -> None:
    lines = b"".join(b"X-%04d: y\r\n" % n for n in range(10_000))
    returned, whole = what_to_return(lines + b"\r\nbody", "FULL")
    assert not whole
    assert len(returned) == 50_000 // 11 * 11
    assert lines.startswith(returned)
    assert returned.endswith(b"\r\n")


def test_a_first_line_over_the_cap_returns_nothing() -> None:
    assert what_to_return(b"X: " + b"y" * 60_000 + b"\r\n\r\nbody", None) == (b"", False)


def test_a_message_that_begins_with_its_body_has_no_header() -> None:
    assert what_to_return(b"\r\nbody\r\n\r\nmore", None) == (b"", False)


@given(octets=st.binary(max_size=300), ret=st.sampled_from([None, "FULL", "HDRS"]), cap=st.integers(0, 300))
def test_any_octets_return_a_beginning_of_themselves_within_the_cap(octets: bytes, ret: str | None, cap: int) -> None:
    returned, whole = what_to_return(octets, ret, cap)
    assert octets.startswith(returned)
    assert len(returned) <= cap
    assert not whole or returned == octets


def test_the_facts_of_a_bounce_survive_json() -> None:
    failed = FailedRecipient("hr@agency.test", "rfc822;hr@agency.test", "5.2.2", "552 5.2.2 full", 2_000, 2_000)
    at = datetime(2025, 3, 10, 20, 11, 5, 123456, tzinfo=UTC)
    bounce = Bounce("b-1", "ann@x.test", at, "QQ", "FULL", (failed, failed), b"\xff\x00", True, True, "mx.x.test")
    facts = json.loads(json.dumps(bounce.facts()))
    assert "returned" not in facts
    assert Bounce.from_facts(facts, b"\xff\x00") == bounce


def test_the_facts_of_a_warning_survive_json() -> None:
    at = datetime(2025, 3, 10, 20, 11, tzinfo=UTC)
    warning = UsageWarning("w-1", "ops@agency.test", "hr@agency.test", 85, True, 850, 1_000, 3, None, at)
    assert UsageWarning.from_facts(json.loads(json.dumps(warning.facts()))) == warning
