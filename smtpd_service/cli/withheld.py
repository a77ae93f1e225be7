"""How a text in quarantine looks on paper: masked in lists, whole only where its look was written down."""

from datetime import datetime, tzinfo
from typing import Any

from smtpd_service.cli.paper import Column, ids, moment, plain, print_facts, timed
from smtpd_service.identity import now
from storage.columns import instant_text
from storage.readings import Held, QuarantineState


def columns(zone: tzinfo) -> list[Column]:
    """Return the columns of a list, which shows no text."""
    return [
        ids(),
        ids("submission"),
        plain("sender"),
        Column("what", lambda row: f"bullet {row['position']}" if row["position"] else row["place"]),
        plain("rule"),
        Column("state", lambda row: state_of(row["state"], once=row["first_at"] is not None)),
        timed("held_at", zone, "since"),
        Column("age", lambda row: _age(row["held_at"]), right=True),
    ]


def state_of(state: str, *, once: bool) -> str:
    return "released once" if once and state == QuarantineState.HELD else state


def _age(since: str) -> str:
    seconds = int((now() - datetime.fromisoformat(since)).total_seconds())
    units = (("d", 86_400), ("h", 3600), ("min", 60))
    return next((f"{seconds // length} {unit}" for unit, length in units if seconds >= length), "now")


def settled(held: Held) -> str:
    """Return what became of a text that is not held any more."""
    at = f"on {held.settled_at:%Y-%m-%d %H:%M} UTC by {held.settled_by}"
    if held.state is QuarantineState.PURGED:
        return f"{held.id} was destroyed {at}; nothing is left to show"
    return f"{held.id} was released {at}; see: pulsebox message show {held.message}"


def facts(held: Held, sender: str | None) -> dict[str, Any]:
    """Return all of a row as JSON has it, its text too."""
    row = {name: getattr(held, name) for name in held.__slots__} | {"sender": sender}
    return row | {name: instant_text(at) for name, at in row.items() if isinstance(at, datetime)}


def print_held(held: Held, sender: str | None, zone: tzinfo, number: int) -> None:
    once = f"once by {held.first_by}, {moment(held.first_at, zone)}" if held.first_by else ""
    print_facts(
        (
            ("id", held.id),
            ("message", held.message),
            ("submission", held.submission),
            ("sender", sender or ""),
            ("what", f"bullet {held.position}" if held.position else held.place),
            ("rule", held.rule),
            ("held", moment(held.held_at, zone)),
            ("released", once),
            ("mark", held.mark or ""),
            ("text", held.text or ""),
            ("this look", f"recorded as #{number}"),
        )
    )
