"""The plain-text side of mail programs: lists, wrapping, RFC 3676 flow, quotes, dates."""

import textwrap
from collections.abc import Iterable
from datetime import datetime

from smtpd_service.demo.letter import REQUEST, Letter, marked


def listed(letter: Letter, marker: str, width: int, hang: str) -> str:
    """Return the bullets a line each, wrapped at `width` with `hang` before what continues."""
    return "\n".join(
        wrapped(f"{marked(marker, position)} {bullet}", width, hang)
        for position, bullet in enumerate(letter.bullets, start=1)
    )


def wrapped(text: str, width: int, hang: str = "") -> str:
    """Return `text` in lines of at most `width`; the white space before its first word is kept."""
    words = text.lstrip(" ")
    indent = text[: len(text) - len(words)]
    return "\n".join(_lines(words, width, indent, hang))


def flowed(text: str, width: int, end: str = " ") -> str:
    """Return one paragraph of RFC 3676 text; `end` is two spaces when DelSp is yes."""
    return f"{end}\n".join(_lines(text, width - len(end), "", ""))


def _lines(text: str, width: int, indent: str, hang: str) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=hang,
        break_long_words=False,
        break_on_hyphens=False,
    )


def stacked(*blocks: str) -> str:
    """Return the blocks that are not empty, a blank line between each."""
    return "\n\n".join(block for block in blocks if block)


def quoted(lines: Iterable[str], empty: str = ">") -> str:
    """Return the lines behind `> `; `empty` is what stands for a blank one."""
    return "\n".join(f"> {line}" if line else empty for line in lines)


def request_lines(width: int) -> list[str]:
    """Return the request as it is quoted: paragraphs wrapped at `width`, blank lines between."""
    return stacked(*(wrapped(paragraph, width) for paragraph in REQUEST)).split("\n")


def clock(moment: datetime, space: str = " ") -> str:
    """Return `4:46 PM`; since 2023 Apple and Google put U+202F as its space."""
    return f"{moment.hour % 12 or 12}:{moment:%M}{space}{moment:%p}"


def long_date(moment: datetime) -> str:
    return f"{moment:%A, %B} {moment.day}, {moment:%Y}"


def short_date(moment: datetime) -> str:
    return f"{moment:%b} {moment.day}, {moment:%Y}"
