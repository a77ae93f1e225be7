"""Mail is accepted first, and read after: what the listeners of a reader's own machine are at, by their counters.

Mail that is not taken is put off, and mail that is not read is only late; and a listener needs the processors that
readers would use. Readers that run alone (`serve reader`) see no listener and never stand back.
"""

import threading
import time
from collections.abc import Callable

from smtpd_service import metrics

# Mail is arriving where the last came so lately, in seconds.
ARRIVING = 0.25
# A burst is where the listeners' transactions hold so many messages on the mean since the last look: as many clients
# or more wait for their 250, 20 ms and longer (measured at 2,500 a second on two processors).
CROWD = 30.0
LOOK_EVERY = 0.1


class Traffic:
    """What one reader knows of it; it stands back `longest` seconds in a row at most, and then not for as long."""

    def __init__(
        self,
        longest: float,
        taken: Callable[[], tuple[float, float]] = metrics.taken,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._longest = longest
        self._taken = taken
        self._clock = clock
        self._seen, self._seen_at = taken(), clock()
        self._came_at = -ARRIVING
        self._burst = False
        self._since = 0.0

    def arriving(self) -> bool:
        """Say whether mail has come lately."""
        return self._look() - self._came_at < ARRIVING

    def first(self) -> bool:
        """Say whether mail comes first now: in a burst, unless the reader has stood back for too long."""
        at = self._look()
        return self._burst and (at - self._since) % (2 * self._longest) < self._longest

    def let_pass(self, stopping: threading.Event) -> None:
        """Wait for as long as mail comes first, or until `stopping` is set."""
        while self.first() and not stopping.wait(LOOK_EVERY):
            pass

    def _look(self) -> float:
        """Read the counters unless that was done a moment ago; return what time it is."""
        at = self._clock()
        if at - self._seen_at < LOOK_EVERY:
            return at
        before, self._seen, self._seen_at = self._seen, self._taken(), at
        messages, transactions = (now - then for now, then in zip(self._seen, before, strict=True))
        if messages:
            self._came_at = at
        burst = self._longest > 0 and messages >= max(CROWD, CROWD * transactions)
        if burst and not self._burst:
            self._since = at
        self._burst = burst
        return at
