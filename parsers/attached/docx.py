"""The paragraphs of a Word document, its lists as items with levels.

A document is a zip of XML. Only three of its files are read, each up to a limit that is held while unpacking,
whatever size the zip declares; a document type, which could name entities that grow, is refused. Raises
`Unreadable` for what is no such document, and what zipfile and expat raise.
"""

import contextlib
import io
import re
import zipfile
from dataclasses import dataclass, field
from typing import NamedTuple
from xml.parsers import expat

from parsers import text
from parsers.model import LINES

# Of one file unpacked; a document of a hundred pages has 2 MB of XML.
XML_OCTETS = 8_000_000
# Files in the zip: the directory is read whole before anything can be asked of it.
FILES = 2_000
# Elements of one file: calls from expat, at about a microsecond each.
ELEMENTS = 150_000
_DIRECTORY_ENTRY = b"PK\x01\x02"
_WORD = "wordprocessingml"
_LEVELS = 9
_STYLES_DEEP = 10
_BUILT_IN = re.compile(r"List(?:Bullet|Number)[2-5]")


class Unreadable(Exception):  # noqa: N818  # a result, named for what the document is
    """The octets are no Word document that may be opened."""


class Paragraph(NamedTuple):
    """One paragraph: its text with line breaks, and as an item its level and mark, "" for none."""

    text: str
    level: int = 0
    marker: str = ""


class Document(NamedTuple):
    """What a document says; `cut` tells that there was more than is read."""

    paragraphs: tuple[Paragraph, ...]
    cut: bool


class _Enough(Exception):  # noqa: N818  # no error: a limit is reached
    """More than is read."""


class _Level(NamedTuple):
    """How one level of a list is marked: its format, text and first number."""

    format: str = "bullet"
    text: str = "•"
    start: int = 1


class _Place(NamedTuple):
    """A list and a level of it, by name; the list "0" or "" is none."""

    number: str
    level: int


def read(octets: bytes, characters: int) -> Document:
    """Return the paragraphs that together hold up to `characters`."""
    if octets.count(_DIRECTORY_ENTRY) > FILES:
        raise Unreadable("over-many-files")
    with zipfile.ZipFile(io.BytesIO(octets)) as archive:
        names = set(archive.namelist())
        if "word/document.xml" not in names:
            raise Unreadable("no-document")
        lists, styles = _Lists(), _Styles()
        for name, reader in (("word/numbering.xml", lists), ("word/styles.xml", styles)):
            if name in names:
                with contextlib.suppress(_Enough):
                    _parse(_unpacked(archive, name), reader)
        document = _Document(lists, styles, characters)
        try:
            _parse(_unpacked(archive, "word/document.xml"), document)
        except _Enough:
            return Document(tuple(document.found), cut=True)
        return Document(tuple(document.found), cut=False)


