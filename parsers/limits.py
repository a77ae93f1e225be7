"""What a message may cost before it is taken apart: answers the reason to park it, or None.

Promises to look at octets only, in linear time. What it counts is an upper bound: a text that
talks of a thousand boundaries is parked too, its octets whole.
"""

import re
from itertools import accumulate

from parsers.markup import depth

HEADER_OCTETS = 100_000
HEADERS = 1_000
DEPTH = 50
PARTS = 1_000
ENCODED_WORDS = 500
# Of a header that is read: composing its marks (NFC) is quadratic in the library.
FIELD_OCTETS = 20_000
# The stdlib's parameter parser counts quotes anew at each semicolon: quadratic.
PARAMETERS = 200
# An HTML parser looks through all open elements at each new one: quadratic as well.
ELEMENTS_DEEP = 500
# It also compares each attribute of a tag with all before it.
ATTRIBUTES = 2_000

_ENDS_OF_HEAD = (b"\n\r\n", b"\n\n", b"\r\r")
_FIELD = re.compile(rb"[!-9;-~]*+:[^\r\n]*+(?:(?:\r\n|\n|\r)[ \t][^\r\n]*+)*+(?:\r\n|\n|\r|\Z)")
# All of them in one go, where nothing but fields is there and all lines end as they should.
_FIELDS = re.compile(rb"^" + _FIELD.pattern, re.MULTILINE)
# Lines that are no field, up to three, and then one that is.
_BROKEN = re.compile(rb"(?:(?![!-9;-~]{1,70}:)[^\r\n]+(?:\r\n|\n|\r)){1,3}(?=[!-9;-~]{1,70}:)")
_MBOX = re.compile(rb">?From ")
# How the header of a mail begins, and no body.
_MAIL = re.compile(
    rb"(?:arc-|authentication-|cc|content-|date|delivered-|dkim-|from|in-reply-|message-id|mime-|received|references"
    rb"|reply-to|return-path|sender|subject|to|x-)",
    re.IGNORECASE,
)
_ANY_FIELD = re.compile(rb"^[!-9;-~]+:[^\n]*(?:\n[ \t][^\n]*)*", re.MULTILINE)
_STRUCTURE = re.compile(
    rb"boundary[ \t]*=[ \t]*(?:\"([^\"\r\n]*)\"|([^\s;\"]+))|^--([^\r\n]*)|(message/)",
    re.MULTILINE | re.IGNORECASE,
)


_PIECE = 4_000
# The commonest of what opens nothing; the second is a comment, of which Word writes two for each item.
_NO_ELEMENT = ("<br", "<!")
# As deep as so much can nest, it is parsed in a tenth of a second (measured).
_SHORT_NESTING = 50_000


def head_end(octets: bytes) -> int:
    """Return where the header block ends, its last line break included."""
    if octets[:1] in (b"\r", b"\n"):
        return 0
    first = HEADER_OCTETS + 4
    found = False
    for end in _ENDS_OF_HEAD:
        if (place := octets.find(end, 0, first)) >= 0:
            first, found = place, True
    return first + 1 if found else len(octets)


def head(octets: bytes, end: int) -> tuple[list[bytes], int]:
    """Return the fields of the header block, which ends at `end`, unfolded by no one, and where the body begins.

    mbox's `From ` line is passed over, and so is a broken line between two fields (a relay wrapped one without
    indenting it): mail programs show such mail as if it were whole.
    """
    found: list[bytes] = _FIELDS.findall(octets, 0, end) if end <= HEADER_OCTETS else []
    if found and sum(map(len, found)) == end and len(found) <= HEADERS:
        return found, end
    found = []
    place = 0
    while place < end and len(found) <= HEADERS:
        field = _FIELD.match(octets, place, end)
        if field is not None and field.end() > place:
            found.append(field[0])
            place = field.end()
            continue
        broken = _BROKEN.match(octets, place, end)
        if broken is None or not (_MAIL.match(found[0]) if found else _MBOX.match(broken[0])):
            break
        place = broken.end()
    return found, place


def excess(octets: bytes, end: int, fields: int, read: list[bytes]) -> str | None:
    """Return which limit `octets` cross, None if none: its header block ends at `end` and has so many `fields`.

    `read` are those of them that matter.
    """
    if end > HEADER_OCTETS:
        return f"header block over {HEADER_OCTETS} octets"
    if fields > HEADERS:
        return f"over {HEADERS} headers"
    lowered = octets.lower()
    return _crowded(octets, lowered) or _long(read) or _deep(octets, lowered)


def _long(read: list[bytes]) -> str | None:
    return f"a header over {FIELD_OCTETS} octets" if max(map(len, read), default=0) > FIELD_OCTETS else None


