"""What was answered, how, and how fast: counted while letters are sent, read by the live view and the report."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import accumulate

from smtpd_service.domain.outcomes import Bounced
from smtpd_service.domain.replies import REPLIES
from smtpd_service.planning.course import Course, FirstRefusal, Try
from smtpd_service.planning.wire import Reply

_BOUNCED = str(REPLIES[Bounced, None]).partition(" ")[2]


class Became(StrEnum):
    """What one try came to. A 250 is `bounced` where the reply is Pulsebox's own for that; others tell nothing."""

    STORED = "stored"
    BOUNCED = "bounced"
    DEFERRED = "4xx"
    REFUSED = "5xx"
    LOST = "lost"


def became(reply: Reply) -> Became:
    """Return what the last reply of a transaction says."""
    if 200 <= reply.code < 300:
        return Became.BOUNCED if reply.text == _BOUNCED else Became.STORED
    return Became.REFUSED if reply.code >= 500 else Became.DEFERRED


@dataclass(frozen=True, slots=True)
class Answer:
    """One try of the letter `number`: when it was due and answered, in seconds since the start, and how.

    `wait` is the time from the final dot to its reply, None where there was none.
    """

    number: int
    tries: int
    octets: int
    due: float
    at: float
    became: Became
    reply: str
    wait: float | None


@dataclass(slots=True)
class Tally:
    """Figures so far; `factor` is how many seconds of the curve pass in one. The course goes by when tries were due.

    `ends` are letters by what their last try came to; `late` is how long letters waited for a free connection.
    """

    course: Course
    factor: float
    letters: int
    ends: dict[int, Became] = field(default_factory=dict)
    given_up: set[int] = field(default_factory=set)
    tries: Counter[Became] = field(default_factory=Counter)
    seconds: Counter[tuple[int, Became]] = field(default_factory=Counter)
    replies: Counter[str] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    added: list[tuple[float, int]] = field(default_factory=list)
    stored_octets: int = 0
    stored_later: int = 0
    sent: int = 0
    paced: int = 0
    elapsed: float = 0.0

    def begin(self, at: float, tries: int, late: float) -> None:
        """A letter that was due at `at` begins to go out."""
        minute = int(at * self.factor // 60)
        self.course.tried[minute] += 1
        self.late.append(late)
        if tries == 1:
            self.sent += 1
            self.course.arrived[minute] += 1

    def note(self, answer: Answer) -> None:
        self.ends[answer.number] = answer.became
        self.tries[answer.became] += 1
        self.seconds[int(answer.at), answer.became] += 1
        if answer.wait is not None:
            self.waits.append(answer.wait)
        at = answer.due * self.factor
        if answer.became is Became.STORED:
            self._store(answer, at)
            return
        self.replies[answer.reply] += 1
        if answer.became is not Became.LOST:
            self.course.refuse(at, Try.FIRST if answer.tries == 1 else Try.SERVER)
            if self.course.first is None:
                stored = sum(1 for end in self.ends.values() if end is Became.STORED)
                self.course.first = FirstRefusal(at, stored, self.stored_octets, answer.octets, answer.reply)

    def _store(self, answer: Answer, at: float) -> None:
        self.stored_octets += answer.octets
        self.stored_later += answer.tries > 1
        self.added.append((at, answer.octets))

    def finish(self) -> None:
        """Put in the course what was held, by when what came was due: answers came in another order."""
        moments, octets = zip((0.0, 0), *sorted(self.added), strict=True)
        self.course.held = list(zip(moments, accumulate(octets), strict=True))

    def ended(self) -> Counter[str]:
        """Return letters by their end; what was deferred or lost still waits, or was given up as a server would.

        What was never begun is unsent. What was begun and broken off, by Ctrl-C, is unanswered: it may be stored.
        """
        found = Counter(str(end) for end in self.ends.values())
        waiting = found.pop(Became.DEFERRED, 0) + found.pop(Became.LOST, 0) - len(self.given_up)
        left = {
            "waiting": waiting,
            "given up": len(self.given_up),
            "unanswered": self.sent - len(self.ends),
            "unsent": self.letters - self.sent,
        }
        return found + Counter(left)


def quantile(values: list[float], share: float) -> float | None:
    """Return the value that this share of `values` does not pass; None where there is none."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
