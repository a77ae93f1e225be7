"""The grammar of addresses in its fast form against a slow one, which reads character by character as RFC 5321 says."""

import string

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smtpd_service.domain.address import Path, parse_path

ALPHANUMERIC = set(string.ascii_letters + string.digits)
ATOM = ALPHANUMERIC | set("!#$%&'*+-/=?^_`{|}~")
CONTROLS = {*map(chr, range(32)), *map(chr, range(127, 160)), *map(chr, range(0xD800, 0xE000))}


class NoPathError(Exception):
    """The text is no path."""


class Slow:
    """Reads one path and what follows it, one character at a time."""

    def __init__(self, text: str) -> None:
        if any(char in CONTROLS for char in text):
            raise NoPathError
        self._left = list(text.lstrip(" "))

    def path(self) -> tuple[str, str]:
        self._need("<")
        if self._next() == ">":
            return self._followed("")
        if self._next() == "@":
            self._route()
        local = self._quoted() if self._next() == '"' else self._dotted(ATOM)
        self._need("@")
        domain = self._literal() if self._next() == "[" else self._domain()
        if len(local.encode()) > 64 or len(domain.encode()) > 255:
            raise NoPathError
        return self._followed(f"{local}@{domain.rstrip('.')}")

    def _followed(self, address: str) -> tuple[str, str]:
        self._need(">")
        if self._left and self._next() != " ":
            raise NoPathError
        return address, "".join(self._left).strip(" ")

    def _next(self) -> str:
        return self._left[0] if self._left else ""

    def _need(self, char: str) -> str:
        if self._next() != char:
            raise NoPathError
        return self._left.pop(0)

    def _some(self, allowed: set[str]) -> str:
        taken = ""
        while self._next() in allowed or self._next() > "\x7f":
            taken += self._left.pop(0)
        if not taken:
            raise NoPathError
        return taken

    def _dotted(self, allowed: set[str]) -> str:
        taken = self._some(allowed)
        while self._next() == ".":
            taken += self._need(".") + self._some(allowed)
        return taken

    def _label(self) -> str:
        taken = self._some(ALPHANUMERIC | {"-"})
        if taken.startswith("-") or taken.endswith("-"):
            raise NoPathError
        return taken

    def _domain(self) -> str:
        taken = self._label()
        while self._next() == ".":
            taken += self._need(".")
            if self._next() == ">":
                break
            taken += self._label()
        return taken

    def _literal(self) -> str:
        taken = self._need("[") + self._some(ALPHANUMERIC | set(":.-")) + self._need("]")
        if len(taken) > 66 or not taken.isascii():
            raise NoPathError
        return taken

    def _quoted(self) -> str:
        taken = self._need('"')
        while self._next() != '"':
            if self._next() == "\\":
                taken += self._need("\\")
                if not " " <= self._next() <= "~":
                    raise NoPathError
            if not self._left:
                raise NoPathError
            taken += self._left.pop(0)
        return taken + self._need('"')

    def _route(self) -> None:
        while True:
            self._need("@")
            self._label()
            while self._next() == ".":
                self._need(".")
                self._label()
            if self._next() != ",":
                break
            self._need(",")
        self._need(":")


def slow(text: str) -> Path | None:
    try:
        return Path(*Slow(text).path())
    except NoPathError:
        return None


PIECES = (
    *("a", "B7", "-", ".", "@", "<", ">", '"', "\\", "[", "]", ":", ",", " ", "_", "=", "+"),
    *("é", "\u2028", "\u00a0", "\u200b", "\t", "\r\n", "\0", "\x7f", "\x85", "\ud800"),
    *("x" * 63, "d." * 126, "xn--a", "@b.test:", "192.0.2.1", "IPv6:", '"a b"', '\\"', " SIZE=1"),
)
texts = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
ends = st.sampled_from(("", " ", " SIZE=1", "x"))
framed = st.tuples(texts, texts, ends).map(lambda parts: f"<{parts[0]}@{parts[1]}>{parts[2]}")
# Few characters, so that each stands beside each.
domains = st.text("a-.é", max_size=6).map(lambda text: f"<a@{text}>")
locals_ = st.text('a."\\ é', max_size=6).map(lambda text: f"<{text}@b>")
routes = st.text("@a,:.", max_size=7).map(lambda text: f"<@{text}a@b>")


@given(texts | framed | domains | locals_ | routes)
@settings(max_examples=400, deadline=None)
@example("<> \t")
@example("<a@b..>")
@example("<a@b.>")
@example("<a@-b>")
@example("<a@b-.c>")
@example("<a-@b-c>")
@example("<@a.test,@b.test:c@d>")
def test_both_forms_of_the_grammar_read_the_same(text: str) -> None:
    assert parse_path(text) == slow(text)


@pytest.mark.acceptance
@settings(max_examples=50_000, deadline=None)
@given(texts | framed | domains | locals_ | routes | st.text(max_size=40).map(lambda text: f"<{text}>"))
def test_both_forms_of_the_grammar_read_the_same_for_long(text: str) -> None:
    assert parse_path(text) == slow(text)