def _crowded(octets: bytes, lowered: bytes) -> str | None:
    # One character is counted ten times as fast as two.
    if octets.count(b"?") > ENCODED_WORDS and any(
        field[0].count(b"=?") > ENCODED_WORDS for field in _ANY_FIELD.finditer(octets)
    ):
        return f"over {ENCODED_WORDS} encoded words in a header"
    if octets.count(b";") <= PARAMETERS:
        return None
    place = 0 if lowered.startswith(b"content-") else lowered.find(b"\ncontent-")
    while place >= 0:
        field = _FIELD.match(octets, place + (lowered[place : place + 1] == b"\n"))
        if field and field[0].count(b";") > PARAMETERS:
            return f"over {PARAMETERS} parameters in a header"
        place = lowered.find(b"\ncontent-", place + 1)
    return None


def _deep(octets: bytes, lowered: bytes) -> str | None:
    """Walk the boundaries only where their mere count could cross a limit."""
    nesting = lowered.count(b"boundary") + lowered.count(b"message/")
    # One character is counted three times as fast as three.
    if nesting <= DEPTH and (octets.count(b"\n") <= PARTS or octets.count(b"\n--") <= PARTS):
        return None
    levels, parts = _structure(octets)
    if levels > DEPTH:
        return f"nested over {DEPTH} deep"
    return f"over {PARTS} parts" if parts > PARTS else None


def _structure(octets: bytes) -> tuple[int, int]:
    """Return how deep and in how many parts `octets` are, as their boundaries say."""
    stack: list[bytes] = []
    deepest = parts = 0
    for match in _STRUCTURE.finditer(octets):
        quoted, bare, delimiter, message = match.groups()
        if delimiter is None:
            stack.append(b"" if message else (quoted or bare or b"").rstrip())
            deepest = max(deepest, len(stack))
        elif (level := _opened(stack, delimiter)) is not None:
            parts += 1
            del stack[level + 1 :]
        if deepest > DEPTH or parts > PARTS:
            break
    return deepest, parts


def _opened(stack: list[bytes], delimiter: bytes) -> int | None:
    """Return the level of the boundary that `delimiter` names; the stack is never over the limit."""
    name = delimiter.rstrip()
    for level in range(len(stack) - 1, -1, -1):
        if stack[level] and name in (stack[level], stack[level] + b"--"):
            return level
    return None


def markup(source: str) -> str | None:
    """Return which limit HTML crosses, None if it may be parsed."""
    if _deep_markup(source):
        return f"HTML nested over {ELEMENTS_DEEP} deep"
    return f"over {ATTRIBUTES} attributes in a tag" if _crowded_tag(source) else None


def _deep_markup(source: str) -> bool:
    """Return whether HTML nests deeper than is safe; its tags are looked at one by one only where they are many."""
    is_short = len(source) <= _SHORT_NESTING
    if is_short and not _may_be_deep(source):
        return False
    if source.count("<") - source.count("</") <= ELEMENTS_DEEP or (is_short and not _may_be_deep(source, _NO_ELEMENT)):
        return False
    return depth.is_over(source, ELEMENTS_DEEP)


def _may_be_deep(source: str, level: tuple[str, ...] = ()) -> bool:
    """Return whether it could be, if each end tag closes something: a tenth of the cost of looking at each tag.

    `level` is what begins like a tag and opens nothing.
    """
    open_ = 0
    for begin in range(0, len(source), _PIECE):
        end = begin + _PIECE
        ends = source.count("</", begin, end)
        tags = source.count("<", begin, end) - ends - sum(source.count(each, begin, end) for each in level)
        if open_ + tags > ELEMENTS_DEEP:
            return True
        # The worst order: all end tags first. One that two pieces share is counted as a tag.
        open_ = max(open_ - ends, 0) + tags
    return False


# All of it in one tag costs a tenth of a second (measured); counting would cost each mail of Word's that is shorter.
_SHORT = 50_000
# All tags that are none too crowded, and the text between them, in one go.
_CALM = re.compile(
    rf"(?:[^<]++|<(?![A-Za-z])|<[A-Za-z][^ \t\r\n\f/>]*+(?:{depth.ATTRIBUTE}){{0,{ATTRIBUTES}}}+"
    r"(?![ \t\r\n\f/]*+[^ \t\r\n\f/>]))*+"
)


def _crowded_tag(source: str) -> bool:
    """Return whether a tag has more attributes than is safe to parse; what precedes each is counted first."""
    if len(source) <= _SHORT or all(count <= ATTRIBUTES for count in accumulate(map(source.count, " \t\r\n\f/\"'"))):
        return False
    calm = _CALM.match(source)
    return calm is None or calm.end() < len(source)
