"""Lines that are no text: patches, code, console output. A mark in them opens no item.

Linear: each line is looked at once, but for one line after it.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from parsers.model import Line

# What opens noise; the name of the group says which. A patch without headers is told by its block, below.
_OPENS = re.compile(
    r"[ \t]*+(?P<frame>\*{8,}|\+{8,})$"
    r"|(?P<diff>diff -|Index: \S|--- \S|\*\*\* \S|@@ -\d)"
    r"|[ \t]*+(?:(?P<fence>```|~~~)"
    r"|(?P<comment>/\*)"
    r"|(?P<recipe>:0[ \w]{0,10}(?::\S{0,40})?$)"
    r"|(?P<console>\$ \S|\[?[\w.-]{1,40}@[\w.-]{1,40}[ :](?:[~/][^\s$#%]{0,40}|[\w.-]{1,40}\])[$#%] \S)"
    r"|(?P<reference>\[\d{1,3}\]))"
)  # fmt: skip
# How the lines begin that are worth a closer look, prompts that name a host aside.
_HEADS = frozenset(
    {"di", "In", "--", "++", "**", "@@", "``", "~~", "/*", "$ ", ":0", *(f"[{digit}" for digit in range(10))}
)
_DIFF_HEADER = re.compile(
    r"diff |index [\da-f]|Index: |=====|--- |\+\+\+ |\*\*\* |\*{7}|@@ |new file|deleted file|old mode|new mode"
    r"|similarity|dissimilarity|rename |copy |Binary |Only in |RCS file|retrieving|Property |\\ No"
)
# The second line of a header pair, or what its first line holds: `--- a/x` alone may be a rule with a title.
_DIFF_PAIR = re.compile(r"\+\+\+ |--- |={5}|\*{7}")
_HUNK = re.compile(r"@@ -\d{1,9}(?:,(\d{1,9}))? \+\d{1,9}(?:,(\d{1,9}))? @@|@@ ")
_IN_DIFF = " +-!\\\t"
_CODE = re.compile(r"[;{}]\s*$|[=!<>]=|[\w\])] = |->|\w\(|#(?:include|define|if|endif)|</?\w+>")
_CODE_SIGNS = frozenset(";{}()=<>")
# `git shortlog -s v1..v2`, and what it counts below.
_OPTION = re.compile(r"[a-z][\w.+-]{0,20} (?:.{0,80} )?(?:--?[a-zA-Z]|\S{1,40}\.\.)")
_COUNT = re.compile(r"[ \t]*+\d{1,7}(?:\t| {2})[ \t]*+\S")
_CODE_END = re.compile(r"[;{}]\s*$")


class Noise(NamedTuple):
    """Indices of lines: `unmarked` hold no mark that opens an item; `apart`, among them, are of no item either.

    What was typed at a prompt, and came of it, may be set in below one.
    """

    unmarked: set[int]
    apart: set[int]


def find(said: Sequence[Line]) -> Noise:
    """Return the lines that are no text."""
    unmarked: set[int] = set()
    apart: set[int] = set()
    after = 0
    for index, line in enumerate(said):
        text = line.text
        if index < after or not text or line.item is not None:
            continue
        is_console = False
        if (text[:2] if text[0] > " " else text.lstrip()[:2]) in _HEADS or "@" in text:
            match = _OPENS.match(text)
            if match is not None and match.lastgroup is not None:
                after = _ENDS[match.lastgroup](said, index)
                is_console = match.lastgroup == "console" and text[0].isspace()
        if "*" in text and ("*/" in text or "/*" in text):
            after = max(after, _comment_around(said, index, unmarked))
        if index >= after and (text[0] in "+-" or text[0].islower()):
            after = _unannounced(said, index)
        if text.endswith(" \\"):  # a command that goes on
            unmarked.add(index + 1)
            apart.add(index + 1)
        if after > index:
            unmarked.update(range(index, after))
            if not is_console:
                apart.update(range(index, after))
    return Noise(unmarked, apart)


def _unannounced(said: Sequence[Line], index: int) -> int:
    """Return where noise ends that is told by its lines alone, `index` itself if it is text."""
    text, above = said[index].text, said[index - 1].text if index else ""
    if text[0].islower():
        return _counts_below(said, index) if " -" in text or ".." in text else index
    if text.startswith("+ ") and above[:1] != "+" and (end := _plus(said, index)) > index:
        return end
    return index if above or _CODE_SIGNS.isdisjoint(text) else _bare_diff(said, index)


def _text(said: Sequence[Line], index: int) -> str:
    return said[index].text if index < len(said) else ""


def _diff(said: Sequence[Line], index: int) -> int:
    """Return where the patch at `index` ends: hunks by their counts, else by how its lines begin."""
    text = said[index].text
    if not text.startswith(("diff -", "@@")) and not _DIFF_PAIR.match(_text(said, index + 1)):
        return index
    old = new = 0
    counted = in_hunk = False
    while index < len(said):
        text = said[index].text
        left = counted and (old > 0 or new > 0)
        if not left and _DIFF_HEADER.match(text):
            old, new = _counts(text)
            counted = old > 0 or new > 0
            in_hunk = counted or text.startswith(("@@", "---", "***", "+++"))
        elif (counted and not left) or not _in_hunk(said, index, in_hunk):
            break
        else:
            old -= text[:1] not in ("+", "\\")
            new -= text[:1] not in ("-", "\\")
        index += 1
    return index


def _counts(text: str) -> tuple[int, int]:
    match = _HUNK.match(text)
    if match is None or match[0] == "@@ ":
        return 0, 0
    return int(match[1] or 1), int(match[2] or 1)


def _in_hunk(said: Sequence[Line], index: int, in_hunk: bool) -> bool:
    """Return whether a line is of a hunk; blank ones, and those that a mail program wrapped, if the next one is."""
    text = said[index].text
    if text.strip():
        if text[0] in _IN_DIFF:
            return in_hunk
        return in_hunk and bool(_text(said, index - 1).strip()) and _text(said, index + 1)[:1] in ("+", "-", " ")
    below = _text(said, index + 1)
    return below[:1] in ("+", "-", " ", "\t", "!") or bool(_DIFF_HEADER.match(below))


def _bare_diff(said: Sequence[Line], index: int) -> int:
    """Return where a block of changed lines without any header ends, `index` itself if it is none."""
    end = index
    signs: set[str] = set()
    changed: list[str] = []
    while end < len(said) and said[end].text.strip() and said[end].item is None:
        text = said[end].text
        if text[0] not in _IN_DIFF:
            return index
        if text[0] in "+-":
            signs.add(text[0])
            changed.append(text)
        end += 1
    if len(changed) < 2 or (len(signs) < 2 and any(text[1:2] != "\t" for text in changed)):
        return index
    code = _CODE if len(signs) > 1 else _CODE_END
    return end if sum(code.search(text) is not None for text in changed) * 2 >= len(changed) else index


def _frame(said: Sequence[Line], index: int) -> int:
    """Return where a box of stars or pluses ends, each of whose lines opens with one; a lone rule is none."""
    side = said[index].text.strip()[0]
    for end in range(index + 1, min(index + _LONGEST, len(said))):
        text = said[end].text.strip()
        if not text.startswith(side):
            break
        if len(text) >= _RULE and not text.strip(side):
            return end + 1
    return index


def _fence(said: Sequence[Line], index: int) -> int:
    """Return where a fenced block ends; one that nobody closes is none."""
    fence = said[index].text.strip()[:3]
    for end in range(index + 1, min(index + _LONGEST, len(said))):
        if said[end].text.lstrip().startswith(fence):
            return end + 1
    return index


def _comment(said: Sequence[Line], index: int) -> int:
    """Return where a C comment ends whose lines open with a star."""
    end = index + 1
    while end < len(said) and "*/" not in said[end - 1].text and said[end].text.lstrip().startswith("*"):
        end += 1
    return end


def _comment_around(said: Sequence[Line], index: int, unmarked: set[int]) -> int:
    """Return where a comment ends that opens behind code; of one that is closed without, take the lines above."""
    text = said[index].text
    if text.rfind("/*") > text.rfind("*/"):
        return _comment(said, index)
    if "/*" not in text and text.lstrip().startswith("*"):
        above = index
        while above and index - above < _LONGEST and said[above - 1].text.lstrip().startswith("*"):
            above -= 1
        unmarked.update(range(above, index + 1))
    return index


def _paragraph(said: Sequence[Line], index: int) -> int:
    """Return where a filter of procmail ends, whose conditions open with a star: at the next blank line."""
    while index < len(said) and said[index].text and said[index].item is None:
        index += 1
    return index


def _plus(said: Sequence[Line], index: int) -> int:
    """Return where lines end that were quoted behind `+`: no list has a line of the mark alone."""
    end = index
    while end < len(said) and said[end].text[:2] in ("+", "+ "):
        end += 1
    return end if any(line.text == "+" for line in said[index + 1 : end]) else index


def _console(said: Sequence[Line], index: int) -> int:
    """Return where the output below a prompt ends: at the next line that is blank, or stands further left."""
    margin = said[index].text[: -len(said[index].text.lstrip())]
    while index < len(said) and said[index].text and said[index].item is None:
        if not said[index].text.startswith(margin):
            break
        index += 1
    return index


def _counts_below(said: Sequence[Line], index: int) -> int:
    """Return where the rows end that a command without a prompt counted, `index` itself if there are none."""
    end = index + 1
    while end < len(said) and _COUNT.match(said[end].text):
        end += 1
    return end if end > index + 1 and _OPTION.match(said[index].text) else index


def _reference(said: Sequence[Line], index: int) -> int:
    """Return where a footnote's first line ends; `[1]` below text may only have been wrapped there."""
    above = _text(said, index - 1).lstrip() if index else ""
    return index + 1 if not above or above[0] == "[" or "://" in said[index].text else index


# A fence or frame may hold a whole file, but not make the search for its end quadratic.
_LONGEST = 200
_RULE = 8
_ENDS = {
    "diff": _diff,
    "frame": _frame,
    "fence": _fence,
    "comment": _comment,
    "recipe": _paragraph,
    "console": _console,
    "reference": _reference,
}
