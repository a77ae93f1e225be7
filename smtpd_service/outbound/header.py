"""Header text that holds whatever came in and can never begin another header.

Everything passes `clean` first, so no line end of the sender's is left; the only line ends in a
written field are those of our own folding, each followed by a space (RFC 5322 section 2.2.3).
"""

import re
from base64 import b64encode
from collections.abc import Iterator

LINE = 76
LONGEST_TOKEN = 60
LONGEST_ADDRESS = 900
# 45 octets are 60 in base64; with "=?utf-8?B?" and "?=" an encoded word has 72 of its 75.
WORD_OCTETS = 45

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_SPACES = re.compile(r" {2,}")
_ATOMS = r'[^\s<>()\[\],;:\\"@]+'
_ADDRESS = re.compile(rf'(?:{_ATOMS}|"(?:[^"\\]|\\.)*")@(?:{_ATOMS}|\[[0-9A-Za-z.:]+\])')


def clean(text: str) -> str:
    """Return `text` on one line: controls, line ends and stray surrogates become single spaces."""
    return _SPACES.sub(" ", _CONTROLS.sub(" ", text)).strip(" ")


def field(name: str, value: str) -> bytes:
    """Return one written header field, folded where its tokens allow, with its line end."""
    lines = [f"{name}:"]
    for token in value.split(" "):
        if len(lines[-1]) + 1 + len(token) > LINE and lines[-1] != f"{name}:":
            lines.append("")
        lines[-1] += f" {token}"
    return ("\r\n".join(lines) + "\r\n").encode()


def unstructured(text: str) -> str:
    """Return `text` for a Subject: plain up to the first token that needs it, then RFC 2047 words."""
    tokens = clean(text).split(" ")
    first = next((i for i, token in enumerate(tokens) if _needs_encoding(token)), len(tokens))
    rest = " ".join(tokens[first:])
    return " ".join([*tokens[:first], *_encoded_words(rest)])


def mailbox(address: str, *, utf8: bool, display_name: str = "") -> str:
    """Return `address` as a header names it.

    An address that is none, or that is not ASCII while `utf8` is off, is shown as the name of an
    empty group, which no program takes for a place to write to (RFC 6857 section 3.1).
    """
    address = clean(address)
    if not is_address(address) or not (utf8 or address.isascii()):
        return f"{' '.join(_encoded_words(address or '?'))}:;"
    return f"{_phrase(display_name)} <{address}>" if display_name else f"<{address}>"


def is_address(text: str) -> bool:
    """Tell whether `text` is local-part@domain and nothing else."""
    return clean(text) == text and len(text.encode()) <= LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None


def _needs_encoding(token: str) -> bool:
    return not token.isascii() or "=?" in token or len(token) > LONGEST_TOKEN


def _encoded_words(text: str) -> Iterator[str]:
    """Yield `text` in base64 words, none of which splits a character (RFC 2047 section 5)."""
    word = b""
    for octets in (character.encode() for character in text):
        if len(word) + len(octets) > WORD_OCTETS:
            yield f"=?utf-8?B?{b64encode(word).decode()}?="
            word = b""
        word += octets
    if word:
        yield f"=?utf-8?B?{b64encode(word).decode()}?="


def _phrase(name: str) -> str:
    name = clean(name)
    if any(_needs_encoding(token) for token in name.split(" ")):
        return " ".join(_encoded_words(name))
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
