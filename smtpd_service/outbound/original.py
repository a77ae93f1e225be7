"""What a bounce repeats of the original: its subject and its thread, read from untrusted header octets.

One linear pass over the lines. The modern email policy is never used here: it builds objects out
of hostile headers, and has turned an encoded newline into a real header.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header

from smtpd_service.outbound.header import clean

# decode_header looks for the end of a word from each of its starts: quadratic, so kept short.
LONGEST_RAW_SUBJECT = 2_000
LONGEST_SUBJECT = 500
# A thread keeps its first message and its latest ones (RFC 5322 section 3.6.4 asks for no number).
MOST_REFERENCES = 20

# Codecs of Python's source and domain names: no charset of mail, and they warn or take long.
_PYTHONS_OWN = {"unicode-escape", "raw-unicode-escape", "idna", "punycode", "undefined"}
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,500}>")
_LINE_END = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Original:
    """`subject` decoded, on one line; `message_id` with its brackets or empty; `references` in order."""

    subject: str
    message_id: str
    references: tuple[str, ...]


def read_original(octets: bytes) -> Original:
    """Return what the header of `octets` says; missing or broken headers read as empty."""
    found: dict[str, str] = {}
    for name, value in _fields(octets):
        if name in ("subject", "message-id", "references"):
            found.setdefault(name, value)
    message_id = next(iter(_MESSAGE_ID.findall(found.get("message-id", ""))), "")
    references = _MESSAGE_ID.findall(found.get("references", ""))
    thread = [*references, message_id] if message_id else references
    return Original(decoded(found.get("subject", "")), message_id, _shortened(thread))


def decoded(raw: str) -> str:
    """Return a subject with its encoded words read, or as it stands where they cannot be."""
    try:
        words = decode_header(clean(raw[:LONGEST_RAW_SUBJECT]))
    except (HeaderParseError, ValueError):
        words = [(raw, None)]
    text = clean("".join(_word(octets, charset) for octets, charset in words))
    return text if len(text) <= LONGEST_SUBJECT else text[: LONGEST_SUBJECT - 1] + "…"


def _word(octets: bytes | str, charset: str | None) -> str:
    if isinstance(octets, str):
        return octets
    if charset is None:
        # decode_header gives the unencoded stretches back in this codec of its own.
        return octets.decode("raw-unicode-escape", "replace")
    try:
        known = codecs.lookup(charset).name
        return octets.decode("utf-8" if known in _PYTHONS_OWN else known, "replace")
    except (LookupError, ValueError):
        return octets.decode("utf-8", "replace")


def _fields(octets: bytes) -> Iterator[tuple[str, str]]:
    """Yield lower-cased names and unfolded values up to the blank line."""
    name, lines = "", list[bytes]()
    for line in _LINE_END.split(octets):
        if line[:1] in (b" ", b"\t"):
            lines.append(line)
            continue
        if name:
            yield name, _text(b"".join(lines))
        if not line:
            return
        label, colon, rest = line.partition(b":")
        name, lines = (label.strip().lower().decode("latin-1") if colon else ""), [rest]
    if name:
        yield name, _text(b"".join(lines))


def _text(octets: bytes) -> str:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _shortened(thread: list[str]) -> tuple[str, ...]:
    if len(thread) <= MOST_REFERENCES:
        return tuple(thread)
    return (thread[0], *thread[1 - MOST_REFERENCES :])
