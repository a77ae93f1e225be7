"""Rich Text Format into text, or into the HTML that Exchange hides in it: bounded, never raises.

Outlook writes RTF inside `winmail.dat`, compressed (MS-OXRTFCP) and, where the mail was HTML, with each tag in a
group `\\*\\htmltag` (MS-OXRTFEX). Tables, pictures and fonts are passed over; the marks of lists are
text (`\\pntext`, `\\listtext`) and stay.
"""

import re
from typing import NamedTuple

# Of RTF looked at; text is a tenth of it.
OCTETS = 2_000_000
# Groups open at once; a writer needs a dozen.
GROUPS = 1_000

_TOKEN = re.compile(
    r"\\([a-z]{1,32})(-?\d{1,9})? ?|\\'([0-9a-fA-F]{2})|\\([^a-z'])|([{}])|([^\\{}\r\n]+)|[\r\n]+|\\", re.DOTALL
)
_PASSED_OVER = frozenset(
    {
        "fonttbl", "colortbl", "stylesheet", "info", "pict", "header", "headerl", "headerr", "headerf", "footer",
        "footerl", "footerr", "footerf", "object", "fldinst", "filetbl", "listtable", "listoverridetable", "themedata",
        "datastore", "latentstyles", "xmlnstbl", "rsidtbl", "generator", "annotation", "footnote", "bkmkstart",
    }
)  # fmt: skip
_SHOWN = {
    "par": "\n", "line": "\n", "row": "\n", "sect": "\n", "page": "\n", "tab": "\t", "cell": "\t", "bullet": "•",
    "endash": "–", "emdash": "—", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”",  # noqa: RUF001
}  # fmt: skip
_CODEPAGES = frozenset({*range(1_250, 1_259), 437, 850, 852, 866, 874, 932, 936, 949, 950})
_SYMBOLS = {"~": "\u00a0", "_": "-", "\\": "\\", "{": "{", "}": "}", "\n": "\n", "\r": "\n"}
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


class Group(NamedTuple):
    """What holds inside one pair of braces."""

    silent: bool = False
    tag: bool = False
    fallback: int = 1


class Text(NamedTuple):
    """What RTF says; `html` tells that it is markup."""

    text: str
    html: bool


def read(octets: bytes) -> Text:
    """Return the text of RTF."""
    source = octets[:OCTETS].decode("latin-1")
    page = _Page(html="\\fromhtml1" in source[:2_000])
    for token in _TOKEN.finditer(source):
        word, number, code, symbol, brace, text = token.groups()
        if brace:
            page.brace(brace)
        elif word:
            page.control(word, int(number) if number else None)
        elif code:
            page.octet(int(code, 16))
        elif symbol:
            page.symbol(symbol)
        elif text:
            page.write(text.encode("latin-1").decode(page.codec, "replace") if not text.isascii() else text)
    return Text(page.finished(), page.html)


class _Page:
    """What has been read so far. Lives for one call of `read`."""

    def __init__(self, *, html: bool) -> None:
        self.html = html
        self.codec = "cp1252"
        self._words: list[str] = []
        self._octets = bytearray()
        self._group = Group()
        self._outer: list[Group] = []
        self._skip = 0
        self._star = False
        self._in_rtf = False  # \htmlrtf: what only readers of RTF are to see

    def brace(self, brace: str) -> None:
        self._flush()
        self._star = False
        self._skip = 0
        if brace == "{" and len(self._outer) < GROUPS:
            self._outer.append(self._group)
        elif brace == "}" and self._outer:
            self._group = self._outer.pop()

    def control(self, word: str, number: int | None) -> None:
        if word == "u" and number is not None:
            self._flush()
            self.write(chr(number % 65_536))
            self._skip = self._group.fallback
            return
        self._flush()
        star, self._star = self._star, False
        if word == "htmlrtf":
            self._in_rtf = number != 0
        elif word == "uc":
            self._group = self._group._replace(fallback=max(min(number or 0, 9), 0))
        elif word == "ansicpg" and number in _CODEPAGES:
            self.codec = f"cp{number}"
        elif star:
            self._group = self._group._replace(silent=word != "htmltag", tag=word == "htmltag")
        elif word in _PASSED_OVER:
            self._group = self._group._replace(silent=True)
        elif word in _SHOWN:
            self.write(_SHOWN[word])

    def octet(self, code: int) -> None:
        if self._skip:
            self._skip -= 1
        elif not self._unseen():
            self._octets.append(code)

    def symbol(self, symbol: str) -> None:
        self._flush()
        if symbol == "*":
            self._star = True
        elif self._skip:
            self._skip -= 1
        else:
            self.write(_SYMBOLS.get(symbol, ""))

    def write(self, text: str) -> None:
        self._flush()
        if self._skip:
            self._skip, text = max(self._skip - len(text), 0), text[self._skip :]
        if not self._unseen() and text:
            self._words.append(text if not self.html or self._group.tag else _escaped(text))

    def finished(self) -> str:
        self._flush()
        text = "".join(self._words)
        # A character beyond the first plane comes as two surrogates.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def _unseen(self) -> bool:
        return self._group.silent or (self._in_rtf and not self._group.tag)

    def _flush(self) -> None:
        if self._octets:
            text = self._octets.decode(self.codec, "replace")
            self._octets.clear()
            self._words.append(text if not self.html or self._group.tag else _escaped(text))


def _escaped(text: str) -> str:
    return "".join(_ENTITIES.get(character, character) for character in text)


# MS-OXRTFCP section 2.1.2.1: the dictionary begins with what most RTF begins with.
_PRIMED = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript "
    rb"\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
_HEADER = 16
_WINDOW = 4_096


def decompressed(octets: bytes) -> bytes:
    """Return the RTF of a compressed body; one that says it is not compressed is returned as it is."""
    body = octets[_HEADER:]
    if octets[8:12] != b"LZFu":
        return body
    window = bytearray(_PRIMED.ljust(_WINDOW, b"\0"))
    place, written = 0, len(_PRIMED)
    found = bytearray()
    while place < len(body) and len(found) < OCTETS:
        control = body[place]
        place += 1
        for bit in range(8):
            if control >> bit & 1:
                piece, place = _piece(body, place, window, written)
            else:
                piece, place = body[place : place + 1], place + 1
            if not piece:
                return bytes(found)
            for octet in piece:
                window[written % _WINDOW] = octet
                written += 1
            found += piece
    return bytes(found)


def _piece(body: bytes, place: int, window: bytearray, written: int) -> tuple[bytes, int]:
    """Return what a reference into the window stands for; nothing at its end, where it points to itself."""
    if place + 2 > len(body):
        return b"", place
    reference = body[place] << 8 | body[place + 1]
    offset, length = reference >> 4, (reference & 15) + 2
    if offset == written % _WINDOW:
        return b"", place
    # What a reference reaches may be what it is just writing.
    reach = min(length, (written - offset) % _WINDOW)
    known = bytes(window[(offset + index) % _WINDOW] for index in range(reach))
    return (known * (length // reach + 1))[:length], place + 2
