"""`pulsebox quota`: limits shown, changed while mail comes in, and compared with what is stored."""

from typing import Annotated, Any

import typer

from smtpd_service.cli import typed
from smtpd_service.cli.complaint import Complaint
from smtpd_service.cli.confirm import UNCHANGED, Recorded, as_facts, record, wait_for_listeners
from smtpd_service.cli.desk import Desk, address_of, limited_at, open_desk
from smtpd_service.cli.history import changes_of, print_changes
from smtpd_service.cli.limits import COLUMNS, limits_of, rates_of, told, view_row
from smtpd_service.cli.lookout import Lookout, facts
from smtpd_service.cli.newlimits import NewLimits, new_limits
from smtpd_service.cli.options import Config, Json, Limit, Reason, noun
from smtpd_service.cli.paper import plain, print_grid, print_json, print_table, step
from smtpd_service.cli.recount import recount_all
from smtpd_service.cli.settle import settle
from smtpd_service.cli.watching import watch_all
from smtpd_service.domain.forecast import in_words
from storage import mailboxes
from storage.engine import Tx
from storage.records import Mailbox, WhenFull

# What is full to its senders is called full here, also with an octet left.
FILLING = (*COLUMNS[:-1], plain("rate"), plain("condition", "state"), plain("forecast"))

verbs = noun("Limits of mailboxes: what they are, were, and how much is used.")

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="The mailbox, by its address or an alias.")]
MaybeAddress = Annotated[str | None, typer.Argument(metavar="[ADDRESS]", help="One mailbox; else all.")]


@verbs.command()
def show(address: MaybeAddress = None, *, config: Config = None, json: Json = False) -> None:
    """Limit and use of one mailbox, or of all, and when each will be full."""
    with open_desk(config) as desk:
        seen = Lookout(desk.store, [] if address is None else [address]).look()
        zone = desk.zone
    rows = [facts(each, seen.at) for each in seen.sights]
    if json:
        print_json(rows if address is None else rows[0])
        return
    said = [
        {
            "rate": ", ".join(filter(None, rates_of(each.box, each.recent))),
            "forecast": in_words(each.forecast, seen.at, zone),
        }
        for each in seen.sights
    ]
    table = [row | words for row, words in zip(rows, said, strict=True)]
    print_table(table, FILLING, nothing="no mailbox; make one: pulsebox mailbox add ADDRESS --quota SIZE")


