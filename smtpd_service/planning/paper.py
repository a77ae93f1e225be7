"""What would become of so much mail: every letter offered to a mailbox on paper, decided by the service's own `admit`.

Promises: no decision that `admit` would not make. Where it takes the last of a minute's letters after all the others,
it takes each before it; where it refuses the smallest and the largest for one reason, it refuses each for that. Only
where neither holds is it asked letter by letter. So 2.3 million take seconds.

Known limits: what operators do happens at the full minute; a server's scan sends at once all that is due; who writes
again comes after the minute's others; each person writes one letter, so that no rate of one sender is reached.
"""

import random
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from smtpd_service.domain.outcomes import Full
from smtpd_service.domain.quota import admit, refusing_mode
from smtpd_service.planning.course import Course, FirstRefusal, Try
from smtpd_service.planning.senders import MINUTE, Senders
from storage.records import Mailbox, MailboxId, Quota, Recent, Usage, WhenFull

NOTHING = Usage(0, 0)
# The hour of a rate slides by whole parts, on the safe side, as `storage.arrivals` counts.
_PART, _PARTS = 5, 13


@dataclass(frozen=True, slots=True)
class Traffic:
    """Letters in the order of their moments, in seconds since the opening; as many sizes."""

    moments: Sequence[float]
    sizes: Sequence[int]


@dataclass(frozen=True, slots=True)
class Step:
    """What an operator does at `at`: a new limit in octets, or a purge of octets, or of a share of what is held."""

    at: float
    limit: int | None = None
    purge_octets: int = 0
    purge_share: float = 0.0


