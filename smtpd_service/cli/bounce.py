"""`pulsebox bounce`: what a sender would get, in whose words, and who was bounced."""

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from smtpd_service.cli.complaint import Complaint
from smtpd_service.cli.desk import settings_of
from smtpd_service.cli.listing import Listing, print_page
from smtpd_service.cli.options import After, Config, Json, Limit, OfMailbox, Since, ToRecipient, noun
from smtpd_service.cli.paper import print_json, print_octets, say
from smtpd_service.cli.slip import columns
from smtpd_service.settings import find_config
from storage.records import NoticeKind

verbs = noun("Bounces: delivery status notices to senders whose mail did not fit.")

LISTING = Listing("notices", columns, "nobody was bounced")


@verbs.command()
def preview(
    *,
    wording: Annotated[
        Literal["incident", "helpful"] | None, typer.Option("--wording", help="Else as [outbound] wording says.")
    ] = None,
    language: Annotated[
        Literal["en", "es"] | None, typer.Option("--language", help="Else the mailbox's, else [outbound] language.")
    ] = None,
    kind: Annotated[NoticeKind, typer.Option("--kind", help="Which notice.")] = NoticeKind.BOUNCE,
    html: Annotated[bool, typer.Option("--html", help="Only the HTML that mail programs show.")] = False,
    text: Annotated[bool, typer.Option("--text", help="Only the plain text.")] = False,
    mailbox: Annotated[
        str | None, typer.Option("--mailbox", metavar="ADDRESS", help="As if this one were full; else a sample.")
    ] = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Print a sample notice as it would be sent; needs no database unless a mailbox is named."""
    from smtpd_service.cli import sample  # noqa: PLC0415  # templates and a client: slow

    if html + text + json > 1:
        raise Complaint("--html, --text and --json do not go together; choose one")
    settings = settings_of(config)
    box = sample.full_mailbox(settings, config, mailbox)
    octets = sample.sample_notice(settings, box, kind, wording=wording, language=language)
    shown = {"text": sample.shown_part(octets, "text/plain"), "html": sample.shown_part(octets, "text/html")}
    if json:
        print_json({"mail": octets.decode("utf-8", "replace")} | shown)
    elif html or text:
        print_octets(shown["html" if html else "text"].encode())
    else:
        print_octets(octets)


@verbs.command()
def templates(
    *,
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="Where; made when it is missing.")],
    config: Config = None,
    json: Json = False,
) -> None:
    """Write out our own templates, to be changed: [outbound] templates then names that folder."""
    from smtpd_service.outbound.wording import shipped  # noqa: PLC0415  # templates: slow

    ours = shipped()
    there = [name for name in ours if (to / name).exists()]
    if there:
        raise Complaint(f"--to: {to / there[0]} is there already; name a new folder, or move that file away")
    try:
        for name, source in ours.items():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            (to / name).write_text(source, encoding="utf-8")
    except OSError as error:
        raise Complaint(f"--to: {to}: {error.strerror}; name a folder that can be written") from error
    if json:
        print_json({"folder": str(to), "templates": sorted(ours)})
    else:
        file = find_config(config, os.environ)
        say(f"wrote {len(ours)} templates to {to}; keep what you change, and name it in {file}: [outbound] templates")


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
