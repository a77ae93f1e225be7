"""The grammar of PROXY headers: what names a client, what names nobody, and all else, which is no header."""

import asyncio
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpd_service.smtp.proxy import SIGNATURE, V1_LIMIT, Source, read_source, source_v1, source_v2
from tests.proxying import LOCAL, PROXY, TCP4, TCP6, UNIX, UNSPECIFIED, v2

LONGEST = b"PROXY TCP6 " + b" ".join([b"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"] * 2) + b" 65535 65535\r\n"


def read(octets: bytes, *, at_most: int = 65_536) -> tuple[Source | None, bytes]:
    """Read a header from `octets`, which come in pieces of `at_most`; return it and what was left unread."""
    left = bytearray(octets)

    async def receive(wanted: int) -> bytes:
        piece = bytes(left[: min(wanted, at_most)])
        del left[: len(piece)]
        return piece

    return asyncio.run(read_source(receive)), bytes(left)


@pytest.mark.parametrize(
    ("line", "address"),
    [
        (b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 25\r\n", "192.0.2.7"),
        (b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255"),
        (b"PROXY TCP4 192.0.2.7 198.51.100.1 0 0\r\n", "192.0.2.7"),
        (b"PROXY TCP6 2001:db8::7 2001:db8::1 56324 25\r\n", "2001:db8::7"),
        (b"PROXY TCP6 2001:DB8:0:0::7 ::1 56324 25\r\n", "2001:db8::7"),
        (b"PROXY TCP6 ::ffff:192.0.2.7 ::ffff:198.51.100.1 56324 25\r\n", "192.0.2.7"),
        (b"PROXY UNKNOWN\r\n", ""),
        (b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", ""),
        (b"PROXY UNKNOWN whatever stands here\r\n", ""),
    ],
)
def test_a_line_of_version_1_names_its_client(line: bytes, address: str) -> None:
    assert source_v1(line) == Source(address)


def test_the_longest_line_of_version_1_is_taken_and_a_longer_one_is_not() -> None:
    assert len(LONGEST) == 104
    assert source_v1(LONGEST) == Source("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
    filler = V1_LIMIT - len(b"PROXY UNKNOWN \r\n")
    assert source_v1(b"PROXY UNKNOWN " + b"x" * filler + b"\r\n") == Source()
    assert source_v1(b"PROXY UNKNOWN " + b"x" * (filler + 1) + b"\r\n") is None


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"PROXY\r\n",
        b"PROXY \r\n",
        b"proxy TCP4 192.0.2.7 198.51.100.1 56324 25\r\n",
        b"PROXY TCP5 192.0.2.7 198.51.100.1 56324 25\r\n",
        b"PROXY UDP4 192.0.2.7 198.51.100.1 56324 25\r\n",
        b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 25\n",
        b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 25",
        b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 25 \r\n",
        b"PROXY TCP4  192.0.2.7 198.51.100.1 56324 25\r\n",
        b"PROXY TCP4 192.0.2.7 198.51.100.1 56324\r\n",
        b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 65536\r\n",
        b"PROXY TCP4 192.0.2.7 198.51.100.1 -1 25\r\n",
        b"PROXY TCP4 192.0.2.7 198.51.100.1 056324 25\r\n",
        b"PROXY TCP4 192.0.2.007 198.51.100.1 56324 25\r\n",
        b"PROXY TCP4 192.0.2 198.51.100.1 56324 25\r\n",
        b"PROXY TCP4 2001:db8::7 2001:db8::1 56324 25\r\n",
        b"PROXY TCP6 192.0.2.7 198.51.100.1 56324 25\r\n",
        b"PROXY TCP6 2001:db8::7 198.51.100.1 56324 25\r\n",
        b"PROXY TCP6 fe80::1%eth0 2001:db8::1 56324 25\r\n",
        b"PROXY TCP6 [2001:db8::7] [2001:db8::1] 56324 25\r\n",
        b"PROXY UNKNOWNN\r\n",
        b"PROXY UNKNOWN\nx\r\n",
    ],
)
def test_what_is_no_line_of_version_1_names_nobody(line: bytes) -> None:
    assert source_v1(line) is None


@pytest.mark.parametrize(
    ("header", "address"),
    [
        (v2(PROXY, TCP4, "192.0.2.7"), "192.0.2.7"),
        (v2(PROXY, TCP6, "2001:db8::7"), "2001:db8::7"),
        (v2(PROXY, TCP6, "::ffff:192.0.2.7"), "192.0.2.7"),
        (v2(PROXY, TCP4, "192.0.2.7", more=b"\x03\x00\x04abcd\x20\x00\x03xyz"), "192.0.2.7"),
        (v2(PROXY, TCP4, "192.0.2.7", more=b"\x04\xff\x00" + b"x" * 65_000), "192.0.2.7"),
        (v2(PROXY, UNSPECIFIED), ""),
        (v2(PROXY, UNSPECIFIED, more=b"whatever"), ""),
        (v2(PROXY, UNIX, more=b"\0" * 216), ""),
        (v2(LOCAL, UNSPECIFIED), ""),
        (v2(LOCAL, TCP4, "192.0.2.7"), ""),
    ],
)
def test_a_header_of_version_2_names_its_client(header: bytes, address: str) -> None:
    assert read(header) == (Source(address), b"")


@pytest.mark.parametrize(
    "header",
    [
        v2(0x11, TCP4, "192.0.2.7"),
        v2(0x31, TCP4, "192.0.2.7"),
        v2(0x22, TCP4, "192.0.2.7"),
        v2(PROXY, 0x12, "192.0.2.7"),
        v2(PROXY, 0x41, "192.0.2.7"),
        v2(PROXY, 0x10, "192.0.2.7"),
        v2(PROXY, TCP6, "192.0.2.7"),
        v2(PROXY, TCP4),
        v2(PROXY, UNIX, more=b"\0" * 215),
        v2(PROXY, TCP4, "192.0.2.7")[:-1],
        SIGNATURE,
        SIGNATURE + b"\x21",
    ],
)
def test_what_is_no_header_of_version_2_names_nobody(header: bytes) -> None:
    assert read(header)[0] is None


@pytest.mark.parametrize(
    "header", [LONGEST, v2(PROXY, TCP4, "192.0.2.7", more=b"\x04\x00\x01x"), v2(LOCAL, UNSPECIFIED)]
)
@pytest.mark.parametrize("at_most", [1, 3, 65_536])
def test_what_follows_a_header_is_left_unread(header: bytes, at_most: int) -> None:
    source, left = read(header + b"\x16\x03\x01EHLO\r\n", at_most=at_most)
    assert source is not None
    assert left == b"\x16\x03\x01EHLO\r\n"


def test_a_line_without_end_is_not_read_past_the_limit() -> None:
    source, left = read(b"PROXY UNKNOWN " + b"x" * 1_000)
    assert source is None
    assert len(left) == 14 + 1_000 - V1_LIMIT


@given(st.binary(max_size=300))
def test_any_octets_make_a_source_or_none(octets: bytes) -> None:
    for start in (b"", b"PROXY ", b"PROXY TCP4 ", SIGNATURE, SIGNATURE + b"\x21\x11\x00\x0c"):
        source, _ = read(start + octets)
        assert source is None or source.address == "" or ipaddress.ip_address(source.address)


@given(st.ip_addresses(), st.integers(0, 65_535))
def test_any_address_comes_through_either_version(address: ipaddress.IPv4Address, port: int) -> None:
    kind = TCP4 if address.version == 4 else TCP6
    line = f"PROXY TCP{address.version} {address} {address} {port} 25\r\n".encode()
    assert read(line) == read(v2(PROXY, kind, str(address)))
    assert source_v1(line) is not None


def test_the_second_version_is_read_in_four_octets_and_a_body() -> None:
    assert source_v2(b"\x21\x11\x00\x0c", b"\xc0\x00\x02\x07" * 2 + b"\0" * 4) == Source("192.0.2.7")
    assert source_v2(b"\x21\x11\x00\x0d", b"\xc0\x00\x02\x07" * 2 + b"\0" * 4) is None