def _unpacked(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > XML_OCTETS:
        raise Unreadable("too-large")
    with archive.open(name) as file:
        unpacked = file.read(XML_OCTETS + 1)
    if len(unpacked) > XML_OCTETS:
        raise Unreadable("too-large")
    return unpacked


class _Reader:
    """What expat calls: names come without their prefix, of Word's own elements only."""

    def begin(self, name: str, value: dict[str, str]) -> None: ...

    def end(self, name: str) -> None: ...

    def data(self, characters: str) -> None: ...


def _parse(source: bytes, reader: _Reader) -> None:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    elements = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal elements
        elements += 1
        if elements > ELEMENTS:
            raise _Enough
        space, _, local = name.rpartition(" ")
        if _WORD in space or local == "Fallback":
            reader.begin(local, {key.rpartition(" ")[2]: value for key, value in attributes.items()})

    def end(name: str) -> None:
        space, _, local = name.rpartition(" ")
        if _WORD in space or local == "Fallback":
            reader.end(local)

    def doctype(*_: object) -> None:
        raise Unreadable("document-type")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = reader.data
    parser.StartDoctypeDeclHandler = doctype
    parser.Parse(source, True)


class _Lists(_Reader):
    """word/numbering.xml: a number names an abstract list, which has the levels."""

    def __init__(self) -> None:
        self._abstract: dict[str, dict[int, _Level]] = {}
        self._numbers: dict[str, str] = {}
        self._of = self._number = ""
        self._level = 0

    def begin(self, name: str, value: dict[str, str]) -> None:
        if name == "abstractNum":
            self._of, self._number = value.get("abstractNumId", ""), ""
            self._abstract.setdefault(self._of, {})
        elif name == "num":
            self._of, self._number = "", value.get("numId", "")
        elif name == "abstractNumId" and self._number:
            self._numbers[self._number] = value.get("val", "")
        elif name == "lvl" and self._of:
            self._level = _whole(value.get("ilvl", ""))
            self._abstract[self._of][self._level] = _Level("decimal", "", 1)
        elif name in ("numFmt", "lvlText", "start") and self._level in self._abstract.get(self._of, {}):
            level = self._abstract[self._of][self._level]
            val = value.get("val", "")
            self._abstract[self._of][self._level] = {
                "numFmt": level._replace(format=val),
                "lvlText": level._replace(text=val),
                "start": level._replace(start=_whole(val)),
            }[name]

    def level(self, place: _Place) -> _Level:
        return self._abstract.get(self._numbers.get(place.number, ""), {}).get(place.level, _Level())


class _Styles(_Reader):
    """word/styles.xml: `List Bullet` is a list although its paragraphs do not say so."""

    def __init__(self) -> None:
        self._own: dict[str, _Place] = {}
        self._based: dict[str, str] = {}
        self._style = ""

    def begin(self, name: str, value: dict[str, str]) -> None:
        val = value.get("val", "")
        if name == "style":
            self._style = value.get("styleId", "")
        elif name == "basedOn":
            self._based[self._style] = val
        elif name == "numId":
            self._own[self._style] = _Place(val, self._own.get(self._style, _Place("", 0)).level)
        elif name == "ilvl":
            self._own[self._style] = _Place(self._own.get(self._style, _Place("", 0)).number, _whole(val))

    def place(self, style: str) -> _Place:
        """Return the list that a style puts its paragraphs in; `ListBullet3` is a list of its own, two levels down."""
        deep = int(style[-1]) - 1 if _BUILT_IN.fullmatch(style) else 0
        for _ in range(_STYLES_DEEP):
            if self._own.get(style, _Place("", 0)).number or not style:
                break
            style = self._based.get(style, "")
        own = self._own.get(style, _Place("", 0))
        return own._replace(level=max(own.level, deep))


@dataclass
class _Open:
    """A paragraph as it is read; one in a text box stands inside another."""

    words: list[str] = field(default_factory=list)
    style: str = ""
    number: str | None = None
    level: int | None = None


class _Document(_Reader):
    """word/document.xml: deleted text is in elements of its own, and not read."""

    def __init__(self, lists: _Lists, styles: _Styles, characters: int) -> None:
        self.found: list[Paragraph] = []
        self._lists, self._styles, self._left = lists, styles, characters
        self._open: list[_Open] = []
        self._text = False
        self._unseen = 0
        self._counts: dict[str, dict[int, int]] = {}

    def begin(self, name: str, value: dict[str, str]) -> None:
        if name == "Fallback":
            self._unseen += 1
        elif name == "p":
            self._open.append(_Open())
        elif self._open:
            self._within(self._open[-1], name, value)

    def _within(self, paragraph: _Open, name: str, value: dict[str, str]) -> None:
        if name == "t":
            self._text = True
        elif name in ("br", "cr", "tab"):
            paragraph.words.append("\t" if name == "tab" and not value else "" if name == "tab" else "\n")
        elif name == "noBreakHyphen":
            paragraph.words.append("-")
        elif name == "pStyle":
            paragraph.style = value.get("val", "")
        elif name == "ilvl" and paragraph.level is None:
            paragraph.level = _whole(value.get("val", ""))
        elif name == "numId" and paragraph.number is None:
            paragraph.number = value.get("val", "")

    def data(self, characters: str) -> None:
        if self._text and not self._unseen and self._open:
            self._open[-1].words.append(characters[: self._left])
            self._left -= len(characters)
            if self._left <= 0:
                with contextlib.suppress(_Enough):
                    self.end("p")
                raise _Enough

    def end(self, name: str) -> None:
        if name == "t":
            self._text = False
        elif name == "Fallback":
            self._unseen -= 1
        elif name == "p" and self._open:
            paragraph = self._open.pop()
            said = "".join(paragraph.words)
            place = self._place(paragraph)
            marked = place.number not in ("", "0") and said.strip()
            self.found.append(Paragraph(said, place.level, self._marker(place)) if marked else Paragraph(said))
            if len(self.found) >= LINES:
                raise _Enough

    def _place(self, paragraph: _Open) -> _Place:
        styled = self._styles.place(paragraph.style)
        number = styled.number if paragraph.number is None else paragraph.number
        return _Place(number, min(styled.level if paragraph.level is None else paragraph.level, _LEVELS - 1))

    def _marker(self, place: _Place) -> str:
        level = self._lists.level(place)
        if level.format in ("bullet", "none"):
            return text.clean(level.text)[0].strip() or "•"
        counts = self._counts.setdefault(place.number, {})
        for deeper in [each for each in counts if each > place.level]:
            del counts[deeper]
        counts[place.level] = counts.get(place.level, level.start - 1) + 1
        return f"{counts[place.level]}."


def _whole(number: str) -> int:
    return int(number) if number.isdecimal() and len(number) < 6 else 0
