"""SPF (RFC 7208) by pyspf, with its look-ups made by our resolver; its limits on them hold."""

import re
from collections.abc import Callable
from typing import Any

import spf

from smtpd_service.authentication.evidence import Fact, Letter
from smtpd_service.authentication.names import domain_key, domain_of
from smtpd_service.resolver import Answer, Mx, Resolver

RESULTS = {"none", "pass", "fail", "softfail", "neutral", "temperror", "permerror"}
# Addresses that nobody sends from (RFC 1112 section 4, RFC 6666): who lets them pass lets everybody pass.
NOBODY = {4: "240.0.0.1", 6: "100::1"}
ANYONE = "any client would pass"
_ASK: dict[str, Callable[[Resolver, str], Answer[Any]]] = {
    "TXT": Resolver.txt,
    "A": Resolver.a,
    "AAAA": Resolver.aaaa,
    "MX": Resolver.mx,
    "PTR": Resolver.pointers,
}
_IPV4 = re.compile(r"[0-9.]+|::ffff:[0-9.]+", re.IGNORECASE)


class _Query(spf.query):  # type: ignore[misc]  # pyspf has no types
    """pyspf asks DNS in this one method; it raises `spf.TempError` for trouble and counts void look-ups."""

    def __init__(self, resolver: Resolver, client: str, letter: Letter) -> None:
        self._resolver = resolver
        super().__init__(client, _sender(letter), domain_key(letter.helo))

    def dns(self, name: str, qtype: str, cnames: Any = None, ignore_void: bool = False) -> list[Any]:  # noqa: ARG002  # pyspf's signature
        asked = str(name).rstrip(".").lower()
        if (asked, qtype) in self.cache:
            known: list[Any] = self.cache[asked, qtype]
            return known
        answer: Answer[Any] = _ASK[qtype](self._resolver, asked)
        if answer.trouble:
            raise spf.TempError(f"DNS {answer.why}")
        found = self.cache[asked, qtype] = [_as_pyspf(each) for each in answer.records]
        if not found and not ignore_void:
            self.void_lookups += 1
            if self.void_lookups > spf.MAX_VOID_LOOKUPS:
                raise spf.PermError("too many void look-ups")
        return found


def _as_pyspf(record: Any) -> Any:
    return (record.preference, record.host) if isinstance(record, Mx) else record


def _sender(letter: Letter) -> str:
    """Return the reverse-path for pyspf, which ends a local part at its first @: one with an @ in it gets another."""
    if not letter.mail_from:
        return ""
    local, _, domain = letter.mail_from.rpartition("@")
    return f"{'postmaster' if '@' in local else local}@{domain_key(domain)}"


def check(letter: Letter, resolver: Resolver) -> Fact:
    """Say whether the client may use the reverse-path's domain, or its own name where the reverse-path is null.

    A domain that lets anybody pass vouches for nobody: `policy`.
    """
    identity = "smtp.mailfrom" if letter.mail_from else "smtp.helo"
    domain = domain_of(letter.mail_from) if letter.mail_from else domain_key(letter.helo)
    if not domain:
        return Fact("spf", "none", identity, "", "")
    result = _result(resolver, letter.client, letter)
    reason = ""
    if result == "pass" and _result(resolver, NOBODY[4 if _IPV4.fullmatch(letter.client) else 6], letter) == "pass":
        result, reason = "policy", ANYONE
    return Fact("spf", result, identity, domain, letter.mail_from or domain, reason)


def _result(resolver: Resolver, client: str, letter: Letter) -> str:
    try:
        result, _, _ = _Query(resolver, client, letter).check()
    except Exception:  # what a record makes pyspf raise is the record's fault
        return "permerror"
    return result if result in RESULTS else "permerror"
