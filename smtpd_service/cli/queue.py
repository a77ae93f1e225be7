"""`pulsebox queue`: mail that waits to be read, and mail that could not be."""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Annotated

import typer

from smtpd_service.cli import typed
from smtpd_service.cli.complaint import Complaint
from smtpd_service.cli.desk import open_desk
from smtpd_service.cli.dossier import columns, dossier_of, print_dossier
from smtpd_service.cli.intervention import Done, Intervention, intervene
from smtpd_service.cli.listing import Listing, print_page
from smtpd_service.cli.options import After, All, Config, Json, Limit, OfMailbox, Reason, noun
from smtpd_service.cli.paper import Column, plain, print_json, say
from smtpd_service.cli.reread import reread
from storage import messages
from storage.engine import Tx
from storage.records import MessageId, MessageState

verbs = noun("Mail that waits to be read, and parked mail.")

WAITING = (MessageState.PENDING, MessageState.PARKED)


def _columns(zone: tzinfo) -> list[Column]:
    return [*columns(zone), plain("parked_reason", "reason")]


LISTING = Listing("messages", _columns, "nothing waits to be read")


@verbs.command("list")
def list_(
    *,
    mailbox: OfMailbox = None,
    state: Annotated[MessageState | None, typer.Option("--state", help="pending or parked.")] = None,
    limit: Limit = 50,
    after: After = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Messages that are not read yet, newest first; parked ones with the reason."""
    if state is MessageState.READ:
        raise Complaint("--state read: read mail is in no queue; see: pulsebox message list --state read")
    filters = {"state": state or WAITING}
    print_page(LISTING, filters, mailbox=mailbox, limit=limit, after=after, config=config, json=json)


@verbs.command()
def show(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The message's id.")],
    *,
    config: Config = None,
    json: Json = False,
) -> None:
    """One message that waits or is parked."""
    with open_desk(config) as desk:
        dossier, zone = dossier_of(desk.store, MessageId(typed.identifier(id_))), desk.zone
    if dossier["state"] == MessageState.READ:
        raise Complaint(
            f"message {dossier['id']} is read, not in the queue; see: pulsebox message show {dossier['id']}"
        )
    if json:
        print_json(dossier)
        return
    print_dossier(dossier, zone)
    if dossier["state"] == MessageState.PARKED:
        say(f"to have it read again: pulsebox queue retry {dossier['id']}")


@verbs.command()
def retry(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Parked messages.")] = None,
    *,
    all_: All = False,
    reason: Reason = "",
    config: Config = None,
    json: Json = False,
) -> None:
    """Have parked messages read again."""
    named = typed.identifiers(ids or (), everything=all_)
    intervene(RETRY, named, reason=reason, config=config, json=json)


def _retry(tx: Tx, named: Sequence[str] | None) -> Done:
    chosen = [MessageId(each) for each in named] if named is not None else None
    if chosen is not None:
        _require_parked(tx, chosen)
    count = messages.retry(tx, chosen)
    ids = {} if chosen is None else {"ids": chosen}
    return Done(count, {"state": "parked"} | ids, {"state": "pending", "messages": count})


verbs.command()(reread)

RETRY = Intervention("queue retry", _retry, "retried", "given back to the readers")


def _require_parked(tx: Tx, ids: list[MessageId]) -> None:
    found = messages.states(tx, ids)
    for id_ in ids:
        if id_ not in found:
            raise Complaint(f"no message {id_}; see: pulsebox queue list; nothing was changed")
        if found[id_] is not MessageState.PARKED:
            raise Complaint(f"message {id_} is {found[id_]}; only parked mail is retried; nothing was changed")
