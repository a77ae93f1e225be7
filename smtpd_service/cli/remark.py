"""One line of `doctor`: what was looked at, how it stands, what was found, what to type."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """`remedy` is empty where there is nothing to do."""

    subject: str
    state: Literal["ok", "warn", "fail"]
    found: str
    remedy: str = ""


def ok(subject: str, found: str) -> Finding:
    return Finding(subject, "ok", found)


def warn(subject: str, found: str, remedy: str) -> Finding:
    return Finding(subject, "warn", found, remedy)


def fail(subject: str, found: str, remedy: str) -> Finding:
    return Finding(subject, "fail", found, remedy)
