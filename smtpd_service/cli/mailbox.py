"""`pulsebox mailbox`: which mailboxes there are, under which names, and whether they take mail."""

from typing import Annotated, Any

import typer

from smtpd_service.campaign import default_campaign
from smtpd_service.cli import typed
from smtpd_service.cli.complaint import Complaint
from smtpd_service.cli.confirm import Recorded, as_facts, record, wait_for_listeners
from smtpd_service.cli.desk import Desk, mailbox_at, open_desk
from smtpd_service.cli.limits import COLUMNS, limits_of, view_row, view_rows
from smtpd_service.cli.options import Config, Json, Reason, noun
from smtpd_service.cli.paper import print_facts, print_grid, print_json, print_table, size
from smtpd_service.identity import new_id, now
from storage import mailboxes, rounds
from storage.engine import Tx
from storage.records import Mailbox, MailboxId, Quota, Usage, WhenFull

verbs = noun("Mailboxes that replies are sent to.")

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="The mailbox, by its address or an alias.")]


@verbs.command("list")
def list_(*, config: Config = None, json: Json = False) -> None:
    """All mailboxes with their limits and what they hold."""
    with open_desk(config) as desk:
        rows = view_rows(desk.store)
    if json:
        print_json(rows)
    else:
        print_table(rows, COLUMNS, nothing="no mailbox; make one: pulsebox mailbox add ADDRESS --quota SIZE")


@verbs.command()
def show(address: Address, *, config: Config = None, json: Json = False) -> None:
    """One mailbox: limits, aliases, campaign."""
    with open_desk(config) as desk, desk.store.reading() as tx:
        facts = _facts(tx, mailbox_at(tx, address))
    if json:
        print_json(facts)
        return
    sizes = {name: size(facts[name], 2) for name in ("quota_octets", "used_octets", "grace_octets")}
    print_facts((name.replace("_", " "), _on_paper(value)) for name, value in (facts | sizes).items())


def _on_paper(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else "" if value is None else str(value)


def _facts(tx: Tx, box: Mailbox) -> dict[str, Any]:
    aliases = sorted(alias for alias, owner in mailboxes.all_aliases(tx).items() if owner == box.id)
    campaign = rounds.campaigns(tx).get(box.campaign or "")
    return view_row(box) | {
        "grace_octets": box.quota.grace,
        "aliases": aliases,
        "campaign": campaign.name if campaign else None,
        "warned_percent": box.warned,
    }


@verbs.command()
def add(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="name@domain, whatever its case.")],
    *,
    quota: Annotated[str, typer.Option("--quota", metavar="SIZE", help="Limit in octets, or with a unit.")] = "50 GB",
    messages: Annotated[str, typer.Option("--messages", metavar="N", help="Limit in messages, or none.")] = "none",
    when_full: Annotated[WhenFull, typer.Option("--when-full", help="What becomes of mail then.")] = WhenFull.BOUNCE,
    grace: Annotated[str, typer.Option("--grace", metavar="SIZE", help="How far the last may pass the limit.")] = "0",
    reason: Reason = "",
    config: Config = None,
    json: Json = False,
) -> None:
    """Make a mailbox; it belongs to the default campaign."""
    wanted = Quota(
        typed.size("--quota", quota), typed.count_or_none("--messages", messages), typed.size("--grace", grace)
    )
    key = typed.address(address)
    with open_desk(config) as desk:
        with desk.store.unit() as tx:
            _require_free(tx, key)
            campaign = default_campaign(tx, desk.settings)
            box = Mailbox(MailboxId(new_id()), key, wanted, Usage(0, 0), when_full, False, 0, campaign.id)
            mailboxes.add(tx, box, now())
            recorded = record(tx, verb="mailbox add", subject=key, before={}, after=limits_of(box), reason=reason)
        _tell(desk, box, recorded, f"made, limit {size(box.quota.octets)}", json)


def _require_free(tx: Tx, address: str) -> None:
    taken = mailboxes.find(tx, address)
    if taken is not None:
        how = "a mailbox" if taken.address == address else f"an alias of {taken.address}"
        raise Complaint(f"{address!r} is {how} already; see: pulsebox mailbox show {address}")


@verbs.command()
def alias(
    address: Address,
    alias: Annotated[str, typer.Argument(metavar="ALIAS", help="Another address for it.")],
    *,
    reason: Reason = "",
    config: Config = None,
    json: Json = False,
) -> None:
    """Let another address mean a mailbox."""
    key = typed.address(alias)
    with open_desk(config) as desk:
        with desk.store.unit() as tx:
            box = mailbox_at(tx, address)
            _require_free(tx, key)
            mailboxes.add_alias(tx, key, box.id)
            after = {"alias": key}
            recorded = record(tx, verb="mailbox alias", subject=box.address, before={}, after=after, reason=reason)
        _tell(desk, box, recorded, f"answers to {key}", json, alias=key)


@verbs.command()
def freeze(address: Address, *, reason: Reason = "", config: Config = None, json: Json = False) -> None:
    """Stop taking mail for a mailbox: senders are told to try again later."""
    _set_frozen(address, True, reason, config, json)


@verbs.command()
def thaw(address: Address, *, reason: Reason = "", config: Config = None, json: Json = False) -> None:
    """Take mail for a frozen mailbox again."""
    _set_frozen(address, False, reason, config, json)


def _set_frozen(address: str, frozen: bool, reason: str, config: Config, json: bool) -> None:
    with open_desk(config) as desk:
        with desk.store.unit() as tx:
            found = mailbox_at(tx, address)
            before = mailboxes.lock(tx, [found.id])[found.id]
            mailboxes.set_frozen(tx, before.id, frozen)
            recorded = record(
                tx,
                verb="mailbox freeze" if frozen else "mailbox thaw",
                subject=before.address,
                before={"frozen": before.frozen},
                after={"frozen": frozen},
                reason=reason,
            )
            box = mailboxes.lock(tx, [found.id])[found.id]
        _tell(desk, box, recorded, f"{before.state} → {box.state}" if before.state != box.state else box.state, json)


def _tell(desk: Desk, box: Mailbox, recorded: Recorded, what: str, json: bool, **more: str) -> None:
    heard = wait_for_listeners(desk.store, recorded)
    if json:
        print_json(view_row(box) | more | as_facts(recorded, heard))
    else:
        print_grid([(box.address, what, str(heard), f"recorded as #{recorded.number}")])
