"""What an HTML element is to a reply: quote, boundary, attribution, signature, or nothing of these.

Asked of each element that has attributes, so the common case is a few look-ups in the tables of
`parsers.tables.boundaries`. A verdict's name holds nothing that a sender may choose freely.
"""

import re
from typing import NamedTuple

from selectolax.lexbor import LexborNode

from parsers.borders import header_block
from parsers.tables.boundaries import CLASSES, IDS, LABEL_PREFIXES, MARKERS, NAMES, TOP_BORDERS, Effect

Attributes = dict[str, str | None]

# What programs put before the names in a mail that they quote or show.
_PREFIX = re.compile(r"(?:x_)+|m_-?\d+|yiv\d+|ydp[0-9a-f]+|aolmail_")
_PREFIXES = ("x_", "m_", "yiv", "ydp", "aolmail_")
_NUMBER = re.compile(r"_\d+$")
_LEFT_BORDER = re.compile(
    r"border-left(?:-width|-style|-color)?:(?!0|none|initial|inherit)|border-width:0(?:px)?0(?:px)?0(?:px)?[1-9]"
)
_NO_BORDER = re.compile(r"border-left:[^;]*(?:none|medium|initial)")
_HEADING = 200
# Where the names stand, as sources in lower case write it; of a longer value the rest is not looked at.
_NAMED = (("class=", CLASSES), ("id=", IDS), ("name=", NAMES), ("data-marker=", MARKERS))
_VALUE = 120
_LABELS = tuple(f"{before}{prefix}" for prefix in LABEL_PREFIXES for before in ("", "x_"))


class Verdict(NamedTuple):
    """What an element is, and what a trace calls it."""

    effect: Effect
    name: str


def judge(node: LexborNode, tag: str, attributes: Attributes, *, search: bool = True) -> Verdict | None:
    """Return what the element is; None if it is the author's like any other.

    Without `search` no element's content is looked through, which costs its size each time.
    """
    identity, classes = attributes.get("id"), attributes.get("class")
    found = None
    if identity:
        found = _known(identity, IDS)
    if classes and found is None:
        found = _of_class(classes)
    if found is None:
        found = _of_other(node, tag, attributes)
    if search and found is not None and found.effect is Effect.CONTAINER:
        return _of_container(node, tag, found)
    return found


def are_named(source: str) -> bool:
    """Return whether an element of a source, in lower case, has a name of the tables: of whatever effect."""
    return any(
        _known(word, names) is not None
        for attribute, names in _NAMED
        for value in {piece[:_VALUE] for piece in source.split(attribute)[1:]}
        for word in _value(value).split(None, 8)[:8]
    )


def _value(text: str) -> str:
    """Return the value of an attribute that a text begins with, with quotation marks around it or without."""
    mark = text[:1]
    return text[1:].partition(mark)[0] if mark in ("'", '"') else text.partition(">")[0].partition(" ")[0]


def _known(word: str, table: dict[str, Effect]) -> Verdict | None:
    lowered = word.strip().casefold()
    if lowered.startswith(_PREFIXES):
        lowered = _PREFIX.sub("", lowered, count=1)
    effect = table.get(lowered)
    if effect is None and lowered[-1:].isdigit():
        lowered = _NUMBER.sub("", lowered)
        effect = table.get(lowered)
    return None if effect is None else Verdict(effect, lowered)


def _of_class(classes: str) -> Verdict | None:
    for word in classes.split(None, 8)[:8]:
        found = _known(word, CLASSES)
        if found is not None:
            return found
        lowered = word.casefold()
        if lowered.startswith(_LABELS):
            named = (prefix for prefix in LABEL_PREFIXES if lowered.startswith((prefix, f"x_{prefix}")))
            return Verdict(Effect.LABEL, next(named))
    return None


def _of_other(  # noqa: PLR0911  # a return for each sign
    node: LexborNode, tag: str, attributes: Attributes
) -> Verdict | None:
    """Judge by name, Zimbra's marker, a blockquote's type or border, and the rule above Outlook's header."""
    name, marker = attributes.get("name"), attributes.get("data-marker")
    if name and (found := _known(name, NAMES)) is not None:
        return found
    if marker and (found := _known(marker, MARKERS)) is not None:
        return found
    if tag == "blockquote" and (attributes.get("type") or "").casefold() == "cite":
        return Verdict(Effect.QUOTE, "blockquote-cite")
    style = attributes.get("style")
    if not style or "border" not in style.casefold():
        return None
    drawn = style.casefold().replace(" ", "")
    if tag == "blockquote" and has_left_border(drawn):
        return Verdict(Effect.QUOTE, "blockquote-border")
    if any(color in drawn for color in TOP_BORDERS) and _is_heading(node, bare="border-top" in drawn):
        return Verdict(Effect.END, "outlook-border")
    return None


def has_left_border(style: str) -> bool:
    """Return whether a style, in lower case and without spaces, draws a line on the left: how quotes are shown."""
    return bool(_LEFT_BORDER.search(style)) and not _NO_BORDER.search(style)


def _is_heading(node: LexborNode, *, bare: bool) -> bool:
    """Return whether the element begins as a quoted header does, or with `bare` is empty; authors draw rules too."""
    text = (node.text() or "").strip()[:_HEADING]
    return header_block.is_header(text) if text else bare


def _of_container(node: LexborNode, tag: str, found: Verdict) -> Verdict | None:
    """Gmail's container holds answers beside its quotes, but none where it forwards or holds no blockquote."""
    if tag == "blockquote" or node.css_first("blockquote") is None:
        return Verdict(Effect.QUOTE, found.name)
    head = node.css_first("div.gmail_attr")
    if head is not None and header_block.divider((head.text() or "").strip().split("\n")[0][:60]):
        return Verdict(Effect.QUOTE, found.name)
    return found
