"""`pulsebox bounce`: what a sender would get, and who was bounced."""

from typing import Annotated, Literal

import typer

from smtpd_service.cli import typed
from smtpd_service.cli.complaint import Complaint
from smtpd_service.cli.desk import address_of, open_desk, settings_of
from smtpd_service.cli.options import After, Config, Json, Limit, Since, noun
from smtpd_service.cli.paper import print_json, print_octets, print_table
from smtpd_service.cli.sample import full_mailbox, html_of, sample_bounce
from smtpd_service.cli.slip import columns
from smtpd_service.identity import now
from storage.listing import page
from storage.records import NoticeKind

verbs = noun("Bounces: delivery status notices to senders whose mail did not fit.")


@verbs.command()
def preview(
    *,
    wording: Annotated[
        Literal["incident", "helpful"] | None, typer.Option("--wording", help="Else as [outbound] wording says.")
    ] = None,
    html: Annotated[bool, typer.Option("--html", help="Only the HTML that mail programs show.")] = False,
    mailbox: Annotated[
        str | None, typer.Option("--mailbox", metavar="ADDRESS", help="As if this one were full; else a sample.")
    ] = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Print a sample bounce as it would be sent; needs no database unless a mailbox is named."""
    if html and json:
        raise Complaint("--html and --json do not go together; choose one")
    settings = settings_of(config)
    octets = sample_bounce(settings, full_mailbox(settings, config, mailbox), wording)
    if html:
        print_octets(html_of(octets).encode())
    elif json:
        print_json({"mail": octets.decode("utf-8", "replace"), "html": html_of(octets)})
    else:
        print_octets(octets)


@verbs.command("list")
def list_(
    *,
    mailbox: Annotated[str | None, typer.Option("--mailbox", metavar="ADDRESS", help="Only of this mailbox.")] = None,
    recipient: Annotated[str | None, typer.Option("--recipient", metavar="ADDRESS", help="Only to this one.")] = None,
    since: Since = None,
    limit: Limit = 50,
    after: After = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Bounces, newest first, whatever became of them."""
    begin, older = typed.moment("--since", since, now()), typed.identifier(after) if after else None
    with open_desk(config) as desk:
        filters = {"kind": NoticeKind.BOUNCE, "mailbox": address_of(desk, mailbox), "recipient": recipient}
        rows = page(desk.store, "notices", filters, since=begin, after=older, limit=limit)
        zone = desk.zone
    if json:
        print_json(rows)
    else:
        print_table(rows, columns(zone), nothing="nobody was bounced")
