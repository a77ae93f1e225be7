"""A letter to send: what its sender says of it, and its octets. Pure."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Letter:
    """`id` is its Message-ID, which no other letter of any run has; `octets` end in CRLF."""

    id: str
    sender: str
    octets: bytes


# Makes the letter of this number: only when it goes out, so that a million need no memory.
Write = Callable[[int], Letter]
