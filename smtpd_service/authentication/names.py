"""Domain names: one form to compare them in, the organisation that one belongs to, and alignment.

The organisational domain comes from the public suffix list, which its package holds: no look-up, and no answer
that depends on the weather. What the list does not know ends in a suffix of one label.
"""

import re
from functools import cache

from publicsuffixlist import PublicSuffixList

_NAME = re.compile(r"[a-z0-9_.-]{1,255}")


def domain_key(name: str) -> str:
    """Return `name` in A-labels and small letters without the final dot; empty for what is no name of a host."""
    plain = name.strip().rstrip(".").lower()
    if not plain.isascii():
        try:
            plain = plain.encode("idna").decode("ascii")
        except UnicodeError:
            return ""
    return plain if _NAME.fullmatch(plain) else ""


def domain_of(address: str) -> str:
    """Return the domain of an address, or the whole of what has no @."""
    return domain_key(address.rpartition("@")[2])


def organisation(domain: str) -> str:
    """Return the organisational domain; a public suffix is its own."""
    found: str | None = _list().privatesuffix(domain)
    return found or domain


def aligned(one: str, other: str, *, strict: bool) -> bool:
    """Say whether two names are one (strict) or of one organisation (RFC 7489 section 3.1)."""
    if not one or not other:
        return False
    return one == other or (not strict and organisation(one) == organisation(other))


@cache
def _list() -> PublicSuffixList:
    return PublicSuffixList()
