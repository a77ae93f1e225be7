"""Where the author's text ends and what is put below it begins; never before the last bullet.

That is: a delimiter, a leave-taking, a name with title and telephone, what a telephone or a scanner adds, a legal
notice, a label, a mailing list's footer, an OpenPGP signature. A container that HTML itself calls a signature goes
wherever it stands. Linear: each line below the last bullet is looked at once, with at most twelve after it.
"""

from dataclasses import replace
from itertools import islice

from parsers import trace
from parsers.borders import farewell
from parsers.items import markers
from parsers.items.listing import Listed
from parsers.markup.page import SIGNATURE as HTML
from parsers.model import Line, Reply

# Without bullets a sign-off ends the text only if no more than a name block follows it.
NAME_BLOCK = 8
# Below a delimiter, marks and all, if there is no more than this.
DELIMITED_LINES = 12


def apart(own: Reply) -> Reply:
    """Return the reply without what is told to be a signature before any list is looked for.

    That is what a mail program's own container calls one, and what stands below `-- ` (RFC 3676 section 4.3) up to
    a quote that was cut, for an answer may go on there.
    """
    held = [index for index, line in enumerate(own.lines) if line.item is not None and line.item.kind == HTML]
    item = own.lines[held[0]].item if held else None
    return _delimited(own if item is None else _lacking(own, frozenset(held), item.marker))


def without(listed: Listed, sender_name: str) -> Listed:
    """Return the reply up to its signature; `sender_name` is the display name of From."""
    name = farewell.words(sender_name)
    end = _name_item(listed, name)
    last = next((index for index in range(end - 1, -1, -1) if listed.marks[index] is not None), None)
    found = _start(listed.lines[:end], 0 if last is None else last + 1, name, marked=last is not None)
    if found is None and end == len(listed.lines):
        return listed
    begin, rule = found or (end, "name")
    cuts = trace.cuts(f"signature:{rule}", listed.lines[begin:])
    return replace(listed, lines=listed.lines[:begin], marks=listed.marks[:begin], trace=(*listed.trace, *cuts))


def _lacking(own: Reply, cut: frozenset[int], rule: str) -> Reply:
    """Return the reply without the lines at these places."""
    cuts = trace.cuts(f"signature:{rule}", [own.lines[index] for index in sorted(cut)])
    return Reply(tuple(line for index, line in enumerate(own.lines) if index not in cut), (*own.trace, *cuts))


def _delimited(own: Reply) -> Reply:
    lines = own.lines
    index = next((at for at in range(len(lines) - 1, 0, -1) if lines[at].text == "--"), 0)
    if not any(line.text.strip() for line in lines[:index]):
        return own
    end = _gap(lines, index)
    block = [line.text for line in lines[index + 1 : end] if line.text.strip()]
    if not block or len(block) > DELIMITED_LINES or markers.is_list_line(block[0]):
        return own
    return _lacking(own, frozenset(range(index, end)), "delimiter")


def _gap(lines: tuple[Line, ...], index: int) -> int:
    """Return where something was cut below line `index`; an answer to a quote may go on there."""
    for place in range(index + 1, len(lines)):
        if lines[place].part != lines[place - 1].part or lines[place].start > lines[place - 1].end + 2:
            return place
    return len(lines)


def _name_item(listed: Listed, name: frozenset[str]) -> int:
    """Return where a last `- Ann` begins that repeats who sent the mail, or follows a leave-taking; else the end."""
    for index in range(len(listed.lines) - 1, -1, -1):
        mark = listed.marks[index]
        if mark is None:
            continue
        text = listed.lines[index].text[mark.begin :].strip()
        said = farewell.words(text)
        if said and said <= name:
            return index
        above = next((line.text for line in reversed(listed.lines[:index]) if line.text.strip()), "")
        parted = farewell.sign_off(above) is not None and any(mark is not None for mark in listed.marks[:index])
        return index if parted and farewell.is_name(text) else len(listed.lines)
    return len(listed.lines)


def _start(lines: tuple[Line, ...], first: int, name: frozenset[str], *, marked: bool) -> tuple[int, str] | None:
    """Return the line from `first` on where what is put below begins, and what a trace calls it."""
    said = marked
    below = sum(1 for line in lines[first:] if line.text.strip())
    for index in range(first, len(lines)):
        text = lines[index].text.strip()
        if not text:
            continue
        below -= 1
        rule = _rule(lines, index, name, below, marked=marked)
        if rule is not None and (said or rule.startswith(("device", "pgp", "footer"))):
            return index, rule
        said = True
    return None


def _rule(  # noqa: PLR0911  # a return for each sign
    lines: tuple[Line, ...], index: int, name: frozenset[str], below: int, *, marked: bool
) -> str | None:
    """Return by what line `index` ends the author's text, `below` lines with words following; None if it does not."""
    text = lines[index].text.strip()
    if farewell.is_delimiter(text):
        return "delimiter" if text == "--" or _is_signed(lines, index + 1, below, name) else None
    if (device := farewell.device(text)) is not None:
        return f"device:{device}"
    if (footer := farewell.footer(text)) is not None:
        return f"footer:{footer}"
    if (notice := farewell.notice(lines, index)) is not None:
        return notice
    if marked or below <= NAME_BLOCK:
        language = farewell.sign_off(text)
        if language is not None:
            return f"sign-off:{language}"
    if below <= NAME_BLOCK and _is_block(lines, index, name):
        return "name"
    if below <= 2 and index and not lines[index - 1].text.strip() and (label := farewell.label(text)):
        return f"label:{label}"
    return None


def _is_signed(lines: tuple[Line, ...], index: int, below: int, name: frozenset[str]) -> bool:
    """Return whether what follows a rule of dashes is somebody's name block, a notice, or a list's footer."""
    said = list(islice((at for at in range(index, len(lines)) if lines[at].text.strip()), DELIMITED_LINES))
    if not said:
        return True
    if any(farewell.footer(lines[at].text) or farewell.notice(lines, at) for at in said[:3]):
        return True
    if below > NAME_BLOCK:
        return False
    texts = [lines[at].text for at in said]
    return farewell.words(texts[0]) <= name | {""} or any(farewell.is_contact(text) for text in texts[:4])


def _is_block(lines: tuple[Line, ...], index: int, name: frozenset[str]) -> bool:
    """Return whether a name block begins here: `-Ann`, the sender's name, or a name over title and telephone."""
    text = lines[index].text
    alone = index == 0 or not lines[index - 1].text.strip()
    below = [line.text for line in lines[index + 1 :] if line.text.strip()]
    short = all(len(each) <= 80 and not markers.is_list_line(each) for each in below)
    words = farewell.words(farewell.bare(text))
    if words and words <= name and short and len(text.strip()) <= 60:
        return alone or bool(below) or farewell.led_name(text)
    if not short:
        return False
    if farewell.led_name(text) and alone:
        return not below or any(map(farewell.is_contact, below)) or len(below) == 1
    return alone and farewell.is_name(text) and bool(below) and any(map(farewell.is_contact, below))
