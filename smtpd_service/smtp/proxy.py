"""The header with which a front server names its client: versions 1 and 2 of HAProxy's PROXY protocol.

Reads exactly the header and not one octet of what follows it, which may be the client's TLS. Promises: any octets
in, a `Source` or None out. Strict, since who believes a header must not guess. Known limit: TLVs are skipped, the
checksum among them. Sections are those of HAProxy's proxy-protocol.txt.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
# Section 2.1: the longest line of version 1, its CRLF included.
V1_LIMIT = 107
_PORT = rb"(0|[1-9]\d{0,4})"
_V1 = re.compile(rb"PROXY TCP([46]) ([0-9A-Fa-f.:]+) ([0-9A-Fa-f.:]+) " + _PORT + rb" " + _PORT + rb"\r\n")
_V1_UNKNOWN = re.compile(rb"PROXY UNKNOWN(?: [^\r\n]*)?\r\n")
# Section 2.2: family and transport to the octets of one address and its port. Nobody comes to us by datagrams.
_UNSPECIFIED, _TCP4, _TCP6, _UNIX = 0x00, 0x11, 0x21, 0x31
_ADDRESS_OCTETS = {_UNSPECIFIED: 0, _TCP4: 4, _TCP6: 16, _UNIX: 108}
_PORT_OCTETS = {_UNSPECIFIED: 0, _TCP4: 2, _TCP6: 2, _UNIX: 0}
_LOCAL, _PROXY = 0x20, 0x21


@dataclass(frozen=True, slots=True)
class Source:
    """The client behind a front server: its IP address, or nothing where the header names none."""

    address: str = ""


async def read_source(receive: Callable[[int], Awaitable[bytes]]) -> Source | None:
    """Read one header; None where there is none, or one with a mistake in it.

    `receive` returns at most so many octets, and none at the end of the stream. How long this takes is the
    caller's business.
    """
    # Shorter than any header of either version.
    head = await _exactly(receive, len(SIGNATURE))
    if head == SIGNATURE:
        head = await _exactly(receive, 4)
        return source_v2(head, await _exactly(receive, int.from_bytes(head[2:], "big")))
    if not head.startswith(b"PROXY "):
        return None
    while not head.endswith(b"\r\n") and len(head) < V1_LIMIT and (octet := await receive(1)):
        head += octet
    return source_v1(head)


async def _exactly(receive: Callable[[int], Awaitable[bytes]], octets: int) -> bytes:
    """Return so many octets, or fewer at the end of the stream."""
    read = b""
    while len(read) < octets and (piece := await receive(octets - len(read))):
        read += piece
    return read


def source_v1(line: bytes) -> Source | None:
    """Read the line of version 1 with its CRLF (section 2.1)."""
    if len(line) > V1_LIMIT:
        return None
    if _V1_UNKNOWN.fullmatch(line):
        return Source()
    match = _V1.fullmatch(line)
    if match is None or max(int(match[4]), int(match[5])) > 65_535:
        return None
    try:
        addresses = [ip_address(match[group].decode()) for group in (2, 3)]
    except ValueError:
        return None
    return _named(addresses[0]) if all(each.version == int(match[1]) for each in addresses) else None


def source_v2(head: bytes, body: bytes) -> Source | None:
    """Read what follows the signature of version 2: four octets, then as many as they say (section 2.2)."""
    if len(head) != 4 or len(body) != int.from_bytes(head[2:], "big"):
        return None
    command, family = head[0], head[1]
    if command == _LOCAL:
        return Source()
    octets = _ADDRESS_OCTETS.get(family)
    if command != _PROXY or octets is None or len(body) < 2 * (octets + _PORT_OCTETS[family]):
        return None
    if family in {_UNSPECIFIED, _UNIX}:
        return Source()
    return _named(ip_address(body[:octets]))


def _named(address: IPv4Address | IPv6Address) -> Source:
    """Return the address in the one form that caps and networks are looked up by."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return Source(str(address))
