"""Letters as octets: header fields, encoded words, transfer encodings, multiparts, CRLF.

The text of all functions but `message` has bare LF; `message` makes them CRLF at the end, in one place.
"""

import base64
import quopri
import random
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.header import Header
from email.utils import format_datetime, formataddr
from uuid import UUID

from smtpd_service.demo.letter import Letter
from smtpd_service.demo.people import display_name

FOLD_AT = 78


@dataclass(frozen=True, slots=True)
class Part:
    """A leaf: `content_type` as the client writes it, with `{charset}` where the charset goes."""

    content_type: str
    text: str
    charset: str
    transfer: str


def field(name: str, value: str) -> str:
    """Return one header field folded at white space, in encoded words when it is not ASCII."""
    ascii_value = value if value.isascii() else Header(value, "utf-8", header_name=name).encode()
    lines = [f"{name}:"]
    for word in ascii_value.split():
        if len(lines[-1]) + 1 + len(word) > FOLD_AT:
            lines.append("")
        lines[-1] += f" {word}"
    return "\n".join(lines)


def head(letter: Letter, order: str, own: Mapping[str, str]) -> list[str]:
    """Return the fields named in `order`, spelt and ordered so, `own` values before the common ones."""
    values = _common(letter) | {name.lower(): value for name, value in own.items()}
    return [field(name, values[name.lower()]) for name in order.split() if name.lower() in values]


def _common(letter: Letter) -> dict[str, str]:
    values = {
        "from": formataddr((letter.writer.name, letter.writer.address)),
        "to": formataddr((display_name(letter.asker), letter.asker)),
        "subject": f"Re: {letter.subject}",
        "date": format_datetime(letter.written_at.replace(microsecond=0)),
        "in-reply-to": letter.request_id,
        "references": letter.request_id,
        "mime-version": "1.0",
    }
    if letter.copied:
        values["cc"] = formataddr((display_name(letter.writer.manager), letter.writer.manager))
    return values


def utc_date(letter: Letter) -> str:
    """Return the Date that servers write who keep no zones: Exchange, Yahoo."""
    return format_datetime(letter.written_at.astimezone(UTC).replace(microsecond=0))


def narrowest(text: str, charsets: Iterable[str]) -> str:
    """Return the first of `charsets` that holds `text`, else utf-8."""
    for charset in charsets:
        try:
            text.encode(charset)
        except UnicodeEncodeError:
            continue
        return charset
    return "utf-8"


def leaf(part: Part) -> bytes:
    """Return the part with its own fields; 7bit goes unsaid, as RFC 2045 section 6.1 allows."""
    fields = [field("Content-Type", part.content_type.format(charset=part.charset))]
    if part.transfer != "7bit":
        fields.append(field("Content-Transfer-Encoding", part.transfer))
    return "\n".join(fields).encode("ascii") + b"\n\n" + _encoded(part)


def alternative(boundary: str, parts: Iterable[Part]) -> bytes:
    """Return `multipart/alternative` with its field; `boundary` is quoted as all clients here do."""
    opened = b"".join(f"--{boundary}\n".encode() + leaf(part).rstrip(b"\n") + b"\n\n" for part in parts)
    fields = field("Content-Type", f'multipart/alternative; boundary="{boundary}"')
    return fields.encode("ascii") + b"\n\n" + opened + f"--{boundary}--\n".encode()


def message(fields: Iterable[str], body: bytes) -> bytes:
    """Return the whole message; `body` begins with its Content-Type."""
    lines = "\n".join(fields).encode("ascii") + b"\n" + body
    return lines.replace(b"\n", b"\r\n")


def token(rng: random.Random, length: int, letters: str = string.ascii_uppercase + string.digits) -> str:
    return "".join(rng.choices(letters, k=length))


def uuid(rng: random.Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4)).upper()


def _encoded(part: Part) -> bytes:
    octets = part.text.encode(part.charset)
    match part.transfer:
        case "base64":  # RFC 2045 section 6.8: lines of text are CRLF before they are encoded
            return base64.encodebytes(octets.replace(b"\n", b"\r\n"))
        case "quoted-printable":
            return quopri.encodestring(octets)
        case _:
            return octets
