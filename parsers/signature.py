"""Where the author's text ends and what is put below it begins; never before the last bullet.

That is: a delimiter, a leave-taking, a name with title and telephone, what a telephone or a scanner adds, a legal
notice, a label, a mailing list's footer, an OpenPGP signature. A container that HTML itself calls a signature goes
wherever it stands; where marks below a notice or a name are of these, `borders.closing` says. Linear: each line
below the last bullet is looked at once, with at most twelve after it.
"""

from collections.abc import Callable
from itertools import islice

from parsers import trace
from parsers.borders import closing, farewell, name_block
from parsers.items import markers
from parsers.items.listing import Listed
from parsers.markup.page import SIGNATURE as HTML
from parsers.model import Line, Reply

# Above the quote, below it, and by a program once more.
SIGNED = 3
# Below a delimiter, marks and all, if there is no more than this.
DELIMITED_LINES = 12


def apart(own: Reply) -> Reply:
    """Return the reply without what is told to be a signature before any list is looked for.

    That is what a mail program's own container calls one, and what stands below `-- ` (RFC 3676 section 4.3) up to
    a quote that was cut, for an answer may go on there; or all below the last quote, where the author wrote above.
    """
    held = [index for index, line in enumerate(own.lines) if line.item is not None and line.item.kind == HTML]
    item = own.lines[held[0]].item if held else None
    own = own if item is None else _lacking(own, frozenset(held), item.marker)
    # Most quotes stand below all that was written.
    cut_above = own.trace and own.lines and own.trace[0][1:3] < (own.lines[-1].part, own.lines[-1].start)
    return _delimited(_without_below(own) if cut_above else own)


def without(listed: Listed, sender_name: str) -> Listed:
    """Return the reply up to its signature; `sender_name` is the display name of From."""
    name = farewell.words(sender_name)
    closed = closing.find(listed.lines, listed.marks, name)
    if closed is not None:
        listed = _until(listed, *closed)
    end = _name_items(listed, name)
    last = next((index for index in range(end - 1, -1, -1) if listed.marks[index] is not None), None)
    found = _start(listed.lines[:end], 0 if last is None else last + 1, name, marked=last is not None)
    if found is None and end == len(listed.lines):
        return listed
    return _until(listed, *(found or (end, "name")))


def _until(listed: Listed, begin: int, rule: str) -> Listed:
    cuts = trace.cuts(f"signature:{rule}", listed.lines[begin:])
    both = (*listed.trace, *cuts)
    return Listed(listed.lines[:begin], listed.marks[:begin], both, listed.apart, listed.width)


def _lacking(own: Reply, cut: frozenset[int], rule: str) -> Reply:
    """Return the reply without the lines at these places."""
    cuts = trace.cuts(f"signature:{rule}", [own.lines[index] for index in sorted(cut)])
    return Reply(tuple(line for index, line in enumerate(own.lines) if index not in cut), (*own.trace, *cuts))


def _without_below(own: Reply) -> Reply:
    """Return the reply without the signature or footer that a program put below the quote."""
    lines = own.lines
    begin = next((at for at in range(len(lines) - 1, 0, -1) if _is_parted(lines[at - 1], lines[at])), 0)
    first = next((at for at in range(begin, len(lines)) if lines[at].text.strip()), 0)
    if not begin or not first or not any(line.text.strip() for line in lines[:begin]):
        return own
    if lines[first].text.strip() != "--" and not farewell.is_footer(lines, first):
        return own
    return Reply(lines[:begin], (*own.trace, *trace.cuts("signature:below-quote", lines[first:])))


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
        if _is_parted(lines[place - 1], lines[place]):
            return place
    return len(lines)


def _is_parted(before: Line, line: Line) -> bool:
    return line.part != before.part or line.start > before.end + 2


def _name_items(listed: Listed, name: frozenset[str]) -> int:
    """Return where the last items begin that sign the mail, `- Ann`; the end where there are none."""
    end = len(listed.lines)
    marked = (index for index in range(end - 1, -1, -1) if listed.marks[index] is not None)
    for index in islice(marked, SIGNED):
        if not _signs(listed, index, name):
            break
        end = index
    return end


