"""What cannot be done as it was typed: one line that says what is wrong, where, and what would be right."""

import re

_PASSWORD = re.compile(r"(://[^:/@\s'\"]*:)[^\s'\"]*@|([?&]password=)[^&\s'\"]*")


class Complaint(Exception):  # noqa: N818  # what an operator did wrong, not the program
    """Ends a verb with exit code 2; the text is what to print, on one line."""


def masked(text: str) -> str:
    """Return the text with the passwords of database addresses hidden."""
    return _PASSWORD.sub(lambda found: f"{found[1]}***@" if found[1] else f"{found[2]}***", text)


def printable(text: str) -> str:
    """Return text of others so that it can do nothing to a terminal: no control and no direction marks."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text)


def one_line(text: str) -> str:
    return printable(" ".join(masked(text).split()))
