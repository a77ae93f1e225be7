"""Octets of a text part, and the charset that it declares, into text: never raises."""

import codecs
import re

# Windows clients label cp1252 as these; the C1 controls that Latin-1 means are in no mail (WHATWG).
LATIN = frozenset({"iso8859-1", "ascii", "latin-1"})
# Codecs that are no charset of a mail: slow (idna), or that warn and interpret (escapes).
NO_CHARSET = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs"})

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,39}")
_SURROGATE = re.compile("[\ud800-\udfff]")


def decode(octets: bytes, declared: str) -> tuple[str, str | None]:
    """Return the text, and a defect where the declared charset could not be honoured."""
    codec = _codec(declared)
    if codec is not None and codec not in LATIN:
        try:
            return scrub(octets.decode(codec)), None
        except (UnicodeError, ValueError):
            codec = None
    try:
        text = octets.decode("cp1252" if codec == "iso8859-1" else "utf-8")
    except UnicodeDecodeError:
        text = octets.decode("cp1252", "replace")
    return text, (None if codec or not declared else "charset")


def scrub(text: str) -> str:
    """Return `text` without lone surrogates, which no database takes."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def _codec(declared: str) -> str | None:
    if not _NAME.fullmatch(declared):
        return None
    try:
        name = codecs.lookup(declared).name
    except (LookupError, ValueError):
        return None
    return None if name in NO_CHARSET else name
