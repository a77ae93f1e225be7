"""The From field as nine of ten mails write it: a name, and one address in angle brackets; or the address alone.

The library parses a From twice, to tell the sound ones from the others: a seventh of what a reply of 2 kB costs
(measured). What is matched here it would give back as it stands, which a test holds; the rest is left to it.
"""

import re
from collections.abc import Sequence

_WORD = r"[A-Za-z0-9'-]+"
_ATOM = r"[A-Za-z0-9_'+-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PLAIN = re.compile(
    rf"from:[ \t]*+(?:(?:\"([A-Za-z0-9'-][A-Za-z0-9 ,.'()-]{{0,60}})\"|({_WORD}(?: {_WORD}){{0,5}}+))[ \t]++(?=<))?(<)?"
    rf"((?:{_ATOM}\.){{0,5}}{_ATOM})@((?:{_LABEL}\.){{1,6}}{_LABEL})(?(3)>)[ \t]*+\r?\n".encode(),
    re.IGNORECASE,
)
_NAME = b"from:"


def plain(head: Sequence[bytes]) -> tuple[str, str] | None:
    """Return address (domain in lower case) and name of the one From among these fields; None unless it is plain."""
    found = [field for field in head if field[:5].lower() == _NAME]
    match = _PLAIN.fullmatch(found[0]) if len(found) == 1 else None
    # A bare CR ends lines for the library, and a line end would be lost with the field.
    if match is None or any(field.count(b"\r") != field.count(b"\r\n") for field in head):
        return None
    name = (match[1] or match[2] or b"").decode("ascii")
    return f"{match[4].decode('ascii')}@{match[5].decode('ascii').lower()}", " ".join(name.split())