def _signs(listed: Listed, index: int, name: frozenset[str]) -> bool:
    """Return whether an item repeats who sent the mail, or is a name below a leave-taking or in a list of its own."""
    mark = listed.marks[index]
    text = listed.lines[index].text[0 if mark is None else mark.begin :].strip()
    if farewell.is_of(text, name):
        return True
    if text.startswith("To unsubscribe") and farewell.footer(text) is not None:
        return True
    others = [other for other in listed.marks[:index] if other is not None]
    if others and farewell.sign_off(text) is not None:
        return True
    if not others or not farewell.is_name(text):
        return False
    above = next((line.text for line in reversed(listed.lines[:index]) if line.text.strip()), "")
    if farewell.sign_off(above) is not None:
        return True
    # Outlook on the web makes a list of one item of `- Ann`, typed below a list.
    is_typed = mark is not None and mark.kind == "html_ul" and mark.text == "-"
    return is_typed and not listed.lines[index - 1].text and all(other.text != "-" for other in others)


def _start(lines: tuple[Line, ...], first: int, name: frozenset[str], *, marked: bool) -> tuple[int, str] | None:
    """Return the line from `first` on where what is put below begins, and what a trace calls it."""
    said = next((at for at in range(first, len(lines)) if lines[at].text.strip()), None) if marked else None
    if said is not None and (language := farewell.sign_off(lines[said].text)) is not None:
        return said, f"sign-off:{language}"  # as most mails end
    added = _first(lines, first, marked, lambda index, below: _added(lines, index, name, below))
    own = lines if added is None else lines[: added[0]]
    closed = marked and added is not None
    taken = _first(
        own, first, marked, lambda index, below: _taken(own, index, name, below, marked=marked, closed=closed)
    )
    return taken or added


def _first(
    lines: tuple[Line, ...], first: int, said: bool, judge: Callable[[int, int], str | None]
) -> tuple[int, str] | None:
    """Return the first line that `judge` calls something, given its index and the number of lines with words below.

    Nothing but what a program added stands where nothing was `said`.
    """
    below = sum(1 for line in lines[first:] if line.text.strip())
    for index in range(first, len(lines)):
        if not lines[index].text.strip():
            continue
        below -= 1
        rule = judge(index, below)
        if rule is not None and (said or rule.startswith(("device", "pgp", "footer"))):
            return index, rule
        said = True
    return None


def _added(lines: tuple[Line, ...], index: int, name: frozenset[str], below: int) -> str | None:
    """Return what a program or an organisation put at `index`, and all below it; None for nothing."""
    text = lines[index].text.strip()
    if farewell.is_delimiter(text):
        return "delimiter" if text == "--" or _is_signed(lines, index + 1, below, name) else None
    if (device := farewell.device(text)) is not None:
        return f"device:{device}"
    if (footer := farewell.footer(text)) is not None:
        return f"footer:{footer}"
    if (notice := farewell.notice(lines, index)) is not None:
        return notice
    if below <= 2 and index and not lines[index - 1].text.strip() and (label := farewell.label(text)):
        return f"label:{label}"
    return None


def _taken(
    lines: tuple[Line, ...], index: int, name: frozenset[str], below: int, *, marked: bool, closed: bool
) -> str | None:
    """Return how the author takes leave at `index`, `below` lines following; None if they do not.

    Without bullets a sign-off ends the text only if no more than a name block follows it.
    """
    if marked or below <= name_block.LINES:
        language = farewell.sign_off(lines[index].text)
        if language is not None:
            return f"sign-off:{language}"
    if below <= name_block.LONGEST and name_block.begins(lines, index, name, closed=closed):
        return "name"
    return "name" if not below and name_block.is_short(lines, index) else None


def _is_signed(lines: tuple[Line, ...], index: int, below: int, name: frozenset[str]) -> bool:
    """Return whether what follows a rule of dashes is somebody's name block, a notice, or a list's footer."""
    said = list(islice((at for at in range(index, len(lines)) if lines[at].text.strip()), DELIMITED_LINES))
    if not said:
        return True
    if any(farewell.footer(lines[at].text) or farewell.notice(lines, at) for at in said[:3]):
        return True
    if below > name_block.LINES:
        return False
    texts = [lines[at].text for at in said]
    return farewell.words(texts[0]) <= name | {""} or any(farewell.is_contact(text) for text in texts[:4])
