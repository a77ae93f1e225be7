"""Which quota is enough: the probability of a full mailbox, and the quota that brings it below a given one. Pure.

What comes is a compound binomial sum. Each of n people answers with the same unknown share q, for which a beta
distribution of a given mean and deviation stands (nobody knows a turnout to the person, and over millions that matters
more than all chance of single letters); who answers sends one letter, or with some probability a second; sizes are
drawn from a distribution. For a q the sum's mean, variance and skewness are exact, and its tail is read from the
normal distribution by the normal power approximation (x = z + skewness (z² - 1) / 6); the mean of the tails over q is
the answer. Where the people are few, `drawn` draws the sum itself, letter by letter, as a check; tests compare both.

A mailbox with a quota Q is full within the window if what comes does not fit: more octets than Q less what it holds, or
more messages than its limit. Grace is left out: that is on the safe side.
"""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

from smtpd_service.planning.sizes import Sizes

_GRID = 400
# So many deviations to either side of the mean turnout are looked at: beyond lies less than 1e-12 of it.
_REACH = 8.0
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Demand:
    """`people` are asked, `turnout` of them (0 to 1) answer, give or take `deviation`; of those the share `twice`
    sends a second letter.

    Raises ValueError, which says what would be right.
    """

    people: int
    sizes: Sizes
    turnout: float = 1.0
    deviation: float = 0.0
    twice: float = 0.0

    def __post_init__(self) -> None:
        if self.people < 1:
            raise ValueError("somebody must be asked: write 1 or more people")
        if not 0 < self.turnout <= 1 or not 0 <= self.twice <= 1:
            raise ValueError(
                "a turnout lies above 0 % and up to 100 %, the share that writes twice between 0 and 100 %"
            )
        most = math.sqrt(self.turnout * (1 - self.turnout))
        if self.deviation and not 0 < self.deviation < most:
            raise ValueError(f"a turnout of {self.turnout:.0%} is off by 0 % or more and less than {most:.1%}")

    @cached_property
    def turnouts(self) -> Sequence[tuple[float, float]]:
        """Return shares that may answer, each with its probability."""
        if not self.deviation:
            return ((self.turnout, 1.0),)
        mean, common = self.turnout, self.turnout * (1 - self.turnout) / self.deviation**2 - 1
        a, b = mean * common, (1 - mean) * common
        low, high = max(0.0, mean - _REACH * self.deviation), min(1.0, mean + _REACH * self.deviation)
        shares = [low + (high - low) * (step + 0.5) / _GRID for step in range(_GRID)]
        logs = [(a - 1) * math.log(q) + (b - 1) * math.log1p(-q) for q in shares]
        top = max(logs)
        weights = [math.exp(each - top) for each in logs]
        total = math.fsum(weights)
        return tuple((q, weight / total) for q, weight in zip(shares, weights, strict=True))

    @cached_property
    def of_one(self) -> tuple[float, float, float]:
        """Return the first three moments of what somebody sends who answers, in octets."""
        m1, m2, m3 = (self.sizes.moment(power) for power in (1, 2, 3))
        t = self.twice
        return m1 * (1 + t), m2 + t * (2 * m1**2 + m2), m3 + t * (6 * m1 * m2 + m3)

    @property
    def letters(self) -> tuple[float, float]:
        """Return how many letters come, and the deviation of that."""
        per, of_squares = 1 + self.twice, 1 + 3 * self.twice
        return self._spread(per, of_squares)

    @property
    def octets(self) -> tuple[float, float]:
        """Return how many octets come, and the deviation of that."""
        m1, m2, _ = self.of_one
        return self._spread(m1, m2)

    def _spread(self, m1: float, m2: float) -> tuple[float, float]:
        n, q = self.people, self.turnout
        shared = self.deviation**2
        within = n * (q * m2 - (q**2 + shared) * m1**2)
        return n * q * m1, math.sqrt(max(0.0, within + (n * m1) ** 2 * shared))

    def more_octets_than(self, room: float) -> float:
        """Return the probability that more octets come than that."""
        # Whole octets: the half between two is where a distribution without steps is read.
        return self._beyond(room + 0.5, self.of_one)

    def more_letters_than(self, room: float) -> float:
        """Return the probability that more letters come than that."""
        t = self.twice
        return self._beyond(room + 0.5, (1 + t, 1 + 3 * t, 1 + 7 * t))

    def _beyond(self, room: float, moments: tuple[float, float, float]) -> float:
        if room < 0:
            return 1.0
        tails = (weight * _tail(room, self.people, q, moments) for q, weight in self.turnouts)
        return min(1.0, math.fsum(tails))


def _tail(room: float, people: int, q: float, moments: tuple[float, float, float]) -> float:
    """Return the probability that the compound binomial sum for the turnout q passes `room`."""
    m1, m2, m3 = (q * each for each in moments)
    mean, variance = people * m1, people * (m2 - m1**2)
    if variance <= 0:
        return 1.0 if mean > room else 0.0
    deviation = math.sqrt(variance)
    skewness = people * (m3 - 3 * m1 * m2 + 2 * m1**3) / deviation**3
    x = (room - mean) / deviation
    return 1 - _NORMAL.cdf(_normal_power(x, skewness)) if x < _FAR else 0.0


# Nothing that anybody asks for lies this many deviations off.
_FAR = 1e6


def _normal_power(x: float, skewness: float) -> float:
    """Return z with x = z + skewness (z² - 1) / 6, on the branch that grows."""
    if abs(skewness) < 1e-9:
        return x
    within = 9 / skewness**2 + 1 + 6 * x / skewness
    if within <= 0:
        # Further off than the skewed distribution reaches: surely passed on its short side, never on the other.
        return -math.inf if skewness > 0 else math.inf
    return -3 / skewness + math.copysign(math.sqrt(within), skewness)


def least(probability: float, beyond: Callable[[float], float], start: float) -> int:
    """Return the least whole room that more than fits into with at most this probability; about `start` is looked."""
    high = max(1.0, start)
    while beyond(high) > probability:
        high *= 2
    low = 0.0
    while high - low > max(1.0, high * 1e-6):
        middle = (low + high) / 2
        low, high = (middle, high) if beyond(middle) > probability else (low, middle)
    return math.ceil(high)


def drawn(demand: Demand, room: int, trials: int, seed: int) -> float:
    """Return the share of so many trials in which more octets came: person by person, letter by letter."""
    rng = random.Random(seed)  # noqa: S311  # a simulation, not a secret
    shares, until = _cumulated(demand.turnouts)
    passed = 0
    for _ in range(trials):
        q = rng.choices(shares, cum_weights=until)[0]
        answering = _binomial(demand.people, q, rng)
        letters = answering + (_binomial(answering, demand.twice, rng) if demand.twice else 0)
        passed += sum(demand.sizes.draw(letters, rng)) > room
    return passed / trials


def _binomial(n: int, p: float, rng: random.Random) -> int:
    """Return how many of n fall to p: by the gaps between them, so that it takes as long as they are many."""
    if p >= 1:
        return n
    if p > 0.5:
        return n - _binomial(n, 1 - p, rng)
    if p <= 0:
        return 0
    count, at, scale = 0, -1, math.log1p(-p)
    while (at := at + 1 + int(math.log(1.0 - rng.random()) / scale)) < n:
        count += 1
    return count


def _cumulated(weighted: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    until, total = [], 0.0
    for _, weight in weighted:
        total += weight
        until.append(total)
    return [each for each, _ in weighted], until
