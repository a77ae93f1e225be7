"""Who does not answer is left alone for a growing while: one look at its end, not one for each notice.

Pure but for the clock that it is given (seconds that only go forward).
"""

from collections.abc import Callable
from dataclasses import dataclass

# So many failed connections in a row open a breaker.
FAILURES = 3
FIRST_PAUSE = 30.0
LONGEST_PAUSE = 600.0
# Hosts that failed and were never asked again are forgotten in the end.
REMEMBERED = 10_000


@dataclass(slots=True)
class _State:
    failures: int = 0
    # When the next look is due; None while the breaker is closed.
    look_at: float | None = None
    pause: float = FIRST_PAUSE


class Breakers:
    """The breakers of all relays and MX hosts that a courier speaks to, by a name that the caller chooses."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._states: dict[str, _State] = {}

    def look_now(self, name: str) -> None:
        """Let the next look be due, of an open breaker or one that was open in an earlier process."""
        state = self._states.setdefault(name, _State(FAILURES))
        state.look_at = self._clock()

    def admits(self, name: str) -> bool:
        """Say whether to connect now; the first after a pause is the look, and the next waits as long again."""
        state = self._states.get(name)
        if state is None or state.look_at is None:
            return True
        now = self._clock()
        if now < state.look_at:
            return False
        state.look_at = now + state.pause
        return True

    def failed(self, name: str) -> bool:
        """Count a connection that failed; say whether the breaker is open now."""
        state = self._states.setdefault(name, _State())
        if len(self._states) > REMEMBERED:
            del self._states[next(iter(self._states))]
        state.failures += 1
        if state.look_at is not None:
            state.pause = min(2 * state.pause, LONGEST_PAUSE)
        if state.failures >= FAILURES:
            state.look_at = self._clock() + state.pause
        return state.look_at is not None

    def answered(self, name: str) -> bool:
        """Forget all failures; say whether the breaker was open."""
        state = self._states.pop(name, None)
        return state is not None and state.look_at is not None

    def waits(self, name: str) -> float | None:
        """Return in how many seconds the next look is due, None where the breaker is closed."""
        state = self._states.get(name)
        return None if state is None or state.look_at is None else max(0.0, state.look_at - self._clock())

    def failures(self, name: str) -> int:
        state = self._states.get(name)
        return state.failures if state else 0
