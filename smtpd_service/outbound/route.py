"""Where notices go: a maildir, one smarthost, or straight to the servers of the recipient's domain.

`Direct.hops` blocks on DNS and HTTPS and belongs into a thread.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from smtpd_service.domain.notice import GivenUp, TryLater
from smtpd_service.outbound.encryption import Mode
from smtpd_service.outbound.lanes import EVERYTHING
from smtpd_service.outbound.relay import Login
from smtpd_service.outbound.sts import Policies, Policy
from smtpd_service.resolver import Answer, Found, Mx, Resolver

SMTP_PORT = 25
# Of one domain in one attempt; each may cost a whole time limit.
MOST_HOSTS = 5


@dataclass(frozen=True, slots=True)
class Hop:
    """One server to try: `host` is the name that its certificate has, `address` where it listens.

    `policy` "testing" or "enforce" is what the recipient's domain asks of it by MTA-STS, and `fits` whether it is
    among those that the domain names there.
    """

    host: str
    address: str
    port: int
    policy: str = ""
    fits: bool = True

    @property
    def name(self) -> str:
        """Return what people and breakers know it by."""
        shown = f"[{self.address}]" if ":" in self.address else self.address
        return f"{shown}:{self.port}" if self.address == self.host else f"{self.host}[{self.address}]:{self.port}"


@dataclass(frozen=True, slots=True)
class Maildir:
    """A folder, for a site without a smarthost."""

    folder: Path


@dataclass(frozen=True, slots=True)
class Smarthost:
    host: str
    port: int
    login: Login | None = None

    def lane(self, _destination: str) -> str:
        """Return what notices are held up together with: here all others."""
        return EVERYTHING

    def hops(self, _recipient: str) -> tuple[Hop, ...]:
        return (Hop(self.host, self.host, self.port),)


@dataclass(frozen=True, slots=True)
class Direct:
    """The recipients' own servers; `own` are the names that MX records know us by."""

    resolver: Resolver
    policies: Policies
    own: frozenset[str]
    port: int = SMTP_PORT
    login: None = None

    def lane(self, destination: str) -> str:
        return destination

    def hops(self, recipient: str) -> tuple[Hop, ...] | GivenUp | TryLater:
        """Return the servers in the order in which to try them (RFC 5321 section 5.1)."""
        domain = ascii_domain(recipient)
        if domain is None:
            return GivenUp(None, "5.1.2 The recipient's domain is none")
        if domain.startswith("["):
            return _literal(domain, self.port)
        hosts = self._hosts(domain)
        if not isinstance(hosts, tuple):
            return hosts
        policy = self.policies.of(domain)
        hops = tuple(self._addressed(hosts, policy))
        if hops:
            return hops
        if policy is not None and policy.mode == "enforce" and not any(policy.names(host) for host in hosts):
            return TryLater(None, "4.4.4 No MX of the domain is one that its MTA-STS policy names")
        return TryLater(None, "4.4.4 No MX of the domain has an address")

    def _hosts(self, domain: str) -> tuple[str, ...] | GivenUp | TryLater:
        found = self.resolver.mx(domain)
        if found.state is Found.NO_DATA:
            return self._implicit(domain)
        if found.state is not Found.FOUND:
            return _unknown(found)
        if any(each.host in {".", ""} for each in found.records):
            # RFC 7505 section 4.1: such a domain takes no mail, and nobody is asked.
            return GivenUp(None, "5.1.10 The recipient's domain takes no mail (null MX)")
        return self._before_us(found.records)

    def _implicit(self, domain: str) -> tuple[str, ...] | GivenUp | TryLater:
        """A domain without MX is its own (RFC 5321 section 5.1)."""
        found = self.resolver.addresses(domain)
        if found.state is not Found.FOUND:
            return _unknown(found)
        return (domain,) if domain not in self.own else _loop()

    def _before_us(self, records: tuple[Mx, ...]) -> tuple[str, ...] | GivenUp:
        """Return the hosts, most preferred first, equals in no order; none that comes with or after ourselves."""
        ours = min((each.preference for each in records if each.host in self.own), default=None)
        better = [each for each in records if ours is None or each.preference < ours]
        random.shuffle(better)
        better.sort(key=lambda each: each.preference)
        return tuple(each.host for each in better) or _loop()

    def _addressed(self, hosts: tuple[str, ...], policy: Policy | None) -> Iterator[Hop]:
        mode = policy.mode if policy else "none"
        asked = "" if mode == "none" else mode
        usable = [host for host in hosts if mode != "enforce" or (policy is not None and policy.names(host))]
        for host in usable[:MOST_HOSTS]:
            fits = policy is None or mode == "none" or policy.names(host)
            # Where a host has many addresses, one of each kind is enough for one attempt.
            for found in (self.resolver.aaaa(host), self.resolver.a(host)):
                if found.records:
                    yield Hop(host, random.choice(found.records), self.port, asked, fits)  # noqa: S311  # spreads load


def ascii_domain(recipient: str) -> str | None:
    """Return the domain as DNS has it (A-labels, small letters), None where there is none."""
    domain = recipient.rpartition("@")[2].rstrip(".")
    if domain.startswith("["):
        return domain
    try:
        return domain.encode("idna").decode("ascii").lower() or None
    except UnicodeError:
        return None


def _literal(domain: str, port: int) -> tuple[Hop, ...] | GivenUp:
    """Return the hop of `[192.0.2.1]` or `[IPv6:2001:db8::1]` (RFC 5321 section 4.1.3)."""
    text = domain.strip("[]")
    text = text[5:] if text[:5].lower() == "ipv6:" else text
    try:
        address = str(ip_address(text))
    except ValueError:
        return GivenUp(None, "5.1.2 The recipient's address literal is none")
    return (Hop(address, address, port),)


def _unknown(found: Answer[Mx] | Answer[str]) -> GivenUp | TryLater:
    if found.trouble:
        return TryLater(None, f"4.4.3 DNS gives no answer: {found.why}")
    return GivenUp(None, "5.1.2 The recipient's domain does not exist, or takes no mail")


def _loop() -> GivenUp:
    return GivenUp(None, "5.4.6 The MX of the recipient's domain is this server")


def mode_for(hop: Hop, wanted: Mode) -> Mode:
    """Return how a hop is spoken to: a policy that is enforced asks for checked TLS whatever we want."""
    return "required" if hop.policy == "enforce" else wanted
