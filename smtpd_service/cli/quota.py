"""`pulsebox quota`: limits shown, changed while mail comes in, and compared with what is stored."""

from dataclasses import replace
from typing import Annotated, Any

import typer

from smtpd_service.cli import typed
from smtpd_service.cli.confirm import as_facts, record, wait_for_listeners
from smtpd_service.cli.desk import address_of, mailbox_at, open_desk
from smtpd_service.cli.history import changes_of, print_changes
from smtpd_service.cli.limits import COLUMNS, limits_of, told, view_row, view_rows
from smtpd_service.cli.options import Config, Json, Limit, Reason, noun
from smtpd_service.cli.paper import print_grid, print_json, print_table, step
from smtpd_service.cli.recount import recount_all
from smtpd_service.cli.settle import settle
from storage import mailboxes
from storage.records import Mailbox, Quota, WhenFull

verbs = noun("Limits of mailboxes: what they are, were, and how much is used.")

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="The mailbox, by its address or an alias.")]
MaybeAddress = Annotated[str | None, typer.Argument(metavar="[ADDRESS]", help="One mailbox; else all.")]


@verbs.command()
def show(address: MaybeAddress = None, *, config: Config = None, json: Json = False) -> None:
    """Limit and use of one mailbox, or of all."""
    with open_desk(config) as desk:
        rows = view_rows(desk.store, address_of(desk, address))
    if json:
        print_json(rows if address is None else rows[0])
    else:
        print_table(rows, COLUMNS, nothing="no mailbox; make one: pulsebox mailbox add ADDRESS --quota SIZE")


@verbs.command("set")
def set_(
    address: Address,
    size: Annotated[str, typer.Argument(metavar="SIZE", help="The new limit: octets, or with a unit (60GB).")],
    *,
    messages: Annotated[
        str | None, typer.Option("--messages", metavar="N", help="Limit in messages, or none; else as it was.")
    ] = None,
    when_full: Annotated[
        WhenFull | None, typer.Option("--when-full", help="What becomes of mail then; else as it was.")
    ] = None,
    grace: Annotated[
        str | None, typer.Option("--grace", metavar="SIZE", help="How far the last may pass it; else as it was.")
    ] = None,
    reason: Reason = "",
    config: Config = None,
    json: Json = False,
) -> None:
    """Change the limit of a mailbox; it holds on all listeners within a second."""
    octets = typed.size("SIZE", size)
    count = None if messages is None else typed.count_or_none("--messages", messages)
    spare = None if grace is None else typed.size("--grace", grace)
    with open_desk(config) as desk:
        with desk.store.unit() as tx:
            found = mailbox_at(tx, address)
            before = mailboxes.lock(tx, [found.id])[found.id]
            old = before.quota
            quota = Quota(octets, old.messages if messages is None else count, old.grace if spare is None else spare)
            after = replace(before, quota=quota, when_full=when_full or before.when_full)
            mailboxes.set_quota(tx, after.id, after.quota, after.when_full)
            after = settle(tx, after, desk.settings)
            was, is_ = limits_of(before), limits_of(after)
            recorded = record(tx, verb="quota set", subject=after.address, before=was, after=is_, reason=reason)
        heard = wait_for_listeners(desk.store, recorded)
    if json:
        print_json(_facts(before, after) | as_facts(recorded, heard))
    else:
        end = (step(before.state, after.state), str(heard), f"recorded as #{recorded.number}")
        print_grid([*told(before, after), end])


def _facts(before: Mailbox, after: Mailbox) -> dict[str, Any]:
    was = limits_of(before) | {"state": before.state}
    return view_row(after) | {"grace_octets": after.quota.grace, "before": was}


@verbs.command()
def history(address: MaybeAddress = None, *, limit: Limit = 50, config: Config = None, json: Json = False) -> None:
    """Who changed mailboxes and limits: when, what, from, to, why; newest first."""
    with open_desk(config) as desk:
        changes = changes_of(desk.store, address_of(desk, address), limit)
        zone = desk.zone
    if json:
        print_json(changes)
    else:
        print_changes(changes, zone)


@verbs.command()
def recount(
    address: MaybeAddress = None,
    *,
    repair: Annotated[bool, typer.Option("--repair", help="Set counters that are wrong to what is stored.")] = False,
    reason: Reason = "",
    config: Config = None,
    json: Json = False,
) -> int:
    """Compare what is counted with what is stored; exit 1 where they differ and are not repaired."""
    with open_desk(config) as desk:
        return recount_all(desk, address, repair=repair, reason=reason, json=json)
