"""ARC (RFC 8617) by dkimpy: what a listed forwarder saw before it changed a message.

A chain is believed only where its outermost set was sealed by a listed domain; anybody can seal, and an unlisted
chain is not even looked up. Of the sets below it only the seals count: a forwarder may have changed the message.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

import dkim

from smtpd_service.authentication.dkim import BodyChecked, judge_tags, tags_of
from smtpd_service.authentication.evidence import Fact, Letter
from smtpd_service.authentication.keys import Keys, UnfitError
from smtpd_service.authentication.names import domain_key
from smtpd_service.authentication.results import read
from smtpd_service.domain.headers import unfolded
from smtpd_service.resolver import Resolver

# RFC 8617 section 4.2.1.
INSTANCES = 50


class _Verifier(BodyChecked, dkim.ARC):  # type: ignore[misc]  # dkimpy has no types
    """One message, for all its sets."""


@dataclass(frozen=True, slots=True)
class _ForgivingKeys:
    """Takes an unfit key for none, as the key of an old set may be gone; trouble stays trouble."""

    keys: Keys

    def __call__(self, name: bytes, timeout: float = 0) -> bytes | None:
        try:
            return self.keys(name, timeout)
        except UnfitError as error:
            if error.result == "temperror":
                raise
            return None


def check(letter: Letter, sealers: Collection[str], resolver: Resolver) -> tuple[Fact, tuple[Fact, ...]] | None:
    """Return what the chain is worth, and what its outermost set says if it holds; None where no listed domain sealed.

    What is said has the sealer's name for a reason.
    """
    if not sealers or letter.header_too_long or b"arc-seal" not in letter.header.lower():
        return None
    try:
        verifier = _Verifier(letter)
        outermost, written = verifier.sorted_arc_headers()
        sealer = _sealer(outermost, written)
    except Exception:  # dkimpy leaks what odd octets make it raise; nobody listed wrote these
        return None
    if sealer not in sealers:
        return None
    try:
        judge_tags(tags_of(_field(b"arc-message-signature", outermost, written)), 0)
        _hold(verifier, outermost, written, Keys(resolver))
    except UnfitError as error:
        return Fact("arc", error.result, "header.d", sealer, sealer, str(error)), ()
    except Exception as error:  # as above
        return Fact("arc", "fail", "header.d", sealer, sealer, type(error).__name__), ()
    said = read(unfolded(_field(b"arc-authentication-results", outermost, written)).partition(";")[2].strip())
    facts = said[1] if said else ()
    return Fact("arc", "pass", "header.d", sealer, sealer), tuple(
        replace(each, reason=f"sealed by {sealer}") for each in facts
    )


def _field(name: bytes, instance: int, written: list[tuple[int, tuple[bytes, bytes]]]) -> bytes:
    return next((value for number, (label, value) in written if number == instance and label.lower() == name), b"")


def _sealer(outermost: int, written: list[tuple[int, tuple[bytes, bytes]]]) -> str:
    """Return the domain that made both signatures of the outermost set, or nothing."""
    if not 0 < outermost <= INSTANCES:
        return ""
    domains = {
        domain_key(tags_of(_field(name, outermost, written)).get(b"d", b"").decode("ascii", "replace"))
        for name in (b"arc-seal", b"arc-message-signature")
    }
    return domains.pop() if len(domains) == 1 else ""


def _hold(verifier: _Verifier, outermost: int, written: list[tuple[int, tuple[bytes, bytes]]], keys: Keys) -> None:
    """Raise UnfitError unless the chain holds (RFC 8617 section 5.2)."""
    for instance in range(outermost, 0, -1):
        found = verifier.verify_instance(written, instance, dnsfunc=_ForgivingKeys(keys))
        if not found["as-valid"] or (instance == outermost and not found["ams-valid"]):
            raise UnfitError("fail", f"set {instance} does not hold")
        if found["cv"] != (b"none" if instance == 1 else b"pass"):
            raise UnfitError("fail", f"set {instance} says cv={found['cv'].decode('ascii', 'replace')}")
