"""Public keys of DKIM and ARC, looked up and judged: what is unfit to prove anything says so before it is used.

The limits keep a stranger from choosing how long our processor works: with a modulus of 64 kB one signature
takes minutes.
"""

import base64
import re
from dataclasses import dataclass

import dkim
from dkim.util import InvalidTagValueList, parse_tag_value

from smtpd_service.resolver import Resolver

RECORD_LIMIT = 4_000
# RFC 8301 section 3.2: at least 1024; more than 4096 need not be taken.
SMALLEST, LARGEST = 1024, 4096
LARGEST_EXPONENT = 2**32


class UnfitError(Exception):
    """This key proves nothing; `result` is one of RFC 8601 section 2.7.1."""

    def __init__(self, result: str, reason: str) -> None:
        super().__init__(reason)
        self.result = result


@dataclass(frozen=True, slots=True)
class Keys:
    """What dkimpy asks for keys: called with `selector._domainkey.domain.`. Raises UnfitError."""

    resolver: Resolver

    def __call__(self, name: bytes, timeout: float = 0) -> bytes:  # noqa: ARG002  # the resolver has its own limit
        found = self.resolver.txt(name.decode("ascii", "replace"))
        if found.trouble:
            raise UnfitError("temperror", "no answer from DNS")
        records = [b"".join(strings) for strings in found.records]
        if len(records) != 1:
            raise UnfitError("permerror", "no key" if not records else "more than one key")
        _judge(records[0])
        return records[0]


def _judge(record: bytes) -> None:
    if len(record) > RECORD_LIMIT:
        raise UnfitError("permerror", "key too long")
    try:
        tags = parse_tag_value(record)
    except InvalidTagValueList:
        raise UnfitError("permerror", "bad key") from None
    if not tags.get(b"p"):
        raise UnfitError("permerror", "key revoked")
    # RFC 6376 section 3.6.1: what is signed for a test is as if it were not signed.
    if b"y" in _words(tags.get(b"t", b"")):
        raise UnfitError("policy", "key in test")
    if not {b"*", b"email"} & _words(tags.get(b"s", b"*")) or b"sha256" not in _words(tags.get(b"h", b"sha256")):
        raise UnfitError("permerror", "key for another use")
    if tags.get(b"k", b"rsa") == b"rsa":
        _judge_rsa(re.sub(rb"\s", b"", tags[b"p"]))


def _words(value: bytes) -> set[bytes]:
    return {word.strip() for word in value.split(b":")}


def _judge_rsa(encoded: bytes) -> None:
    try:
        key = dkim.parse_public_key(base64.b64decode(encoded, validate=True))
    except (ValueError, TypeError, IndexError, dkim.UnparsableKeyError):
        raise UnfitError("permerror", "bad key") from None
    bits = key["modulus"].bit_length()
    if bits < SMALLEST:
        raise UnfitError("policy", f"key of {bits} bits")
    if bits > LARGEST or key["publicExponent"] >= LARGEST_EXPONENT:
        raise UnfitError("policy", "key too large")
