"""What verbs share that take a hand in named mail, or in all of it: one unit, one record, one line."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smtpd_service.cli.confirm import as_facts, record
from smtpd_service.cli.desk import open_desk
from smtpd_service.cli.paper import print_json, say
from storage.engine import Tx


@dataclass(frozen=True, slots=True)
class Done:
    """How many were changed, and what the record says of them."""

    count: int
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Intervention:
    """A verb; what it does with the named ids, None for all; how its count is called, in JSON and in words."""

    verb: str
    act: Callable[[Tx, Sequence[str] | None], Done]
    counted: str
    told: str


def intervene(how: Intervention, named: Sequence[str] | None, *, reason: str, config: Path | None, json: bool) -> None:
    """Do it, write it down and say so. What `act` complains of, nothing was changed by."""
    subject = named[0] if named is not None and len(named) == 1 else how.verb.partition(" ")[0]
    with open_desk(config) as desk, desk.store.unit() as tx:
        done = how.act(tx, named)
        recorded = record(tx, verb=how.verb, subject=subject, before=done.before, after=done.after, reason=reason)
    if json:
        print_json({how.counted: done.count} | as_facts(recorded, None))
    else:
        say(f"{done.count} {how.told}   recorded as #{recorded.number}")
