"""Numbers and letters as marks: believed in sequence, `… in March` / `14. We then` is none."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from parsers.items import markers
from parsers.items.places import Place
from parsers.model import Line
from parsers.tables.markers import CHINESE, SHAPES

# Columns by which the numbers of one list may differ: ` 9.` above `10.`.
_SLIPS = (0, 1, -1, 2, -2)
_RANGE = re.compile(r"(\d+)[-–](\d+)([.)])")  # noqa: RUF001  # the longer dash is meant
_NUMBERS = re.compile(r"\d+")
_SUFFIXED = re.compile(r"(\d{1,2})[a-z](\W)")
_PLAIN = re.compile(r"\(?\d{1,2}(?:[.):]|\.\))")
_DIGITS = re.compile(rf"\d+(?:st|nd|rd|th)?|[{CHINESE}]+")
_REFERENCE = re.compile(r"<?(?:https?|ftp)://\S++\W*+(?:\w++\W*+){0,2}")
# A bare number is a quantity as often: `1 red`, `1 blue`.
_PUNCTUATION = tuple(".:)-–—/°º*）．、")  # noqa: RUF001  # look-alikes of other scripts
_SURNAME = re.compile(r"[A-Z][\w'-]{2,20}")
_SHORT = 2
_INITIAL = re.compile(r"[A-Z]\.")
_PORTION = re.compile(r"\([A-Z]{1,2}\)")  # what classifies each paragraph: `(U)`
# A note stands so near to the text that it is on.
_NOTED_LINES = 200
# A title says no sentence, and prose below it does.
_TITLE, _PROSE = 60, 50


class Counted(NamedTuple):
    """The indices of lines that open a counted item, and of those that only look so and belong to no item."""

    items: set[int]
    apart: set[int]


@dataclass(slots=True)
class _Sequence:
    """Marks that count on from each other, as they are gathered."""

    need: int
    next: int = 0
    places: list[Place] = field(default_factory=list)


def believed(found: Sequence[Place], lines: Sequence[Line]) -> Counted:
    """Return which counted marks among `found` open items."""
    items: set[int] = set()
    apart: set[int] = set()
    for sequence in _sequences(found):
        if len(sequence.places) < sequence.need:
            continue
        indices = {place.at for place in sequence.places}
        if all(_REFERENCE.fullmatch(place.said) for place in sequence.places) or _are_notes(sequence, lines):
            apart |= indices
        elif not _are_titles(sequence, lines) and not _are_names(sequence):
            items |= indices
    return Counted(items, apart)


def _sequences(found: Sequence[Place]) -> list[_Sequence]:
    """Return the marks by sequence. `waiting` holds the one that takes a form, column and value next.

    Where none does, `1.` `2)` `3.` go on with each other all the same, and so does `2.1` with `1.2`.
    """
    waiting: dict[tuple[str, int, int], _Sequence] = {}
    sequences: list[_Sequence] = []
    before: markers.Mark | None = None
    newest: _Sequence | None = None
    for place in found:
        mark = place.mark
        if not 0 <= mark.shape < len(SHAPES) or not SHAPES[mark.shape].counts:
            continue
        form = _form(mark.kind, mark.shape, mark.text)
        first, last = _range(mark.text)
        values = markers.ordinals(first)
        taken = _taken(waiting, form, place, values)
        if taken is None and newest is not None and _goes_on(place, newest.places[-1].mark):
            taken = (newest, values[-1])
        if taken is None:
            start = _start(place, values)
            if start is None:
                continue
            need = 1 if before and _is_below(mark, before) else SHAPES[mark.shape].need
            if _INITIAL.fullmatch(mark.text) and not place.opens and not place.colon:
                need = 3  # `A. Smith` and `B. Jones` write papers
            taken = (_Sequence(need), start)
            sequences.append(taken[0])
        sequence, value = taken
        sequence.places.append(place)
        before, newest = mark, sequence
        sequence.next = int(last) + 1 if last else value + 1
        waiting[form, mark.column, sequence.next] = sequence
    return sequences


def _taken(
    waiting: dict[tuple[str, int, int], _Sequence], form: str, place: Place, values: tuple[int, ...]
) -> tuple[_Sequence, int] | None:
    """Return the sequence that goes on with one of `values`: the next one, one skipped, or one said again."""
    strict = place.filled or not place.mark.text.rstrip().endswith(_PUNCTUATION)
    for slip in (0,) if strict else (0, 1, -1):
        for value in values:
            for column in _SLIPS:
                sequence = waiting.get((form, place.mark.column + column, value - slip))
                if sequence is not None and sequence.next == value - slip:
                    return sequence, value
    return None


def _goes_on(place: Place, before: markers.Mark) -> bool:
    """Return whether a number of another form counts on in the column of the one `before` it."""
    mark = place.mark
    if mark.column != before.column or mark.kind != "number" or before.kind != "number":
        return False
    own, above = (list(map(int, _NUMBERS.findall(each.text))) for each in (mark, before))
    if _SUFFIXED.fullmatch(mark.text):
        return 1 in markers.ordinals(mark.text) and own == [above[0] + 1] and bool(_SUFFIXED.fullmatch(before.text))
    if not own or len(own) != len(above):
        return False
    if len(own) == 1:
        return own[0] == above[0] + 1 and all(_PLAIN.fullmatch(each.text) for each in (mark, before))
    return own[-1] == 1 and own[:-2] == above[:-2] and own[-2] == above[-2] + 1


def _start(place: Place, values: tuple[int, ...]) -> int | None:
    """Return the value from which a mark may begin to count, None if it opens no sequence."""
    low = [value for value in values if value <= 1]
    if low:
        return low[-1]
    if not values or place.filled or (place.mark.kind == "letter" and _INITIAL.fullmatch(place.mark.text)):
        return None
    if place.mark.kind == "letter" and (not place.opens or _PORTION.fullmatch(place.mark.text)):
        return None
    return values[0] if place.opens or place.colon else None


def _is_below(mark: markers.Mark, before: markers.Mark) -> bool:
    """Return whether `mark` counts the first item below `before`: `2.1` or `2a.` below `2.`"""
    own, above = _DIGITS.findall(mark.text), _DIGITS.findall(before.text)
    return above != [] and above == (own if _SUFFIXED.fullmatch(mark.text) else own[:-1])


def _range(mark: str) -> tuple[str, str]:
    """Return a mark, and what it counts to if it counts several: `3-5.`"""
    match = _RANGE.fullmatch(mark)
    return (match[1], match[2]) if match else (mark, "")


@lru_cache(maxsize=512)
def _form(kind: str, shape: int, text: str) -> str:
    """Return what the marks of one list have in common: all but the last number or letter."""
    if kind == "letter":
        case = "A" if text.upper() == text else "a"
        return f"{shape}{text[0] if not text[0].isalnum() else ''}{case}{text[-1]}"
    if ranged := _RANGE.fullmatch(text):
        text = f"1{ranged[3]}"
    elif suffixed := _SUFFIXED.fullmatch(text):
        return f"{suffixed[1]}a{suffixed[2]}"
    *outer, _ = _DIGITS.findall(text) or [""]
    return f"{SHAPES[shape].need}{'.'.join(outer)}{_DIGITS.sub('', text)}"


def _are_notes(sequence: _Sequence, lines: Sequence[Line]) -> bool:
    """Return whether the marks are notes on the text above, which names them: `(1) http://…`."""
    places = sequence.places
    if places[0].mark.text[:1] != "(":
        return False
    above = [line.text for line in lines[max(0, places[0].at - _NOTED_LINES) : places[0].at]]
    if sum("://" in place.said for place in places) * 2 >= len(places):
        return all(any(f" {place.mark.text}" in text for text in above) for place in places[:2])
    return all(any(_is_named(text, place.mark.text) for text in above) for place in places[:2])


def _is_named(text: str, mark: str) -> bool:
    """Return whether a line of prose points to a note: `as it was (1).`, at the end of what it is on."""
    at = text.find(mark, 1)
    return at > 0 and text[at - 1] != "(" and text[at + len(mark) : at + len(mark) + 1] in ("", ".", ",", ";", ":", ")")


def _are_names(sequence: _Sequence) -> bool:
    """Return whether two marks are the initials of people: `A. Smith` above `B. Jones`."""
    return (
        len(sequence.places) == _SHORT
        and not sequence.places[0].colon
        and all(_INITIAL.fullmatch(place.mark.text) and _SURNAME.fullmatch(place.said) for place in sequence.places)
    )


def _are_titles(sequence: _Sequence, lines: Sequence[Line]) -> bool:
    """Return whether the marks number the sections of a text: titles above prose that is not indented."""
    titles = sum(_is_title(place, lines) for place in sequence.places)
    return titles * 3 >= len(sequence.places) * 2


def _is_title(place: Place, lines: Sequence[Line]) -> bool:
    if len(place.said) > _TITLE or place.said.endswith((".", "?", "!", ";", ",")):
        return False
    below = place.at + 1
    if below >= len(lines) or lines[below].text.strip():
        return False
    while below < len(lines) and not lines[below].text.strip():
        below += 1
    if below >= len(lines):
        return False
    text = lines[below].text
    return len(text) >= _PROSE and not text[0].isspace() and markers.find(text) is None
