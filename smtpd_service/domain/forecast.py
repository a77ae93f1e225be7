"""When will this mailbox be full, as it fills now? Pure: the caller has the samples and the clock.

Mail comes in bursts: after the request, before the deadline. So what came in the last minutes counts most, the last
hour and the last six steady it; where nothing came for an hour, nothing is filling. What a purge takes away is no sign
of less mail, so only what was added counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise

from smtpd_service.domain.size import size_in_words
from storage.records import Mailbox, Sample

# How far back to look, and how much what came since then counts.
WINDOWS = ((timedelta(minutes=5), 4), (timedelta(minutes=15), 3), (timedelta(hours=1), 2), (timedelta(hours=6), 1))
REACH = WINDOWS[-1][0]
_QUIET = timedelta(hours=1)
# Samples of less than this say nothing of a rate: one message would make it.
_SHORTEST = timedelta(seconds=30)
_FAR = timedelta(days=365)
# Of what is further off than this, the mail of some hours says too little to call a mailbox filling.
_SOON = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Octets and messages a second as they come; `left` until the first limit is reached, None where it is not.

    `known` is False where there are no samples to tell from. `full` says that the usual mail does not fit any more:
    then `room` is the octets that are left.
    """

    octets: float
    messages: float
    left: timedelta | None
    known: bool
    full: bool
    room: int


def forecast(box: Mailbox, samples: Sequence[Sample], now: datetime) -> Forecast:
    """Return the forecast for a mailbox; `samples` are those since `now - REACH`, oldest first, and one before."""
    quota, used = box.quota, box.used
    past = [*(each for each in samples if each.at < now), Sample(now, used.octets, used.messages)]
    known = len(past) > 1 and now - past[0].at >= _SHORTEST
    octets = _rate([(each.at, each.octets) for each in past], now) if known else 0.0
    messages = _rate([(each.at, each.messages) for each in past], now) if known else 0.0
    room = max(0, quota.octets - used.octets)
    times = [room / octets] if octets else []
    if messages and quota.messages is not None:
        times.append(max(0, quota.messages - used.messages) / messages)
    fills = times and (not box.frozen) and (not box.exempt)
    left = timedelta(seconds=min(*times, _FAR.total_seconds())) if fills else None
    return Forecast(octets, messages, left, known, is_full(box), room)


def _rate(values: Sequence[tuple[datetime, int]], now: datetime) -> float:
    """Return what is added a second; a value holds until the next one."""
    if not _added(values, now - _QUIET):
        return 0.0
    known_for = now - values[0][0]
    total = weights = 0.0
    for window, weight in WINDOWS:
        span = min(window, known_for)
        total += weight * _added(values, now - span) / span.total_seconds()
        weights += weight
    return total / weights


def _added(values: Sequence[tuple[datetime, int]], since: datetime) -> int:
    """Return what was added since then, what was taken away meanwhile apart."""
    return sum(max(0, after - before) for (_, before), (at, after) in pairwise(values) if at > since)


def is_full(box: Mailbox) -> bool:
    """Say whether one more message of the size that is usual here would not fit.

    The last octet is hardly ever used: a mailbox that bounces all but the smallest mail is full to its senders.
    """
    quota, used = box.quota, box.used
    if box.exempt:
        return False
    if quota.messages is not None and used.messages >= quota.messages:
        return True
    usual = used.octets // used.messages if used.messages else 0
    return quota.octets + quota.grace - used.octets < usual or used.octets >= quota.octets


def standing(box: Mailbox) -> str:
    """Return `frozen`, `full` or `accepting`."""
    if box.frozen and not box.exempt:
        return "frozen"
    return "full" if is_full(box) else "accepting"


def condition(box: Mailbox, seen: Forecast) -> str:
    """Return the same, and `filling` for a mailbox that accepts and will be full within seven days if it goes on so."""
    stands = standing(box)
    return "filling" if stands == "accepting" and seen.left is not None and seen.left <= _SOON else stands


def in_words(seen: Forecast, now: datetime, zone: tzinfo) -> str:
    """Return the forecast as people say it, on the clock that they look at."""
    if seen.full:
        return f"full now, {size_in_words(seen.room)} left" if seen.room else "full now"
    if not seen.known:
        return "not known yet"
    if seen.left is None:
        return "not filling"
    if seen.left >= _FAR:
        return "not within a year"
    at = (now + seen.left).astimezone(zone)
    when = f"{at:%a %H:%M %Z}" if seen.left < timedelta(days=6) else f"{at:%a %Y-%m-%d}"
    return f"full in about {span_in_words(seen.left)}, {when}"


def span_in_words(span: timedelta) -> str:
    """Return a time as `40 s`, `25 min`, `2 h 10 min` or `3 d 4 h`: never closer than it is known."""
    seconds = int(span.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        # Of hours to come nobody knows the minute.
        tens = minutes // 10 * 10
        return f"{hours} h {tens} min" if tens else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours and days < 10 else f"{days} d"
