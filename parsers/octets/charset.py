"""Octets of a text part, and the charset that it declares, into text: never raises.

In this order: a byte-order mark; escape sequences of ISO-2022; UTF-8 where all of it is valid, whatever
single-byte charset is declared; the declared charset; for HTML without one its `<meta>`; and what
`parsers.octets.guess` finds. The names that are understood are a table made once: the codec registry would import
whatever a sender names.
"""

import re
from encodings.aliases import aliases
from functools import lru_cache

from parsers.octets import guess, jis
from parsers.tables.charsets import MEANT, MULTIBYTE, NONE_OF_MAIL, STATEFUL

DEFECT = "charset"
_SEPARATORS = re.compile("[^a-z0-9]+")
_SUFFIX = re.compile(r"//|\$")
_SURROGATE = re.compile("[\ud800-\udfff]")
_META = re.compile(rb"<meta[^>]{0,200}?charset[ \t]*=[ \t\"']*([A-Za-z0-9._:-]{2,40})", re.IGNORECASE)
_META_WITHIN = 4_096
# A broken character or two do not make UTF-8 something else.
_MISTAKES = 50
# So many octets outside ASCII are UTF-8 by no chance, even where a double-byte charset is declared.
_NO_CHANCE = 12
_FOREIGN = re.compile(rb"[\x80-\xff]")

_BOMS = (
    (b"\xef\xbb\xbf", "utf_8"),
    (b"\xff\xfe\0\0", "utf_32"),
    (b"\0\0\xfe\xff", "utf_32"),
    (b"\xff\xfe", "utf_16"),
    (b"\xfe\xff", "utf_16"),
)


def _squashed(name: str) -> str:
    return _SEPARATORS.sub("", _SUFFIX.split(name.lower(), maxsplit=1)[0])


_CODECS = {
    **{_squashed(codec): codec for codec in aliases.values() if codec not in NONE_OF_MAIL},
    **{_squashed(alias): codec for alias, codec in aliases.items() if codec not in NONE_OF_MAIL},
    **MEANT,
}


@lru_cache(maxsize=64)
def codec(declared: str) -> str | None:
    """Return the codec that reads what mail calls `declared`, None for a name that says nothing."""
    name = _squashed(declared)
    # `x-mac-roman`, `cs-iso-8859-1`: the mark of a private name or of an old register before a known one.
    return _CODECS.get(name) or (_CODECS.get(name[1:]) if name[:1] == "x" else _CODECS.get(name.removeprefix("cs")))


def decode(octets: bytes, declared: str, *, html: bool = False) -> tuple[str, str | None]:
    """Return the text, and a defect where the declared charset could not be honoured."""
    named = codec(declared[:60]) if declared else None
    if octets.isascii() and named not in STATEFUL and b"\x1b" not in octets and b"\0" not in octets:
        return octets.decode("ascii"), None
    text = _evident(octets, named)
    if text is not None:
        return scrub(text), None
    if named is None and html and (meta := _META.search(octets[:_META_WITHIN])):
        named = codec(meta[1].decode("ascii"))
    return _likely(octets, named, wrong=DEFECT if declared else None)


def scrub(text: str) -> str:
    """Return `text` without lone surrogates, which no database takes."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def _evident(octets: bytes, named: str | None) -> str | None:
    """Return the text where the octets themselves say what they are: marks, escapes, zeros."""
    for mark, marked in _BOMS:
        if octets.startswith(mark):
            return octets.decode(marked, "replace")
    if b"\x1b" in octets and (b"\x1b$" in octets or b"\x1b(" in octets):
        return jis.decode(octets)
    if b"\0" in octets and ((named or "").startswith("utf_16") or octets.count(b"\0") * 4 > len(octets)):
        little = octets[1::2].count(b"\0") > octets[::2].count(b"\0")
        return octets.decode("utf_16_le" if little else "utf_16_be", "replace")
    return None


def _likely(octets: bytes, named: str | None, wrong: str | None) -> tuple[str, str | None]:
    utf8 = _utf8(octets, certain=named in (None, "utf_8"))
    sure = named not in MULTIBYTE or len(_FOREIGN.findall(octets[:1_000_000])) >= _NO_CHANCE
    if utf8 is not None and sure and named not in STATEFUL:
        return utf8, None if named in (None, "utf_8", "cp1252") and (named or not wrong) else wrong
    if named is not None and not named.startswith(("utf_16", "utf_32")):
        text = _declared(octets, named)
        if text is not None:
            return (scrub(text) if named in STATEFUL else text), None
    return octets.decode(guess.codec(octets), "replace"), wrong


def _utf8(octets: bytes, *, certain: bool) -> str | None:
    """Return `octets` as UTF-8, with a few mistakes where nothing else was declared."""
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        if not certain:
            return None
    text = octets.decode("utf-8", "replace")
    good = sum(1 for character in text[:1_000_000] if character > "\x7f") if not text.isascii() else 0
    bad = text.count("\ufffd")
    return text if good - bad > bad and bad <= _MISTAKES else None


def _declared(octets: bytes, named: str) -> str | None:
    """Return the text in the declared charset; a mistake in a hundred characters is the sender's."""
    try:
        return octets.decode(named)
    except (UnicodeError, ValueError):
        text = octets.decode(named, "replace")
    return text if text.count("\ufffd") * 50 <= len(octets) - len(_FOREIGN.sub(b"", octets)) else None
