"""What intake needs to know of a message's header before anything parses it: linear scans over octets."""

import re

# Beyond this no header is looked for (parsing parks such a message).
HEADER_LIMIT = 100_000
MESSAGE_ID_LIMIT = 998

_BLANK_LINE = re.compile(rb"\A\r?\n|\n(?=\r?\n)")
_MESSAGE_ID = re.compile(rb"^message-id:[ \t]*(?:\r\n[ \t]+)?([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_RECEIVED = re.compile(rb"^received:", re.IGNORECASE | re.MULTILINE)


def header_block(octets: bytes) -> bytes:
    """Return the header lines with their line ends, without the blank line; at most `HEADER_LIMIT` octets."""
    blank = _BLANK_LINE.search(octets, 0, HEADER_LIMIT)
    if blank is None:
        return octets[:HEADER_LIMIT]
    return octets[: blank.end()] if blank.start() else b""


def message_id(header: bytes) -> str | None:
    """Return the Message-ID as written, without line ends and control characters, or None."""
    found = _MESSAGE_ID.search(header)
    if found is None:
        return None
    text = found.group(1).strip()[:MESSAGE_ID_LIMIT].decode("utf-8", "replace")
    return "".join(c for c in text if c.isprintable()) or None


def hops(header: bytes) -> int:
    """Count `Received:` fields (RFC 5321 section 6.3)."""
    return len(_RECEIVED.findall(header))
