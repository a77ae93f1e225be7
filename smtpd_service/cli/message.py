"""`pulsebox message`: what was stored, and what was read out of it."""

from typing import Annotated

import typer

from smtpd_service.cli import typed
from smtpd_service.cli.complaint import Complaint
from smtpd_service.cli.desk import address_of, open_desk
from smtpd_service.cli.dossier import columns, dossier_of, print_dossier
from smtpd_service.cli.options import After, Config, Json, Limit, Since, noun
from smtpd_service.cli.paper import print_json, print_octets, print_table
from smtpd_service.identity import now
from storage import messages
from storage.listing import page
from storage.records import MessageId, MessageState

verbs = noun("Stored mail.")

Id = Annotated[str, typer.Argument(metavar="ID", help="The message's id.")]


@verbs.command("list")
def list_(
    *,
    mailbox: Annotated[str | None, typer.Option("--mailbox", metavar="ADDRESS", help="Only of this mailbox.")] = None,
    state: Annotated[MessageState | None, typer.Option("--state", help="Only those in this state.")] = None,
    sender: Annotated[
        str | None, typer.Option("--sender", metavar="ADDRESS", help="Only from this envelope sender; <> is none.")
    ] = None,
    since: Since = None,
    limit: Limit = 50,
    after: After = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Stored messages, newest first; one to two mailboxes is two rows."""
    begin, older = typed.moment("--since", since, now()), typed.identifier(after) if after else None
    mail_from = sender.strip().removeprefix("<").removesuffix(">") if sender is not None else None
    with open_desk(config) as desk:
        filters = {"mailbox": address_of(desk, mailbox), "state": state, "mail_from": mail_from}
        rows = page(desk.store, "messages", filters, since=begin, after=older, limit=limit)
        zone = desk.zone
    if json:
        print_json(rows)
    else:
        print_table(rows, columns(zone), nothing="no message")


@verbs.command()
def show(
    id_: Id,
    *,
    raw: Annotated[bool, typer.Option("--raw", help="Only the octets as received, exactly.")] = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """One message: envelope, mailboxes, trace headers, state, and what was read out of it."""
    if raw and json:
        raise Complaint("--raw and --json do not go together; choose one")
    message = MessageId(typed.identifier(id_))
    with open_desk(config) as desk:
        if not raw:
            dossier, zone = dossier_of(desk.store, message), desk.zone
        else:
            with desk.store.reading() as tx:
                octets = messages.octets(tx, message)
    if raw:
        if octets is None:
            raise Complaint(f"no message {message}; see: pulsebox message list")
        print_octets(octets)
    elif json:
        print_json(dossier)
    else:
        print_dossier(dossier, zone)
