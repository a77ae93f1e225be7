"""What a load is, read strictly from what was typed: its curve, its sizes, the mailbox and its operators."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from smtpd_service.cli import typed
from smtpd_service.cli.complaint import Complaint
from smtpd_service.planning.curve import Curve
from smtpd_service.planning.paper import House, Step
from smtpd_service.planning.senders import Senders
from smtpd_service.planning.sizes import Kind, Sizes, mixed
from storage.records import Quota, WhenFull

# On paper a letter costs some microseconds and a dozen octets of memory.
MOST_ON_PAPER = 20_000_000
MOST_SENT = 1_000_000
_FIRST_WAIT = timedelta(seconds=1)
# Paper goes through it minute by minute.
_LONGEST = timedelta(days=366)
# Where everybody writes again, a mailbox that stays full is never left alone.
_MOST_AGAIN = 95


@dataclass(frozen=True, slots=True)
class Load:
    """`sizes`, `house` and `messages` are None where nothing was said of them: each way of using it has its own."""

    curve: Curve
    sizes: Sizes | None
    house: House | None
    senders: Senders
    messages: int | None
    seed: int

    def to_send(self, *, known: bool) -> "Load":
        """Return the same without what only paper knows; the mailbox stays where its quota is `known`.

        Raises Complaint for what operators would do: nobody does it here.
        """
        if self.house is not None and self.house.steps:
            raise Complaint("--raise and --purge are for paper; while mail is sent: pulsebox quota set, mailbox purge")
        return self if known else replace(self, house=None)


def curve_of(window: str, rush: str, rush_share: float, peak: float) -> Curve:
    spans = _span("--window", window).total_seconds(), _span("--rush", rush).total_seconds()
    try:
        return Curve(*spans, share=share("--rush-share", rush_share), peak=number("--peak", peak))
    except ValueError as error:
        typed_in = f"--window {window} --rush {rush} --rush-share {rush_share:g} --peak {peak:g}"
        raise Complaint(f"{typed_in}: {error}") from error


def _span(option: str, text: str) -> timedelta:
    span = typed.age(option, text)
    if span > _LONGEST:
        raise Complaint(f"{option}: {text!r} is too long; write {_LONGEST.days} d at most")
    return span


def number(option: str, value: float) -> float:
    if not math.isfinite(value):
        raise Complaint(f"{option}: {value} is no number to count with; write one such as 5")
    return value


def share(option: str, percent: float) -> float:
    """Return 0 to 1 for 0 to 100 percent."""
    if not 0 <= number(option, percent) <= 100:
        raise Complaint(f"{option}: {percent:g} is no share; write percent, 0 to 100")
    return percent / 100


def sizes_of(mix: str | None, spread: float) -> Sizes | None:
    """Return what a mix such as `2kB:20,45kB:78,1MB:2` draws from, None where none was told."""
    if not 0 <= number("--spread", spread) <= 2:
        raise Complaint(f"--spread: {spread:g} is no deviation of a logarithm that mail has; write 0 to 2")
    if mix is None:
        return None
    kinds = []
    for part in mix.split(","):
        size, colon, weight = part.strip().rpartition(":")
        if not colon or not re.fullmatch(r"\d{1,9}(\.\d{1,6})?", weight):
            raise Complaint(f"--mix: {part.strip()!r} is no kind of mail; write SIZE:SHARE,…, such as 2kB:20,45kB:80")
        octets = typed.size("--mix", size)
        if not 200 <= octets <= 1_000_000_000:
            raise Complaint(f"--mix: no mail has {size} on average; write 200 B to 1 GB")
        kinds.append(Kind(octets, float(weight)))
    try:
        return mixed(kinds, spread)
    except ValueError as error:
        raise Complaint(f"--mix: {error}; write such as 2kB:20,45kB:80") from error


def quota_of(quota: str, messages: str, grace: str, rate: str) -> Quota:
    return Quota(
        typed.size("--quota", quota),
        typed.count_or_none("--quota-messages", messages),
        typed.size("--grace", grace),
        typed.rate_or_none("--rate", rate),
    )


def house_of(limit: Quota, when_full: WhenFull, raises: Sequence[str], purges: Sequence[str], curve: Curve) -> House:
    return House(limit, when_full, steps=steps_of(raises, purges, curve))


_STEP = re.compile(r"(-?)([^=]+)=([^=]+)")


def steps_of(raises: Sequence[str], purges: Sequence[str], curve: Curve) -> tuple[Step, ...]:
    """Return what operators do: `47h=60GB` is counted from the opening, `-30min=60GB` to the deadline."""
    found = []
    for text in raises:
        at, value = _moment("--raise", text, curve, "60GB")
        found.append(Step(at, limit=typed.size("--raise", value)))
    for text in purges:
        at, value = _moment("--purge", text, curve, "50%")
        if value.endswith("%"):
            found.append(Step(at, purge_share=_percent(text, value)))
        else:
            found.append(Step(at, purge_octets=typed.size("--purge", value)))
    return tuple(sorted(found, key=lambda step: step.at))


def _percent(text: str, value: str) -> float:
    if not re.fullmatch(r"\d{1,3}(\.\d{1,6})?%", value):
        raise Complaint(f"--purge: {text!r}: write how much goes, such as 10GB or 50%")
    return share("--purge", float(value.removesuffix("%")))


def _moment(option: str, text: str, curve: Curve, example: str) -> tuple[float, str]:
    match = _STEP.fullmatch(text.strip())
    if match is None:
        raise Complaint(f"{option}: {text!r} says not when and what; write such as 47h={example} or -30min={example}")
    seconds = typed.age(option, match[2]).total_seconds()
    at = curve.window - seconds if match[1] else seconds
    if at < 0:
        raise Complaint(f"{option}: {text!r} lies before the opening; the window has {curve.window / 3600:g} h")
    return at, match[3].strip()


def senders_of(retry: str, again: float, again_after: str) -> Senders:
    words = retry.split(",")
    if len(words) != 3:
        raise Complaint(f"--retry: {retry!r}: write the first wait, the longest, and when it ends: 300s,4000s,5d")
    first, longest, patience = (_span("--retry", word.strip()) for word in words)
    if not _FIRST_WAIT <= first <= longest:
        raise Complaint(f"--retry: {retry!r}: the first wait is 1 s or more, and the longest not less: 300s,4000s,5d")
    if again > _MOST_AGAIN:
        raise Complaint(f"--again: {again:g} is too much to come to an end; write percent, 0 to {_MOST_AGAIN}")
    return Senders(
        first.total_seconds(),
        longest.total_seconds(),
        patience=patience.total_seconds(),
        again=share("--again", again),
        again_after=_span("--again-after", again_after).total_seconds(),
    )


def count(option: str, value: int, most: int) -> int:
    if not 1 <= value <= most:
        raise Complaint(f"{option}: {value:,} is out of bounds; write 1 to {most:,}")
    return value
