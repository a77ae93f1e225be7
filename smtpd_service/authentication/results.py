"""Authentication-Results (RFC 8601) by authres: read from those we believe, written for those who read us.

Nothing that a sender wrote may become a result of ours: values are checked before they are written, since
authres puts a value with an @ in it down as it is.
"""

import re
from collections.abc import Iterable, Sequence

import authres
from authres.core import AuthenticationResultProperty

from smtpd_service.authentication.evidence import Fact, Method
from smtpd_service.authentication.names import domain_key, domain_of

FIELD_LIMIT = 8_000
_PLAIN = re.compile(r"[A-Za-z0-9!#$&'*+/?^_`{|}~.-]+(?:@[A-Za-z0-9._-]+)?")
# Which property names the domain that a result is about, the first that is there.
IDENTITIES: dict[str, tuple[Method, tuple[str, ...]]] = {
    "spf": ("spf", ("smtp.mailfrom", "smtp.helo")),
    "dkim": ("dkim", ("header.d", "header.i")),
    "dmarc": ("dmarc", ("header.from",)),
}


def read(value: str) -> tuple[str, tuple[Fact, ...]] | None:
    """Return the authserv-id of a field and the results that we know, or None where it cannot be read."""
    if len(value) > FIELD_LIMIT:
        return None
    try:
        field = authres.all_features().parse_value(value)
    except (authres.AuthResError, ValueError, RecursionError):
        return None
    return str(field.authserv_id).lower(), tuple(_facts(field.results))


def _facts(results: Iterable[authres.AuthenticationResult]) -> Iterable[Fact]:
    for each in results:
        if each.method not in IDENTITIES:
            continue
        method, identities = IDENTITIES[each.method]
        named = {f"{found.type}.{found.name}": str(found.value) for found in each.properties}
        # A result about nothing proves nothing, but it is what was said of this method.
        identity = next((name for name in identities if name in named), "")
        value = named.get(identity, "")
        yield Fact(method, str(each.result), identity, domain_of(value), value)


def write(authserv_id: str, facts: Sequence[Fact]) -> str:
    """Return the value of a field, folded before each result."""
    results = [_result(fact) for fact in facts]
    value: str = authres.AuthenticationResultsHeader(authserv_id=authserv_id, results=results).header_value()
    return value.replace("; ", ";\r\n\t")


def _result(fact: Fact) -> authres.AuthenticationResult:
    properties = [
        AuthenticationResultProperty(*identity.split("."), plain)
        for identity, value in ((fact.identity, fact.value), *fact.more)
        if identity and (plain := _plain(value))
    ]
    reason = re.sub(r"[^A-Za-z0-9 .:_=-]", "", fact.reason)
    return authres.AuthenticationResult(fact.method, result=fact.result, reason=reason or None, properties=properties)


def _plain(value: str) -> str:
    """Return `value` if it can stand in a field as it is, or the domain of it, or nothing."""
    for each in (value, domain_of(value), domain_key(value)):
        if len(each) <= 320 and _PLAIN.fullmatch(each):
            return each
    return ""
