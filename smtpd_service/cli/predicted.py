"""What a load comes to on paper, told: lines and a table for people, JSON for machines, a picture."""

import random
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from smtpd_service.cli.complaint import Complaint
from smtpd_service.cli.load import MOST_ON_PAPER, Load, count
from smtpd_service.cli.loadoptions import ON_PAPER
from smtpd_service.cli.paper import plain, print_facts, print_json, print_table, say, size
from smtpd_service.planning.axis import before_deadline, span
from smtpd_service.planning.chart import draw
from smtpd_service.planning.course import HOUR, Course, Try
from smtpd_service.planning.curve import Curve
from smtpd_service.planning.paper import House, Outcome, Traffic, work_out
from smtpd_service.planning.sizes import mixed
from storage.records import WhenFull

_MODES = {WhenFull.BOUNCE: "bounces", WhenFull.REJECT: "rejects", WhenFull.DEFER: "defers"}
# More hours than this nobody reads; --json has them all.
_HOURS = 12


def predict(load: Load, chart: Path | None, *, json: bool) -> int:
    """Compute and tell. Raises Complaint where the picture cannot be written."""
    began = time.monotonic()
    assert load.house is not None  # noqa: S101  # on paper it is known
    rng = random.Random(load.seed)  # noqa: S311  # a load that can be repeated, not a secret
    letters = count("--messages", ON_PAPER if load.messages is None else load.messages, MOST_ON_PAPER)
    traffic = Traffic(load.curve.moments(letters, rng), (load.sizes or mixed()).draw(letters, rng))
    found = work_out(traffic, load.house, load.senders, load.curve.window, load.seed)
    took = time.monotonic() - began
    if chart is not None:
        write_chart(chart, found.course, load.curve, title_of(found, load.house), _assumed(load))
    if json:
        print_json(as_facts(found, load))
    else:
        _tell(found, load, took)
    return 0


def write_chart(file: Path, course: Course, curve: Curve, title: str, subtitle: str) -> None:
    try:
        file.write_text(draw(course, rush=curve.rush, title=title, subtitle=subtitle), encoding="utf-8")
    except OSError as error:
        raise Complaint(f"--chart: cannot write {str(file)!r}: {error.strerror}") from error


def title_of(found: Outcome, house: House) -> str:
    """Return what was asked, as a heading."""
    return f"{found.letters:,} letters to a mailbox of {size(house.quota.octets)} that {_MODES[house.when_full]}"


def curve_words(curve: Curve) -> str:
    hours = f"{curve.window / HOUR:g} h, {100 * curve.share:g} % of all in the last {curve.rush / HOUR:.3g} h"
    return f"{hours}, the last minute {curve.peak:g} times their mean"


def _assumed(load: Load) -> str:
    return f"On paper: {curve_words(load.curve)}; seed {load.seed}"


def _tell(found: Outcome, load: Load, took: float) -> None:
    assert load.house is not None  # noqa: S101  # on paper it is known
    say(f"{title_of(found, load.house)}; {size(found.octets)} in all, computed in {took:.1f} s")
    say("")
    print_facts(_facts(found))
    print_hours(found.course)


def _facts(found: Outcome) -> Iterable[tuple[str, str]]:
    first, (minute, most), letters = found.course.first, found.course.peak, found.letters
    yield "peak", f"{most:,} in one minute ({most / 60:,.0f} a second), {span(found.course.deadline - 60 * minute)}"
    yield (
        "first refusal",
        "none: all fitted in"
        if first is None
        else f"{span(found.course.deadline - first.at)}, with {first.messages:,} letters and {size(first.used, 2)} "
        f"held: {size(first.size)} did not get in ({first.reason})",
    )
    yield "stored at once", _part(found.at_once, letters)
    yield "stored later", _part(found.later, letters) + _delay(found)
    yield "never stored", _part(found.never, letters)
    yield "sent back", f"{found.bounces:,} times" if found.bounces else ""
    tries = sum(found.course.refused.values())
    _, most = found.course.busiest
    yield "refused tries", f"{tries:,}; at most {most:,} tries in one minute" if tries else ""
    held = f"{size(found.final.octets, 2)} of {size(found.quota.octets)}"
    yield "held at the end", f"{held}, {found.final.messages:,} letters"


def _part(count: int, of: int) -> str:
    return f"{count:,} ({100 * count / of:.1f} %)" if count else "0"


def _delay(found: Outcome) -> str:
    if not found.later:
        return ""
    half, most = (_minutes(found, part) for part in (0.5, 0.99))
    return f": half of them within {_time(half)}, 99 of 100 within {_time(most)}"


def _time(minutes: int) -> str:
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"


def _minutes(found: Outcome, part: float) -> int:
    """Return the minutes within which that part of those stored later was stored."""
    below = 0
    for minutes, stored in sorted(found.delays.items()):
        below += stored
        if below >= part * found.later:
            return minutes + 1
    return 0


def hour_rows(course: Course) -> list[dict[str, Any]]:
    """Return refusals by hour, counted from the opening."""
    return [
        {"hour": hour, "before_deadline_s": course.deadline - hour * HOUR}
        | {_key(kind): course.refused[hour, kind] for kind in Try}
        | {"all": sum(course.refused[hour, kind] for kind in Try)}
        for hour in course.hours()
    ]


def _key(kind: Try) -> str:
    return kind.value.replace(" ", "_")


def print_hours(course: Course) -> None:
    """Print refusals by hour, where there are any."""
    rows = [each | {"from": before_deadline(-each["before_deadline_s"])} for each in hour_rows(course)]
    if not rows:
        return
    say("")
    columns = [plain("from", "refusals, hour from"), plain("all", right=True)]
    print_table(rows[:_HOURS], columns + [plain(_key(kind), kind.value, right=True) for kind in Try])
    if len(rows) > _HOURS:
        say(f"… and {len(rows) - _HOURS} hours more; --json has them all")


def as_facts(found: Outcome, load: Load) -> dict[str, Any]:
    """Return all of it for machines; the same for the same seed."""
    assert load.house is not None  # noqa: S101  # on paper it is known
    course, quota = found.course, load.house.quota
    return {
        "letters": found.letters,
        "octets": found.octets,
        "seed": load.seed,
        "window_s": load.curve.window,
        "quota_octets": quota.octets,
        "quota_messages": quota.messages,
        "when_full": load.house.when_full.value,
        "first_refusal": first_facts(course),
        "stored_at_once": found.at_once,
        "stored_later": found.later,
        "later_p50_min": _minutes(found, 0.5) if found.later else None,
        "later_p99_min": _minutes(found, 0.99) if found.later else None,
        "never_stored": found.never,
        "sent_back": found.bounces,
        "refused_tries": sum(course.refused.values()),
        "reasons": dict(found.reasons),
        "refusals_by_hour": hour_rows(course),
        "peak_minute": dict(zip(("minute", "letters"), course.peak, strict=True)),
        "busiest_minute": dict(zip(("minute", "tries"), course.busiest, strict=True)),
        "used_octets": found.final.octets,
        "used_messages": found.final.messages,
    }


def first_facts(course: Course) -> dict[str, Any] | None:
    """Return the first refusal, None where there was none."""
    first = course.first
    if first is None:
        return None
    return {
        "at_s": first.at,
        "before_deadline_s": course.deadline - first.at,
        "messages_held": first.messages,
        "octets_held": first.used,
        "octets": first.size,
        "reason": first.reason,
    }
