"""What intake reads of a header before anything parses it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpd_service.domain.headers import HEADER_LIMIT, fields, header_block, hops, message_id, unfolded, without_results


@pytest.mark.parametrize(
    ("octets", "header"),
    [
        (b"A: 1\r\nB: 2\r\n\r\nbody\r\n\r\nmore", b"A: 1\r\nB: 2\r\n"),
        (b"A: 1\r\n\r\n", b"A: 1\r\n"),
        (b"\r\nbody\r\n", b""),
        (b"A: 1\r\n", b"A: 1\r\n"),
        (b"", b""),
    ],
)
def test_the_header_ends_before_the_first_empty_line(octets: bytes, header: bytes) -> None:
    assert header_block(octets) == header


def test_no_header_is_looked_for_past_its_limit() -> None:
    assert len(header_block(b"x" * 10 * HEADER_LIMIT)) == HEADER_LIMIT


@pytest.mark.parametrize(
    ("header", "answer"),
    [
        (b"Message-ID: <a@b>\r\n", "<a@b>"),
        (b"message-id:<a@b>  \r\n", "<a@b>"),
        (b"X: 1\r\nMESSAGE-ID:\r\n <folded@b>\r\nY: 2\r\n", "<folded@b>"),
        (b"X-Message-ID: <no@b>\r\n", None),
        (b"Subject: x\r\n Message-ID: <folded into the subject@b>\r\n", None),
        (b"Message-ID:\r\n", None),
        (b"Message-ID: <first@b>\r\nMessage-ID: <second@b>\r\n", "<first@b>"),
        (b"Message-ID: <a\x00\x1b[31m@b>\r\n", "<a[31m@b>"),
        (b"Message-ID: <\xff@b>\r\n", "<\ufffd@b>"),
    ],
)
def test_the_message_id_is_the_first_as_written_without_controls(header: bytes, answer: str | None) -> None:
    assert message_id(header) == answer


def test_received_fields_are_counted_and_their_folds_are_not() -> None:
    header = b"Received: from a\r\n\tReceived: by b\r\nX-Received: c\r\nRECEIVED: from d\r\nSubject: Received: e\r\n"
    assert hops(header) == 2


@given(st.binary(max_size=500))
def test_any_octets_have_a_header_a_message_id_or_none_and_a_number_of_hops(octets: bytes) -> None:
    header = header_block(octets)
    assert octets.startswith(header)
    assert hops(header) >= 0
    found = message_id(header)
    assert found is None or found.isprintable()


@pytest.mark.parametrize("octets", [b"Message-ID:" + b" " * 99_000, b"message-id:\r\n " * 7_000, b"received:" * 11_000])
def test_a_hostile_header_takes_linear_time(octets: bytes) -> None:
    begun = time.process_time()
    message_id(header_block(octets))
    hops(header_block(octets))
    assert time.process_time() - begun < 0.5


OURS = "mx.agency.test"
FORGED = {
    "plainly": b"Authentication-Results: mx.agency.test; dmarc=pass\r\n",
    "in other letters": b"AUTHENTICATION-RESULTS: MX.Agency.Test; dmarc=pass\r\n",
    "folded": b"Authentication-Results:\r\n mx.agency.test;\r\n\tdmarc=pass\r\n",
    "after comments": b"Authentication-Results: (a (b)) (c) mx.agency.test; dmarc=pass\r\n",
    "before a comment": b"Authentication-Results: mx.agency.test(x); dmarc=pass\r\n",
    "with a version": b"Authentication-Results: mx.agency.test 1; dmarc=pass\r\n",
    "in quotes": b'Authentication-Results: "mx.agency.test"; dmarc=pass\r\n',
    "in quotes with a pair": b'Authentication-Results: "m\\x.agency.test"; dmarc=pass\r\n',
    "with a space before the colon": b"Authentication-Results : mx.agency.test; dmarc=pass\r\n",
    "in a comment without end": b"Authentication-Results: ( mx.agency.test; dmarc=pass\r\n",
    "without anything else": b"Authentication-Results: mx.agency.test\r\n",
}


@pytest.mark.parametrize("how", FORGED)
def test_results_that_claim_to_be_ours_are_taken_out(how: str) -> None:
    before, after = b"From: ann@agency.test\r\n", b"Subject: x\r\n\r\nbody\r\n" + FORGED["plainly"]
    assert without_results(before + FORGED[how] + after, OURS) == before + after
    assert without_results(FORGED[how] * 2 + before + FORGED[how] + after, OURS) == before + after
    assert without_results(before + FORGED[how], OURS) == before


@pytest.mark.parametrize(
    "field",
    [
        b"Authentication-Results: mx.other.test; dmarc=pass\r\n",
        b"Authentication-Results: mx.other.test; dmarc=pass (mx.agency.test)\r\n",
        b"Authentication-Results: mx.agency.test.other.test; dmarc=pass\r\n",
        b"Authentication-Results: (mx.agency.test) other.test; dmarc=pass\r\n",
        b"ARC-Authentication-Results: i=1; mx.agency.test; dmarc=pass\r\n",
        b"X: y\r\n Authentication-Results: mx.agency.test; dmarc=pass\r\n",
    ],
)
def test_results_of_others_stay(field: bytes) -> None:
    octets = b"From: ann@agency.test\r\n" + field + b"\r\nbody\r\n"
    assert without_results(octets, OURS) == octets


def test_fields_come_with_their_values_as_they_stand() -> None:
    header = b"From: ann@agency.test\r\nSubject: a\r\n b\r\nnot a field\r\nX :y\r\n"
    assert list(fields(header)) == [(b"from", b" ann@agency.test"), (b"subject", b" a\r\n b"), (b"x", b"y")]
    assert unfolded(b" a\r\n b") == "a b"
    assert unfolded(b" \xe9") == "é"