@dataclass(frozen=True, slots=True)
class House:
    """The mailbox at the opening, and what its operators will do."""

    quota: Quota
    when_full: WhenFull = WhenFull.BOUNCE
    used: Usage = NOTHING
    steps: tuple[Step, ...] = ()

    def mailbox(self) -> Mailbox:
        return Mailbox(
            id=MailboxId("paper"),
            address="paper@pulsebox.invalid",
            quota=self.quota,
            used=self.used,
            when_full=self.when_full,
            frozen=False,
            warned=0,
            campaign=None,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """Letters by their end: stored at the first try, later, or never; and tries.

    `delays` counts those stored later by the whole minutes that they came too late.
    """

    course: Course
    letters: int
    octets: int
    at_once: int
    later: int
    never: int
    bounces: int
    reasons: Counter[str]
    delays: Counter[int]
    final: Usage
    quota: Quota


@dataclass(slots=True)
class _Batch:
    """Letters that go one way together, first written at `born`; `by` is None for people's own tries."""

    sizes: Sequence[int]
    born: float
    kind: Try
    server: int | None = None
    least: int = 0
    most: int = 0
    total: int = 0

    def __post_init__(self) -> None:
        self.least, self.most, self.total = min(self.sizes), max(self.sizes), sum(self.sizes)


def work_out(traffic: Traffic, house: House, senders: Senders, deadline: float, seed: int) -> Outcome:
    """Return what becomes of `traffic`; the same for the same seed. `deadline` is only told on."""
    return _Paper(traffic, house, senders, deadline, seed).run()


@dataclass(slots=True)
class _Recent:
    """What the last hour stored, by parts of five minutes."""

    parts: deque[int] = field(default_factory=lambda: deque([0] * _PARTS, _PARTS))
    part: int = 0

    def move(self, minute: int) -> None:
        while self.part < minute // _PART:
            self.parts.append(0)
            self.part += 1

    @property
    def stored(self) -> int:
        return sum(self.parts)


class _Paper:
    def __init__(self, traffic: Traffic, house: House, senders: Senders, deadline: float, seed: int) -> None:
        self._traffic = traffic
        self._house = house
        self._senders = senders
        # Not the state that made the traffic: the chance of who writes again is another one.
        self._rng = random.Random(f"{seed} again")  # noqa: S311  # a simulation, not a secret
        self._box = house.mailbox()
        self._rated = house.quota.rate_messages is not None
        self._recent = _Recent()
        # Sizes in this range are known to be refused for this reason, as the mailbox stands.
        self._known: tuple[int, int, Full] | None = None
        self._retries: dict[int, list[_Batch]] = defaultdict(list)
        self._again: dict[int, list[tuple[int, float]]] = defaultdict(list)
        self._course = Course(deadline)
        self._at_once = self._later = self._never = self._bounces = 0
        self._reasons: Counter[str] = Counter()
        self._delays: Counter[int] = Counter()

    def run(self) -> Outcome:
        steps = deque(sorted(self._house.steps, key=lambda step: step.at))
        self._course.limits.append((0.0, self._box.quota.octets))
        self._course.held.append((0.0, self._box.used.octets))
        fresh, minute = self._fresh(), 0
        end = int(self._traffic.moments[-1] // MINUTE) if self._traffic.moments else 0
        while minute <= end or self._retries or self._again:
            while steps and steps[0].at < (minute + 1) * MINUTE:
                self._take(steps.popleft(), minute)
            self._minute(minute, next(fresh) if minute <= end else None)
            minute += 1
        return Outcome(
            self._course,
            len(self._traffic.sizes),
            sum(self._traffic.sizes),
            self._at_once,
            self._later,
            self._never,
            self._bounces,
            self._reasons,
            self._delays,
            self._box.used,
            self._box.quota,
        )

    def _fresh(self) -> Iterator[slice]:
        """Yield the letters of each minute."""
        begin, minute, moments = 0, 0, self._traffic.moments
        count = len(moments)
        while begin < count:
            end, until = begin, (minute + 1) * MINUTE
            while end < count and moments[end] < until:
                end += 1
            yield slice(begin, end)
            begin, minute = end, minute + 1
        while True:
            yield slice(count, count)

    def _take(self, step: Step, minute: int) -> None:
        used, quota = self._box.used, self._box.quota
        if step.limit is not None:
            quota = replace(quota, octets=step.limit)
            self._course.limits.append((minute * MINUTE, step.limit))
        share = max(step.purge_share, step.purge_octets / used.octets if used.octets else 0.0)
        left = max(0.0, 1 - share)
        self._stand(replace(self._box, quota=quota, used=Usage(int(used.messages * left), int(used.octets * left))))

    def _stand(self, box: Mailbox) -> None:
        self._box, self._known = box, None

    def _minute(self, minute: int, fresh: slice | None) -> None:
        at, held = minute * MINUTE, self._box.used.octets
        if self._rated:
            self._recent.move(minute)
            self._known = None
        for batch in self._retries.pop(minute, ()):
            self._offer(batch, at)
        if fresh is not None and fresh.start < fresh.stop:
            self._course.arrived[minute] = fresh.stop - fresh.start
            self._offer(_Batch(self._traffic.sizes[fresh], at, Try.FIRST), at, fresh.start)
        if again := self._again.pop(minute, None):
            for size, born in again:
                self._offer(_Batch((size,), born, Try.PERSON), at)
        if self._box.used.octets != held or self._course.held[-1][1] != held:
            self._course.held.append((at + MINUTE, self._box.used.octets))

    def _offer(self, batch: _Batch, at: float, first: int | None = None) -> None:
        """Offer a batch; `first` is the number of its first letter in the traffic, where it is fresh."""
        self._course.tried[int(at // MINUTE)] += len(batch.sizes)
        if (after := self._all_fit(batch)) is not None:
            self._store(after, batch, len(batch.sizes), at)
            return
        if (why := self._all_refused(batch)) is not None:
            if self._course.first is None:
                self._note_first(batch, 0, why, at, first)
            self._refuse(batch, why, at)
            return
        self._one_by_one(batch, at, first)

    def _all_fit(self, batch: _Batch) -> Usage | None:
        """Return what the mailbox holds after all of them, None where one of them may not fit."""
        used, others = self._box.used, len(batch.sizes) - 1
        last = batch.sizes[-1]
        box = replace(self._box, used=Usage(used.messages + others, used.octets + batch.total - last))
        recent = self._lately(others)
        after = admit(box, last, recent)
        return after if isinstance(after, Usage) else None

    def _lately(self, more: int) -> Recent:
        return Recent(self._recent.stored + more if self._rated else 0, 0)

    def _all_refused(self, batch: _Batch) -> Full | None:
        """Return the reason for which all of them are refused as the mailbox stands, if it is one."""
        known = self._known
        if known is not None and known[0] <= batch.least and batch.most <= known[1]:
            return known[2]
        recent = self._lately(0)
        least, most = admit(self._box, batch.least, recent), admit(self._box, batch.most, recent)
        if isinstance(least, Usage) or type(least) is not type(most):
            return None
        if known is not None and type(known[2]) is type(least):
            self._known = min(known[0], batch.least), max(known[1], batch.most), least
        else:
            self._known = batch.least, batch.most, least
        return least

    def _one_by_one(self, batch: _Batch, at: float, first: int | None) -> None:
        refused: dict[type[Full], tuple[Full, list[int]]] = {}
        for number, size in enumerate(batch.sizes):
            known = self._known
            why = known[2] if known is not None and known[0] <= size <= known[1] else None
            if why is None:
                after = admit(self._box, size, self._lately(0))
                if isinstance(after, Usage):
                    self._store(after, batch, 1, at)
                    continue
                why = after
                self._widen(size, why)
            if self._course.first is None:
                self._note_first(batch, number, why, at, first)
            refused.setdefault(type(why), (why, []))[1].append(size)
        for why, sizes in refused.values():
            self._refuse(_Batch(sizes, batch.born, batch.kind, batch.server), why, at)

    def _widen(self, size: int, why: Full) -> None:
        known = self._known
        if known is not None and type(known[2]) is type(why):
            self._known = min(known[0], size), max(known[1], size), why
        elif known is None:
            self._known = size, size, why

    def _store(self, after: Usage, batch: _Batch, count: int, at: float) -> None:
        # What is known to be refused goes on to be: the mailbox holds more now, and the hour too.
        self._box = replace(self._box, used=after)
        self._recent.parts[-1] += count
        if batch.kind is Try.FIRST:
            self._at_once += count
        else:
            self._later += count
            self._delays[int((at - batch.born) // MINUTE)] += count

    def _note_first(self, batch: _Batch, number: int, why: Full, at: float, first: int | None) -> None:
        moment = at if first is None else self._traffic.moments[first + number]
        used = self._box.used
        self._course.first = FirstRefusal(moment, used.messages, used.octets, batch.sizes[number], type(why).__name__)

    def _refuse(self, batch: _Batch, why: Full, at: float) -> None:
        count = len(batch.sizes)
        self._course.refuse(at, batch.kind, count)
        self._reasons[type(why).__name__] += count
        mode = refusing_mode(self._house.when_full, why, null_sender=False, never=False, returnable=True)
        if mode is not WhenFull.DEFER:
            self._return(batch, at)
        elif batch.server is None:
            servers = self._senders.servers
            for server in range(servers):
                if some := batch.sizes[server::servers]:
                    self._wait(_Batch(some, batch.born, Try.SERVER, server), at)
        else:
            self._wait(batch, at)

    def _wait(self, batch: _Batch, at: float) -> None:
        due = self._senders.next_try(batch.born, at, batch.server or 0)
        if due is None:
            self._return(batch, at)
        else:
            self._retries[max(int(due // MINUTE), int(at // MINUTE) + 1)].append(batch)

    def _return(self, batch: _Batch, at: float) -> None:
        """The senders have it back; some of them write again."""
        self._bounces += len(batch.sizes)
        for size in batch.sizes:
            due = self._senders.writes_again(at, self._rng)
            if due is None:
                self._never += 1
            else:
                self._again[max(int(due // MINUTE), int(at // MINUTE) + 1)].append((size, batch.born))
