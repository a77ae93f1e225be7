"""`pulsebox queue`: mail that waits to be read, and mail that could not be."""

from typing import Annotated

import typer

from smtpd_service.cli import typed
from smtpd_service.cli.complaint import Complaint
from smtpd_service.cli.confirm import Recorded, as_facts, record
from smtpd_service.cli.desk import address_of, open_desk
from smtpd_service.cli.dossier import columns, dossier_of, print_dossier
from smtpd_service.cli.options import After, All, Config, Json, Limit, Reason, noun
from smtpd_service.cli.paper import plain, print_json, print_table, say
from storage import messages
from storage.engine import Tx
from storage.listing import page
from storage.records import MessageId, MessageState

verbs = noun("Mail that waits to be read, and parked mail.")

WAITING = (MessageState.PENDING, MessageState.PARKED)


@verbs.command("list")
def list_(
    *,
    mailbox: Annotated[str | None, typer.Option("--mailbox", metavar="ADDRESS", help="Only of this mailbox.")] = None,
    state: Annotated[MessageState | None, typer.Option("--state", help="pending or parked.")] = None,
    limit: Limit = 50,
    after: After = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Messages that are not read yet, newest first; parked ones with the reason."""
    if state is MessageState.READ:
        raise Complaint("--state read: read mail is in no queue; see: pulsebox message list --state read")
    older = typed.identifier(after) if after else None
    with open_desk(config) as desk:
        filters = {"mailbox": address_of(desk, mailbox), "state": state or WAITING}
        rows = page(desk.store, "messages", filters, after=older, limit=limit)
        zone = desk.zone
    if json:
        print_json(rows)
    else:
        print_table(rows, [*columns(zone), plain("parked_reason", "reason")], nothing="nothing waits to be read")


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
    with open_desk(config) as desk, desk.store.unit() as tx:
        chosen = [MessageId(each) for each in named] if named is not None else None
        if chosen is not None:
            _require_parked(tx, chosen)
        count = messages.retry(tx, chosen)
        recorded = _record(tx, chosen, count, reason)
    if json:
        print_json({"retried": count} | as_facts(recorded, None))
    else:
        say(f"{count} given back to the readers   recorded as #{recorded.number}")


def _require_parked(tx: Tx, ids: list[MessageId]) -> None:
    found = messages.states(tx, ids)
    for id_ in ids:
        if id_ not in found:
            raise Complaint(f"no message {id_}; see: pulsebox queue list; nothing was changed")
        if found[id_] is not MessageState.PARKED:
            raise Complaint(f"message {id_} is {found[id_]}; only parked mail is retried; nothing was changed")


def _record(tx: Tx, ids: list[MessageId] | None, count: int, reason: str) -> Recorded:
    before, after = {"state": "parked"}, {"state": "pending", "messages": count}
    subject = ids[0] if ids is not None and len(ids) == 1 else "queue"
    named = {} if ids is None else {"ids": list(ids)}
    return record(tx, verb="queue retry", subject=subject, before=before | named, after=after, reason=reason)
