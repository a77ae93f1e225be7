"""Which round does a reply belong to, and is it late? Pure arithmetic on the campaign's own clock."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from storage.records import Campaign, Round


@dataclass(frozen=True, slots=True)
class Asking:
    """One round of a campaign: its name (ISO year and week of the deadline) and its times in UTC."""

    name: str
    opens: datetime
    deadline: datetime


def asking_at(campaign: Campaign, at: datetime) -> Asking:
    """Return the round that mail of the moment `at` (aware) counts for.

    That is the one opened last: between a deadline and the next opening a reply is the old round's,
    and late. Days are counted on the wall clock of the campaign's zone, so a round that spans a change
    of clocks is an hour shorter or longer.
    """
    zone = ZoneInfo(campaign.zone)
    day = at.astimezone(zone).date()
    due = day + timedelta(days=(campaign.weekday - day.weekday()) % 7 + 7)
    while True:
        asking = _asking(campaign, zone, due)
        if asking.opens <= at:
            return asking
        due -= timedelta(days=7)


def _asking(campaign: Campaign, zone: ZoneInfo, due: date) -> Asking:
    clock = time.fromisoformat(campaign.time)
    deadline = datetime.combine(due, clock, zone)
    opens = datetime.combine(due - timedelta(days=campaign.open_days), clock, zone)
    year, week, _ = due.isocalendar()
    return Asking(f"{year}-W{week:02}", opens.astimezone(UTC), deadline.astimezone(UTC))


def is_late(round_: Round, at: datetime) -> bool:
    """Say whether `at` is past the deadline and its grace; the deadline's own second is in time."""
    return at.replace(microsecond=0) > round_.deadline + timedelta(seconds=round_.grace)
