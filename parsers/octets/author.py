"""The From field as nine of ten mails write it: a name, and one address in angle brackets; or the address alone.

The name is ASCII, or one encoded word (RFC 2047) of UTF-8 that spells letters.

The library parses a From twice, to tell the sound ones from the others: a seventh of what a reply of 2 kB costs
(measured). What is matched here it would give back as it stands, which a test holds; the rest is left to it.
"""

import binascii
import re
import unicodedata
from collections.abc import Sequence

_WORD = r"[A-Za-z0-9'-]+"
_ATOM = r"[A-Za-z0-9_'+-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# `=?utf-8?q?Ann_L=C3=A9e?=`; a longer one is against RFC 2047.
_ENCODED = r"=\?utf-8\?(?=..[^?]{1,60}\?)(?:q\?((?:[A-Za-z0-9_.'-]|=[0-9A-F]{2})+)|b\?([A-Za-z0-9+/=]+))\?="
_PLAIN = re.compile(
    rf"from:[ \t]*+(?:(?:\"([A-Za-z0-9'-][A-Za-z0-9 ,.'()-]{{0,60}})\"|({_WORD}(?: {_WORD}){{0,5}}+)|{_ENCODED})"
    rf"[ \t]++(?=<))?(<)?((?:{_ATOM}\.){{0,5}}{_ATOM})@((?:{_LABEL}\.){{1,6}}{_LABEL})(?(5)>)[ \t]*+\r?\n".encode(),
    re.IGNORECASE,
)
_NAME = b"from:"
# What a name has beside letters.
_JOINTS = str.maketrans("", "", " ,'-")


def plain(head: Sequence[bytes]) -> tuple[str, str] | None:
    """Return address (domain in lower case) and name of the one From among these fields; None unless it is plain."""
    found = [field for field in head if field[:5].lower() == _NAME]
    match = _PLAIN.fullmatch(found[0]) if len(found) == 1 else None
    # A bare CR ends lines for the library, and a line end would be lost with the field.
    if match is None or any(field.count(b"\r") != field.count(b"\r\n") for field in head):
        return None
    name = _decoded(match) if match[3] or match[4] else (match[1] or match[2] or b"").decode("ascii")
    if name is None:
        return None
    return f"{match[6].decode('ascii')}@{match[7].decode('ascii').lower()}", " ".join(name.split())


def _decoded(match: re.Match[bytes]) -> str | None:
    """Return what an encoded word spells, None unless that is letters as they are to be stored."""
    try:
        octets = binascii.a2b_qp(match[3], header=True) if match[3] else binascii.a2b_base64(match[4], strict_mode=True)
        name = octets.decode()
    except ValueError:
        return None
    return name if name.translate(_JOINTS).isalpha() and unicodedata.is_normalized("NFC", name) else None
