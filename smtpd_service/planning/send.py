"""Really sends letters to a listener: each at its moment, over a bounded number of connections.

Promises: an open loop, in which no letter's moment depends on an answer (one that finds no free connection is late, and
that is counted); never more connections, letters a second or octets than it was told; a 4xx is tried again as a mail
server would, in the curve's time; a server that closes or turns away is left alone for a growing while; cancelled, it
closes what is open, and the tally holds what was until then.
"""

import asyncio
import contextlib
import heapq
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from smtpd_service.planning.letter import Letter, Write
from smtpd_service.planning.senders import Senders
from smtpd_service.planning.tally import Answer, Became, Tally, became
from smtpd_service.planning.wire import Lost, Reply, Wire, connect, stuffed

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
# A try that has to wait so long for the rate was held back.
_HELD = 0.05
# How often the plan is looked at for tries that were added meanwhile.
_LOOK = 0.02


@dataclass(frozen=True, slots=True)
class Order:
    """`moments` are seconds from the start, one a letter, in order; `rate` bounds tries a second, `octets` all DATA.

    The share `single` of connections carries one letter, the others up to `reuse`. `linger` is how long tries go on
    after the last moment; `patience` bounds the wait for one reply.
    """

    host: str
    port: int
    recipient: str
    moments: Sequence[float]
    connections: int = 20
    rate: float = 2000.0
    octets: int = 2_000_000_000
    reuse: int = 20
    single: float = 0.5
    linger: float = 10.0
    patience: float = 60.0
    seed: int = 0
    helo: str = "simulate.pulsebox.invalid"


@dataclass(frozen=True, slots=True, order=True)
class _Due:
    at: float
    number: int
    tries: int


@dataclass(slots=True)
class _Line:
    """The connection of one worker: how many letters it may still carry, how long to rest when it fails."""

    wire: Wire | None = None
    left: int = 0
    # Octets of DATA of the letter that it carries.
    said: int = 0
    pause: float = _FIRST_PAUSE

    def close(self) -> None:
        if self.wire is not None:
            self.wire.close()
            self.wire = None

    async def rest(self) -> None:
        self.close()
        await asyncio.sleep(self.pause)
        self.pause = min(2 * self.pause, _LONGEST_PAUSE)


