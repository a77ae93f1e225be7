"""Addresses of the envelope: parsed once, strictly and in linear time (RFC 5321 section 4.1.2, RFC 6531)."""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

LOCAL_PART_LIMIT = 64
DOMAIN_LIMIT = 255

# RFC 6531 lets any character above ASCII stand where an atom or a label may. What one octet begins no other form may
# begin, and `++` gives nothing back: a path is read in one pass, whoever wrote it.
_ABOVE = r"\x80-\U0010ffff"
_ATOM = rf"[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~{_ABOVE}-]++"
_DOT_STRING = rf"{_ATOM}(?:\.{_ATOM})*"
_QUOTED_STRING = rf'"(?:[ !#-\[\]-~{_ABOVE}]|\\[ -~])*"'
# Hyphens within, never at an end.
_LABEL = rf"[A-Za-z0-9{_ABOVE}]++(?:-++[A-Za-z0-9{_ABOVE}]++)*"
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL})*"
_LITERAL = r"\[[A-Za-z0-9:.-]{1,64}\]"
# A source route is taken and ignored (RFC 5321 appendix C).
_ROUTE = rf"@{_DOMAIN}(?:,@{_DOMAIN})*:"
_PATH = re.compile(rf"<(?:{_ROUTE})?({_DOT_STRING}|{_QUOTED_STRING})@({_DOMAIN}\.?|{_LITERAL})>(?: (.*))?")
_PLAIN = re.compile(_DOT_STRING)
_QUOTED = re.compile(_QUOTED_STRING)
_PAIR = re.compile(r"\\(.)")
_NEEDS_PAIR = re.compile(r'["\\]')
# Mail for the same few mailboxes comes again and again.
_KEYS = 4_096


class Path(NamedTuple):
    """A path and what followed it; `address` is empty for the null reverse-path `<>`."""

    address: str
    rest: str

    @property
    def ascii(self) -> bool:
        return self.address.isascii()


def parse_path(text: str) -> Path | None:
    """Read `<local@domain>` and what follows, or None when it is no path.

    Control characters, surrogates and unquoted spaces are no part of any address. Source: RFC 5321
    sections 4.1.2 and 4.5.3.1 (local part at most 64, domain 255 octets).
    """
    text = text.lstrip(" ")
    if not text.isprintable() and any(unicodedata.category(c) in ("Cc", "Cs") for c in text):
        return None
    if text.startswith("<>"):
        return _with_rest("", text[2:])
    path = _PATH.fullmatch(text)
    if path is None:
        return None
    local, domain, rest = path.groups()
    if len(local.encode()) > LOCAL_PART_LIMIT or len(domain.encode()) > DOMAIN_LIMIT:
        return None
    return Path(f"{local}@{domain.removesuffix('.')}", rest.strip(" ") if rest else "")


def _with_rest(address: str, rest: str) -> Path | None:
    return Path(address, rest.strip(" ")) if not rest or rest.startswith(" ") else None


@lru_cache(_KEYS)
def mailbox_key(address: str) -> str:
    """Return the form under which a mailbox is listed and found: least quoted, NFC, case folded in both halves.

    RFC 5321 section 2.4 leaves the local part's case to the host that owns it; ours ignores it. A domain in A-labels
    is the one in U-labels (RFC 5890 section 2.3.2.1).
    """
    key = unicodedata.normalize("NFC", _least_quoted(address)).lower()
    local, at, domain = key.rpartition("@")
    return f"{local}{at}{'.'.join(_u_label(label) for label in domain.split('.'))}" if "xn--" in domain else key


def _u_label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return unicodedata.normalize("NFC", label[4:].encode("ascii").decode("punycode")).lower()
    except UnicodeError:
        return label


def _least_quoted(address: str) -> str:
    """Return `address` with no quotes that it can do without: all quoted forms are one (RFC 5321 section 4.1.2)."""
    quoted = _QUOTED.match(address)
    if quoted is None or not address.startswith("@", quoted.end()):
        return address
    local = _PAIR.sub(r"\1", quoted.group()[1:-1])
    if not _PLAIN.fullmatch(local):
        local = '"' + _NEEDS_PAIR.sub(r"\\\g<0>", local) + '"'
    return local + address[quoted.end() :]


def is_address(text: str) -> bool:
    """Say whether `text` is one bare address, as an operator would type it."""
    path = parse_path(f"<{text}>")
    return path is not None and path.address == text and text != ""
