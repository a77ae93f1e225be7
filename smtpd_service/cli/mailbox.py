"""`pulsebox mailbox`: which mailboxes there are, under which names, and whether they take mail."""

from dataclasses import replace
from typing import Annotated, Any

import typer

from smtpd_service.campaign import default_campaign
from smtpd_service.cli import typed
from smtpd_service.cli.complaint import Complaint
from smtpd_service.cli.confirm import UNCHANGED, Recorded, as_facts, record, wait_for_listeners
from smtpd_service.cli.desk import Desk, limited_at, mailbox_at, open_desk
from smtpd_service.cli.limits import COLUMNS, NO_LIMIT, limit_of, limits_of, rates_of, view_row, view_rows
from smtpd_service.cli.lookout import pace_facts, recent_of
from smtpd_service.cli.newlimits import new_limits
from smtpd_service.cli.options import Config, Json, Reason, noun
from smtpd_service.cli.paper import print_facts, print_grid, print_json, print_table, size, step
from smtpd_service.cli.purge import purge
from smtpd_service.identity import new_id, now
from storage import mailboxes, rounds
from storage.engine import Tx
from storage.records import Mailbox, MailboxId, Quota, Usage, WhenFull

verbs = noun("Mailboxes that replies are sent to.")

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="The mailbox, by its address or an alias.")]

# What holds of no postmaster's mailbox.
_HOLDING = ("quota_octets", "quota_messages", "grace_octets", "rate_messages", "rate_sender", "when_full", "warn_at")


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
        box, at = mailbox_at(tx, address), now()
        recent = recent_of(tx, box, at)
        facts = _facts(tx, box)
    if json:
        print_json(facts | pace_facts(recent) | {"exempt": box.exempt})
        return
    words = {name: size(facts[name], 2) for name in ("quota_octets", "used_octets", "grace_octets")}
    words |= {name: facts[name] or "as configured" for name in ("warn_at", "language")}
    words |= zip(("rate_messages", "rate_sender"), rates_of(box, recent), strict=True)
    words |= dict.fromkeys(_HOLDING, NO_LIMIT) if box.exempt else {}
    print_facts((name.replace("_", " "), _on_paper(value)) for name, value in (facts | words).items())


