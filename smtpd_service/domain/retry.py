"""When is a notice tried again? Pure: the courier owns the clock and the attempts."""

from dataclasses import dataclass
from datetime import datetime, timedelta

FIRST_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=4)
PATIENCE = timedelta(days=5)


@dataclass(frozen=True, slots=True)
class Retry:
    """Try once more, not before `at` (UTC)."""

    at: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No further try; the notice was first due at `first` (UTC)."""

    first: datetime


def next_attempt(first: datetime, now: datetime, attempts: int, patience: timedelta = PATIENCE) -> Retry | GiveUp:
    """Plan the next try of a notice.

    `first` and `now` are UTC; `attempts` counts the tries already made.
    Returns `Retry(at)`, never under 5 minutes away, or `GiveUp` once
    `patience` has passed since `first`.

    Raises ValueError if `now` is before `first`, or if `attempts` is negative.
    Source: RFC 5321 section 4.5.4.1.
    """
    if now < first:
        raise ValueError("the next attempt is planned before the first one was due")
    if attempts < 0:
        raise ValueError("attempts cannot be negative")
    if now - first >= patience:
        return GiveUp(first)
    return Retry(now + wait_after(attempts))


def wait_after(attempts: int) -> timedelta:
    """Return the wait after so many tries: 5 minutes, doubled by each further try, at most 4 hours."""
    # Ten doublings are far past the longest wait; an unbounded exponent would overflow.
    doublings = min(max(attempts - 1, 0), 10)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)
