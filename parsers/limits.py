"""What a message may cost before it is taken apart: answers the reason to park it, or None.

Promises to look at octets only, in linear time. What it counts is an upper bound: a text that
talks of a thousand boundaries is parked too, its octets whole.
"""

import re

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

_END_OF_HEAD = re.compile(rb"\n\r?\n|\r\r")
_FIELD = re.compile(rb"[!-9;-~]*:[^\r\n]*(?:(?:\r\n|\n|\r)[ \t][^\r\n]*)*(?:\r\n|\n|\r|\Z)")
_ANY_FIELD = re.compile(rb"^[!-9;-~]+:[^\n]*(?:\n[ \t][^\n]*)*", re.MULTILINE)
_STRUCTURE = re.compile(
    rb"boundary[ \t]*=[ \t]*(?:\"([^\"\r\n]*)\"|([^\s;\"]+))|^--([^\r\n]*)|(message/)",
    re.MULTILINE | re.IGNORECASE,
)


_TAG = re.compile("<(/?)([A-Za-z][A-Za-z0-9]*)")
# Elements that are never closed, or close each other.
_LEVEL = frozenset(
    {"area", "base", "br", "col", "dd", "dt", "hr", "img", "input", "li", "link", "meta", "option", "p", "td", "th",
     "tr", "wbr"}
)  # fmt: skip


def head_end(octets: bytes) -> int:
    """Return where the header block ends, its last line break included."""
    if octets[:1] in (b"\r", b"\n"):
        return 0
    end = _END_OF_HEAD.search(octets, 0, HEADER_OCTETS + 4)
    return len(octets) if end is None else end.start() + 1


def fields(octets: bytes) -> list[bytes]:
    """Return the fields of the header block, unfolded by no one, up to the first line that is none."""
    found: list[bytes] = []
    place, end = 0, head_end(octets)
    while place < end and (field := _FIELD.match(octets, place, end)) and field.end() > place:
        found.append(field[0])
        place = field.end()
        if len(found) > HEADERS:
            break
    return found


def excess(octets: bytes, head: list[bytes], read: list[bytes]) -> str | None:
    """Return which limit `octets` cross, None if none; `head` are its fields, `read` those that matter."""
    if head_end(octets) > HEADER_OCTETS:
        return f"header block over {HEADER_OCTETS} octets"
    if len(head) > HEADERS:
        return f"over {HEADERS} headers"
    lowered = octets.lower()
    return _crowded(octets, lowered) or _long(read) or _deep(octets, lowered)


def _long(read: list[bytes]) -> str | None:
    return f"a header over {FIELD_OCTETS} octets" if any(len(field) > FIELD_OCTETS for field in read) else None


def _crowded(octets: bytes, lowered: bytes) -> str | None:
    if octets.count(b"=?") > ENCODED_WORDS and any(
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
    if nesting <= DEPTH and octets.count(b"\n--") <= PARTS:
        return None
    depth, parts = _structure(octets)
    if depth > DEPTH:
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


def deep_markup(source: str) -> bool:
    """Return whether HTML nests deeper than is safe to parse; end tags that close nothing count too."""
    if source.count("<") <= ELEMENTS_DEEP:
        return False
    depth = 0
    for end, tag in _TAG.findall(source):
        if tag.lower() not in _LEVEL:
            depth = max(depth + (-1 if end else 1), 0)
            if depth > ELEMENTS_DEEP:
                return True
    return False
