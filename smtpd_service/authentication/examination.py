"""One message from octets to proof. Blocks for look-ups; needs no event loop, and keeps nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from smtpd_service.authentication import arc, dkim, results, spf
from smtpd_service.authentication.author import author_address
from smtpd_service.authentication.dmarc import Policy, policy_of
from smtpd_service.authentication.evidence import Fact, Letter
from smtpd_service.authentication.judgement import judge
from smtpd_service.authentication.names import domain_of
from smtpd_service.authentication.relay import believed
from smtpd_service.domain.sender import LOCAL, UNKNOWN, Network, Proof, trusted
from smtpd_service.resolver import Resolver


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom we believe; `authserv_id` is our own name in results, which is never believed on what arrives."""

    authserv_id: str
    relays: Sequence[Network] = ()
    authserv_ids: frozenset[str] = frozenset()
    sealers: frozenset[str] = frozenset()

    def named(self) -> frozenset[str]:
        return self.authserv_ids - {self.authserv_id}


def examine(letter: Letter, trust: Trust, resolver: Resolver) -> Proof:
    """Return the proof of a message; `resolver` holds how long that may take in all."""
    address = author_address(letter.header)
    author = None if address is None else domain_of(address)
    policy = policy_of(author, resolver) if author is not None else Policy()
    facts = tuple(_found(letter, trust, resolver))
    judgement = judge(address, letter.mail_from, facts, policy)
    dmarc = () if author is None else _dmarc(author, policy, facts, proved=judgement.proved, by=judgement.by)
    return Proof(
        judgement.proved, judgement.by, judgement.returnable, results.write(trust.authserv_id, (*facts, *dmarc))
    )


def _found(letter: Letter, trust: Trust, resolver: Resolver) -> Iterable[Fact]:
    """Return what a front server says, or else what we find; of a relayed message the client is no evidence.

    One that has judged the client alone leaves the signatures to us.

    Signatures first: they go on proving when the time is over for SPF, of which the records may be slow.
    """
    relay = letter.client == LOCAL or trusted(letter.client, trust.relays)
    said = believed(letter.header, trust.named()) if relay else None
    if said is not None and {"dkim", "dmarc"} & {fact.method for fact in said}:
        return said
    signed = tuple(dkim.check(letter, resolver))
    sealed = arc.check(letter, trust.sealers, resolver)
    forwarded = () if sealed is None else (sealed[0], *sealed[1])
    return chain(
        said or (), signed, forwarded, () if relay or letter.client == UNKNOWN else (spf.check(letter, resolver),)
    )


def _dmarc(author: str, policy: Policy, facts: Sequence[Fact], *, proved: bool, by: str) -> tuple[Fact, ...]:
    """Return the result of DMARC, unless somebody whom we believe has said it."""
    if any(fact.method == "dmarc" for fact in facts):
        return ()
    if by == "temperror" or policy.trouble:
        result = "temperror" if not proved else "pass"
    elif not policy.requests:
        result = "none"
    else:
        result = "pass" if proved else "fail"
    more = (("policy.dmarc", policy.requests),) if policy.requests else ()
    return (Fact("dmarc", result, "header.from", author, author, more=more),)
