"""DMARC (RFC 7489): how closely a domain wants its name and the proof of it to agree.

Its wish to have unproved mail rejected is reported and not followed: a reply that is not proved is stored as such.
"""

from dataclasses import dataclass

from smtpd_service.authentication.names import organisation
from smtpd_service.resolver import Resolver


@dataclass(frozen=True, slots=True)
class Policy:
    """`requests` is `none`, `quarantine` or `reject`, and empty without a record.

    Where DNS gives no answer, nothing is known of `strict`: only the name itself is believed then.
    """

    requests: str = ""
    strict_spf: bool = False
    strict_dkim: bool = False
    trouble: bool = False


UNKNOWN = Policy(strict_spf=True, strict_dkim=True, trouble=True)


def policy_of(domain: str, resolver: Resolver) -> Policy:
    """Return what `domain`, or its organisation in its place, publishes (RFC 7489 section 6.6.3)."""
    parent = organisation(domain)
    for name in dict.fromkeys((domain, parent)):
        answer = resolver.txt(f"_dmarc.{name}")
        if answer.trouble:
            return UNKNOWN
        records = [tags for strings in answer.records if (tags := _tags(b"".join(strings)))]
        if len(records) == 1:
            return _policy(records[0], below=name != domain)
    return Policy()


def _tags(record: bytes) -> dict[str, str]:
    """Return the tags of a DMARC record; none where it is not one."""
    pairs = [part.partition("=") for part in record.decode("utf-8", "replace").split(";")]
    named = [(name.strip(), value.strip()) for name, _, value in pairs]
    return dict(reversed(named)) if named[0] == ("v", "DMARC1") else {}


def _policy(tags: dict[str, str], *, below: bool) -> Policy:
    requests = (below and tags.get("sp")) or tags.get("p", "none")
    return Policy(
        requests=requests.lower() if requests.lower() in {"quarantine", "reject"} else "none",
        strict_spf=tags.get("aspf", "r").lower() == "s",
        strict_dkim=tags.get("adkim", "r").lower() == "s",
    )
