"""Mail is accepted first, and read after: how a reader knows of a burst, by the counters of the listeners beside it.

Mail that is not taken is put off, and mail that is not read is only late; and a listener needs the processors that
readers would use. A reader of another service, on this machine or another, sees no listener and never stands back.
"""

import time
from collections.abc import Callable, Sequence

from smtpd_service import metrics
from smtpd_service.events import Event, note

# Where a listener's transactions hold so many messages on the mean since the last look, as many clients or more wait
# for their 250, 20 ms and longer (measured at 2,500 a second on two processors).
CROWD = 30.0
# In seconds; to read the counters costs some microseconds.
LOOK_EVERY = 0.1
# A relay that hands in what it has gathered is no burst: so many looks must have seen a crowd. A burst is over when
# none did for `CALM` seconds: between two slow commits nothing is counted at all.
LOOKS = 3
CALM = 2.0


class Traffic:
    """What one reader knows of it; it stands back for `longest` seconds at most, and then reads for as long.

    Time in which it was free to read makes up for as much: of any long time, no more than half is stood back. `taken`
    gives, for each process, all messages and transactions that it has counted so far; `clock` gives seconds.
    """

    def __init__(
        self,
        longest: float,
        taken: Callable[[], Sequence[tuple[float, float]]] = metrics.taken,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._longest = longest
        self._taken = taken
        self._clock = clock
        self._seen, self._seen_at = taken(), clock()
        self._crowds, self._crowd_at = 0, 0.0
        # Seconds that were stood back and not read since; whether they are being made up for now.
        self._stood = 0.0
        self._owing = False
        self._standing = False

    def first(self) -> bool:
        """Say whether mail comes first now: in a burst, unless the reader has stood back for too long."""
        at = self._clock()
        if at - self._seen_at >= LOOK_EVERY:
            passed, self._seen_at = at - self._seen_at, at
            self._count(passed)
            self._stand(back=self._burst(at) and not self._owing)
        return self._standing

    def _count(self, passed: float) -> None:
        """Account for the time since the last look."""
        if self._standing:
            metrics.add("pulsebox_reading_stood_back_seconds", passed)
        self._stood = max(0.0, self._stood + (passed if self._standing else -passed))
        if self._stood >= self._longest:
            self._owing = True
        elif not self._stood:
            self._owing = False

    def _burst(self, at: float) -> bool:
        before, self._seen = self._seen, self._taken()
        if any(_crowd(*now, *then) for now, then in zip(self._seen, before, strict=True)):
            self._crowds += 1
            self._crowd_at = at
        elif at - self._crowd_at >= CALM:
            self._crowds = 0
        return self._crowds >= LOOKS

    def _stand(self, *, back: bool) -> None:
        if back != self._standing:
            note(Event.READER_STANDS_BACK if back else Event.READER_READS_ON)
        self._standing = back


def _crowd(messages: float, transactions: float, messages_before: float, transactions_before: float) -> bool:
    more = transactions - transactions_before
    return more > 0 and messages - messages_before >= CROWD * more
