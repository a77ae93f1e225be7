"""What becomes of mail that was refused: a server tries again, a person writes again. Pure.

The waits are Postfix's as it ships, which follow RFC 5321 section 4.5.4.1: a mail waits as long again as it is old,
300 s at least (`minimal_backoff_time`) and 4000 s at most (`maximal_backoff_time`); the queue is scanned every 300 s
(`queue_run_delay`), each server's at moments of its own; after five days (`maximal_queue_lifetime`) it goes back.
How many people write again is an assumption that nobody has measured.
"""

import random
from dataclasses import dataclass

MINUTE = 60


@dataclass(frozen=True, slots=True)
class Senders:
    """Times in seconds. Of who was bounced, the share `again` (0 to 1) writes again, `again_after` later on average."""

    first_wait: float = 300.0
    longest_wait: float = 4000.0
    patience: float = 5 * 86_400.0
    scan: float = 300.0
    again: float = 0.25
    again_after: float = 4 * 3600.0

    @property
    def servers(self) -> int:
        """Return how many kinds of servers there are: one for each minute of a scan's turn."""
        return max(1, int(self.scan // MINUTE))

    def next_try(self, born: float, now: float, server: int) -> float | None:
        """Return when a server tries next what it has had since `born` and was just refused; None: it gives up.

        `server` (0 to `servers` - 1) is the minute at which its scans begin.
        """
        age = now - born
        if age >= self.patience:
            return None
        due = now + min(max(age, self.first_wait), self.longest_wait)
        if not self.scan:
            return due
        turn = server * MINUTE
        return turn + -(-(due - turn) // self.scan) * self.scan

    def writes_again(self, now: float, rng: random.Random) -> float | None:
        """Return when somebody who learns now that the mail was refused writes again; None: never."""
        if rng.random() >= self.again:
            return None
        return now + (rng.expovariate(1 / self.again_after) if self.again_after else 0.0)