class Sender:
    """One run of one order."""

    def __init__(
        self, order: Order, write: Write, senders: Senders, tally: Tally, heard: Callable[[Answer], None]
    ) -> None:
        self._order = order
        self._write = write
        self._senders = senders
        self.tally = tally
        self._heard = heard
        self._rng = random.Random(order.seed)  # noqa: S311  # a simulation, not a secret
        self._queue: asyncio.Queue[_Due] = asyncio.Queue()
        self._again: list[_Due] = []
        self._under_way = 0
        self._began = 0.0
        # Octets of DATA so far, and those of letters under way.
        self._octets = self._pledged = 0
        self._spent = False

    async def run(self) -> None:
        """Send everything; return when nothing is left to try, or no time for it."""
        self._began = time.monotonic()
        workers = [asyncio.create_task(self._work()) for _ in range(self._order.connections)]
        schedule = asyncio.create_task(self._release())
        try:
            # A worker never ends by itself: where one does, it is a bug that must be seen.
            await asyncio.wait([schedule, *workers], return_when=asyncio.FIRST_COMPLETED)
            for task in (schedule, *workers):
                if task.done():
                    task.result()
            await self._answered()
        finally:
            for task in (schedule, *workers):
                task.cancel()
            await asyncio.gather(schedule, *workers, return_exceptions=True)
            self.tally.elapsed = self.now()

    def now(self) -> float:
        return time.monotonic() - self._began

    async def _release(self) -> None:
        """Put each try in the queue when it is due, never faster than the rate."""
        number, moments, gap, free = 0, self._order.moments, 1 / self._order.rate, 0.0
        end = (moments[-1] if moments else 0.0) + self._order.linger
        while number < len(moments) or self._again or self._under_way:
            now = self.now()
            if now > end or self._spent:
                return
            while (due := self._next(number)) is not None and max(due.at, free) <= now:
                self.tally.paced += free - due.at > _HELD
                free = max(due.at, free) + gap
                number += self._take(due)
                self._under_way += 1
                self._queue.put_nowait(due)
            wait = max(due.at, free) - now if due is not None else _LOOK
            await asyncio.sleep(max(0.0005, min(wait, _LOOK)))

    async def _answered(self) -> None:
        """Wait for the answers to what is under way; what only waits for a connection stays unsent."""
        while not self._queue.empty():
            self._queue.get_nowait()
            self._under_way -= 1
        while self._under_way:  # noqa: ASYNC110  # many tasks count it down; a look now and then is enough
            await asyncio.sleep(_LOOK)

    def _next(self, number: int) -> _Due | None:
        """Return what is due next: the first try of `number`, or an earlier one that is tried again."""
        fresh = _Due(self._order.moments[number], number, 1) if number < len(self._order.moments) else None
        if self._again and (fresh is None or self._again[0].at <= fresh.at):
            return self._again[0]
        return fresh

    def _take(self, due: _Due) -> int:
        """Take it from where it was; return by how many the fresh ones move on."""
        if due.tries == 1:
            return 1
        heapq.heappop(self._again)
        return 0

    async def _work(self) -> None:
        """Carry letters over one connection after the other."""
        line = _Line()
        try:
            while True:
                due = await self._queue.get()
                await self._carry(line, due)
                if line.left <= 0 and line.wire is not None:
                    await _leave(line)
        finally:
            line.close()

    async def _carry(self, line: "_Line", due: _Due) -> None:
        """Try one letter; a connection that ended, or a server that wants none, is left alone for a while."""
        letter = self._write(due.number)
        size = len(letter.octets)
        if self._octets + self._pledged + size > self._order.octets:
            self._spent = True
            self._under_way -= 1
            return
        self.tally.begin(due.at, due.tries, max(0.0, self.now() - due.at))
        line.said = 0
        self._pledged += size
        try:
            await self._try(line, due, letter)
        finally:
            self._pledged -= size
            self._octets += line.said

    async def _try(self, line: "_Line", due: _Due, letter: Letter) -> None:
        try:
            if line.wire is None or not line.wire.open:
                line.left = 1 if self._rng.random() < self._order.single else self._order.reuse
                line.wire = await self._greeted()
            reply, wait = await self._transaction(line, line.wire, letter)
        except Lost as lost:
            self._settle(due, letter, Became.LOST, str(lost))
            await line.rest()
            return
        self._settle(due, letter, became(reply), str(reply), wait)
        line.left -= 1
        if reply.code == 421:
            await line.rest()
        else:
            line.pause = _FIRST_PAUSE

    async def _greeted(self) -> Wire:
        """Return a connection that has said EHLO. Raises Lost, for one that is turned away too."""
        wire = await connect(self._order.host, self._order.port, self._order.patience)
        reply = await wire.hear()
        if reply.code == 220:
            reply = await wire.ask(b"EHLO %b\r\n" % self._order.helo.encode())
        if reply.code // 100 != 2:
            wire.close()
            raise Lost(str(reply))
        return wire

    async def _transaction(self, line: "_Line", wire: Wire, letter: Letter) -> tuple[Reply, float | None]:
        """Return the reply that decides over a letter, and how long it took where it is the one to the final dot."""
        for command in (f"MAIL FROM:<{letter.sender}>", f"RCPT TO:<{self._order.recipient}>"):
            reply = await wire.ask(f"{command}\r\n".encode())
            if reply.code // 100 != 2:
                await _reset(wire, reply)
                return reply, None
        reply = await wire.ask(b"DATA\r\n")
        if reply.code != 354:
            await _reset(wire, reply)
            return reply, None
        data = stuffed(letter.octets)
        line.said = len(letter.octets)
        dot = time.monotonic()
        return await wire.ask(data), time.monotonic() - dot

    def _settle(self, due: _Due, letter: Letter, what: Became, reply: str, wait: float | None = None) -> None:
        now, factor = self.now(), self.tally.factor
        answer = Answer(due.number, due.tries, len(letter.octets), due.at, now, what, reply, wait)
        self.tally.note(answer)
        self._heard(answer)
        self._under_way -= 1
        if what in {Became.DEFERRED, Became.LOST}:
            born = self._order.moments[due.number] * factor
            at = self._senders.next_try(born, now * factor, due.number % self._senders.servers)
            if at is None:
                self.tally.given_up.add(due.number)
            else:
                heapq.heappush(self._again, _Due(at / factor, due.number, due.tries + 1))


async def _leave(line: _Line) -> None:
    assert line.wire is not None  # noqa: S101  # by the caller
    with contextlib.suppress(Lost):
        await line.wire.ask(b"QUIT\r\n")
    line.close()


async def _reset(wire: Wire, refused: Reply) -> None:
    if refused.code != 421:
        await wire.ask(b"RSET\r\n")
