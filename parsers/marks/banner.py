# ruff: noqa: RUF001  dashes of all lengths frame a banner
"""Whole lines that classify a text: `SECRET//NOFORN`, `CUI` at its head or foot, the block of who classified it.

Pure and linear: a line is looked at once, and long ones are none.
"""

import re
from typing import NamedTuple

from parsers.tables import banners as table

# No banner is longer, however many compartments it names.
LONGEST = 160

_DECORATION = " \t*-=_#~|<>()[]{}\"'•·–—"
_CONTROL = re.compile(table.CONTROLS)
_CONTROLLED = re.compile(table.CONTROLLED)
_LINES = tuple((rule, re.compile(pattern)) for rule, pattern in table.LINES)
_ALONE = tuple((rule, re.compile(pattern)) for rule, pattern in table.ALONE)
_LABEL = re.compile(table.LABEL)
_BLOCKS = tuple((rule, re.compile(rf"(?:{pattern})[ \t]*+:")) for rule, pattern in table.BLOCKS)
_TIGHT = re.compile(r"[A-Z]//[A-Z]")
_GREETING = re.compile(r"\S+(?: \S+){0,4}[,:!]")


class Found(NamedTuple):
    """The rules that a text falls under; `weak` tells of a sign that alone proves nothing."""

    rules: tuple[str, ...] = ()
    weak: bool = False


def find(text: str, unsigned: str = "") -> Found:
    """Return what the lines of a text say of its classification; `unsigned` is what of it stands above a signature.

    The last line of either may be a footer.
    """
    upper = text.upper()
    telling = [word for word in table.TELLING if word in upper]
    if not telling:
        return Found()
    lines = [line.strip() for line in text.split("\n")]
    said = [index for index, line in enumerate(lines) if line]
    above = unsigned.count("\n") if unsigned and text.startswith(unsigned) else -1
    edges = _edges(lines, said) | _edges(lines, [index for index in said if index <= above])
    looked_at = [index for index in said if any(word in lines[index].upper() for word in telling)]
    rules = [rule for index in looked_at if (rule := _rule(lines[index], edge=index in edges))]
    signed, weak = _blocks([lines[index] for index in looked_at])
    weak = weak or any(_bare(lines[index]) == table.WEAK for index in edges)
    return Found(tuple(dict.fromkeys((*rules, *signed))), weak)


def _edges(lines: list[str], said: list[int]) -> set[int]:
    """Return where a header or a footer may stand: the first line, one below a greeting, and the last."""
    if not said:
        return set()
    edges = {said[0]}
    if len(said) > 1 and greets(lines[said[0]]):
        edges.add(said[1])
    # The last of a column of words is one of them: `TOKEN` / `SECRET`; but CUI is no word of any other column.
    if len(said) > 1 and (said[-2] < said[-1] - 1 or " " in lines[said[-2]] or _bare(lines[said[-1]]) == "CUI"):
        edges.add(said[-1])
    return edges


def greets(line: str) -> bool:
    """Return whether a line may be what a mail opens with before it says anything."""
    return _GREETING.fullmatch(line[:LONGEST]) is not None


def _rule(line: str, *, edge: bool) -> str | None:
    if len(line) > LONGEST:
        return None
    bare = _bare(line)
    if label := _LABEL.match(bare.upper()):
        level = bare[label.end() :].strip(_DECORATION)
        return of_level(level) or standing(level if level.isupper() else _secret(level))
    return of_level(bare) or (standing(bare) if edge and _is_even(line) else None)


def _bare(line: str) -> str:
    return " ".join(line.strip(_DECORATION).split())


def _secret(level: str) -> str:
    return level.upper() if level.upper().endswith("SECRET") else ""


def _is_even(line: str) -> bool:
    """Return whether a line is not decorated in front alone: `- SECRET` is an item, `- SECRET -` a banner."""
    return line[0] not in _DECORATION or line[-1] in _DECORATION


def of_level(bare: str) -> str | None:
    """Return the rule of a level with its controls, `SECRET//NOFORN`; or of a line that can be nothing else."""
    if bare.isupper() and (found := next((rule for rule, line in _LINES if line.fullmatch(bare)), None)):
        return found
    level, *controls = parts(bare)
    return of_controls(level, controls, bare) if controls else None


def parts(written: str) -> list[str]:
    """Return a level and its controls: what stands between strokes."""
    level, *controls = (each.strip() for each in written.split("/"))
    return [level, *(each for each in controls if each)]


def of_controls(level: str, controls: list[str], written: str) -> str | None:
    """Return the rule of a level with these controls, as both stood in `written`; None where they say nothing.

    Small letters, single strokes and blanks are believed only of what is on record: `secret/tk` is a path,
    `SECRET // FIXME` code, and `CONFIDENTIAL//` whatever it likes a company's.
    """
    name = level.upper()
    if name not in table.LEVELS and name not in table.LETTERS and name not in table.OPEN_LEVELS:
        return None
    strokes, capitals = "//" in written, written.isupper()
    if name in table.OPEN_LEVELS:
        known = any(_CONTROLLED.fullmatch(each.upper()) for each in controls)
        return "banner:controlled" if known and (strokes or capitals) else None
    known = any(_CONTROL.fullmatch(each.upper()) for each in controls)
    if name == table.WEAK:
        return table.LEVELS[name] if known and strokes else None
    if name in table.LEVELS:
        believed = strokes or capitals if known else capitals and _TIGHT.search(written)
        return table.LEVELS[name] if believed else None
    return f"banner:{table.LETTERS[name]}" if strokes and capitals and known else None


def standing(bare: str) -> str | None:
    """Return the rule of words that are a banner only by their place."""
    return next((rule for rule, words in _ALONE if words.fullmatch(bare)), None)


def _blocks(lines: list[str]) -> tuple[tuple[str, ...], bool]:
    """Return the blocks of authority that are there, and whether a single line of one is."""
    counts = {
        rule: len({found[0] for line in lines if (found := pattern.match(line[:LONGEST].upper()))})
        for rule, pattern in _BLOCKS
    }
    return tuple(rule for rule, count in counts.items() if count > 1), any(counts.values())


def in_subject(subject: str) -> str | None:
    """Return the rule of a banner that is a subject, or a piece of it in brackets or beside a colon or a dash."""
    upper = subject.upper()
    if not any(word in upper for word in table.TELLING):
        return None
    pieces = (_bare(piece) for piece in re.split(r"[\[\]:|]| [-–—]+ ", subject[: 10 * LONGEST]))
    # `Controlled` is also a plain word, in capitals where all of a subject is.
    rules = (of_level(piece) or (standing(piece) if piece != "CONTROLLED" else None) for piece in pieces)
    return next((rule for rule in rules if rule), None)
