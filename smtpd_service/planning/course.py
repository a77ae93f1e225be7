"""How it went, or would go: what a picture, a table and JSON are made of, whether computed or really sent. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

HOUR = 3600.0


class Try(StrEnum):
    """Which try of a letter was refused."""

    FIRST = "first"
    SERVER = "server again"
    PERSON = "written again"


@dataclass(frozen=True, slots=True)
class FirstRefusal:
    """`at` is in seconds since the opening; `used` and `messages` are what the mailbox held, `size` did not fit."""

    at: float
    messages: int
    used: int
    size: int
    reason: str


@dataclass(slots=True)
class Course:
    """Counts by time, in seconds since the opening; `deadline` is when the last person writes.

    `arrived` counts first tries by the minute; `refused` counts tries by hour and kind; `held` are moments with the
    octets held from then on, `limits` likewise with the quota's octets.
    """

    deadline: float
    arrived: Counter[int] = field(default_factory=Counter)
    tried: Counter[int] = field(default_factory=Counter)
    refused: Counter[tuple[int, Try]] = field(default_factory=Counter)
    held: list[tuple[float, int]] = field(default_factory=list)
    limits: list[tuple[float, int]] = field(default_factory=list)
    first: FirstRefusal | None = None

    def refuse(self, at: float, kind: Try, count: int = 1) -> None:
        if count:
            self.refused[int(at // HOUR), kind] += count

    def hours(self) -> Sequence[int]:
        """Return the hours that have a refusal, in order."""
        return sorted({hour for hour, _ in self.refused})

    @property
    def peak(self) -> tuple[int, int]:
        """Return the minute in which most first tries came, and how many."""
        minute, count = max(self.arrived.items(), key=lambda each: (each[1], -each[0]), default=(0, 0))
        return minute, count

    @property
    def busiest(self) -> tuple[int, int]:
        """Return the same of all tries."""
        minute, count = max(self.tried.items(), key=lambda each: (each[1], -each[0]), default=(0, 0))
        return minute, count
