"""Writes docs/conformance.md from the rules and the names of their tests: `python -m tests.conformance.statement`.

With `--check` it writes nothing, and fails where the document is not what it would write.
"""

import ast
import re
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from tests.conformance.rules import RULES

FOLDER = Path(__file__).resolve().parent
DOCUMENT = FOLDER.parents[1] / "docs/conformance.md"
_NAME = re.compile(r"test_line_(\d{2})_(\w+)")

# Names that are written in capitals, but for those that are plain words too (mail, data, size).
_CAPITALS = frozenset(
    (
        *("ehlo", "helo", "lhlo", "rcpt", "rset", "vrfy", "expn", "starttls", "notify", "ret", "envid", "orcpt"),
        *("smtputf8", "8bitmime", "ascii", "crlf", "lf", "nul", "dsn", "mta", "mx", "tls", "smtp", "lmtp"),
    )
)
_WRITTEN = {"utf8": "UTF-8", "kib": "KiB", "kb": "kB", "rfc": "RFC"}
_CODE = re.compile(r"\b([245]) (\d) (\d{1,3})\b")

_HEAD = """# Conformance

What Pulsebox holds itself to as a mail server, line by line: the rule, where it comes from, and the tests that hold
it. Each test speaks the protocol to the listener that ships, or provokes a real notice and reads its octets; `make
conformance` runs them. The client of these tests fails at any reply without an enhanced code of its own class (line
50), in whichever dialogue it comes.

This page is written by `python -m tests.conformance.statement`, and a test compares it with the rules and the tests.
"""


def functions() -> Iterator[tuple[Path, str]]:
    """Yield file and name of every test function of this folder, in the order of the files."""
    for file in sorted(FOLDER.glob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield file, node.name


def held_by() -> dict[int, list[tuple[Path, str]]]:
    """Return each line's tests as file and sentence. Raises ValueError for a test that names no line."""
    found: dict[int, list[tuple[Path, str]]] = {}
    for file, name in functions():
        match = _NAME.fullmatch(name)
        if match is None:
            raise ValueError(f"{file.name}: {name} does not begin with test_line_NN_")
        found.setdefault(int(match[1]), []).append((file, match[2].replace("_", " ")))
    return found


def document() -> str:
    """Return the page. Raises KeyError for a test of a line that has no rule."""
    held, lines, chapter = held_by(), [_HEAD], ""
    for number, rule in sorted(RULES.items()):
        if rule.chapter != chapter:
            chapter = rule.chapter
            lines += [f"\n## {chapter}\n\n", "| line | rule | held by |\n| --- | --- | --- |\n"]
        lines.append(f"| {number} | {rule.text} ({rule.sources}) | {_sentences(held.pop(number, []))} |\n")
    for number in held:
        raise KeyError(f"line {number} has tests and no rule")
    return "".join(lines)


def _sentences(found: list[tuple[Path, str]]) -> str:
    """Return what the tests say, one below the other, after each file a link to it."""
    return "<br>".join(
        "<br>".join(f"• {_plain(sentence)}" for _, sentence in of_file)
        + f"<br>[{file.name}](../tests/conformance/{file.name})"
        for file, of_file in groupby(found, key=lambda each: each[0])
    )


def _plain(sentence: str) -> str:
    """Return a test's sentence with verbs, keywords and enhanced codes as mail people write them."""
    words = " ".join(_WRITTEN.get(word, word.upper() if word in _CAPITALS else word) for word in sentence.split(" "))
    return _CODE.sub(r"\1.\2.\3", words)


def main() -> int:
    text = document()
    if "--check" in sys.argv[1:]:
        return int(DOCUMENT.read_text(encoding="utf-8") != text)
    DOCUMENT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
