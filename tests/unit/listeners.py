"""Listeners that a reader watches, as their counters show them to it."""

from smtpd_service.traffic import CROWD, LOOK_EVERY

MANY = int(CROWD)


class Listeners:
    """Two listeners that take mail when a test says so, and a clock that stands still until then."""

    def __init__(self) -> None:
        self.counted = [(0.0, 0.0), (0.0, 0.0)]
        self.at = 1000.0

    def taken(self) -> list[tuple[float, float]]:
        return list(self.counted)

    def clock(self) -> float:
        return self.at

    def take(self, *each: tuple[int, int], seconds: float = LOOK_EVERY) -> None:
        """Let some time pass in which each listener takes so many messages in so many transactions."""
        for place, (messages, transactions) in enumerate(each):
            before = self.counted[place]
            self.counted[place] = (before[0] + messages, before[1] + transactions)
        # A hair more: a sum of tenths is not always a tenth more.
        self.at += seconds + 1e-6

    def burst(self) -> None:
        """Let a tenth of a second pass in which one of them takes many at a time."""
        self.take((3 * MANY, 3))
