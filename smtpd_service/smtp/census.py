"""Who is connected: caps on connections, and one sweep a second that ends what idles or drips."""

import asyncio
from collections import Counter
from ipaddress import IPv6Address
from typing import Protocol as Interface

from smtpd_service.domain.replies import Session

SWEEP_EVERY = 1.0
# Past this share of the connection cap, waiting clients get the short limit (Postfix's stress mode).
CROWDED = 0.8
CROWDED_IDLE = 10.0
# TLS handshakes may hold this share of the connections at one time, those of clients that will be refused a tenth.
SHAKING = 0.75
SHAKING_REFUSED = 0.05


class Guest(Interface):
    """What the census knows of a session."""

    address: str
    counted: bool

    def overdue(self, now: float, idle: float) -> Session | None:
        """Return the reply to close with, when the session has idled or dripped for too long."""

    def turn_out(self, reply: Session) -> None:
        """Say `reply` and close."""

    def between_messages(self) -> bool:
        """Say whether nothing is lost by closing now: no mail transaction is open."""


class Census:
    """Counts the sessions of one process; `idle` in seconds."""

    def __init__(self, *, limit: int, limit_by_address: int, idle: float) -> None:
        self._limit = limit
        self._limit_by_address = limit_by_address
        self._idle = idle
        self._guests: set[Guest] = set()
        self._by_address: Counter[str] = Counter()
        self._shaking = 0
        self._emptied = asyncio.Event()
        self._emptied.set()

    def __len__(self) -> int:
        return len(self._guests)

    def enter(self, guest: Guest) -> bool:
        """Count a session in, or say that it is one too many; guests that are not `counted` have no cap by address."""
        crowd = len(self._guests) >= self._limit
        if crowd or (guest.counted and self._by_address[_caller(guest.address)] >= self._limit_by_address):
            return False
        self._guests.add(guest)
        self._emptied.clear()
        self._by_address[_caller(guest.address)] += 1
        return True

    def leave(self, guest: Guest) -> None:
        if guest in self._guests:
            self._guests.discard(guest)
            caller = _caller(guest.address)
            self._by_address[caller] -= 1
            if not self._by_address[caller]:
                del self._by_address[caller]
        if not self._guests:
            self._emptied.set()

    def begin_handshake(self, *, refused: bool = False) -> bool:
        """Count a TLS handshake in, or say that it is one too many; `refused` clients only hear why, over TLS."""
        if self._shaking >= max(1, self._limit * (SHAKING_REFUSED if refused else SHAKING)):
            return False
        self._shaking += 1
        return True

    def end_handshake(self) -> None:
        self._shaking -= 1

    async def empty(self) -> None:
        """Return once nobody is connected."""
        await self._emptied.wait()

    async def sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_EVERY)
            self.sweep(asyncio.get_running_loop().time())

    def sweep(self, now: float) -> None:
        crowded = len(self._guests) > CROWDED * self._limit
        idle = min(self._idle, CROWDED_IDLE) if crowded else self._idle
        for guest in list(self._guests):
            reply = guest.overdue(now, idle)
            if reply is not None:
                guest.turn_out(reply)

    def guests(self) -> list[Guest]:
        return list(self._guests)


def _caller(address: str) -> str:
    """Return what the cap by address counts: an IPv4 address, or the /64 that one host has of IPv6 (RFC 6177)."""
    if ":" not in address:
        return address
    whole = int(IPv6Address(address.partition("%")[0]))
    return str(whole >> 64)
