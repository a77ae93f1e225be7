"""What is printed and kept: a table of medians with the ratios, the machine, and all rounds as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.compare import Measured, Plan, as_json, medians
from benchmarks.machine import Machine

RESULTS = Path(__file__).resolve().parent / "results"
LOADS = {
    "replies": "replies: ours, plain, 1.7 to 2.3 kB, five bullets each, a sender and a Message-ID of its own",
    "smtp-source": "smtp-source: 2 kB of X, one sender, a Message-ID each; a reader finds no bullets in them",
}


def print_table(console: Console, found: Sequence[Sequence[Measured]], servers: Sequence[str]) -> None:
    """Print a line for each figure, the servers side by side, and the last divided by the first."""
    table = Table(title=f"Medians of {len(found)} rounds", title_justify="left")
    for heading in ("load", "figure", "unit"):
        table.add_column(heading)
    for heading in (*servers, "ratio"):
        table.add_column(heading, justify="right")
    values = {(one.server, one.load, one.figure): one for one in medians(found)}
    last = ""
    for load, figure, unit in _lines(found):
        each = [values.get((server, load, figure)) for server in servers]
        if load != last:
            table.add_section()
        numbers = [shown(one.value) if one else "" for one in each]
        table.add_row(load if load != last else "", figure, unit, *numbers, _ratio(each))
        last = load
    console.print(table)


def _lines(found: Sequence[Sequence[Measured]]) -> list[tuple[str, str, str]]:
    """Return load, figure and unit of each line, loads together, memory last."""
    keys = dict.fromkeys((one.load, one.figure, one.unit) for each in found for one in each)
    loads = list(dict.fromkeys(load for load, _, _ in keys))
    return sorted(keys, key=lambda key: (key[0] == "memory", loads.index(key[0])))


def _ratio(each: Sequence[Measured | None]) -> str:
    first, last = each[0], each[-1]
    if len(each) < 2 or first is None or last is None or not first.value:
        return ""
    return f"{last.value / first.value:.2f}"


def shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def print_terms(console: Console, plan: Plan, machine: Machine, durable: dict[str, str]) -> None:
    """Print what the figures are worth: the machine, the load, and what each server had on disk."""
    packages = ", ".join(f"{name} {version}" for name, version in machine.packages.items())
    console.print(
        f"{machine.cores} cores ({machine.processor}), {machine.memory_gib} GiB, {machine.system}, "
        f"{machine.disk}; load average at the start {machine.load}\n"
        f"Python {machine.python}, SQLite {machine.sqlite}, Postfix {machine.postfix}; {packages}\n"
        f"{plan.messages} messages a load, 20 sessions, no pipelining; conn: one message a connection, "
        "reuse: many; both logs go to files"
    )
    for load in plan.loads:
        console.print(LOADS[load])
    console.print("accepted: all 250s given; done: Postfix, in the maildir; Pulsebox, read and its rows committed")
    for name, text in durable.items():
        console.print(f"{name} makes durable: {text}")


def keep(found: Sequence[Sequence[Measured]], plan: Plan, machine: Machine) -> Path:
    """Write all rounds to a new file and return its name."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    whole = {
        "plan": asdict(plan) | {"folder": str(plan.folder)},
        "machine": asdict(machine),
        "medians": as_json([medians(found)])[0],
        "rounds": as_json(found),
    }
    file.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return file
