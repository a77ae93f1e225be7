"""Marks that do not count, believed for the company that they keep or for the place where they stand."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from parsers.borders import farewell
from parsers.items import markers, unmarked, wrapping
from parsers.items.places import Place
from parsers.model import Line
from parsers.tables.markers import SHAPES

# More of such lines beside a lone mark, and it stands in prose.
_PROSE_CHARACTERS = 60
_EMOJI = -2
_SET_OFF = 8
# So many equal marks in one paragraph are no accident of wrapping; one that opens it counts twice.
_ROWS, _WORDS = 3, 5
# Below a sign-off a name block may follow.
_BLOCK_LINES = 6
_MONTH = re.compile(
    r"(?:jan|ene|gen|feb|fév|febr|mar|mär|mrt|apr|avr|abr|may|mai|mag|maj|jun|jui|giu|jul|lug|aug|aoû|ago|sep|set"
    r"|oct|okt|ott|out|nov|dec|dez|dic|déc|янв|фев|апр|мая|май|июн|июл|авг|сен|окт|ноя|дек)\w{0,6}\.?,?(?: \d{2,4})?",
    re.IGNORECASE,
)
# Who said it, below what was said: `-- Ada Brook, The Long Water`.
_CITED_MARKS = frozenset({"--", "—", "―"})
_CITED = re.compile(
    r"[A-Z][\w.'-]*+(?: (?:[A-Z][\w.'-]*+|of|the|von|van|de|da|di|la|and)){0,4}(?:, [A-Z\"'_*].{2,60}|, \d{4})?"
)
_QUOTES = ('"', "“", "”", "„", "«", "»", "''")
_NAME = re.compile(r"[A-Z][\w.'-]*+(?: [A-Z][\w.'-]*+){0,2}[.,]?|[a-z]{2,10}")


def symbols(found: Sequence[Place]) -> set[int]:
    """Return the marks that do not count and are believed: HTML's own, and those in company.

    A mark that may only be a dash in wrapped prose is believed with one in its column that cannot, or with others
    in one paragraph; one that stands alone between quotes, if its author lists so elsewhere.
    """
    believed: set[int] = set()
    fit: list[tuple[Place, int, int]] = []
    stars: set[tuple[int, int]] = set()
    for place in found:
        shape = place.mark.shape
        if shape < 0:
            believed.add(place.at)
        elif not SHAPES[shape].counts:
            row = _EMOJI if place.mark.kind == "emoji" else shape  # those of one list differ: done, waiting
            if place.mark.text == "*":
                stars.add((place.segment, place.mark.column))
            if place.mark.text[:2] != "**" or (place.segment, place.mark.column) in stars:
                fit.append((place, row, SHAPES[shape].need))
    if _are_one_list(fit):
        return believed.union([place.at for place, _, _ in fit])
    rows = _Rows()
    for place, row, _ in fit:
        rows.take(place, row)
    habits: set[tuple[int, int]] = set()
    for place, row, need in fit:
        if rows.company[place.segment, row] >= need and (place.segment, row, place.mark.column) in rows.sure:
            believed.add(place.at)
            habits.add((row, place.mark.column))
    believed.update(place.at for place, row, _ in fit if not place.filled and (row, place.mark.column) in habits)
    return believed


def _are_one_list(fit: Sequence[tuple[Place, int, int]]) -> bool:
    """Return whether all marks are of one row, enough of them, and none may only be a dash in wrapped prose."""
    alike = {(place.segment, row, place.filled) for place, row, _ in fit}
    return len(alike) == 1 and not fit[0][0].filled and len(fit) >= max([need for _, _, need in fit])


@dataclass(slots=True)
class _Rows:
    """What speaks for the marks of one row of the table, as it is counted: by segment, by column, by paragraph."""

    company: defaultdict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))
    sure: set[tuple[int, int, int]] = field(default_factory=set)
    beside: defaultdict[tuple[int, int, int], int] = field(default_factory=lambda: defaultdict(int))

    def take(self, place: Place, row: int) -> None:
        segment, column = place.segment, place.mark.column
        if not place.filled:
            self.sure.add((segment, row, column))
        if not place.filled or place.mark.bold:
            self.company[segment, row] += 1
        key = place.block, row, column
        beside = self.beside[key] = self.beside[key] + (2 if place.opens or place.colon else 1)
        if beside >= _WORDS or (beside >= _ROWS and not _is_word(place)):
            self.company[segment, row] += _ROWS
            self.sure.add((segment, row, column))


def _is_word(place: Place) -> bool:
    """Return whether a mark can be the word of a sentence: Portuguese and Italian prose has lines in `o`."""
    return place.mark.text.isalpha() and not place.said[:1].isupper()


def cited(found: Sequence[Place], lines: Sequence[Line]) -> set[int]:
    """Return the dashes that name who said what stands above each of them, in quotes or in more than one place."""
    last = found[-1]
    if last.mark.kind == "dash" and _CITED.fullmatch(last.said) and _is_in_quotes(lines, last.at):
        return {last.at}
    dashes = [place for place in found if place.mark.text in _CITED_MARKS]
    if len(dashes) < 2 or not all(_CITED.fullmatch(place.said) and _ends_text(place, lines) for place in dashes):
        return set()
    return {place.at for place in dashes}


def _is_in_quotes(lines: Sequence[Line], at: int) -> bool:
    """Return whether the paragraph right above a line stands in quotes."""
    if not at or not lines[at - 1].text.rstrip(" .,!").endswith(_QUOTES):
        return False
    first = at - 1
    while first and at - first < _BLOCK_LINES and lines[first - 1].text:
        first -= 1
    return lines[first].text.lstrip().startswith(_QUOTES)


def _ends_text(place: Place, lines: Sequence[Line]) -> bool:
    above = lines[place.at - 1].text if place.at else ""
    return bool(above) and not place.colon and markers.find(above) is None


def signed(found: Sequence[Place], lines: Sequence[Line], apart: set[int]) -> set[int]:
    """Return the last mark's index where it sets off a name: `- Ann` below a blank line, the others above it.

    `- Training` may stand so too: a name is unlike the items, which open in lower case, or end in a full stop; or
    text has ended the list above it. `apart` holds the lines that are of no item.
    """
    last = found[-1]
    if last.mark.kind not in ("dash", "star") or not last.opens or last.colon or not _NAME.fullmatch(last.said):
        return set()
    others = [place for place in found[:-1] if place.mark.shape == last.mark.shape]
    if others and others[-1].opens and last.mark.column - others[-1].mark.column < _SET_OFF:
        return set()
    unlike = all(place.said[:1].islower() for place in others) or all(wrapping.ends(place.said) for place in others)
    set_off = not others or unlike or last.mark.column - others[-1].mark.column >= _SET_OFF
    set_off = set_off or _is_ended(others[-1], last, lines, apart)
    below = sum(1 for line in lines[last.at + 1 :] if line.text)
    return {last.at} if set_off and below <= 1 else set()


def _is_ended(item: Place, last: Place, lines: Sequence[Line], apart: set[int]) -> bool:
    """Return whether text stands between two marks that goes on with neither: below a blank line, at the margin."""
    between = range(item.at + 1, last.at)
    return any(
        index in apart or (not lines[index - 1].text and markers.column(_head(lines[index].text)) <= item.mark.column)
        for index in between
        if lines[index].text
    )


def _head(text: str) -> str:
    return text[: len(text) - len(text.lstrip())]


def alone(found: Sequence[Place], believed: set[int], lines: Sequence[Line]) -> set[int]:
    """Return the marks that are believed alone: below a colon, within a list, or in a reply of nothing else."""
    added: set[int] = set()
    quiet: bool | None = None
    last: Place | None = None
    for index, place in enumerate(found):
        if place.at not in believed:
            if not _may_stand_alone(place, last):
                continue
            if not _is_placed(place, last) and not _heads(found, index, believed):
                quiet = _is_quiet(found, lines) if quiet is None else quiet
                if not quiet or not (_is_all(place, lines) or (len(found) == 1 and _is_answer(place, lines))):
                    continue
            added.add(place.at)
        last = place
    return added


def _may_stand_alone(place: Place, last: Place | None) -> bool:
    """Return whether a mark without company says enough: a bold one, or a letter that opens a list within a list."""
    mark = place.mark
    if not place.said or place.filled:
        return False
    if SHAPES[mark.shape].counts and 1 not in markers.ordinals(mark.text):
        return False
    if mark.kind != "letter":
        return mark.bold
    initial = mark.text[-1] == "." and mark.text.isupper()
    return last is not None and mark.column >= last.mark.column + 2 and not initial


def _is_placed(place: Place, last: Place | None) -> bool:
    if place.colon or SHAPES[place.mark.shape].alone:
        return True
    return last is not None and place.block - last.block <= (place.mark.column >= last.mark.column + 2)


def _heads(found: Sequence[Place], index: int, believed: set[int]) -> bool:
    """Return whether a list that stands further right begins below a mark."""
    place, below = found[index], found[min(index + 1, len(found) - 1)]
    return (
        below.at in believed
        and below.segment == place.segment
        and below.block - place.block <= 1
        and below.mark.column >= place.mark.column + 2
    )


def _is_answer(place: Place, lines: Sequence[Line]) -> bool:
    """Return whether one number is all that a reply says, greeting, leave-taking and name aside; `1. April` is none."""
    if (
        not _opens(place, lines)
        or place.mark.kind != "number"
        or place.said.endswith(":")
        or _MONTH.fullmatch(place.said)
    ):
        return False
    below = place.at + 1
    while below < len(lines) and lines[below].text:
        below += 1
    said = [line.text.strip() for line in lines[below:] if line.text]
    parted = next((index for index, text in enumerate(said) if farewell.is_sign_off(text)), len(said))
    return (
        len(said) - parted <= _BLOCK_LINES
        and all(map(farewell.is_name, said[:parted]))
        and all(unmarked.greets(line.text.strip()) for line in lines[: place.at] if line.text)
    )


def _opens(place: Place, lines: Sequence[Line]) -> bool:
    """Return whether nothing but a greeting stands right above a mark."""
    return place.opens or unmarked.greets(lines[place.at - 1].text.strip())


def _is_all(place: Place, lines: Sequence[Line]) -> bool:
    """Return whether a mark can open the one item of a reply: no number, since `1. April` is a date as often."""
    return _opens(place, lines) and not SHAPES[place.mark.shape].counts and not place.said.endswith(":")


def _is_quiet(found: Sequence[Place], lines: Sequence[Line]) -> bool:
    """Return whether a reply holds no prose beside its marks: nothing cut out in between, and short lines."""
    if any(wrapping.is_apart(one, other) for one, other in pairwise(lines)):
        return False
    marked = {place.at for place in found}
    beside = (line for index, line in enumerate(lines) if index not in marked and index - 1 not in marked)
    return sum(len(line.text) >= _PROSE_CHARACTERS for line in beside) <= 1
