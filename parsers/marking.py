"""Marks of classification. So far the benign one: `(U)` before an item is its portion mark."""

import re

_PORTION = re.compile(r"\((U)\)[ \t]*")


def portion(text: str) -> tuple[str | None, int]:
    """Return the portion mark that opens `text`, and where the text after it begins."""
    match = _PORTION.match(text)
    return (match[1], match.end()) if match else (None, 0)
