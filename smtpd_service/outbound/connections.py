"""Connections that are kept for the next notice to the same server, and closed when none comes."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from smtpd_service.outbound.relay import Relay

# Servers keep an idle connection for minutes, but to others it is one that they cannot have.
IDLE_SECONDS = 10.0

# What two connections must share to stand for each other.
Key = tuple[str, ...]


@dataclass(slots=True)
class _Idle:
    relay: Relay
    since: float = field(default_factory=time.monotonic)


class Connections:
    """At most `kept` idle connections; `make` makes a new one for a key."""

    def __init__(self, make: Callable[[Key], Relay], kept: int) -> None:
        self._make = make
        self._kept = kept
        self._idle: dict[Key, deque[_Idle]] = {}

    def take(self, key: Key) -> Relay:
        """Return the one that was used last, or a new one."""
        idle = self._idle.get(key)
        if not idle:
            return self._make(key)
        relay = idle.pop().relay
        if not idle:
            del self._idle[key]
        return relay

    async def give_back(self, key: Key, relay: Relay) -> None:
        self._idle.setdefault(key, deque()).append(_Idle(relay))
        if sum(len(each) for each in self._idle.values()) > self._kept:
            await self._close_oldest()

    async def _close_oldest(self) -> None:
        key = min(self._idle, key=lambda each: self._idle[each][0].since)
        oldest = self._idle[key].popleft()
        if not self._idle[key]:
            del self._idle[key]
        await oldest.relay.__aexit__()

    async def tidy(self, *, all_: bool = False) -> None:
        """Take leave of servers that nothing was sent to for a while, or of all; no one waits for another's goodbye."""
        old = time.monotonic() - IDLE_SECONDS
        over: list[_Idle] = []
        for key, idle in list(self._idle.items()):
            while idle and (all_ or idle[0].since < old):
                over.append(idle.popleft())
            if not idle:
                del self._idle[key]
        await asyncio.gather(*(each.relay.__aexit__() for each in over))
