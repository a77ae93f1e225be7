"""The hash of a body agrees with dkimpy's, whatever the body."""

import hashlib

import pytest
from dkim.canonicalization import Relaxed, Simple
from hypothesis import given
from hypothesis import strategies as st

from smtpd_service.authentication import body
from smtpd_service.authentication.body import Body

LINES = st.lists(st.sampled_from([b"", b" ", b"\t ", b"a", b"a  b\t", b" a", b".", b"x" * 40]), max_size=12)


def agrees(octets: bytes) -> bool:
    made = Body(b"Head: x\r\n\r\n" + octets, 11)
    return (
        made.sha256(b"simple") == hashlib.sha256(Simple.canonicalize_body(octets)).digest()
        and made.sha256(b"relaxed") == hashlib.sha256(Relaxed.canonicalize_body(octets)).digest()
    )


@given(LINES)
def test_it_agrees_on_any_lines(lines: list[bytes]) -> None:
    assert agrees(b"\r\n".join(lines) + b"\r\n")


@given(LINES, st.integers(1, 9))
def test_it_agrees_wherever_it_is_cut(lines: list[bytes], step: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(body, "STEP", step)
        assert agrees(b"\r\n".join(lines) + b"\r\n")


def test_a_message_that_ends_with_its_header_has_an_empty_body() -> None:
    assert Body(b"Head: x\r\n", 11).sha256(b"relaxed") == hashlib.sha256(b"").digest()
