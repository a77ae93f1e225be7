"""`pulsebox bounce`: what a sender would get, and who was bounced."""

from typing import Annotated, Literal

import typer

from smtpd_service.cli.complaint import Complaint
from smtpd_service.cli.desk import settings_of
from smtpd_service.cli.listing import Listing, print_page
from smtpd_service.cli.options import After, Config, Json, Limit, OfMailbox, Since, ToRecipient, noun
from smtpd_service.cli.paper import print_json, print_octets
from smtpd_service.cli.sample import full_mailbox, html_of, sample_bounce
from smtpd_service.cli.slip import columns
from storage.records import NoticeKind

verbs = noun("Bounces: delivery status notices to senders whose mail did not fit.")

LISTING = Listing("notices", columns, "nobody was bounced")


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
    mailbox: OfMailbox = None,
    recipient: ToRecipient = None,
    since: Since = None,
    limit: Limit = 50,
    after: After = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Bounces, newest first, whatever became of them."""
    filters = {"kind": NoticeKind.BOUNCE, "recipient": recipient}
    print_page(LISTING, filters, mailbox=mailbox, since=since, limit=limit, after=after, config=config, json=json)
