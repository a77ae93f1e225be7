"""MIME parts as we write them, and the proof that a parser finds the headers that we wrote."""

import re
from binascii import b2a_qp
from dataclasses import dataclass
from email import policy
from email.parser import BytesHeaderParser
from hashlib import sha256
from itertools import count

from smtpd_service.outbound.header import field

Fields = tuple[tuple[str, str], ...]

# RFC 5321 section 4.5.3.1.6: a text line has at most 1000 octets with its line end.
LONGEST_LINE = 998

_LINE_END = re.compile(rb"\r?\n")
_UNFIT = re.compile(rb"\0|\r(?!\n)|(?<!\r)\n|[^\r\n]{%d}" % (LONGEST_LINE + 1))


class ComposeError(Exception):
    """A notice would not have said what was meant: it was not written."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its header fields and its body.

    `groups` are the blocks of fields that the body of a status part consists of; `children` are
    the parts of a multipart, parted by `boundary`.
    """

    fields: Fields
    body: bytes
    groups: tuple[Fields, ...] = ()
    children: tuple["Part", ...] = ()
    boundary: str = ""

    @property
    def octets(self) -> bytes:
        return written(self.fields) + b"\r\n" + self.body


def written(fields: Fields) -> bytes:
    """Return a block of header lines."""
    return b"".join(field(name, value) for name, value in fields)


def multipart(fields: Fields, content_type: str, seed: str, children: tuple[Part, ...]) -> Part:
    """Return the parts as one; the boundary follows from `seed` and occurs in none of them."""
    inside = [child.octets for child in children]
    boundary = next(
        candidate
        for candidate in (f"=_{sha256(f'{seed} {n}'.encode()).hexdigest()[:40]}" for n in count())
        if not any(b"--" + candidate.encode() in octets for octets in inside)
    )
    mark = b"--" + boundary.encode()
    body = b"".join(mark + b"\r\n" + octets + b"\r\n" for octets in inside) + mark + b"--\r\n"
    fields += (("Content-Type", f'{content_type}; boundary="{boundary}"'),)
    if not body.isascii():
        fields += (("Content-Transfer-Encoding", "8bit"),)
    return Part(fields, body, children=children, boundary=boundary)


def text_part(subtype: str, text: str, language: str) -> Part:
    """Return readable text, UTF-8 in quoted-printable."""
    fields = (
        ("Content-Type", f"text/{subtype}; charset=utf-8"),
        ("Content-Language", language),
        ("Content-Transfer-Encoding", "quoted-printable"),
    )
    return Part(fields, quoted_printable(text.encode("utf-8", "replace")))


def quoted_printable(octets: bytes) -> bytes:
    """Return any octets in lines of at most 76, with LF or CRLF read as the end of a line."""
    lines = (b2a_qp(line, istext=False) for line in _LINE_END.split(octets))
    return b"\r\n".join(line.replace(b"=\n", b"=\r\n") for line in lines)


def fits_the_wire(octets: bytes) -> bool:
    """Tell whether `octets` need no encoding but perhaps 8BITMIME: only CRLF, no NUL, no long line."""
    return _UNFIT.search(octets) is None


def prove(part: Part, octets: bytes) -> None:
    """Read `octets` with a parser that is not ours, header by header, against the parts meant.

    Only our own multiparts are opened: the returned message may nest as deep as its sender liked.
    Raises ComposeError where a name differs in any header.
    """
    body = _same_names(part.fields, octets)
    if part.groups:
        blocks = body.removesuffix(b"\r\n").split(b"\r\n\r\n")
        _same_count(part.groups, blocks)
        for fields, block in zip(part.groups, blocks, strict=True):
            _same_names(fields, block)
    if part.children:
        mark = b"--" + part.boundary.encode()
        first, *rest = (b"\r\n" + body).split(b"\r\n" + mark)
        _same_count(("before", *part.children, "after"), (first, *rest))
        for child, piece in zip(part.children, rest, strict=False):
            prove(child, piece.removeprefix(b"\r\n"))


def _same_names(fields: Fields, octets: bytes) -> bytes:
    """Return the body that follows, as the parser sees it."""
    message = BytesHeaderParser(policy=policy.compat32).parsebytes(octets)
    if message.keys() != [name for name, _ in fields]:
        raise ComposeError("a header of the finished notice is not one that was written")
    # decode=True gives the octets back; only bodies without a transfer encoding are looked into.
    body = message.get_payload(decode=True)
    return body if isinstance(body, bytes) else b""


def _same_count(meant: tuple[object, ...], found: tuple[bytes, ...] | list[bytes]) -> None:
    if len(meant) != len(found):
        raise ComposeError("the finished notice has parts that were not written")
