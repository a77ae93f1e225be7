"""Content-Transfer-Encoding undone, of broken encodings too: never raises.

Quoted-printable has no mistakes that its decoder would not pass over. Base64 has: a list or a scanner
that puts its footer below, a line that got lost, or plain text that was never encoded at all.
"""

import binascii
import re
from email.message import Message

DEFECT = "base64"
# A byte-order mark that was set before the encoded text; what is no ASCII comes as question marks.
_MARK = b"\xef\xbb\xbf? \r\n"
_WHITE = b" \t\r\n\v\f"
_FOREIGN = re.compile(rb"[^A-Za-z0-9+/=\s]|[A-Za-z0-9+/=][ \t]+[A-Za-z0-9+/=]")
# What is in a line of words, or in an address, but not where a gateway put a stray character into base64.
_WORDS = re.compile(rb"\S[ \t]+\S|://|@|www\.")
# Of a line's characters: fewer that are stray are ignored (RFC 2045 section 6.8).
_STRAY = 10
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_NEITHER = re.compile(rb"[^A-Za-z0-9+/]+")


def decode(node: Message) -> tuple[bytes, str | None]:
    """Return the octets of a leaf, and a defect where its encoding is broken."""
    if str(node.get("content-transfer-encoding", "")).strip().lower() != "base64":
        payload = node.get_payload(decode=True)
        return (payload if isinstance(payload, bytes) else b""), None
    wire = node.get_payload()
    if not isinstance(wire, str):
        return b"", DEFECT
    return base64(wire.encode("ascii", "replace"))


def base64(wire: bytes) -> tuple[bytes, str | None]:
    """Return what `wire` encodes up to the first line that is no base64, all of it where that is the first."""
    try:
        return binascii.a2b_base64(wire.translate(None, _WHITE), strict_mode=True), None
    except ValueError:
        wire = wire.lstrip(_MARK)
    end = _end(wire)
    encoded = _NEITHER.sub(b"", wire[:end].partition(b"=")[0])
    if not encoded:
        return wire, DEFECT
    # One sextet alone holds no octet.
    encoded = encoded[:-1] if len(encoded) % 4 == 1 else encoded
    return binascii.a2b_base64(encoded + b"=" * (-len(encoded) % 4)), DEFECT


def _end(wire: bytes) -> int:
    """Return where the first line begins that is words or punctuation: no encoder wrote it."""
    place = 0
    while (foreign := _FOREIGN.search(wire, place)) is not None:
        begin = wire.rfind(b"\n", 0, foreign.start()) + 1
        place = wire.find(b"\n", foreign.start()) + 1 or len(wire)
        line = wire[begin:place].strip()
        stray = len(line.translate(None, _ALPHABET))
        if stray * _STRAY > len(line) or _WORDS.search(line):
            return begin
    return len(wire)
