"""What the `list` verbs share: a page of a view, newest first, as a table or as JSON."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from smtpd_service.cli import typed
from smtpd_service.cli.complaint import Complaint
from smtpd_service.cli.desk import address_of, open_desk
from smtpd_service.cli.paper import Column, print_json, print_table
from smtpd_service.identity import now
from storage.listing import Filters, page
from storage.query import TOOK_TOO_LONG, QueryError


@dataclass(frozen=True, slots=True)
class Listing:
    """A view, the columns that people see of it, and what to say when there is nothing in it."""

    view: str
    columns: Callable[[tzinfo], Sequence[Column]]
    nothing: str


def print_page(
    listing: Listing,
    filters: Filters,
    *,
    mailbox: str | None,
    since: str | None = None,
    limit: int,
    after: str | None,
    config: Path | None,
    json: bool,
) -> None:
    """Print what passes the filters; `mailbox`, `since` and `after` are as they were typed."""
    begin, older = typed.moment("--since", since, now()), typed.identifier(after) if after else None
    with open_desk(config) as desk:
        narrowed = {**filters, "mailbox": address_of(desk, mailbox)}
        try:
            rows = page(desk.store, listing.view, narrowed, since=begin, after=older, limit=limit)
        except QueryError as error:
            # Two filters together may have to look at much of what is stored.
            hint = "; look at less, such as with --since '7 d'" if str(error) == TOOK_TOO_LONG else ""
            raise Complaint(f"{error}{hint}") from error
        zone = desk.zone
    if json:
        print_json(rows)
    else:
        print_table(rows, listing.columns(zone), nothing=listing.nothing)
