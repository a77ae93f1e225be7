"""Marks that do not count, believed for the company that they keep or for the place where they stand."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from parsers.items import markers, wrapping
from parsers.items.places import Place
from parsers.model import Line
from parsers.tables.markers import SHAPES

# More of such lines beside a lone mark, and it stands in prose.
_PROSE_CHARACTERS = 60
_EMOJI = -2
_SET_OFF = 8
_NAME = re.compile(r"[A-Z][\w.'-]*+(?: [A-Z][\w.'-]*+){0,2}[.,]?|[a-z]{2,10}")


def symbols(found: Sequence[Place]) -> set[int]:
    """Return the marks that do not count and are believed: HTML's own, and those in company.

    A mark that may only be a dash in wrapped prose is believed with one in its column that cannot; one that stands
    alone between quotes, if its author lists so elsewhere.
    """
    believed: set[int] = set()
    fit: list[tuple[Place, int, int]] = []
    sure: set[tuple[int, int, int]] = set()
    company: Counter[tuple[int, int]] = Counter()
    for place in found:
        segment, shape, column = place.segment, place.mark.shape, place.mark.column
        if shape < 0:
            believed.add(place.at)
        elif not SHAPES[shape].counts:
            row = _EMOJI if place.mark.kind == "emoji" else shape  # those of one list differ: done, waiting
            fit.append((place, row, SHAPES[shape].need))
            if not place.filled:
                sure.add((segment, row, column))
            if not place.filled or place.mark.bold:
                company[segment, row] += 1
    habits: set[tuple[int, int]] = set()
    for place, row, need in fit:
        if company[place.segment, row] >= need and (place.segment, row, place.mark.column) in sure:
            believed.add(place.at)
            habits.add((row, place.mark.column))
    believed.update(place.at for place, row, _ in fit if not place.filled and (row, place.mark.column) in habits)
    return believed


def signed(found: Sequence[Place], lines: Sequence[Line]) -> set[int]:
    """Return the last mark's index where it sets off a name: `- Ann` below a blank line, the others above it.

    `- Training` may stand so too: a name is unlike the items, which open in lower case, or end in a full stop.
    """
    last = found[-1]
    if last.mark.kind not in ("dash", "star") or not last.opens or last.colon or not _NAME.fullmatch(last.said):
        return set()
    others = [place for place in found[:-1] if place.mark.shape == last.mark.shape]
    if others and others[-1].opens and last.mark.column - others[-1].mark.column < _SET_OFF:
        return set()
    unlike = all(place.said[:1].islower() for place in others) or all(wrapping.ends(place.said) for place in others)
    set_off = not others or unlike or last.mark.column - others[-1].mark.column >= _SET_OFF
    below = sum(1 for line in lines[last.at + 1 :] if line.text)
    return {last.at} if set_off and below <= 1 else set()


def alone(found: Sequence[Place], believed: set[int], lines: Sequence[Line]) -> set[int]:
    """Return the marks that are believed alone: below a colon, within a list, or in a reply of nothing else."""
    added: set[int] = set()
    quiet: bool | None = None
    last: Place | None = None
    for place in found:
        if place.at not in believed:
            if not _may_stand_alone(place, last):
                continue
            if not _is_placed(place, last):
                quiet = _is_quiet(found, lines) if quiet is None else quiet
                if not quiet or not _is_all(place):
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


def _is_all(place: Place) -> bool:
    """Return whether a mark can open the one item of a reply: no number, since `1. April` is a date as often."""
    return place.opens and not SHAPES[place.mark.shape].counts and not place.said.endswith(":")


def _is_quiet(found: Sequence[Place], lines: Sequence[Line]) -> bool:
    """Return whether a reply holds no prose beside its marks: nothing cut out in between, and short lines."""
    if any(wrapping.is_apart(one, other) for one, other in pairwise(lines)):
        return False
    marked = {place.at for place in found}
    beside = (line for index, line in enumerate(lines) if index not in marked and index - 1 not in marked)
    return sum(len(line.text) >= _PROSE_CHARACTERS for line in beside) <= 1
