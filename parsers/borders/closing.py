"""Where a text is closed although marks stand below: by a legal notice, or by a leave-taking over a name block.

A notice may list what to do with the mail, and a name block its ways to reach somebody. A postscript, or more work
below a mere `Thanks`, is still the author's. Linear: of each paragraph above the last mark the first line is looked
at, with at most forty below it.
"""

import re
from collections.abc import Sequence

from parsers.borders import farewell
from parsers.items.markers import Mark
from parsers.model import Line
from parsers.tables.notices import RECIPIENTS

_RECIPIENT = re.compile("|".join(pattern for _, pattern in RECIPIENTS))
_NOTICE_CHARACTERS = 20
_NOTICE_LINES = 6
_CONTACT_CHARACTERS = 80
# No name block with all that is below it is longer.
_BLOCK_LINES = 40
# A motto or two below a name; more is a list.
_MOTTO_LINES = 3
_POSTSCRIPT = re.compile(r"p\.? ?p?\.? ?s\b", re.IGNORECASE)
_REACHES = re.compile(r"@\S|www\.|https?://|\b\d{3}[-. )]{1,2}\d{3,4}|\+\d")
_LOWER = re.compile(r"(?<!\S)(?!(?:of|the|and|for|von|de|der|du|und)\b)[a-z]")


def find(lines: Sequence[Line], marks: Sequence[Mark | None], name: frozenset[str]) -> tuple[int, str] | None:
    """Return where the text is closed and what a trace calls it; `name` holds the words of the sender's name."""
    marked = [index for index, mark in enumerate(marks) if mark is not None]
    if not marked:
        return None
    for index in range(1, marked[-1]):
        text = lines[index].text
        if not text or text[0] == " " or marks[index] is not None or (lines[index - 1].text and not marks[index - 1]):
            continue
        rule = _closes(lines, marks, index, name, listed=index > marked[0])
        if rule is not None:
            return index, rule
    return None


def _closes(
    lines: Sequence[Line], marks: Sequence[Mark | None], index: int, name: frozenset[str], *, listed: bool
) -> str | None:
    text = lines[index].text
    if len(text) > _NOTICE_CHARACTERS and listed and not lines[index - 1].text:
        notice = farewell.notice(lines, index)
        if notice is not None and _RECIPIENT.search(_paragraph(lines, index)):
            return notice
    if len(text) > farewell.SIGN_OFF_CHARACTERS or len(lines) - index > _BLOCK_LINES:
        return None
    language = farewell.sign_off(text)
    if language is None:
        if not farewell.is_name(text):
            return None
        is_sender = farewell.is_of(text, name)
        # One word is a heading as often: `Contacts`.
        ends = ((listed and " " in text) or is_sender) and _reach(lines, marks, index + 1)
        return "name" if ends or (is_sender and _is_motto(lines, marks, index + 1)) else None
    below = next((at for at in range(index + 1, len(lines)) if lines[at].text), index)
    block = below if marks[below] is None and farewell.is_name(lines[below].text) else index
    return f"sign-off:{language}" if _is_block(lines, marks, block, listed=listed) else None


def _is_block(lines: Sequence[Line], marks: Sequence[Mark | None], block: int, *, listed: bool) -> bool:
    """Return whether the marks below the name at `block` are of a name block."""
    if any(_POSTSCRIPT.match(line.text.lstrip()) for line in lines[block + 1 :]):
        return False
    if _reach(lines, marks, block + 1):
        return True
    first = block + 1
    while first < len(lines) and not lines[first].text:
        first += 1
    said = lines[first].text
    if marks[first] is not None:
        return _is_motto(lines, marks, block + 1)
    return listed and len(said) <= _CONTACT_CHARACTERS and said[-1] not in ".:!?" and farewell.is_contact(said)


def _is_motto(lines: Sequence[Line], marks: Sequence[Mark | None], below: int) -> bool:
    """Return whether a few marks right below a name are all that follows."""
    return marks[below] is not None and sum(1 for line in lines[below:] if line.text) < _MOTTO_LINES


def _reach(lines: Sequence[Line], marks: Sequence[Mark | None], begin: int) -> bool:
    """Return whether all marks from `begin` on say how to reach somebody, or what they are, and some do."""
    said = [lines[at].text[mark.begin :] for at, mark in enumerate(marks[begin:], begin) if mark is not None]
    if any(line.text.endswith(":") for line in lines[begin:]):
        return False
    return any(map(_REACHES.search, said)) and all(_REACHES.search(text) or _is_post(text) for text in said)


def _is_post(text: str) -> bool:
    """Return whether a text names an office or a post: a title, and no word of a sentence."""
    return farewell.is_contact(text) and _LOWER.search(text) is None


def _paragraph(lines: Sequence[Line], index: int) -> str:
    said: list[str] = []
    for line in lines[index : index + _NOTICE_LINES]:
        if not line.text:
            break
        said.append(line.text[: farewell.CHARACTERS])
    return " ".join(said).casefold()
