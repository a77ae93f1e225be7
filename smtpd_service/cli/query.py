"""`pulsebox query`: one SELECT over the auditors' views, on a connection that can do nothing else."""

import tempfile
from typing import IO, Annotated

import typer

from smtpd_service.cli.complaint import Complaint
from smtpd_service.cli.desk import open_desk
from smtpd_service.cli.options import Config, Json
from smtpd_service.cli.paper import Column, Row, as_json, print_octets, print_table, write_csv
from storage.query import ROW_LIMIT, TIME_LIMIT, Rows, run

# More than this nobody reads from a screen; JSON and CSV have the limit of storage.query.
TABLE_LIMIT = 1000
# Nor more of one cell.
CELL = 200
_IN_MEMORY = 16_000_000
_COPIED_AT_ONCE = 1 << 20


def query(
    statement: Annotated[str, typer.Argument(metavar="SELECT", help="The statement, in quotes.")],
    *,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV; no cell is taken for a formula.")] = False,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, help=f"At most so many rows; else {TABLE_LIMIT}, {ROW_LIMIT} for files."),
    ] = None,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, help="Stop the statement after this.")] = TIME_LIMIT,
    config: Config = None,
    json: Json = False,
) -> None:
    """Ask the views: mailboxes, messages, submissions, bullets, withheld, refusals, notices, rounds, changes.

    A table shows 200 characters of a cell; --json and --csv have all of it.
    """
    if csv and json:
        raise Complaint("--csv and --json do not go together; choose one")
    most = limit or (ROW_LIMIT if csv or json else TABLE_LIMIT)
    with (
        open_desk(config) as desk,
        run(desk.store, statement, row_limit=most, time_limit=seconds) as found,
        # Nothing is printed before the last row has come: a statement may fail at any of them.
        tempfile.SpooledTemporaryFile(_IN_MEMORY, "w+", encoding="utf-8", errors="replace", newline="") as paper,
    ):
        if json:
            _write_json(paper, found)
        elif csv:
            write_csv(paper, found.columns, found.rows)
        else:
            _print_table(found)
        _copy(paper)
    if found.truncated:
        typer.echo(f"pulsebox query: cut after {most} rows; see more with --limit", err=True)


def _write_json(paper: IO[str], found: Rows) -> None:
    twice = {name for name in found.columns if found.columns.count(name) > 1}
    if twice:
        raise Complaint(f"two columns are named {min(twice)!r}; give one of them another name with AS")
    paper.write("[")
    for number, row in enumerate(found.as_dicts()):
        paper.write(",\n " if number else "\n ")
        paper.write(as_json(row, indent=None))
    paper.write("\n]\n")


def _print_table(found: Rows) -> None:
    rows = [{str(place): value for place, value in enumerate(row)} for row in found.rows]
    columns = [_column(str(place), title) for place, title in enumerate(found.columns)]
    print_table(rows, columns, nothing=f"no rows ({', '.join(found.columns)})")


def _column(key: str, title: str) -> Column:
    def cell(row: Row) -> str:
        value = row[key]
        if value is None or isinstance(value, bool):
            return "NULL" if value is None else str(value).lower()
        said = str(value)
        return said if len(said) <= CELL else f"{said[: CELL - 1]}…"

    return Column(title, cell)


def _copy(paper: IO[str]) -> None:
    paper.seek(0)
    while chunk := paper.read(_COPIED_AT_ONCE):
        print_octets(chunk.encode(errors="replace"))
