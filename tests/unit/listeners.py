"""Listeners that a reader watches, as their counters show them to it."""

from smtpd_service.traffic import CROWD, LOOK_EVERY

MANY = int(CROWD)


class Listeners:
    """Listeners that take mail when a test says so, and a clock that stands still until then."""

    def __init__(self) -> None:
        self.messages = self.transactions = 0.0
        self.at = 1000.0

    def taken(self) -> tuple[float, float]:
        return self.messages, self.transactions

    def clock(self) -> float:
        return self.at

    def take(self, messages: int, transactions: int) -> None:
        """Let some time pass in which so many are taken."""
        self.messages += messages
        self.transactions += transactions
        # A hair more: a sum of tenths is not always a tenth more.
        self.at += LOOK_EVERY + 1e-6

    def burst(self) -> None:
        self.take(3 * MANY, 3)
