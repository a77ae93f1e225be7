"""`pulsebox node`: the processes of the service, on all machines that share the database."""

from datetime import tzinfo
from typing import Any

from smtpd_service.cli.desk import open_desk
from smtpd_service.cli.options import Config, Json, noun
from smtpd_service.cli.paper import Column, Row, plain, print_json, print_table, timed
from storage import changes, nodes
from storage.records import NodeSeen

verbs = noun("The processes of the service: listeners, readers, couriers.")

NOTHING = "no process is running; start one: pulsebox serve"
# What a beat takes on its way is not a wrong clock.
_CLOCK_MAY_DIFFER_MS = 1000


@verbs.command("list")
def list_(*, config: Config = None, json: Json = False) -> None:
    """Who runs where, since when, in which version, and which of them have seen every change."""
    with open_desk(config) as desk:
        with desk.store.reading() as tx:
            newest = changes.current_generation(tx)
            rows = [_row(each, newest) for each in nodes.all_nodes(tx)]
        zone = desk.zone
    if json:
        print_json(rows)
    else:
        print_table(rows, _columns(zone), nothing=NOTHING)


def _row(seen: NodeSeen, newest: int) -> dict[str, Any]:
    node = seen.node
    return {
        "id": node.id,
        "role": node.role,
        "host": node.host,
        "pid": node.pid,
        "version": node.version,
        "started_at": node.started_at,
        "seen_at": seen.seen_at,
        "generation": node.generation,
        "behind": max(0, newest - node.generation),
        "state": "silent" if seen.silent else node.state,
        "clock_ahead_ms": round(seen.ahead.total_seconds() * 1000),
    }


def _columns(zone: tzinfo) -> list[Column]:
    return [
        plain("role"),
        plain("host"),
        Column("pid", lambda row: str(row["pid"]), right=True),
        plain("version"),
        timed("started_at", zone, "since"),
        timed("seen_at", zone, "last heard"),
        Column("changes", lambda row: f"{row['behind']:,} behind" if row["behind"] else "current"),
        Column("state", _state),
    ]


def _state(row: Row) -> str:
    ahead = row["clock_ahead_ms"]
    if abs(ahead) < _CLOCK_MAY_DIFFER_MS:
        return str(row["state"])
    return f"{row['state']}, clock {abs(ahead) / 1000:,.1f} s {'ahead' if ahead > 0 else 'behind'}"
