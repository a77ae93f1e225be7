"""What a message may cost before it is taken apart."""

import time

import pytest

from parsers import limits
from parsers.model import Status
from parsers.parse import read

HEAD = b"From: Ann Doe <ann@agency.test>\r\nSubject: Re: x\r\n"
LIST = b"- Closed the case\r\n- Drafted the memo\r\n- Met the office\r\n"


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"X-Long: " + b"a" * 100_001 + b"\r\n\r\n", "header block over 100000 octets"),
        (b"X: y\r\n" * 1_001 + b"\r\n", "over 1000 headers"),
        (b"Subject: " + b"=?utf-8?q?a?= " * 501 + b"\r\n\r\n", "over 500 encoded words in a header"),
        (b"Subject: " + b"a" * 20_001 + b"\r\n\r\n", "a header over 20000 octets"),
        (b"Content-Type: text/plain" + b";a" * 201 + b"\r\n\r\n", "over 200 parameters in a header"),
        (
            b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(51)),
            "nested over 50 deep",
        ),
        (b"Content-Type: message/rfc822\r\n\r\n" * 51, "nested over 50 deep"),
        (b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 1_001, "over 1000 parts"),
        (HEAD + b"Content-Type: text/html\r\n\r\n" + b"<div>" * 501, "HTML nested over 500 deep"),
    ],
)
def test_a_message_past_a_limit_is_unreadable_and_says_why(octets: bytes, reason: str) -> None:
    reading = read(octets)
    assert (reading.status, reading.defects) == (Status.UNREADABLE, (reason,))


def test_a_message_just_inside_the_limits_is_read() -> None:
    trace = "".join(f"Received: by mx{i}.agency.test; Mon, 3 Mar 2025 10:00:00 -0500\r\n" for i in range(990))
    assert read(HEAD + trace.encode() + b"\r\n" + LIST).status is Status.OK


def split(octets: bytes) -> tuple[list[bytes], bytes]:
    fields, begin = limits.head(octets, limits.head_end(octets))
    return fields, octets[begin:]


@pytest.mark.parametrize(
    ("octets", "fields", "rest"),
    [
        (b"A: b\r\n c\r\nD: e\r\n\r\nx: y\r\n", [b"A: b\r\n c\r\n", b"D: e\r\n"], b"\r\nx: y\r\n"),
        (b"A: b\n\nx", [b"A: b\n"], b"\nx"),
        (b"A: b\rC: d\r\rx", [b"A: b\r", b"C: d\r"], b"\rx"),
        (b"\r\nA: b\r\n", [], b"\r\nA: b\r\n"),
        (b"just words\r\nA: b\r\n\r\n", [], b"just words\r\nA: b\r\n\r\n"),
        (b"From a@b.test Mon\r\nTo: b\r\n\r\nx", [b"To: b\r\n"], b"\r\nx"),
        (b"To: b\r\nnot a field\r\nCc: c\r\n\r\nx", [b"To: b\r\n", b"Cc: c\r\n"], b"\r\nx"),
        (b"To: b\r\nbody at once\r\n\r\nx", [b"To: b\r\n"], b"body at once\r\n\r\nx"),
        (b"", [], b""),
    ],
    ids=["folded", "lf", "cr", "none", "body", "mbox", "broken", "no-blank", "empty"],
)
def test_a_header_block_ends_where_mail_programs_end_it(octets: bytes, fields: list[bytes], rest: bytes) -> None:
    assert split(octets) == (fields, rest)


def many(attributes: int) -> bytes:
    crowded = " ".join(f"data-{number}" for number in range(attributes))
    return HEAD + f"Content-Type: text/html\r\n\r\n<p {crowded}>{'x ' * 30_000}</p>".encode()


def test_a_tag_with_more_attributes_than_any_program_writes_is_parked() -> None:
    assert read(many(1_900)).status is not Status.UNREADABLE
    assert read(many(2_100)).defects == ("over 2000 attributes in a tag",)


def test_html_with_hundreds_of_breaks_and_spans_is_no_deep_one() -> None:
    page = b"<p><span>x</span></p><br>\r\n" * 3_000
    assert read(HEAD + b"Content-Type: text/html\r\n\r\n" + page).status is not Status.UNREADABLE


