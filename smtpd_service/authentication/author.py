"""Who a message says it is from: the one address in the one From field, or nothing.

Read strictly: whoever can be read in two ways is nobody's proof. A comma, a group, a second field, a source
route or an address literal leaves a message without an author.
"""

import re

from smtpd_service.authentication.names import domain_of
from smtpd_service.domain.address import parse_path
from smtpd_service.domain.headers import fields, unfolded

# Quotes that never end take quadratic time; of one address the field is short, its name encoded in 75 octets a word.
FIELD_LIMIT = 2_000
COMMENTS = 20
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_PIECE = re.compile(rf'{_QUOTED.pattern}|[^"()\\]+|.', re.DOTALL)
_NAMED = re.compile(rf'((?:{_QUOTED.pattern}|[^"()<>,;:\\])*)<([^<>(),;:]*)>\s*', re.DOTALL)
_BARE = re.compile(r"[^<>(),;:]*")


def author_address(header: bytes) -> str | None:
    """Return the author's address as it is written, None for nobody."""
    found = [value for name, value in fields(header) if name == b"from"]
    if len(found) != 1 or len(found[0]) > FIELD_LIMIT:
        return None
    address = _one_address(unfolded(found[0]))
    path = parse_path(f"<{address}>") if address else None
    if path is None or path.address != address or "[" in address:
        return None
    return address if domain_of(address) else None


def _one_address(value: str) -> str | None:
    """Return the one address of a field: within its angle brackets, or the whole of it without comments."""
    text = _without_comments(value)
    if text is None:
        return None
    named = _NAMED.fullmatch(text)
    if named is None:
        return text.strip() if _BARE.fullmatch(text) else None
    name, address = _QUOTED.sub("", named[1]).strip(), named[2].strip()
    # A second address where the name stands, without quotes: only the same one again.
    return address if "@" not in name or name.lower() == address.lower() else None


def _without_comments(value: str) -> str | None:
    kept: list[str] = []
    depth = 0
    for piece in _PIECE.findall(value):
        if piece == "(" or (piece == ")" and depth):
            depth += 1 if piece == "(" else -1
        elif not depth:
            kept.append(piece)
        elif piece[0] in '"\\':
            # Readers differ on quotes and pairs within comments.
            return None
        if depth > COMMENTS:
            return None
    return None if depth else "".join(kept)
