"""The marker that a browser shows before an item of an ordered list: `<ol type=a start=3>` gives `c.`"""

import re

STYLES = {
    "lower-alpha": "a",
    "lower-latin": "a",
    "upper-alpha": "A",
    "upper-latin": "A",
    "lower-roman": "i",
    "upper-roman": "I",
}
_ROMAN = ((50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))
_DASH = re.compile(r"list-style-type:\s*+[\"'][-–—]\s*+[\"']")  # noqa: RUF001  # dashes of all lengths
# What has more items than this counts in digits, whatever its type.
_LETTERS, _ROMANS = 26, 89


def style(kind: str | None, css: str | None) -> str:
    """Return `1`, `a`, `A`, `i` or `I` for an ordered list's type attribute and style."""
    if kind in ("a", "A", "i", "I"):
        return kind
    if css and "list-style" in css:
        named = (shown for name, shown in STYLES.items() if name in css)
        return next(named, "1")
    return "1"


def mark(css: str | None) -> str:
    """Return the dash that a list's style sets before each item: Outlook on the web, where one was typed."""
    return "-" if css and "list-style-type" in css and _DASH.search(css) else ""


def marker(number: int, shown: str) -> str:
    """Return the marker of item `number` in a list of that style."""
    if shown in ("a", "A") and 1 <= number <= _LETTERS:
        return f"{chr(ord(shown) + number - 1)}."
    if shown in ("i", "I") and 1 <= number <= _ROMANS:
        roman = _roman(number)
        return f"{roman if shown == 'i' else roman.upper()}."
    return f"{number}."


def _roman(number: int) -> str:
    spelt = ""
    for value, letters in _ROMAN:
        while number >= value:
            spelt += letters
            number -= value
    return spelt


def number(value: str | None, default: int) -> int:
    """Return what a `start` or `value` attribute counts from; `default` where it is no small number."""
    return int(value) if value and value.isascii() and value.isdecimal() and len(value) < 6 else default
