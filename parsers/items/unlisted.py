"""Marks that mark no item: a footnote's star, the minus of a measure, a command's options, the dashes of YAML.

Linear: the text is searched for a footnote's sign once.
"""

import re
from collections.abc import Sequence

from parsers.items.noise import Noise
from parsers.items.places import Place
from parsers.model import Line

# `a word* of it`: a star that is the only one of its line.
_NOTED = re.compile(r"[^\s*]\*(?=[\s.,;:)]|$)")
_MEASURE = re.compile(r"\d++(?:[.,]\d++)?(?!\d)\s*+(.*)")
_OPTION = re.compile(r"[A-Za-z] (?=\S)")
_KEY = re.compile(r"[ \t]*+[a-z_][\w.-]{0,40}:(?: \S.{0,80})?")
# Fewer numbers are a measure whatever stands behind them.
_FEW = 3


def find(found: Sequence[Place], lines: Sequence[Line]) -> Noise:
    """Return the lines whose marks mark nothing, and among them those of YAML, which are apart."""
    dashes = [place for place in found if place.mark.kind == "dash"]
    apart: set[int] = set()
    tight = [place for place in dashes if _is_tight(place, lines)]
    none = _measures(tight) | _options(tight)
    for place in dashes:
        if place.said[-1:].isalnum() and ":" in place.said and _KEY.fullmatch(place.said):
            apart.update(_yaml(place, lines))
    stars = [place for place in found if place.mark.text == "*"]
    if len(stars) == 1 and stars[0].opens and stars[0].said[:1].islower():
        above = (line.text for line in lines[: stars[0].at])
        if any("*" in text and text.count("*") == 1 and _NOTED.search(text) for text in above):
            none.add(stars[0].at)
    return Noise(none | apart, apart)


def _is_tight(place: Place, lines: Sequence[Line]) -> bool:
    """Return whether a mark stands right before what it marks."""
    return len(place.mark.text) == 1 and not lines[place.at].text[place.mark.begin - 1].isspace()


def _measures(tight: Sequence[Place]) -> set[int]:
    """Return the dashes that are signs of numbers: `-5 degrees`, all of one unit, or too few to tell."""
    measures = [match[1] for place in tight if (match := _MEASURE.match(place.said)) is not None]
    if len(measures) < len(tight) or (len(set(measures)) > 1 and len(tight) >= _FEW):
        return set()
    return {place.at for place in tight}


def _options(tight: Sequence[Place]) -> set[int]:
    """Return the dashes of a command's options, told line by line: `-v vmlinux (specified)`, all of one letter."""
    return {place.at for place in tight} if all(_OPTION.match(place.said) for place in tight) else set()


def _yaml(place: Place, lines: Sequence[Line]) -> set[int]:
    """Return the line of a mapping in a sequence and those of its other keys, nothing if it has none."""
    end = place.at + 1
    while end < len(lines) and lines[end].text[:1].isspace() and _KEY.fullmatch(lines[end].text):
        end += 1
    return set(range(place.at, end)) if end > place.at + 1 else set()