@verbs.command()
def watch(
    addresses: Annotated[list[str] | None, typer.Argument(metavar="[ADDRESS]...", help="These; else all.")] = None,
    *,
    interval: Annotated[str, typer.Option("--interval", metavar="TIME", help="How often to look.")] = "2 s",
    once: Annotated[bool, typer.Option("--once", help="Look once and end.")] = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """See mailboxes fill: rate, time to full, refusals. In a pipe a line a tick; --json: one object a tick."""
    every = typed.age("--interval", interval).total_seconds()
    if not 1 <= every <= 3600:
        raise Complaint(f"--interval: {interval!r} is not between 1 s and 1 h")
    with open_desk(config) as desk:
        watch_all(desk, addresses or [], interval=every, once=once, json=json)


@verbs.command("set")
def set_(
    address: Address,
    size: Annotated[
        str | None, typer.Argument(metavar="[SIZE]", help="The new limit: octets, or with a unit (60GB).")
    ] = None,
    *,
    messages: Annotated[str | None, typer.Option("--messages", metavar="N", help="Limit in messages, or none.")] = None,
    grace: Annotated[
        str | None, typer.Option("--grace", metavar="SIZE", help="How far the last message may pass the limit.")
    ] = None,
    when_full: Annotated[WhenFull | None, typer.Option("--when-full", help="What becomes of mail then.")] = None,
    rate: Annotated[str | None, typer.Option("--rate", metavar="N", help="Messages an hour, or none.")] = None,
    rate_sender: Annotated[
        str | None, typer.Option("--rate-sender", metavar="N", help="Messages an hour from one sender, or none.")
    ] = None,
    warn_at: Annotated[
        str | None, typer.Option("--warn-at", metavar="PERCENTS", help="When to warn: 70,85,95, or default.")
    ] = None,
    reason: Reason = "",
    config: Config = None,
    json: Json = False,
) -> None:
    """Change limits of a mailbox; what is not named stays. It holds on all listeners within a second.

    What is so already is not recorded.
    """
    limits = new_limits(
        when_full, size=size, messages=messages, grace=grace, rate=rate, rate_sender=rate_sender, warn_at=warn_at
    )
    if limits == NewLimits({}, {}):
        raise Complaint("nothing to change; write a SIZE, or an option such as --messages N; see: --help")
    with open_desk(config) as desk:
        with desk.store.unit() as tx:
            before = limited_at(tx, address)
            after, recorded = _set(tx, before, limits.on(before), desk, reason)
        heard = wait_for_listeners(desk.store, recorded) if recorded else None
    if json:
        print_json(_facts(before, after) | as_facts(recorded, heard))
    else:
        made = (str(heard), f"recorded as #{recorded.number}") if recorded else (UNCHANGED, "")
        print_grid([*told(before, after), (step(before.state, after.state), *made)])


def _set(tx: Tx, before: Mailbox, after: Mailbox, desk: Desk, reason: str) -> tuple[Mailbox, Recorded | None]:
    """Change a locked mailbox and record it; nothing where it is so already."""
    if after == before:
        return before, None
    mailboxes.set_quota(tx, after.id, after.quota, after.when_full)
    mailboxes.set_notices(tx, after.id, after.warn_at, after.language)
    after = settle(tx, after, desk.settings)
    was, is_ = limits_of(before), limits_of(after)
    return after, record(tx, verb="quota set", subject=after.address, before=was, after=is_, reason=reason)


def _facts(before: Mailbox, after: Mailbox) -> dict[str, Any]:
    was = limits_of(before) | {"state": before.state}
    return view_row(after) | {"before": was}


@verbs.command()
def plan(
    address: Annotated[
        str | None, typer.Argument(metavar="[ADDRESS]", help="Plan from this mailbox's past; else from what is told.")
    ] = None,
    *,
    people: Annotated[int | None, typer.Option("--people", metavar="N", help="Who is asked; else the roster.")] = None,
    probability: Annotated[
        float, typer.Option("--probability", metavar="P", help="How probable a full mailbox may be.")
    ] = 0.001,
    turnout: Annotated[
        float | None, typer.Option("--turnout", metavar="%", help="How many answer; else as in the last rounds.")
    ] = None,
    give_or_take: Annotated[
        float | None, typer.Option("--give-or-take", metavar="%", help="How far off that may be (its deviation).")
    ] = None,
    twice: Annotated[float, typer.Option("--twice", metavar="%", help="How many of those send a second letter.")] = 0.0,
    mix: Annotated[
        str | None, typer.Option("--mix", metavar="SIZE:SHARE,…", help="Sizes; else of the letters in the mailbox.")
    ] = None,
    spread: Annotated[float, typer.Option("--spread", help="How far sizes of a mix spread (sigma).")] = 0.5,
    emptied: Annotated[bool, typer.Option("--emptied", help="As if nothing were in the mailbox.")] = False,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of the check by drawing.")] = 2025,
    config: Config = None,
    json: Json = False,
) -> int:
    """Which quota makes a full mailbox so improbable, in octets and in letters, and how it stands now.

    pulsebox quota plan hr@agency.example --people 2300000 --turnout 46 --give-or-take 6
    """
    from smtpd_service.cli import need  # noqa: PLC0415  # the mathematics, for this verb alone

    assumed = need.assumed(people, turnout, give_or_take, twice, probability, mix, spread, emptied=emptied, seed=seed)
    if address is None and people is not None:
        return need.plan_for(None, None, assumed, json=json)
    with open_desk(config) as desk:
        return need.plan_for(desk, address, assumed, json=json)


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
