"""DNS for all rooms: look-ups with time limits and one bounded cache; what fails is a value, never an exception.

Promises: no look-up lasts longer than `lifetime`, nor, on a resolver made by `within`, past its end; answers are
kept as long as their TTL says (a day at most), negative ones too (RFC 2308), trouble never; records come sorted.
Safe for threads; blocks the one that asks. Known limit: the system's resolvers are read once, at the start.
"""

import copy
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_address
from typing import Any, Generic, Protocol, TypeVar

import dns.exception
import dns.flags
import dns.name
import dns.nameserver
import dns.resolver
import dns.reversename

T = TypeVar("T")
CACHED_ANSWERS = 10_000
CACHED_SECONDS = 86_400.0
# What passes any network in one datagram (DNS flag day 2020); larger answers come by TCP.
DATAGRAM = 1232


class Server(Protocol):
    """Where to ask: an IP address and a port."""

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...


class Found(Enum):
    """What became of a look-up."""

    FOUND = "found"
    NO_DATA = "no data"
    NO_NAME = "no such name"
    TROUBLE = "trouble"


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """The records, in order; empty unless `state` is FOUND.

    `why` says what the trouble was; `secure` that the resolver vouches for the answer by DNSSEC.
    """

    state: Found
    records: tuple[T, ...] = ()
    why: str = ""
    secure: bool = False

    @property
    def trouble(self) -> bool:
        return self.state is Found.TROUBLE


@dataclass(frozen=True, slots=True, order=True)
class Mx:
    """`host` is without the final dot; `.` alone is the null MX (RFC 7505)."""

    preference: int
    host: str


@dataclass(frozen=True, slots=True, order=True)
class Tlsa:
    """One association (RFC 6698 section 2.1)."""

    usage: int
    selector: int
    matching: int
    data: bytes


class _Cache(dns.resolver.LRUCache):
    """Bounded; an answer is kept for a day at most, whatever its TTL says."""

    def put(self, key: Any, value: dns.resolver.Answer) -> None:
        value.expiration = min(value.expiration, time.time() + CACHED_SECONDS)
        super().put(key, value)


class Resolver:
    """Asks `servers`, or the system's when there are none; `timeout` of one try, `lifetime` of one look-up: seconds."""

    def __init__(self, servers: Sequence[Server], timeout: float, lifetime: float) -> None:
        self._asking = _stub(servers)
        self._asking.timeout = timeout
        self._asking.lifetime = lifetime
        self._asking.cache = _Cache(CACHED_ANSWERS)
        # RFC 6840 section 5.7: AD in a question asks for the resolver's word on DNSSEC.
        self._asking.flags = dns.flags.RD | dns.flags.AD
        self._asking.use_edns(0, 0, DATAGRAM)
        self._end = math.inf

    def within(self, seconds: float) -> "Resolver":
        """Return a resolver with the same servers and cache, all of whose look-ups together end in `seconds`."""
        other = copy.copy(self)
        other._end = time.monotonic() + seconds  # noqa: SLF001  # its own class
        return other

    def txt(self, name: str) -> Answer[tuple[bytes, ...]]:
        """Return the TXT records, each as its strings."""
        return self._look_up(name, "TXT", lambda record: tuple(record.strings))

    def mx(self, name: str) -> Answer[Mx]:
        """Return the MX records by preference."""
        return self._look_up(name, "MX", lambda record: Mx(record.preference, _host(record.exchange)))

    def a(self, name: str) -> Answer[str]:
        return self._look_up(name, "A", _address)

    def aaaa(self, name: str) -> Answer[str]:
        return self._look_up(name, "AAAA", _address)

    def addresses(self, name: str) -> Answer[str]:
        """Return the IPv6 and then the IPv4 addresses; trouble only where neither was found."""
        six, four = self.aaaa(name), self.a(name)
        if six.records or four.records:
            found = tuple(each for each in (six, four) if each.records)
            records = six.records + four.records
            return Answer(Found.FOUND, records, secure=all(each.secure for each in found))
        return six if six.trouble else four

    def tlsa(self, name: str) -> Answer[Tlsa]:
        """Return the TLSA records of a name like `_25._tcp.mx.example`."""
        return self._look_up(name, "TLSA", lambda each: Tlsa(each.usage, each.selector, each.mtype, bytes(each.cert)))

    def ptr(self, address: str) -> Answer[str]:
        """Return the names that an IP address points to. Raises ValueError if it is none."""
        return self.pointers(dns.reversename.from_address(str(ip_address(address))).to_text())

    def pointers(self, name: str) -> Answer[str]:
        """Return the names that a name like `1.2.0.192.in-addr.arpa` points to."""
        return self._look_up(name, "PTR", lambda record: _host(record.target))

    def _look_up(self, name: str, kind: str, read: Callable[[Any], T]) -> Answer[T]:
        try:
            wanted = dns.name.from_text(name, dns.name.root)
        except (dns.exception.DNSException, ValueError) as error:
            # What cannot be written as a name has no records.
            return Answer(Found.NO_NAME, why=f"{type(error).__name__}: {error}")
        lifetime = min(self._asking.lifetime, self._end - time.monotonic())
        if lifetime <= 0:
            return Answer(Found.TROUBLE, why="the time for all look-ups is over")
        try:
            answer = self._asking.resolve(wanted, kind, raise_on_no_answer=False, lifetime=lifetime, search=False)
        except dns.resolver.NXDOMAIN:
            return Answer(Found.NO_NAME)
        except (dns.exception.DNSException, OSError) as error:
            return Answer(Found.TROUBLE, why=f"{type(error).__name__}: {error}")
        return _read(answer, read)


def _stub(servers: Sequence[Server]) -> dns.resolver.Resolver:
    try:
        asking = dns.resolver.Resolver(configure=not servers)
    except dns.resolver.NoResolverConfiguration:
        # With no servers at all each look-up is trouble, which is what it would be anyway.
        asking = dns.resolver.Resolver(configure=False)
    if servers:
        asking.nameservers = [dns.nameserver.Do53Nameserver(each.host, each.port) for each in servers]
    return asking


def _read(answer: dns.resolver.Answer, read: Callable[[Any], T]) -> Answer[T]:
    secure = bool(answer.response.flags & dns.flags.AD)
    if answer.rrset is None:
        return Answer(Found.NO_DATA, secure=secure)
    records: list[Any] = sorted(read(record) for record in answer.rrset)
    return Answer(Found.FOUND, tuple(records), secure=secure)


def _host(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()


def _address(record: Any) -> str:
    return str(record.address)
