"""From what was found to the proof: is the author proved, and may a notice go to the reverse-path?

The author is proved by SPF or DKIM for a domain that is aligned with that of From, or by the word of a front server
or a listed forwarder for just that domain. A notice may go back where besides the reverse-path itself is vouched
for: a spammer proves his own domain with ease, and writes whose reverse-path he likes; where a provider signs for
millions, that of his neighbour. So a signature vouches for the author's own address, and for no other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from smtpd_service.authentication.dmarc import Policy
from smtpd_service.authentication.evidence import Fact
from smtpd_service.authentication.names import aligned, domain_of
from smtpd_service.domain.address import mailbox_key

# Why nothing proved the author, by what was found; the first that fits.
NO_AUTHOR = "no_author"
TROUBLE = "temperror"
REASONS = (
    (TROUBLE, {"temperror"}),
    ("not_aligned", {"pass"}),
    ("weak", {"policy"}),
    ("failed", {"fail", "softfail", "permerror"}),
)
NONE = "none"


@dataclass(frozen=True, slots=True)
class Judgement:
    """`by` as `domain.sender.Proof` has it."""

    proved: bool
    by: str
    returnable: bool


def judge(address: str | None, mail_from: str, facts: Sequence[Fact], policy: Policy) -> Judgement:
    """Judge a message by its author, its reverse-path and what was found; `policy` is that of the author's domain."""
    if address is None:
        return Judgement(False, NO_AUTHOR, False)
    author, own = domain_of(address), mailbox_key(address) == mailbox_key(mail_from)
    # The client's name stands for a reverse-path that is null, and for no other (RFC 7208 section 2.4).
    counted = [fact for fact in facts if fact.identity != "smtp.helo" or not mail_from]
    proving = next((fact for fact in counted if _proves(fact, author, policy)), None)
    if proving is None:
        return Judgement(False, _reason(author, counted, policy), False)
    returnable = any(_vouches_for(fact, mail_from, own=own) for fact in counted)
    by = f"{proving.method}:{proving.domain}"
    return Judgement(True, f"{by} ({proving.reason})" if proving.reason else by, returnable)


def _proves(fact: Fact, author: str, policy: Policy) -> bool:
    if not fact.passed:
        return False
    if fact.method == "dmarc":
        return fact.domain == author
    if fact.method == "dkim":
        return aligned(fact.domain, author, strict=policy.strict_dkim)
    return fact.method == "spf" and aligned(fact.domain, author, strict=policy.strict_spf)


def _vouches_for(fact: Fact, mail_from: str, *, own: bool) -> bool:
    """Say whether a result stands for the reverse-path: SPF for just its domain, a signature where it is the author."""
    if not mail_from or not fact.passed:
        return False
    if fact.method == "spf":
        return fact.domain == domain_of(mail_from)
    return own and fact.method in {"dkim", "dmarc"} and aligned(fact.domain, domain_of(mail_from), strict=False)


def _reason(author: str, facts: Sequence[Fact], policy: Policy) -> str:
    if policy.trouble and any(_proves(fact, author, Policy()) for fact in facts):
        return TROUBLE
    results = {fact.result for fact in facts if fact.method in {"spf", "dkim"}}
    return next((reason for reason, of in REASONS if results & of), NONE)
