"""`pulsebox db partitions` and `db retention`: the months of mail, and letting go of old ones."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer

from smtpd_service.cli.complaint import Complaint
from smtpd_service.cli.confirm import record
from smtpd_service.cli.desk import Desk, open_desk, who
from smtpd_service.cli.options import Config, Json, Reason
from smtpd_service.cli.paper import plain, print_json, print_table, say, sized
from smtpd_service.identity import now
from smtpd_service.retention import By, Plan, let_go, plans
from storage import partitions
from storage.engine import StorageError

_COLUMNS = (plain("month"), plain("messages", right=True), sized("octets"), plain("state"))
_HELD = "stays"
# What another one was busy with.
_TRY_AGAIN = "something reads or writes there for long; try again when it is done"


def retention(
    *,
    keep_months: Annotated[
        int | None, typer.Option("--keep-months", min=1, max=1200, help="Instead of [storage] keep_months.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go; so it is without --yes.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it.")] = False,
    reason: Reason = "",
    config: Config = None,
    json: Json = False,
) -> int:
    """Let go of whole months of mail that are older than is kept, with all that was read of them."""
    if dry_run and yes:
        raise Complaint("--dry-run and --yes do not go together; choose one")
    if yes and not reason.strip():
        raise Complaint("--reason: say why these months are let go")
    with open_desk(config) as desk:
        keep = keep_months or desk.settings.storage.keep_months
        if not keep:
            raise Complaint("[storage] keep_months is 0: everything is kept; set it, or say --keep-months N")
        found = plans(desk.store, keep)
        states = ["would go" if not each.held else _HELD for each in found]
        if yes:
            states = [_let_go(desk, each, reason) for each in found]
        _tell(found, states, keep, done=yes, json=json)
    return 1 if yes and any(state != "gone" for state in states) else 0


def _let_go(desk: Desk, plan: Plan, reason: str) -> str:
    try:
        done = let_go(desk.store, plan.month, By(who(), reason))
    except StorageError as error:
        if error.cause != "fault":
            raise
        return f"{_HELD}: {_TRY_AGAIN} ({error})"
    return f"{_HELD}: {done.held}" if done.held else "gone"


def _tell(found: Sequence[Plan], states: Sequence[str], keep: int, *, done: bool, json: bool) -> None:
    rows = [
        {"month": str(plan.month), "messages": plan.messages, "octets": plan.octets, "state": _state(plan, state)}
        for plan, state in zip(found, states, strict=True)
    ]
    if json:
        for row, plan in zip(rows, found, strict=True):
            row["held"] = asdict(plan.held)
        print_json({"keep_months": keep, "done": done, "months": rows})
        return
    print_table(rows, _COLUMNS, nothing=f"no month is older than the {keep} that are kept")
    if rows and not done:
        say("nothing was changed; to do it: --yes --reason TEXT")


def _state(plan: Plan, state: str) -> str:
    return f"{_HELD}: {plan.held}" if state == _HELD else state


def show(
    *,
    mend: Annotated[bool, typer.Option("--mend", help="Make what is missing, and move what lies beside.")] = False,
    reason: Reason = "",
    config: Config = None,
    json: Json = False,
) -> int:
    """The months that PostgreSQL keeps apart; exit 1 where mail lies beside them or one is missing."""
    with open_desk(config) as desk:
        if desk.store.dialect != "postgresql":
            raise Complaint("SQLite keeps no months apart, and needs none")
        if mend:
            _mend(desk, reason, json=json)
        with desk.store.reading() as tx:
            found = partitions.listed(tx, now())
    rows: list[dict[str, Any]] = [asdict(each) | {"month": str(each.month)} for each in found]
    if json:
        print_json(rows)
    else:
        print_table(rows, _COLUMNS)
    return 1 if any(row["state"] != partitions.MADE for row in rows) else 0


def _mend(desk: Desk, reason: str, *, json: bool) -> None:
    with desk.store.reading() as tx:
        strays = partitions.strays(tx)
    try:
        for month in strays:
            with desk.store.unit() as tx:
                moved = {"month": str(month), "messages": partitions.settle(tx, month)}
                recorded = record(tx, verb="db partitions", subject=str(month), before={}, after=moved, reason=reason)
            if not json:
                say(f"{month}: {moved['messages']:,} messages moved   recorded as #{recorded.number}")
        with desk.store.unit() as tx:
            partitions.make_months(tx, now())
    except StorageError as error:
        if error.cause != "fault":
            raise
        raise Complaint(f"{_TRY_AGAIN} ({error}); what was moved before stays moved") from error
