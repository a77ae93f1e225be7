"""What a front server of ours says about a message, in the Authentication-Results that it put on top.

Believed are the fields that stand above the first Received, which is the front server's own; where there are none,
those directly below it, for some filters write there. Anything further down came with the message. Of each method
only the first field counts. The front server itself must take away fields that carry its name from what it
receives (RFC 8601 section 5); this is the second lock.
"""

from collections.abc import Collection
from dataclasses import replace

from smtpd_service.authentication.evidence import Fact
from smtpd_service.authentication.results import read
from smtpd_service.domain.headers import fields, unfolded


def believed(header: bytes, authserv_ids: Collection[str]) -> tuple[Fact, ...] | None:
    """Return the results of a front server that is named in `authserv_ids`; None where it wrote none."""
    facts: list[Fact] = []
    found = False
    for value in _topmost(header):
        said = read(unfolded(value))
        if said is None or said[0] not in authserv_ids:
            continue
        found = True
        known = {fact.method for fact in facts}
        facts += [replace(each, reason=f"said by {said[0]}") for each in said[1] if each.method not in known]
    return tuple(facts) if found else None


def _topmost(header: bytes) -> list[bytes]:
    found: list[bytes] = []
    received = False
    for name, value in fields(header):
        if name == b"authentication-results":
            found.append(value)
        elif name == b"received" and not received and not found:
            received = True
        elif received or name == b"received":
            break
    return found
