"""DKIM (RFC 6376) by dkimpy: each signature, up to a limit, as a fact.

dkimpy checks the signature over the header; the body's hash is ours (see `body`). A signature that leaves a part
of the body out (`l=`), is made with SHA-1 (RFC 8301) or with a weak key proves nothing here: `policy`.
"""

import base64
import logging
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import dkim
from dkim.util import InvalidTagValueList, parse_tag_value

from smtpd_service.authentication.evidence import Fact, Letter
from smtpd_service.authentication.keys import Keys, UnfitError
from smtpd_service.authentication.names import domain_key
from smtpd_service.domain.headers import fields
from smtpd_service.resolver import Resolver

SIGNATURES = 5
# dkimpy's expressions take quadratic time on what is long, and on spaces most of all; real fields have 1 to 2 kB,
# and 20 to 40 names.
FIELD_LIMIT = 6_000
_WIDE = re.compile(rb"\s{200}")
NAMES_LIMIT = 100
# Clocks differ.
LEEWAY = 300
# dkimpy tells what senders wrote; no log of ours may hold that.
SILENT = logging.Logger("dkimpy", logging.CRITICAL + 1)  # noqa: LOG001  # outside of the tree, so that nothing hears it


class BodyChecked(dkim.DomainSigner):  # type: ignore[misc]  # dkimpy has no types
    """dkimpy without its way with bodies: compares the hash that `letter.body` has made, and leaves the rest to it."""

    def __init__(self, letter: Letter) -> None:
        super().__init__(letter.header + b"\r\n", logger=SILENT)
        self._letter_body = letter.body

    def verify_sig_process(self, sig: dict[bytes, bytes], names: list[bytes], field: Any, keys: Any) -> bool:
        given = dict(sig)
        if b"bh" in given:
            _, _, form = given.get(b"c", b"simple/simple").partition(b"/")
            made = self._letter_body.sha256(form or b"simple")
            if made != base64.b64decode(re.sub(rb"\s+", b"", given.pop(b"bh"))):
                raise dkim.ValidationError("body hash mismatch")
        return bool(super().verify_sig_process(given, names, field, keys))


class _Verifier(BodyChecked, dkim.DKIM):  # type: ignore[misc]  # dkimpy has no types
    """One message, for all its signatures."""


def check(letter: Letter, resolver: Resolver) -> Iterator[Fact]:
    """Yield what each signature is worth, the topmost first."""
    written = [value for name, value in fields(letter.header) if name == b"dkim-signature"][:SIGNATURES]
    verifier: _Verifier | None = None
    for index, value in enumerate(written):
        tags = tags_of(value)
        domain = domain_key(tags.get(b"d", b"").decode("utf-8", "replace"))
        try:
            if letter.header_too_long:
                raise UnfitError("permerror", "header too long")
            judge_tags(tags, time.time())
            verifier = verifier or _Verifier(letter)
            result, reason = _verified(verifier, index, Keys(resolver))
        except UnfitError as error:
            result, reason = error.result, str(error)
        except Exception as error:  # dkimpy leaks what odd octets make it raise
            result, reason = "permerror", type(error).__name__
        selector = tags.get(b"s", b"").decode("utf-8", "replace")
        yield Fact("dkim", result, "header.d", domain, domain, reason, (("header.s", selector),))


def _verified(verifier: _Verifier, index: int, keys: Callable[..., bytes]) -> tuple[str, str]:
    try:
        return ("pass", "") if verifier.verify(index, keys) else ("fail", "bad signature")
    except dkim.ValidationError as error:
        changed = "body hash" in str(error)
        return ("fail", "body changed") if changed else ("permerror", "bad signature field")


def tags_of(value: bytes) -> dict[bytes, bytes]:
    """Return the tags of a signature field; none where it is too long or cannot be read."""
    if len(value) > FIELD_LIMIT or _WIDE.search(value):
        return {}
    try:
        found: dict[bytes, bytes] = parse_tag_value(re.sub(rb"\r?\n", b"", value))
    except InvalidTagValueList:
        return {}
    return found


def judge_tags(tags: dict[bytes, bytes], now: float) -> None:
    """Raise UnfitError if a signature with these tags proves nothing, whatever its key."""
    names = [name.strip().lower() for name in tags.get(b"h", b"").split(b":")]
    if not tags or len(names) > NAMES_LIMIT:
        raise UnfitError("permerror", "bad signature field")
    # RFC 6376 section 5.4; dkimpy does not ask for it.
    if b"from" not in names:
        raise UnfitError("permerror", "From is not signed")
    if b"l" in tags:
        raise UnfitError("policy", "signs a part of the body")
    if tags.get(b"a", b"").endswith(b"sha1"):
        raise UnfitError("policy", "signed with SHA-1")
    expires = tags.get(b"x", b"")
    if expires.isdigit() and len(expires) < 20 and int(expires) < now - LEEWAY:
        raise UnfitError("fail", "expired")