PAGE = HEAD + b"Content-Type: text/html\r\n\r\n"
# Each repeats what leaves one more element open, whatever its end tags seem to close.
NESTING = {
    "end tag of nothing": b"<div></x>",
    "end tag in an attribute": b'<div title="</div>">',
    "end tag in a comment": b"<div><!-- </div> -->",
    "end tag in a style": b"<div><style></div></style>",
    "end tag behind a cell": b"<div><table><td></div>",
    "end tag of a cell outside": b"<table><div></td></tr>",
    "end tag of a form": b"<form><div></form>",
    "end tag behind a block": b"<big><div></q>",
    "end tag in SVG's own text": b"<svg><g><![CDATA[</g></svg>]]>",
    "rows in SVG": b"<svg><tr><tr><tr>",
    "closed in itself": b"<x/>",
    "name that lowers to another": "<mark></mar\N{KELVIN SIGN}>".encode(),
    "list in a list": b"<ul><li>a</x></x>",
    "select": b"<select><div>",
    "template": b"<template></x>",
    "link in blocks": b"<a><div></a>" + b"<div>" * 8,
}


@pytest.mark.parametrize("piece", NESTING.values(), ids=NESTING)
def test_deep_html_is_parked_whatever_its_end_tags_say(piece: bytes) -> None:
    begin = time.process_time()
    reading = read(PAGE + piece * (1_000_000 // len(piece)))
    assert reading.defects[:1] == ("HTML nested over 500 deep",)
    assert time.process_time() - begin < 2


def test_formatting_that_is_never_closed_is_not_opened_again_for_ever() -> None:
    begin = time.process_time()
    fonts = b"".join(b"<font size=%d>" % size for size in range(400))
    assert read(PAGE + b"<p>" + fonts + b"</p>" + b"<p>x</p>" * 100_000).status is Status.UNREADABLE
    assert read(PAGE + b"".join(b"<p><font size=%d>x</p>" % n for n in range(30_000))).status is Status.UNREADABLE
    assert time.process_time() - begin < 4


# What mail programs leave open, close twice, or close in the wrong order.
SLOPPY = {
    "paragraphs": b"<p>Closed the case<p>Wrote the memo</p></p>\r\n",
    "font across paragraphs": b"<font color=red><p>Closed the case</font></p>\r\n",
    "font left open": b"<p><font color=red><b>Closed the case</p>\r\n",
    "bold across blocks": b"<b><div>Closed</b> the case</div>\r\n",
    "wrong order": b"<b><i>Closed</b> the case</i><br>\r\n",
    "spans left open": b"<div><span><span>Closed the case</div>\r\n",
    "items left open": b"<ul><li>Closed<li><b>Wrote</ul>\r\n",
    "terms left open": b"<dl><dt>Closed<dd>Wrote</dl>\r\n",
    "cells left open": b"<table><tr><td><font>Closed<td><div>Wrote<tr><td>Met</table>\r\n",
    "end tags too many": b"<div>Closed</font></font></div></div></span></td>\r\n",
    "Word's own": b"<p class=MsoNormal><o:p>&nbsp;</o:p></p><![if !supportLists]><span>o</span><![endif]>\r\n",
    "headings": b"<h1>Closed</h2><h2>Wrote</h1>\r\n",
    "conditional comments": b"<!--[if mso]><table><tr><td><![endif]-->Closed<br>\r\n",
    "links": b"<a href=x>Closed<a href=y>Wrote</a>\r\n",
    "nobr and wbr": b"<nobr>Closed<wbr>the<nobr>case</nobr><br>\r\n",
    "entity in an attribute": b'<div title="a > b">Closed</div>\r\n',
    "drawings": b"<svg><path d='M0'/><path d='M1'/></svg>\r\n",
    "choices": b"<select><option>a<option>b</select>\r\n",
}


@pytest.mark.parametrize("piece", SLOPPY.values(), ids=SLOPPY)
def test_sloppy_html_is_no_deep_one(piece: bytes) -> None:
    for count in (900, 60_000 // len(piece) + 900):
        assert read(PAGE + piece * count).status is not Status.UNREADABLE
