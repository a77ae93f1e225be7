"""When replies come: a steady trickle, then a rush that grows exponentially until the deadline. Pure.

The incident's is the default: 48 hours, 60 % of all in the last two, and in the last minute five times the mean of
those two hours (the mean of the 48 could not be meant: the two hours alone are fourteen times that). With 2.3 million
that is 5.6 messages a second in the trickle, 192 in the rush on average, and 958 in its last minute. The rush begins
at 6.1 a second: the two parts nearly meet, though nobody chose that.
"""

import math
import random
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

MINUTE = 60.0
HOUR = 3600.0
# Beyond this, e**k leaves the floats.
_STEEPEST = 700.0


@dataclass(frozen=True)
class Curve:
    """`rush` of the `window` (both in seconds) is its end and brings the `share` of all (0 to 1).

    `peak` is how many times the mean of the rush its last minute brings.
    Raises ValueError, which says what would be right, for what no curve has.
    """

    window: float = 48 * HOUR
    rush: float = 2 * HOUR
    share: float = 0.6
    peak: float = 5.0

    def __post_init__(self) -> None:
        if not MINUTE <= self.rush <= self.window:
            raise ValueError("the rush lasts a minute at least, and not longer than the window")
        if not 0 <= self.share <= 1 or (self.share < 1 and self.rush == self.window):
            raise ValueError("the rush brings 0 to 100 % of all, and all where it is the whole window")
        highest = self._last_minute(_STEEPEST)
        if not 1 <= self.peak <= highest:
            raise ValueError(f"the peak is 1 to {math.floor(highest)} times the mean of a rush so long")

    @property
    def calm(self) -> float:
        """Return how long the trickle before the rush lasts."""
        return self.window - self.rush

    @cached_property
    def steepness(self) -> float:
        """Return k of the rush's e**(k u), u from 0 to 1, that makes its last minute what `peak` says; 0 is flat."""
        low, high = 0.0, _STEEPEST
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (middle, high) if self._last_minute(middle) < self.peak else (low, middle)
        return high if self.peak > 1 else 0.0

    def _last_minute(self, k: float) -> float:
        minutes = self.rush / MINUTE
        return minutes * math.expm1(-k / minutes) / math.expm1(-k) if k else 1.0

    def until(self, second: float) -> float:
        """Return the share of all that has come by then."""
        if second <= 0:
            return 0.0
        if second >= self.window:
            return 1.0
        if second < self.calm:
            return (1 - self.share) * second / self.calm
        u = (second - self.calm) / self.rush
        grown = math.expm1(self.steepness * u) / math.expm1(self.steepness) if self.steepness else u
        return 1 - self.share + self.share * grown

    def when(self, share: float) -> float:
        """Return the second at which that share of all has come: the inverse of `until`."""
        before = 1 - self.share
        if share <= before:
            return self.calm * share / before if before else self.calm
        part = min(1.0, (share - before) / self.share)
        u = math.log1p(part * math.expm1(self.steepness)) / self.steepness if self.steepness else part
        return self.calm + self.rush * u

    def moments(self, count: int, rng: random.Random) -> Sequence[float]:
        """Return when each of `count` messages comes, in order; each comes by itself, as the curve has it."""
        # The sums of exponential gaps, divided by the last, are uniform draws in order: nothing needs sorting.
        draw, when = rng.expovariate, self.when
        sums = array("d", accumulate(draw(1.0) for _ in range(count + 1)))
        total = sums.pop()
        return array("d", (when(each / total) for each in sums))