def _on_paper(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else "" if value is None else str(value)


def _facts(tx: Tx, box: Mailbox) -> dict[str, Any]:
    aliases = sorted(alias for alias, owner in mailboxes.all_aliases(tx).items() if owner == box.id)
    campaign = rounds.campaigns(tx).get(box.campaign or "")
    return view_row(box) | {
        "aliases": aliases,
        "campaign": campaign.name if campaign else None,
    }


@verbs.command()
def add(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="name@domain, whatever its case.")],
    *,
    quota: Annotated[str, typer.Option("--quota", metavar="SIZE", help="Limit in octets, or with a unit.")] = "50 GB",
    messages: Annotated[str, typer.Option("--messages", metavar="N", help="Limit in messages, or none.")] = "none",
    when_full: Annotated[WhenFull, typer.Option("--when-full", help="What becomes of mail then.")] = WhenFull.BOUNCE,
    grace: Annotated[str, typer.Option("--grace", metavar="SIZE", help="How far the last may pass the limit.")] = "0",
    rate: Annotated[str, typer.Option("--rate", metavar="N", help="Messages an hour, or none.")] = "none",
    rate_sender: Annotated[
        str, typer.Option("--rate-sender", metavar="N", help="Messages an hour from one sender, or none.")
    ] = "none",
    warn_at: Annotated[
        str, typer.Option("--warn-at", metavar="PERCENTS", help="When to warn: 70,85,95, or default.")
    ] = "default",
    language: Annotated[
        str, typer.Option("--language", metavar="NAME", help="Of its notices: en, es, or default.")
    ] = "default",
    reason: Reason = "",
    config: Config = None,
    json: Json = False,
) -> None:
    """Make a mailbox; it belongs to the default campaign, a postmaster's to none."""
    limits = new_limits(
        when_full,
        quota=quota,
        messages=messages,
        grace=grace,
        rate=rate,
        rate_sender=rate_sender,
        warn_at=warn_at,
        language=language,
    )
    key = typed.address(address)
    with open_desk(config) as desk:
        with desk.store.unit() as tx:
            _require_free(tx, key)
            blank = Mailbox(MailboxId(new_id()), key, Quota(0), Usage(0, 0), when_full, False, 0, None)
            # What is written to a postmaster answers no round.
            campaign = None if blank.exempt else default_campaign(tx, desk.settings).id
            box = replace(limits.on(blank), campaign=campaign)
            mailboxes.add(tx, box, now())
            recorded = record(tx, verb="mailbox add", subject=key, before={}, after=limits_of(box), reason=reason)
        _tell(desk, box, recorded, f"made, limit {limit_of(box)}", json)


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
def unalias(
    alias: Annotated[str, typer.Argument(metavar="ALIAS", help="The address that is to mean nothing any more.")],
    *,
    reason: Reason = "",
    config: Config = None,
    json: Json = False,
) -> None:
    """Let an alias mean its mailbox no longer: mail to it is refused as to a mailbox that is not there."""
    key = typed.address(alias)
    with open_desk(config) as desk:
        with desk.store.unit() as tx:
            box = mailbox_at(tx, alias)
            if box.address == key:
                raise Complaint(f"{key!r} is the mailbox itself, no alias; to stop its mail: pulsebox mailbox freeze")
            mailboxes.remove_alias(tx, key)
            before = {"alias": key}
            recorded = record(tx, verb="mailbox unalias", subject=box.address, before=before, after={}, reason=reason)
        _tell(desk, box, recorded, f"answers to {key} no more", json, alias=key)


@verbs.command("set")
def set_(
    address: Address,
    *,
    language: Annotated[str, typer.Option("--language", metavar="NAME", help="Of its notices: en, es, or default.")],
    reason: Reason = "",
    config: Config = None,
    json: Json = False,
) -> None:
    """Change the language of a mailbox's notices; its limits: `pulsebox quota set`."""
    wanted = typed.language("--language", language)
    with open_desk(config) as desk:
        with desk.store.unit() as tx:
            found = mailbox_at(tx, address)
            before = mailboxes.lock(tx, [found.id])[found.id]
            recorded = None
            if before.language != wanted:
                mailboxes.set_notices(tx, before.id, before.warn_at, wanted)
                was, is_ = {"language": before.language}, {"language": wanted}
                recorded = record(tx, verb="mailbox set", subject=before.address, before=was, after=is_, reason=reason)
        told = f"notices in {step(before.language or 'default', wanted or 'default')}"
        _tell(desk, replace(before, language=wanted), recorded, told, json, language=wanted)


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
            before = limited_at(tx, address)
            box, recorded = replace(before, frozen=frozen), None
            if box != before:
                mailboxes.set_frozen(tx, box.id, frozen)
                recorded = record(
                    tx,
                    verb="mailbox freeze" if frozen else "mailbox thaw",
                    subject=box.address,
                    before={"frozen": before.frozen},
                    after={"frozen": frozen},
                    reason=reason,
                )
        _tell(desk, box, recorded, f"{before.state} → {box.state}" if before.state != box.state else box.state, json)


def _tell(desk: Desk, box: Mailbox, recorded: Recorded | None, what: str, json: bool, **more: str | None) -> None:
    heard = wait_for_listeners(desk.store, recorded) if recorded else None
    if json:
        print_json(view_row(box) | more | as_facts(recorded, heard))
    else:
        made = (str(heard), f"recorded as #{recorded.number}") if recorded else (UNCHANGED,)
        print_grid([(box.address, what, *made)])


verbs.command("purge")(purge)
