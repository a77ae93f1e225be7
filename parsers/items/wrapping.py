"""Where lines were broken by width and not by their author."""

from collections.abc import Sequence

from parsers.model import Line

# A column that is narrower is no fixed wrap: short lines are items of their own.
NARROWEST_WRAP = 50
# Past this nothing wraps: paragraphs stand on one line each.
WIDEST_WRAP = 110
# A line cannot have been broken for want of room that had more than this left over.
SLACK = 10
# One word that fell out of a line; longer ones are addresses.
STUB = 20
# The end of a sentence; more is a sentence.
REST = 30
# What was cut out between two lines is a quote; less is the quote mark of one, or a lost line end.
QUOTED = 6
_ENDS = (".", "!", "?", ":", ";", "。", "！", "？", "：", "；")  # noqa: RUF001  # the full-width ones are meant
_OPENING = "([\"'`“‘«"  # noqa: RUF001  # curly quotes are meant
_CLOSING = "\"')]»”’*_"  # noqa: RUF001  # curly quotes are meant


def width(lines: Sequence[Line]) -> int:
    """Return the width at which these lines were wrapped: that of the longest, a few overlong ones aside."""
    lengths = [len(line.text) for line in lines]
    widest = max(lengths, default=0)
    if widest <= NARROWEST_WRAP:
        return widest
    wide = [length for length in lengths if length > NARROWEST_WRAP]
    wrapped = [length for length in wide if length <= WIDEST_WRAP]
    if len(wrapped) * 4 < len(wide) * 3:
        return widest
    longest = max(wrapped)
    # An address that could not be broken makes a line longer than the others.
    if wrapped.count(longest) == 1 and _is_one_word(lines[lengths.index(longest)].text):
        return max((length for length in lengths if length < longest), default=0)
    return longest


def _is_one_word(text: str) -> bool:
    return max(map(len, text.split()), default=0) > len(text) * 0.6


def runs_on(before: Line, line: Line, width: int) -> bool:
    """Return whether `line` goes on where `before` was wrapped; `width` is that of the longest line.

    Lower case says so, in a bracket too; else the first word must be one that would not have fitted above.
    """
    word = line.text.split(None, 1)[0]
    if word.lstrip(_OPENING)[:1].islower():
        return not before.text.rstrip().endswith(":")
    return NARROWEST_WRAP <= width <= 2 * WIDEST_WRAP and len(before.text) + 1 + len(word) > width


def is_rest(line: Line) -> bool:
    """Return whether a line can only be what a sentence above it lacked: a bracket, or a few words and a full stop."""
    text = line.text.strip()
    return text[0] in "([" or (len(text) <= REST and text[-1] == "." and text.count(".") == 1)


def had_room(before: Line, line: Line) -> bool:
    """Return whether the first word of `line` would have fitted above even in a text no wider than `line` is."""
    word = line.text.split(None, 1)[0]
    return len(before.text) + 1 + len(word) < len(line.text)


def may_run_on(before: Line) -> bool:
    """Return whether `before` is long and ends no sentence, as where a text was wrapped to uneven lengths."""
    return NARROWEST_WRAP <= len(before.text) <= WIDEST_WRAP and not ends(before.text)


def is_filled(text: str, width: int) -> bool:
    """Return whether a line is so long, and so open at its end, that what follows may be its continuation."""
    text = text.rstrip()
    return NARROWEST_WRAP <= width <= len(text) + SLACK and len(text) <= WIDEST_WRAP and not ends(text)


def ends(text: str) -> bool:
    """Return whether a line closes a sentence, or opens what follows with a colon."""
    return text.rstrip().rstrip(_CLOSING).endswith(_ENDS)


def is_apart(before: Line, line: Line) -> bool:
    """Return whether something was cut out between two lines, or they are of two parts."""
    return line.part != before.part or line.start - before.end > QUOTED
