"""What verbs print: tables and facts for people, JSON and CSV for machines, never mixed.

Text that came with mail is made harmless for a terminal; JSON and CSV are UTF-8 whatever the terminal is.
"""

import csv
import io
import json
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import IO, Any, Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from smtpd_service.cli.complaint import printable
from smtpd_service.domain.size import size_in_words

Row = Mapping[str, Any]
# What is not read by a person at a terminal is not folded to a terminal's width.
_UNFOLDED = 10_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table; one that is `whole` is never folded, so that an id can be copied."""

    title: str
    cell: Callable[[Row], str]
    right: bool = False
    whole: bool = False


def ids(key: str = "id") -> Column:
    return Column(key, lambda row: shown(row[key]), whole=True)


def plain(key: str, title: str | None = None, *, right: bool = False) -> Column:
    """Return a column that shows a value as it is; nothing for None."""
    return Column(title or key.replace("_", " "), lambda row: shown(row[key]), right)


def sized(key: str, title: str | None = None) -> Column:
    return Column(title or key, lambda row: size(row[key]), right=True)


def timed(key: str, zone: tzinfo, title: str | None = None) -> Column:
    return Column(title or key.removesuffix("_at"), lambda row: moment(row[key], zone))


def shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def size(octets: int | None, digits: int = 1) -> str:
    """Return a size as people read it; nothing for None."""
    return "" if octets is None else size_in_words(octets, digits)


def step(before: str, after: str) -> str:
    """Return `50.0 → 60.0 GB`: the unit once where both have it; one word where nothing moved."""
    if before == after:
        return after
    number, _, unit = before.partition(" ")
    return f"{number if unit and after.endswith(f' {unit}') else before} → {after}"


def moment(value: str | datetime | None, zone: tzinfo) -> str:
    """Return a time (aware, or ISO 8601 text) on the clock that people look at."""
    if value is None:
        return ""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"


def say(text: str) -> None:
    """Print one line for people."""
    print(printable(text))


def print_paper(paper: Table) -> None:
    """Print a table: in colour and folded on a terminal, elsewhere plain, unfolded, without spaces at the end."""
    if sys.stdout.isatty():
        Console(highlight=False, markup=False, emoji=False).print(paper)
        return
    console = Console(highlight=False, markup=False, emoji=False, width=_UNFOLDED, color_system=None)
    with console.capture() as printed:
        console.print(paper)
    for line in printed.get().splitlines():
        print(line.rstrip())


def print_table(rows: Iterable[Row], columns: Sequence[Column], *, nothing: str = "nothing") -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        justify: Literal["right", "left"] = "right" if column.right else "left"
        table.add_column(column.title, justify=justify, overflow="fold", no_wrap=column.whole)
    for row in rows:
        table.add_row(*(Text(printable(column.cell(row))) for column in columns))
    if table.row_count:
        print_paper(table)
    else:
        say(nothing)


def print_facts(facts: Iterable[tuple[str, str]]) -> None:
    """Print names and values in two columns; those without a value are left out."""
    grid = Table.grid(padding=(0, 3, 0, 0))
    grid.add_column(style="bold")
    grid.add_column(overflow="fold")
    for name, value in facts:
        if value:
            grid.add_row(Text(name), Text(printable(value)))
    print_paper(grid)


def print_grid(lines: Iterable[Sequence[str]]) -> None:
    grid = Table.grid(padding=(0, 3, 0, 0))
    for line in lines:
        grid.add_row(*(Text(printable(cell)) for cell in line))
    print_paper(grid)


def as_json(value: Any, *, indent: int | None = 2) -> str:
    """Return JSON as RFC 8259 has it: a number that is none becomes null."""
    return json.dumps(_finite(value), ensure_ascii=False, indent=indent, default=str, allow_nan=False)


def _finite(value: Any) -> Any:
    match value:
        case float() if not math.isfinite(value):
            return None
        case dict():
            return {key: _finite(each) for key, each in value.items()}
        case list() | tuple():
            return [_finite(each) for each in value]
        case _:
            return value


def print_json(value: Any) -> None:
    print_octets(f"{as_json(value)}\n".encode(errors="replace"))


def print_octets(octets: bytes) -> None:
    """Write octets to standard output exactly as they are."""
    sys.stdout.flush()
    sys.stdout.buffer.write(octets)
    sys.stdout.buffer.flush()


def octet_stream() -> io.TextIOWrapper:
    """Return a UTF-8 text stream onto standard output; detach it, so that its end does not close that."""
    sys.stdout.flush()
    return io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", errors="replace", newline="")


def write_csv(stream: IO[str], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write a header and rows (RFC 4180) and return how many rows."""
    written = 0
    writer = csv.writer(stream)
    writer.writerow([_cell(column) for column in columns])
    for written, row in enumerate(rows, start=1):  # noqa: B007  # the count is the answer
        writer.writerow([_cell(value) for value in row])
    return written


def _cell(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return as_json(value, indent=None)
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def write_jsonl(stream: IO[str], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write one JSON object a line and return how many."""
    written = 0
    for written, row in enumerate(rows, start=1):  # noqa: B007  # the count is the answer
        stream.write(as_json(dict(zip(columns, row, strict=True)), indent=None) + "\n")
    return written
