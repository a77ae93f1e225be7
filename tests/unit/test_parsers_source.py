"""Which part of a message is read, and what its bodies show."""

import time

import pytest

from parsers.model import Status
from parsers.parse import explain, explain_body

PLAIN = "Content-Type: text/plain; charset=utf-8\r\n\r\n{}\r\n"
HTML = "Content-Type: text/html; charset=utf-8\r\n\r\n{}\r\n"
LIST = "<ul><li>one of it</li><li>two of it</li></ul>"


def mail(plain: str, html: str, subtype: str = "alternative") -> bytes:
    head = f"From: ann@agency.test\r\nMIME-Version: 1.0\r\nContent-Type: multipart/{subtype}; boundary=b\r\n\r\n"
    return f"{head}--b\r\n{PLAIN.format(plain)}--b\r\n{HTML.format(html)}--b--\r\n".encode()


def test_html_with_lists_is_read_before_plain_text() -> None:
    explained = explain(mail("one of it two of it", LIST))
    assert [(bullet.kind, bullet.part) for bullet in explained.reading.bullets] == [("html_ul", 2), ("html_ul", 2)]


def test_html_that_shows_no_structure_is_left_for_plain_text() -> None:
    explained = explain(mail("- one\n- two", "<p>- one - two</p>"))
    assert [bullet.text for bullet in explained.reading.bullets] == ["one", "two"]


def test_plain_text_is_read_where_html_leaves_nothing() -> None:
    explained = explain(mail("- one\n- two", f"<blockquote type=cite>{LIST}</blockquote>"))
    assert [bullet.text for bullet in explained.reading.bullets] == ["one", "two"]


def test_parts_beside_each_other_are_read_together() -> None:
    explained = explain(mail("- one\n- two", f"<p>and</p>{LIST}", "mixed"))
    assert [bullet.text for bullet in explained.reading.bullets] == ["one", "two", "one of it", "two of it"]


def test_all_bodies_are_shown_and_html_as_the_text_that_offsets_count_in() -> None:
    explained = explain(mail("- one\n- two", f"<p>Hello</p>{LIST}<blockquote type=cite>asked</blockquote>"))
    plain, html = explained.bodies
    assert (plain.index, plain.text.split(), html.index, html.html) == (1, ["-", "one", "-", "two"], 2, True)
    assert [html.text[bullet.start : bullet.end] for bullet in explained.reading.bullets] == ["one of it", "two of it"]
    assert [html.text[cut.start : cut.end] for cut in explained.reading.trace] == ["asked"]


@pytest.mark.parametrize(
    "source", ["<div>" * 200_000, "<p " + " ".join(f"a{number}='>'" for number in range(100_000)) + ">- one"]
)
def test_a_bare_body_that_would_cost_too_much_is_not_parsed(source: str) -> None:
    begin = time.perf_counter()
    reading = explain_body(source, html=True).reading
    assert time.perf_counter() - begin < 1
    assert (reading.status, reading.bullets) == (Status.UNREADABLE, ())
