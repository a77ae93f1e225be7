"""What verbs have in common: how a noun is made, and the options that each verb takes."""

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Configuration; else PULSEBOX_CONFIG, else ./config.toml."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines, sizes in octets, times in UTC.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; recorded with the change.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1_000_000, help="At most so many rows.")]
After = Annotated[str | None, typer.Option("--after", metavar="ID", help="Go on with what is older than this id.")]
Since = Annotated[
    str | None,
    typer.Option(
        "--since", metavar="TIME", help="A time (2025-03-10T16:11Z, UTC if it names no zone) or an age (4 h)."
    ),
]
OfMailbox = Annotated[str | None, typer.Option("--mailbox", metavar="ADDRESS", help="Only of this mailbox.")]
ToRecipient = Annotated[str | None, typer.Option("--recipient", metavar="ADDRESS", help="Only to this one.")]
All = Annotated[bool, typer.Option("--all", help="All of them.")]


def noun(description: str) -> typer.Typer:
    """Return an empty noun for verbs; help and errors are plain text, without boxes."""
    return typer.Typer(help=description, rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)
