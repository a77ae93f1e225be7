"""Counters compared with what is stored, in one look that waits for nobody.

Only a repair locks: the row of a mailbox whose counter was found wrong, one at a time.
"""

from dataclasses import dataclass, replace
from typing import Any

from smtpd_service.cli.confirm import record
from smtpd_service.cli.desk import Desk, mailbox_at
from smtpd_service.cli.limits import usage_of
from smtpd_service.cli.paper import Column, print_json, print_table, shown
from smtpd_service.cli.settle import settle
from storage import mailboxes
from storage.records import Mailbox, Usage


@dataclass(frozen=True, slots=True)
class Count:
    """What a mailbox counted and what it stores; `change` is the number of the repair's record."""

    box: Mailbox
    stored: Usage
    change: int | None

    @property
    def right(self) -> bool:
        return self.box.used == self.stored

    def facts(self) -> dict[str, Any]:
        stored = {"stored_octets": self.stored.octets, "stored_messages": self.stored.messages}
        verdict = {"right": self.right, "repaired": self.change is not None, "change": self.change}
        return {"address": self.box.address} | usage_of(self.box) | stored | verdict


def recount_all(desk: Desk, address: str | None, *, repair: bool, reason: str, json: bool) -> int:
    """Compare one mailbox or all, print what was found, and return the exit code."""
    with desk.store.reading() as tx:
        boxes = mailboxes.all_mailboxes(tx) if address is None else [mailbox_at(tx, address)]
        counts = [Count(box, mailboxes.stored_usage(tx, box.id), None) for box in boxes]
    if repair:
        counts = [count if count.right else _mend(desk, count.box, reason) for count in counts]
    rows = [count.facts() for count in counts]
    if json:
        print_json(rows)
    else:
        print_table(rows, _COLUMNS, nothing="no mailbox")
    return 0 if all(count.right or count.change is not None for count in counts) else 1


def _mend(desk: Desk, found: Mailbox, reason: str) -> Count:
    """Count once more, now that no mail comes in between, and set the counter where it is wrong still."""
    with desk.store.unit() as tx:
        box = mailboxes.lock(tx, [found.id])[found.id]
        stored = mailboxes.stored_usage(tx, box.id)
        if box.used == stored:
            return Count(box, stored, None)
        after = settle(tx, replace(box, used=stored), desk.settings)
        recorded = record(
            tx, verb="quota recount", subject=box.address, before=usage_of(box), after=usage_of(after), reason=reason
        )
        return Count(box, stored, recorded.number)


def _verdict(row: Any) -> str:
    if row["right"]:
        return "right"
    if row["repaired"]:
        return f"repaired, recorded as #{row['change']}"
    return f"wrong; run: pulsebox quota recount {row['address']} --repair --reason …"


_COLUMNS = (
    Column("mailbox", lambda row: row["address"]),
    Column("counted octets", lambda row: shown(row["used_octets"]), right=True),
    Column("stored octets", lambda row: shown(row["stored_octets"]), right=True),
    Column("counted messages", lambda row: shown(row["used_messages"]), right=True),
    Column("stored messages", lambda row: shown(row["stored_messages"]), right=True),
    Column("", _verdict),
)
