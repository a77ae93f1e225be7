"""`pulsebox message`: what was stored, and what was read out of it."""

from typing import Annotated

import typer

from smtpd_service.cli import typed
from smtpd_service.cli.complaint import Complaint
from smtpd_service.cli.desk import Desk, open_desk
from smtpd_service.cli.dossier import columns, dossier_of, print_dossier
from smtpd_service.cli.listing import Listing, print_page
from smtpd_service.cli.options import After, Config, Json, Limit, OfMailbox, Since, noun
from smtpd_service.cli.paper import print_json, print_octets
from storage import messages, quarantine
from storage.octets import DestroyedError
from storage.records import MessageId, MessageState

verbs = noun("Stored mail.")

LISTING = Listing("messages", columns, "no message")

Id = Annotated[str, typer.Argument(metavar="ID", help="The message's id.")]


@verbs.command("list")
def list_(
    *,
    mailbox: OfMailbox = None,
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
    mail_from = sender.strip().removeprefix("<").removesuffix(">") if sender is not None else None
    filters = {"state": state, "mail_from": mail_from}
    print_page(LISTING, filters, mailbox=mailbox, since=since, limit=limit, after=after, config=config, json=json)


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
        if raw:
            print_octets(_octets(desk, message))
            return
        dossier, zone = dossier_of(desk.store, message), desk.zone
    if json:
        print_json(dossier)
    else:
        print_dossier(dossier, zone)


def _octets(desk: Desk, id_: MessageId) -> bytes:
    try:
        with desk.store.reading() as tx:
            held = quarantine.first_held(tx, id_)
            octets = None if held else messages.octets(tx, id_)
    except DestroyedError as error:
        raise Complaint(f"message {id_} cannot be shown: {error}; see: pulsebox message show {id_}") from error
    except ValueError as error:
        raise Complaint(f"message {id_} cannot be shown: {error}; see: pulsebox db check") from error
    if held is not None:
        raise Complaint(f"of message {id_} something is in quarantine; see: pulsebox quarantine show {held} --raw")
    if octets is None:
        raise Complaint(f"no message {id_}; see: pulsebox message list")
    return octets
