"""What is wrong in config.toml, one line a mistake: the file, the line, the key, the value, what would be right."""

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError


def explained(
    file: Path,
    text: str,
    error: ValidationError,
    overridden: Mapping[tuple[str, ...], str],
    keys: Mapping[str, Collection[str]],
) -> str:
    """Return one line a mistake: where it is, which key, what stands there, what would be right.

    `keys` are those that each section may have, and under "" the sections.
    """
    lines = []
    for mistake in error.errors():
        path = tuple(part for part in mistake["loc"])
        names = tuple(str(part) for part in path if not isinstance(part, int))
        where = overridden.get(names[:2]) or f"{file}:{line_of(text, path)}"
        key = ".".join(str(part) for part in path) or "mailbox"
        lines.append(f"{where}: {key} = {_shown(mistake['input'])}: {_reason(mistake, names, keys)}")
    return "\n".join(lines)


def _shown(value: object) -> str:
    plain = isinstance(value, str | int | float | bool) or (isinstance(value, list) and not any(map(_is_table, value)))
    return repr(value) if plain else "…"


def _is_table(value: object) -> bool:
    return isinstance(value, dict)


def _reason(mistake: Any, names: tuple[str, ...], keys: Mapping[str, Collection[str]]) -> str:
    if mistake["type"] == "extra_forbidden":
        close = get_close_matches(names[-1], keys.get("" if len(names) == 1 else names[0], ()), n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        return f"no such key; {hint}`pulsebox config show` lists them all"
    if mistake["type"] in {"model_type", "tuple_type"}:
        return "write a table" if mistake["type"] == "model_type" else "write a list"
    if mistake["type"] == "bool_type":
        return "write true or false"
    message: str = mistake["msg"]
    return message.removeprefix("Value error, ").removeprefix("value error, ")


_TABLE = re.compile(r"\s*\[\s*([\w.-]+)\s*\]")
_ARRAY = re.compile(r"\s*\[\[\s*([\w.-]+)\s*\]\]")
_KEY = re.compile(r"""\s*["']?([\w-]+)["']?\s*=""")


def line_of(text: str, path: tuple[str | int, ...]) -> int:
    """Return the line (from 1) where `path` stands in the TOML text; its table's, or 1, where it is not written."""
    table: tuple[str | int, ...] = ()
    counts: dict[str, int] = {}
    best = (0, 1)
    for number, line in enumerate(text.splitlines(), start=1):
        if match := _ARRAY.match(line):
            counts[match.group(1)] = counts.get(match.group(1), -1) + 1
            table = (match.group(1), counts[match.group(1)])
        elif match := _TABLE.match(line):
            table = tuple(match.group(1).split("."))
        key = _KEY.match(line)
        here = (*table, key.group(1)) if key else table
        if best == (0, 1) and path == here[: len(path)]:
            best = (0, number)
        if here == path[: len(here)]:
            best = max(best, (len(here), number), key=lambda found: found[0])
    return best[1]
