"""How large replies are: a mix of kinds, each a lognormal cut into equal parts; or sizes that were seen. Pure."""

import math
import random
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import NormalDist

from smtpd_service.domain.size import size_in_words

# Each kind is cut into so many parts of the same probability, each with one size.
PARTS = 512
# Nothing that is a mail is smaller.
SMALLEST = 200


@dataclass(frozen=True, slots=True)
class Kind:
    """A share (any number; shares are compared) of messages, with so many octets on average."""

    octets: int
    share: float


# Plain text, HTML with the question quoted, and a file attached against instructions. A fifth writes plain text, as in
# the demonstration's mix of mail programs; two in a hundred attach.
USUAL = (Kind(2_000, 20), Kind(45_000, 78), Kind(1_000_000, 2))
# How wide a kind is: the standard deviation of the logarithm. At 0.5 one in a hundred is three times the median.
SPREAD = 0.5


@dataclass(frozen=True, slots=True)
class Sizes:
    """A distribution: sizes in rising order, and for each the probability of it or a smaller one."""

    octets: tuple[int, ...]
    until: tuple[float, ...]

    def draw(self, count: int, rng: random.Random) -> list[int]:
        return rng.choices(self.octets, cum_weights=self.until, k=count)

    def moment(self, power: int) -> float:
        """Return the mean of the size raised to `power`."""
        before = (0.0, *self.until)
        return math.fsum(
            octets**power * (now - last) for octets, now, last in zip(self.octets, self.until, before, strict=False)
        )

    @property
    def mean(self) -> float:
        return self.moment(1)

    def quantile(self, share: float) -> int:
        return self.octets[min(bisect_left(self.until, share), len(self.octets) - 1)]


def mixed(kinds: Sequence[Kind] = USUAL, spread: float = SPREAD) -> Sizes:
    """Return the sizes of a mix; each kind keeps its mean, whatever the spread. Raises ValueError without a share."""
    total = sum(kind.share for kind in kinds)
    if not total > 0:
        raise ValueError("a mix needs a kind with a share above 0")
    weighted = [
        (octets, kind.share / total / PARTS) for kind in kinds if kind.share > 0 for octets in _parts(kind, spread)
    ]
    return _cumulated(weighted)


def _parts(kind: Kind, spread: float) -> list[int]:
    normal = NormalDist()
    drawn = [math.exp(spread * normal.inv_cdf((part + 0.5) / PARTS)) for part in range(PARTS)]
    scale = kind.octets * PARTS / math.fsum(drawn)
    return [max(SMALLEST, round(scale * each)) for each in drawn]


def seen(octets: Sequence[int]) -> Sizes:
    """Return the distribution of sizes that were seen. Raises ValueError where there is none."""
    if not octets:
        raise ValueError("no sizes were seen")
    return _cumulated([(each, 1 / len(octets)) for each in octets])


def _cumulated(weighted: Sequence[tuple[int, float]]) -> Sizes:
    ordered = sorted(weighted)
    return Sizes(tuple(each for each, _ in ordered), tuple(accumulate(weight for _, weight in ordered)))


def told(sizes: Sizes) -> str:
    """Return the mean, the median and the largest of a hundred, as people read them."""
    shown = (round(sizes.mean), sizes.quantile(0.5), sizes.quantile(0.99))
    return "mean {}, median {}, one in a hundred above {}".format(*map(size_in_words, shown))
