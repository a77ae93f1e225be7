"""What we asked, taken from what came back; and the answers that were typed inside the quoted request.

Lines are compared by their words: equal to a line of the request, or most pairs of neighbouring words in it, so that
a quote that was wrapped anew or lightly edited is still known. Linear in request and reply.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from parsers import bullets, trace
from parsers.items import listing, markers
from parsers.items.listing import Listed
from parsers.model import Bullet, Cut, Line, Reply, Segments
from parsers.source import Source
from parsers.tables.requests import ASKS, EXAMPLES, INSTRUCTIONS, PLACEHOLDERS, POINTERS

# Of the pairs of words in a line: so many in the request, and the line is the request's.
SHARE = 0.75
FEWEST_WORDS = 4
# Of a list's items: more like these, and it is a list of instructions.
INSTRUCTING = 0.25
POINTING_CHARACTERS = 120
CONFIDENCE = 0.8

_WORDS = re.compile(r"\w+")
_ASK = re.compile("|".join(f"(?:{pattern})" for _, pattern in ASKS))
_INSTRUCTION, _EXAMPLE, _POINTER = map(re.compile, (INSTRUCTIONS, EXAMPLES, POINTERS))
_BLANK = re.compile(r"[\[<({][^\])>}]{0,80}[\])>}]+[.:]?|[\W_x]{1,200}")


@dataclass(frozen=True, slots=True)
class Answers:
    """What was typed inside the quote: its bullets, and the source that their offsets count in."""

    bullets: tuple[Bullet, ...]
    source: Source

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.source.reply.lines)

    def beside(self, segments: Segments, own: Listed) -> tuple[Segments, Source, tuple[Cut, ...]]:
        """Return the answers beside what is left over of the author's own text, their source, and the trace of both."""
        spans = {(cut.part, cut.start, cut.end) for cut in self.source.reply.trace}
        cuts = (cut for cut in own.trace if cut.rule.startswith(("signature", "template", "lines")))
        held = (cut for cut in cuts if (cut.part, cut.start, cut.end) not in spans)
        trace_of_both = trace.ordered((*self.source.reply.trace, *held))
        return replace(segments, bullets=self.bullets), self.source, trace_of_both


@dataclass(frozen=True, slots=True)
class _Request:
    lines: frozenset[tuple[str, ...]]
    pairs: frozenset[tuple[str, str]]

    def holds(self, line: Line) -> bool:
        """Return whether a line is of the request; one that is marked as an item needs more to tell."""
        marked = line.item is not None or markers.find(line.text) is not None
        words = _words(_said(line))
        if words in self.lines:
            return len(words) > 1 or not marked
        if len(words) < (FEWEST_WORDS if marked else 2):
            return False
        held = sum(pair in self.pairs for pair in pairwise(words))
        return held >= (SHARE if len(words) >= FEWEST_WORDS else 1) * (len(words) - 1)


def subtract(own: Reply, request: str) -> Reply:
    """Return the reply without the lines that repeat the request: a template that was pasted above the answers."""
    asked = _request(request)
    if not asked.lines:
        return own
    held = [bool(line.text) and asked.holds(line) for line in own.lines]
    if not any(held):
        return own
    cuts = [
        cut for line, is_held in zip(own.lines, held, strict=True) if is_held for cut in trace.cuts("template", [line])
    ]
    kept = tuple(line for line, is_held in zip(own.lines, held, strict=True) if not is_held)
    return Reply(kept, trace.ordered((*own.trace, *cuts)))


def may_hold(own: Listed, request: str) -> bool:
    """Return whether to look for answers inside the quote: the request is known, or nothing is said beside it."""
    said = " ".join(line.text.strip() for line in own.lines if line.text.strip())
    if not own.trace:
        return False
    return (
        bool(request.strip())
        or not said
        or (len(said) <= POINTING_CHARACTERS and bool(_POINTER.search(said.casefold())))
    )


