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


PARAGRAPHS = "<p>- one thing<br>- two things<br>- three things</p>"


@pytest.mark.parametrize(
    "plain",
    [
        "Your mail program cannot show HTML.",
        "This is an HTML message. Please use a mail program that shows HTML.",
        "Ihr Programm zeigt kein HTML.\n\nBitte nehmen Sie ein anderes.",
        "-",
    ],
)
def test_html_is_read_where_plain_text_holds_a_placeholder(plain: str) -> None:
    explained = explain(mail(plain, PARAGRAPHS))
    assert [bullet.text for bullet in explained.reading.bullets] == ["one thing", "two things", "three things"]
    assert [explained.bodies[1].text[bullet.start : bullet.end] for bullet in explained.reading.bullets] == [
        "one thing",
        "two things",
        "three things",
    ]


def test_plain_text_is_read_where_html_shows_no_items() -> None:
    explained = explain(mail("- one\n- two\n- three", "<p>my week</p><blockquote>indented</blockquote>"))
    assert [bullet.text for bullet in explained.reading.bullets] == ["one", "two", "three"]


def test_a_reply_without_items_is_read_as_it_was_where_its_other_form_has_none_either() -> None:
    explained = explain(mail("I was away all week.", "<p>I was away all week.</p>"))
    assert (explained.reading.status, explained.reading.leftover) == (Status.EMPTY, "I was away all week.")
    assert explained.reply == "I was away all week."


def test_what_one_form_calls_a_quote_or_no_list_is_not_read_from_the_other() -> None:
    quoted = mail("Yes.\r\n\r\n> - one thing\r\n> - two things", "<p>Yes.</p><p>- one thing<br>- two things</p>")
    assert explain(quoted).reading.status is Status.EMPTY
    patch = "--- a/x.c\r\n+++ b/x.c\r\n@@ -1,2 +1,2 @@\r\n- one thing\r\n- two things\r\n"
    assert explain(mail(patch, "<p>- one thing<br>- two things</p>")).reading.status is Status.EMPTY
    flat = mail("- one thing\r\n- two things", "<blockquote>my week - one thing - two things</blockquote>")
    assert [bullet.text for bullet in explain(flat).reading.bullets] == ["one thing", "two things"]


def pictured(*texts: str, subtype: str = "mixed") -> bytes:
    picture = (
        "Content-Type: image/png\r\nContent-Disposition: inline\r\nContent-Transfer-Encoding: base64\r\n\r\niVBO\r\n"
    )
    parts = f"--b\r\n{picture}".join(f"--b\r\n{PLAIN.format(text)}" for text in texts)
    head = f"From: ann@agency.test\r\nMIME-Version: 1.0\r\nContent-Type: multipart/{subtype}; boundary=b\r\n\r\n"
    return f"{head}{parts}--b--\r\n".encode()


def test_items_that_pictures_part_are_one_list() -> None:
    explained = explain(pictured("- Closed it", "\r\n- Met the team\r\n", "- Wrote the memo"))
    assert [(bullet.kind, bullet.text) for bullet in explained.reading.bullets] == [
        ("dash", "Closed it"),
        ("dash", "Met the team"),
        ("dash", "Wrote the memo"),
    ]
    counted = explain(pictured("Hi,\r\n\r\n1. Closed it", "2. Met the team", "3. Wrote the memo\r\n\r\nAnn"))
    assert [bullet.text for bullet in counted.reading.bullets] == ["Closed it", "Met the team", "Wrote the memo"]
    assert {bullet.kind for bullet in counted.reading.bullets} == {"number"}


def test_a_paragraph_ends_with_its_part() -> None:
    said = ("I closed the audit", "We met the regional team", "The memo went out on Monday")
    explained = explain(pictured(*said))
    assert [(bullet.text, bullet.part) for bullet in explained.reading.bullets] == list(
        zip(said, (1, 3, 5), strict=True)
    )


def test_text_below_a_picture_does_not_go_on_with_the_item_above_it() -> None:
    explained = explain(pictured("- Closed it\r\n- Met the team", "See the picture above."))
    assert [bullet.text for bullet in explained.reading.bullets] == ["Closed it", "Met the team"]
