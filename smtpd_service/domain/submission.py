"""Which readings are answers, and which earlier one an answer repeats."""

from collections.abc import Sequence

# The statuses with which somebody has said what was done; the others are stored, but replace nothing.
ANSWERS = ("OK", "FEW", "MANY", "SENSITIVE")
# How often a message is tried before it is parked.
TRIES = 3


def repeated(earlier: Sequence[tuple[str, str | None]], round_: str | None) -> str | None:
    """Return the newest of `earlier` (id, round) that was said for another round, or None.

    Saying the same again within a round is a correction, not a repeat.
    """
    return next((id_ for id_, other in earlier if other != round_), None)