def answers(quoted: Source, request: str) -> Answers | None:
    """Return the items that were typed inside the quote of a request, None if there are none.

    Where the request is not known, the quote must ask for items by its own words, and a list of instructions or
    of examples holds no answers.
    """
    asked = _request(request)
    # What was asked goes first: an answer is a list then, and no dash in prose.
    shown = (line._replace(text="", item=None) if asked.holds(line) else line for line in quoted.reply.lines)
    listed = listing.listed(Reply(tuple(shown) if asked.lines else quoted.reply.lines))
    groups = [group for group in _groups(listed) if _answers(listed, group, asked)]
    if not groups or not (asked.lines or _asks(listed)):
        return None
    kept = [index for group in groups for index in group if _is_filled(listed, index, asked)]
    lines = tuple(listed.lines[index] for index in kept)
    marks = tuple(listed.marks[index] for index in kept)
    said = bullets.segment(Listed(lines, marks, (), frozenset(), listed.width)).bullets
    found = tuple(replace(each, kind="inquote", confidence=min(each.confidence, CONFIDENCE)) for each in said)
    if not found:
        return None
    cuts = trace.without(quoted.reply.trace, lines)
    left = [line for index, line in enumerate(quoted.reply.lines) if index not in kept]
    if any(part.html for part in quoted.parts):
        cuts = trace.ordered((*cuts, *(cut for line in left if line.text for cut in trace.cuts("template", [line]))))
    return Answers(found, replace(quoted, reply=Reply(lines, cuts)))


def _groups(listed: Listed) -> list[list[int]]:
    """Return the lists: the lines of items and of what goes on with them, parted by lines that do neither."""
    groups: list[list[int]] = []
    opened: list[int] = []
    for index, line in enumerate(listed.lines):
        if listed.marks[index] is not None:
            opened.append(index)
            continue
        if opened and line.text.strip() and listed.lines[index - 1].text.strip() and index not in listed.apart:
            opened.append(index)
        elif line.text.strip() and opened:
            groups.append(opened)
            opened = []
    return [*groups, opened] if opened else groups


def _answers(listed: Listed, group: list[int], asked: _Request) -> bool:
    """Return whether a list holds answers: of a known request what is not its own, else as `answers` says."""
    items = [index for index in group if listed.marks[index] is not None and _is_filled(listed, index, asked)]
    if asked.lines:
        return bool(items)
    heading = next((line.text for line in reversed(listed.lines[: group[0]]) if line.text.strip()), "")
    told = sum(1 for index in items if _INSTRUCTION.search(_item(listed, index).casefold()))
    return len(items) > 1 and told <= INSTRUCTING * len(items) and not _EXAMPLE.search(heading.casefold())


def _is_filled(listed: Listed, index: int, asked: _Request) -> bool:
    said = _item(listed, index).casefold()
    return bool(said) and not _waits(said) and not asked.holds(listed.lines[index])


def _waits(said: str) -> bool:
    """Return whether an item was to be filled in and was not: `[your item]`, `...`, `Item 1`."""
    return bool(_BLANK.fullmatch(said)) or all(word.isdecimal() or word in PLACEHOLDERS for word in _words(said))


def _asks(listed: Listed) -> bool:
    text = " ".join(line.text for index, line in enumerate(listed.lines) if listed.marks[index] is None).casefold()
    return bool(_ASK.search(text))


def _item(listed: Listed, index: int) -> str:
    mark = listed.marks[index]
    return listed.lines[index].text[0 if mark is None else mark.begin :].strip()


def _said(line: Line) -> str:
    mark = markers.find(line.text) if line.item is None else None
    return line.text if mark is None else line.text[mark.begin :]


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORDS.findall(text.casefold()))


@lru_cache(maxsize=8)
def _request(request: str) -> _Request:
    """Return a request as what lines are compared with; its own marks and quoting do not count."""
    lines = {_words(line) for line in request.split("\n")} | {
        _words(line[mark.begin :]) for line in request.split("\n") if (mark := markers.find(line)) is not None
    }
    return _Request(frozenset(lines - {()}), frozenset(pairwise(_words(request))))
