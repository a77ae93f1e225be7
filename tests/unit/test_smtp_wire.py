"""Commands and content parted out of octets that may come in any pieces."""

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtpd_service.smtp.wire import LINE_LIMIT, Bad, Wire

PIECES = (b"\r", b"\n", b".", b"\r\n", b"x", b"\r\n.", b"\r\n.\r\n", b"NOOP\r\n", b"\0")
octets = st.lists(st.sampled_from(PIECES), max_size=14).map(b"".join)
cuts = st.lists(st.integers(0, 40), max_size=10)


def cut(text: bytes, places: list[int]) -> list[bytes]:
    return [text[begin:end] for begin, end in pairwise([0, *sorted(places), len(text)])]


def content_of(pieces: list[bytes]) -> tuple[bytes, bool, list[bytes | Bad]]:
    """Return the content, whether it has ended, and the commands behind it."""
    wire, taken, ended, lines = Wire(), list[bytes](), False, list[bytes | Bad]()
    for piece in pieces:
        wire.feed(piece)
        ended = ended or wire.data(taken.append)
        while ended and (line := wire.line(bare_ok=False)) is not None:
            lines.append(line)
    return b"".join(taken), ended, lines


def told_at_once(text: bytes) -> tuple[bytes, bool, list[bytes | Bad]]:
    """Say the same of octets that lie there whole."""
    content, dot, rest = (b"\r\n" + text).partition(b"\r\n.\r\n")
    if not dot:
        return b"", False, []
    lines: list[bytes | Bad] = []
    for line in re.findall(rb"[^\n]*\n", rest):
        command = line.removesuffix(b"\r\n")
        lines.append(Bad.BARE_LINE_END if re.search(rb"[\r\n\0]", command) else command)
    return (content + b"\r\n")[2:], True, lines


def told_the_same(text: bytes, places: list[int]) -> None:
    """Compare for pieces cut at `places`, and for single octets."""
    for pieces in (cut(text, places), cut(text, list(range(len(text))))):
        told_the_same_of(text, pieces)


def told_the_same_of(text: bytes, pieces: list[bytes]) -> None:
    content, ended, lines = content_of(pieces)
    expected = told_at_once(text)
    assert (ended, lines) == expected[1:]
    if ended:
        assert content == expected[0]
    else:
        # What may be the beginning of the end is kept back.
        assert text.startswith(content)
        assert len(text) - len(content) < len(b"\r\n.\r\n")


@given(octets, cuts)
def test_content_ends_at_the_same_place_however_it_is_cut(text: bytes, places: list[int]) -> None:
    told_the_same(text, places)


@pytest.mark.acceptance
@settings(max_examples=50_000, deadline=None)
@given(octets, cuts)
def test_content_ends_at_the_same_place_however_it_is_cut_for_long(text: bytes, places: list[int]) -> None:
    told_the_same(text, places)


@pytest.mark.parametrize("piece", [1, 7, 1000, 5000])
def test_a_line_that_is_too_long_is_dropped_while_it_comes(piece: int) -> None:
    wire, lines = Wire(), list[bytes | Bad | None]()
    text = b"x" * 3 * LINE_LIMIT + b"\r\nNOOP\r\n"
    for begin in range(0, len(text), piece):
        wire.feed(text[begin : begin + piece])
        while (line := wire.line(bare_ok=False)) is not None:
            lines.append(line)
        assert wire.held <= LINE_LIMIT
    assert lines == [Bad.TOO_LONG, b"NOOP"]


def test_what_is_read_is_not_held() -> None:
    wire = Wire()
    wire.feed(b"NOOP\r\nDATA\r\n")
    assert [wire.line(bare_ok=False) for _ in range(3)] == [b"NOOP", b"DATA", None]
    wire.feed(b"x" * 100_000)
    assert not wire.data(lambda _: None)
    assert wire.held == 0
    assert wire.received == 100_012
