"""Whose turn it is: how many notices a lane may have under way, and which lanes wait for a look at a dead server.

A lane is what shares one fate: a destination, or all of them where one smarthost takes everything.
"""

from collections import Counter
from collections.abc import Callable, Sequence

# The one lane where there is one way for all.
EVERYTHING = ""


class Lanes:
    """`at_once` is how many of one lane may be under way, `held` how many may be claimed; `clock` is in seconds.

    A lane that was barred has its next notice alone, as the look: whether it is open shows with that one.
    """

    def __init__(self, at_once: int, held: int, clock: Callable[[], float]) -> None:
        self._at_once = at_once
        self._held_at_most = held
        self._clock = clock
        self._bars: dict[str, float] = {}
        self._claimed: Counter[str] = Counter()
        self._under_way: Counter[str] = Counter()

    def bar(self, lane: str, seconds: float) -> None:
        """Let nothing of a lane begin for so long."""
        self._bars[lane] = self._clock() + seconds

    def look_now(self) -> None:
        """Let every barred lane look: a server that was away has answered one of them."""
        self._bars = dict.fromkeys(self._bars, self._clock())

    def open(self, lane: str) -> bool:
        """Lift a bar; say whether there was one."""
        return self._bars.pop(lane, None) is not None

    @property
    def any_barred(self) -> bool:
        return bool(self._bars)

    def barred(self, lane: str) -> bool:
        return self._bars.get(lane, 0.0) > self._clock()

    def claim(self, lane: str) -> None:
        self._claimed[lane] += 1

    def begin(self, lane: str) -> None:
        self._under_way[lane] += 1

    def end(self, lane: str) -> None:
        """A notice was tried, and is no longer held."""
        _less(self._under_way, lane)
        _less(self._claimed, lane)

    def drop(self, lane: str) -> None:
        """A notice that never began is no longer held."""
        _less(self._claimed, lane)

    def may_begin(self, lane: str) -> bool:
        return not self.barred(lane) and self._under_way[lane] < (1 if lane in self._bars else self._at_once)

    def room(self, lane: str) -> int:
        """Return how many more may be claimed of a lane."""
        if self.barred(lane):
            return 0
        return (1 if lane in self._bars else self._held_at_most) - self._claimed[lane]


def shares(destinations: Sequence[str], total: int, lane: Callable[[str], str], lanes: Lanes) -> dict[str, int]:
    """Deal out `total` places in turns, so that no destination waits behind all of another's."""
    room = {each: lanes.room(each) for each in {lane(destination) for destination in destinations}}
    dealt: Counter[str] = Counter()
    left = -1
    while total and left != total:
        left = total
        for destination in destinations:
            if total and room[lane(destination)] > 0:
                dealt[destination] += 1
                room[lane(destination)] -= 1
                total -= 1
    return dict(dealt)


def _less(counter: Counter[str], lane: str) -> None:
    # A counter keeps zeros, and there are as many lanes as there are domains.
    counter[lane] -= 1
    if counter[lane] <= 0:
        del counter[lane]
