"""HTML as its reader sees it: lists with marks and levels, quotes gone."""

import pytest

from parsers import html
from parsers.model import Part
from parsers.parse import explain_body, read

LIST = "<ul><li>one</li><li>two</li></ul>"


def shown(source: str) -> list[str]:
    return [line.text for line in html.render(Part(0, True, source)).lines if line.text]


def items(source: str) -> list[tuple[str, str, int, str]]:
    octets = b"Content-Type: text/html; charset=utf-8\r\n\r\n" + source.encode()
    return [(bullet.marker, bullet.kind, bullet.level, bullet.text) for bullet in read(octets).bullets]


def test_lists_give_marks_kinds_and_levels() -> None:
    source = "<ol start=3><li>a<ul><li>b</li></ul></li><li>c</li></ol>"
    assert items(source) == [("3.", "html_ol", 0, "a"), ("•", "html_ul", 1, "b"), ("4.", "html_ol", 0, "c")]


def test_a_list_nested_straight_in_a_list_is_a_level() -> None:
    assert [(level, text) for _, _, level, text in items("<ul><li>a</li><ul><li>b</li></ul></ul>")] == [
        (0, "a"),
        (1, "b"),
    ]


def test_all_lines_of_an_item_are_its_text() -> None:
    assert [text for *_, text in items("<ul><li><p>a</p><p>b<br>c</p></li><li>d</li></ul><p>after</p>")] == [
        "a b c",
        "d",
    ]


def test_words_paragraphs_keep_their_hidden_mark_as_marker() -> None:
    ignored = '<span style="mso-list:Ignore">o<span>&nbsp;&nbsp;</span></span>'
    assert items(f'<p style="mso-list:l0 level2 lfo1">{ignored}sub</p><p style="mso-list:l0 level1 lfo1">top</p>') == [
        ("o", "mso", 1, "sub"),
        ("", "mso", 0, "top"),
    ]


@pytest.mark.parametrize(
    "quote",
    [
        f'<div class="gmail_quote"><div class="gmail_attr">On 3 HR</div><blockquote>{LIST}</blockquote></div>',
        f'<div class="gmail_quote">Forwarded {LIST}</div>',
        f'<blockquote type="cite">{LIST}</blockquote>',
        f"<div>On Mon, 3 Mar 2025, HR wrote:</div><blockquote>{LIST}</blockquote>",
        f'<hr><div id="divRplyFwdMsg">From</div>{LIST}',
        f'<div id="appendonsend"></div>{LIST}',
        f'<div><div style="border:none;border-top:solid #E1E1E1 1.0pt">From: HR</div></div>{LIST}',
        f'<div style="border-top:solid #B5C4DF 1.0pt">From: HR</div>{LIST}',
        f'<div name="messageReplySection">{LIST}</div>',
        f'<div class="moz-cite-prefix">On 3 HR wrote:</div><blockquote type="cite">{LIST}</blockquote>',
        f'<div class="yahoo_quoted">{LIST}</div>',
        f"<style>{LIST}</style><script>{LIST}</script>",
    ],
)
def test_a_quote_container_is_cut(quote: str) -> None:
    assert shown(f"<div>mine</div>{quote}") == ["mine"]


def test_a_blockquote_that_only_indents_is_content() -> None:
    assert shown(f'<p>mine</p><blockquote style="margin:0 0 0 40px;border:none">{LIST}</blockquote>') == [
        "mine",
        "one",
        "two",
    ]


def test_answers_between_gmails_quotes_are_content() -> None:
    quote = '<blockquote class="gmail_quote">asked</blockquote>'
    assert shown(f'<div class="gmail_quote">{quote}<div>answered</div>{quote}</div>') == ["answered"]


def test_cells_share_a_line_and_rows_do_not() -> None:
    assert shown("<table><tr><td>1.</td><td>one</td></tr><tr><td>2.</td><td>two</td></tr></table>") == [
        "1. one",
        "2. two",
    ]


def test_hidden_text_is_not_shown() -> None:
    assert shown('<div style="display: none">preheader</div><p>seen</p>') == ["seen"]


def test_a_line_is_at_its_place_in_the_rendered_text() -> None:
    lines = html.render(Part(0, True, f"<p>a&nbsp;b</p>{LIST}<br>c")).lines
    rendered = "\n".join(line.text for line in lines)
    assert [rendered[line.start : line.end] for line in lines] == [line.text for line in lines]


QUOTED = "<ul><li>quoted</li></ul>"
ATTRIBUTION = "On Mon, Mar 3, 2025 at 8:00 AM HR &lt;hr@asker.test&gt; wrote:"
FORWARDED = "---------- Forwarded message ---------<br>From: HR"
BORDER = "BORDER-LEFT: #000000 2px solid; PADDING-LEFT: 5px"
ANNOUNCED = [
    f'<div class="gmail_quote"><div class="gmail_attr">{ATTRIBUTION}</div><blockquote>{QUOTED}</blockquote></div>',
    f'<div class="gmail_quote"><div class="gmail_attr">{FORWARDED}</div>{QUOTED}<blockquote>x</blockquote></div>',
    f'<div class="m_-123gmail_quote">{QUOTED}</div>',
    f'<div class="gmail_quote"><blockquote>{QUOTED}</blockquote></div>',
    f'<div id="ydp12abyahoo_quoted_123" class="ydp12abyahoo_quoted">{QUOTED}</div>',
    f'<div id="x_divRplyFwdMsg">From: a</div>{QUOTED}',
    f'<hr id="zwchr" data-marker="__DIVIDER__"><div data-marker="__HEADERS__"><b>From: </b>x</div>{QUOTED}',
    f'<hr id="stopSpelling">Date: Mon<br>From: x{QUOTED}',
    f'<BLOCKQUOTE style="{BORDER}">----- Original Message -----{QUOTED}</BLOCKQUOTE>',
    f"<div>{ATTRIBUTION}</div><blockquote>{QUOTED}</blockquote>",
    f"<div>HR wrote:</div><blockquote>{QUOTED}</blockquote>",
    f'<div>03.03.2025, 08:00, "HR" &lt;hr@asker.test&gt;:</div><blockquote>{QUOTED}</blockquote>',
    f'<div name="quote"><b>Von:</b> HR<div name="quoted-content">{QUOTED}</div></div>',
    f'<p id="reply-intro">{ATTRIBUTION}</p><blockquote type="cite">{QUOTED}</blockquote>',
    f"<div>------------------&nbsp;原始邮件&nbsp;------------------</div><div><b>发件人:</b>&nbsp;HR</div>{QUOTED}",
    f"<p><b>From:</b> HR<br><b>Sent:</b> Monday, March 3, 2025 8:00 AM<br><b>To:</b> Ann</p>{QUOTED}",
    f"<p><b>Von:</b> HR</p><p><b>Gesendet:</b> Montag, 3. März 2025</p><p><b>An:</b> Ann</p>{QUOTED}",
    '<div style="border-style:solid none none;border-color:rgb(225, 225, 225) currentcolor"><b>From:</b> HR</div>'
    + QUOTED,
    f'<div class="protonmail_quote">On Monday, HR wrote:<br><blockquote type="cite">{QUOTED}</blockquote></div>',
    f'<div name="messageReplySection">{ATTRIBUTION}<blockquote type="cite">{QUOTED}</blockquote></div>',
    f"<div>{ATTRIBUTION}</div><div>&gt; - quoted</div>",
]


@pytest.mark.parametrize("quote", ANNOUNCED)
def test_a_quote_is_cut_with_what_announces_it(quote: str) -> None:
    explained = explain_body(f"{LIST}<br>{quote}", html=True)
    assert ([bullet.text for bullet in explained.reading.bullets], explained.unsigned.split()) == (
        ["one", "two"],
        ["one", "two"],
    )
    shown = explained.bodies[0].text
    assert any("quoted" in shown[cut.start : cut.end] for cut in explained.reading.trace)


@pytest.mark.parametrize("quote", [ANNOUNCED[0], *ANNOUNCED[8:11], ANNOUNCED[12]])
def test_text_below_a_quote_container_is_the_authors(quote: str) -> None:
    assert [text for *_, text in items(quote + LIST)] == ["one", "two"]


@pytest.mark.parametrize(
    "signed",
    [
        '<div>--</div><div class="gmail_signature">Ann Lee<br>Director</div>',
        '<div id="Signature"><p>Ann Lee</p><p>Director</p></div><div id="appendonsend"></div>',
        '<div name="messageSignatureSection">Ann Lee<br>Director</div>',
        '<pre class="moz-signature">-- \nAnn Lee\nDirector</pre>',
    ],
)
def test_a_signatures_container_is_the_authors_until_it_is_asked_to_go(signed: str) -> None:
    explained = explain_body(LIST + signed, html=True)
    assert (explained.unsigned.split(), "Director" in explained.reply) == (["one", "two"], True)


def test_a_typed_dash_and_name_that_became_a_list_is_a_signature() -> None:
    source = LIST + "<div>Thanks,</div><ul style='list-style-type:\"- \"'><li>Ann Lee</li></ul>"
    assert [text for *_, text in items(source)] == ["one", "two"]


def test_a_sensitivity_label_is_no_content() -> None:
    assert shown(f'<p class="msipheader12ab">Internal</p>{LIST}<p class="x_msipfooter12ab">Internal</p>') == [
        "one",
        "two",
    ]


@pytest.mark.parametrize(
    ("opening", "marks"),
    [
        ('<ol type="a" start="2">', ["b.", "c."]),
        ('<ol type="i">', ["i.", "ii."]),
        ('<ol style="list-style-type: upper-roman">', ["I.", "II."]),
        ('<ol start="9">', ["9.", "10."]),
    ],
)
def test_ordered_lists_count_as_browsers_do(opening: str, marks: list[str]) -> None:
    assert [marker for marker, *_ in items(f"{opening}<li>one</li><li>two</li></ol>")] == marks


def test_gmails_copy_of_words_list_has_levels_by_its_margin() -> None:
    paragraph = '<p class="gmail-MsoListParagraph" style="margin-left:{}in">{}<span>&nbsp;&nbsp;&nbsp; </span>{}</p>'
    source = "".join(paragraph.format(*row) for row in ((0.5, "·", "top"), (1, "o", "sub"), (0.5, "·", "next")))
    assert [(level, text) for _, _, level, text in items(source)] == [(0, "top"), (1, "sub"), (0, "next")]


@pytest.mark.parametrize(
    "source",
    [
        "<pre>- one\n  - sub\n- two</pre>",
        '<div style="white-space: pre-wrap">- one\n  - sub\n- two</div>',
        "<div>- one<br>&nbsp; - sub<br>- two</div>",
        "<p>- one</p><p>&nbsp; - sub</p><p>- two</p>",
    ],
)
def test_lists_typed_by_hand_keep_their_lines_and_indentation(source: str) -> None:
    assert [(level, text) for _, _, level, text in items(source)] == [(0, "one"), (1, "sub"), (0, "two")]


def test_an_authors_own_border_is_no_boundary() -> None:
    assert shown('<table style="border-top:1px solid #E1E1E1"><tr><td>mine</td></tr></table>') == ["mine"]


def test_all_spans_and_cuts_of_html_are_in_the_shown_body() -> None:
    source = f'<div>Hi</div>{ANNOUNCED[0]}{LIST}<div class="gmail_signature">Ann</div><div id="appendonsend"></div>rest'
    explained = explain_body(source, html=True)
    body = explained.bodies[0].text
    assert [body[bullet.start : bullet.end] for bullet in explained.reading.bullets] == ["one", "two"]
    trace = sorted(explained.reading.trace, key=lambda cut: cut.start)
    assert [body[cut.start : cut.end].split("\n")[-1] for cut in trace] == [
        ATTRIBUTION.replace("&lt;", "<").replace("&gt;", ">"),
        "quoted",
        "Ann",
        "rest",
    ]


THREE = ("Closed it", "Met them", "Wrote it")


@pytest.mark.parametrize(
    ("opening", "marks"),
    [
        ('<ul style="list-style:none">', ("• ", "• ", "• ")),
        ("<ul>", ("- ", "- ", "- ")),
        ("<ul>", ("-", "-", "-")),
        ("<ul>", ("– ", "– ", "– ")),  # noqa: RUF001  # the longer dash is meant
        ("<ul>", ("* ", "* ", "* ")),
        ("<ul>", ("1. ", "2. ", "3. ")),
        ("<ol>", ("1) ", "2) ", "3) ")),
        ("<ul>", ("a. ", "b. ", "c. ")),
        ("<ul>", ("o&nbsp;", "o&nbsp;", "o&nbsp;")),
        ("<ul>", ("o&nbsp;&nbsp; ", "o&nbsp;&nbsp; ", "o&nbsp;&nbsp; ")),
        ("<ul>", ("§&nbsp; ", "§&nbsp; ", "§&nbsp; ")),
        ("<ul>", ("☐ ", "☐ ", "☑ ")),
        ("<ul>", ("·<span>&nbsp;&nbsp;&nbsp;</span>",) * 3),
        ("<ul>", ("<b>•</b> ", "<b>•</b> ", "<b>•</b> ")),
    ],
)
def test_a_mark_typed_before_the_items_of_a_list_is_their_marker(opening: str, marks: tuple[str, ...]) -> None:
    source = opening + "".join(f"<li>{mark}{text}</li>" for mark, text in zip(marks, THREE, strict=True))
    found = items(f"<p>Hi,</p>{source}</{opening[1:3]}><p>Bye</p>")
    assert [text for *_, text in found] == list(THREE)
    assert found[0][0][0] == html_text(marks[0])[0]
    assert {(kind, level) for _, kind, level, _ in found} == {(f"html_{opening[1:3]}", 0)}


def html_text(source: str) -> str:
    return shown(f"<p>{source}x</p>")[0]


def test_a_typed_mark_that_one_item_lacks_is_taken_off_the_others() -> None:
    source = "<ul><li>- Closed it</li><li>- Met them</li><li>Wrote it</li><li>- Sent it</li></ul>"
    assert [(marker, text) for marker, _, _, text in items(source)] == [
        ("-", "Closed it"),
        ("-", "Met them"),
        ("•", "Wrote it"),
        ("-", "Sent it"),
    ]


@pytest.mark.parametrize(
    "texts",
    [
        ("- 5 degrees at night", "It rained", "It snowed"),
        ("2 servers were moved", "3 tickets were closed", "1 person was met"),
        ("1 server was moved", "2 tickets were closed", "The memo was written"),
        ("5. Juni: closed it", "9. Juni: met them", "12. Juni: wrote it"),
        ("-5 degrees on Monday", "-6 degrees on Tuesday", "-9 degrees on Friday"),
        ("A. Lee was met", "B. Roe was met", "D. Poe was met"),
        ("Task 1: closed", "Task 2: met", "Task 3: written"),
        ("🚀 Launched it", "📅 Planned it", "✍️ Wrote it"),
        ("(S//NF) Closed it", "(S//NF) Met them", "(U) Wrote it"),
    ],
)
def test_what_is_no_typed_mark_stays_in_the_items_of_a_list(texts: tuple[str, ...]) -> None:
    octets = "Content-Type: text/html; charset=utf-8\r\n\r\n<ul><li>" + "</li><li>".join(texts) + "</li></ul>"
    bullets = read(octets.encode()).bullets
    assert [f"({bullet.portion_mark}) {bullet.text}" if bullet.portion_mark and not bullet.text.startswith("(")
            else bullet.text for bullet in bullets] == list(texts)  # fmt: skip


def test_typed_marks_of_a_list_in_a_list_are_taken_off_at_their_level() -> None:
    source = "<ul><li>• Projects<ul><li>o Closed it</li><li>o Met them</li></ul></li><li>• Memos</li></ul>"
    assert [(marker, level, text) for marker, _, level, text in items(source)] == [
        ("•", 0, "Projects"),
        ("o", 1, "Closed it"),
        ("o", 1, "Met them"),
        ("•", 0, "Memos"),
    ]


@pytest.mark.parametrize(
    "inner",
    [
        "Projects<br>- alpha<br>- beta",
        "Projects:<br>- alpha<br>- beta",
        "<p>Projects</p><p>- alpha</p><p>- beta</p>",
        "<div>Projects</div><div>• alpha</div><div>• beta</div>",
        "Projects<br>1. alpha<br>2. beta",
        "Projects<br>&nbsp;&nbsp;-alpha<br>&nbsp;&nbsp;-beta",
        "Projects<br>a) alpha<br>b) beta",
    ],
)
def test_marks_typed_on_the_lines_of_an_item_open_items_below_it(inner: str) -> None:
    found = items(f"<ul><li>{inner}</li><li>Memos</li></ul>")
    assert [(level, text.rstrip(":")) for _, _, level, text in found] == [
        (0, "Projects"),
        (1, "alpha"),
        (1, "beta"),
        (0, "Memos"),
    ]


def test_a_line_below_a_typed_sub_item_goes_on_with_it() -> None:
    found = items("<ul><li>Projects<br>- alpha, which<br>went well<br>- beta</li><li>Memos</li></ul>")
    assert [text for *_, text in found] == ["Projects", "alpha, which went well", "beta", "Memos"]


def test_a_list_typed_into_one_item_is_a_list() -> None:
    found = items("<ul><li>- alpha<br>- beta<br>- gamma</li></ul>")
    assert [(level, text) for _, _, level, text in found] == [(0, "alpha"), (0, "beta"), (0, "gamma")]


@pytest.mark.parametrize("inner", ["The range was 3<br>- 4 units", "Closed it<br>2 servers were moved", "One<br>* two"])
def test_one_line_of_an_item_that_may_begin_so_is_its_text(inner: str) -> None:
    assert len(items(f"<ul><li>{inner}</li><li>Memos</li></ul>")) == 2


def test_the_span_of_an_item_whose_typed_mark_was_taken_off_is_its_text() -> None:
    explained = explain_body("<ul><li>• one<br>- sub<br>- sub two</li><li>• two</li></ul>", html=True)
    body = explained.bodies[0].text
    bullets = explained.reading.bullets
    assert [body[bullet.start : bullet.end] for bullet in bullets] == [bullet.text for bullet in bullets]
    assert [bullet.text for bullet in bullets] == ["one", "sub", "sub two", "two"]


SIGNED = "<ul><li>Ann Doe</li><li>Analyst</li></ul>"


@pytest.mark.parametrize(
    "container",
    ['<div class="gmail_signature">', '<div class="moz-signature">', '<div id="Signature">', '<div id="x_Signature">'],
)
def test_a_list_in_a_signatures_container_is_a_signature(container: str) -> None:
    above = explain_body(f"{LIST}{container}{SIGNED}</div>", html=True)
    assert [bullet.text for bullet in above.reading.bullets] == ["one", "two"]
    prose = explain_body(f"<p>I was away all week, sorry.</p>{container}{SIGNED}</div>", html=True)
    assert (prose.reading.bullets, "Analyst" in prose.unsigned, "Analyst" in prose.reply) == ((), False, True)


@pytest.mark.parametrize("above", ["", "<p>Hi all,</p>", "<div>Hello,</div><br>", "<p>My five bullets:</p>"])
def test_a_signatures_container_around_the_whole_answer_loses_none_of_it(above: str) -> None:
    source = f'{above}<div id="Signature"><p>Done:</p>{LIST}<p>Ann</p></div><div id="appendonsend"></div>asked'
    assert [text for *_, text in items(source)] == ["one", "two"]


BOX = "<div style='border-left:2px solid #1010ff;padding-left:5px;margin-left:5px'>{}</div>"
QUOTE = "<p>What did you do?</p><ul><li>your item</li></ul><p>HR</p>"


@pytest.mark.parametrize(
    "below", ["", "<br><br>", "<div class='gmail_signature'>Ann Doe</div>", "<p>-- <br>Ann Doe</p>", "<p>&nbsp;</p>"]
)
def test_a_bordered_block_that_ends_the_mail_is_a_quote(below: str) -> None:
    explained = explain_body(f"<p>Hello,</p>{LIST}{BOX.format(QUOTE)}{below}", html=True)
    assert [bullet.text for bullet in explained.reading.bullets] == ["one", "two"]
    body = explained.bodies[0].text
    assert ["your item" in body[cut.start : cut.end] for cut in explained.reading.trace if "border" in cut.rule] == [
        True
    ]
    assert "your item" not in explained.reply


@pytest.mark.parametrize(
    "source",
    [
        f"<p>See:</p>{BOX.format(LIST)}<p>That is all for now.</p>",
        BOX.format(LIST),
        f"<p>Hi all,</p>{BOX.format(LIST)}",
        f"<p>My week:</p>{BOX.format(LIST)}",
        f"<p>Hi</p>{BOX.format('note')}{LIST}",
    ],
)
def test_a_bordered_block_that_is_the_author_s_stays(source: str) -> None:
    assert [text for *_, text in items(source)] == ["one", "two"]


@pytest.mark.parametrize("nul", ["\0", "&#0;", "<script>\0</script>", "<svg><![CDATA[\0]]></svg>"])
def test_a_nul_in_a_page_moves_no_boundary(nul: str) -> None:
    source = (
        f"<p>- sent it{nul}</p><div>below</div><div id=appendonsend></div><p>asked{nul}</p><!-- end --><p>twice</p>"
    )
    explained = explain_body(source, html=True)
    [cut] = explained.reading.trace
    [body] = explained.bodies
    assert body.text[cut.start : cut.end].startswith("asked")
    assert body.text.endswith("twice")


@pytest.mark.parametrize(
    "source",
    [
        "<ul><li>one</li></ul>",
        "<UL><LI>one</UL>",
        '<p class="MsoListParagraph">one</p>',
        '<div class="x gmail_quote_container">one</div>',
        "<div class=gmail_extra><div class=gmail_quote>one</div></div>",
        "<div class='m_-12gmail_signature'>one</div>",
        '<div id="x_Signature">one</div>',
        '<DIV ID="divRplyFwdMsg">one</DIV>',
        '<div name="quote">one</div>',
        '<div name="messageReplySection">one</div>',
        '<hr data-marker="__DIVIDER__">',
        '<div id="yiv123yahoo_quoted_12">one</div>',
        '<div style="border:none;border-top:solid #E1E1E1 1.0pt">one</div>',
        '<div style="border-top: 1px solid rgb(225, 225, 225)">one</div>',
    ],
)
def test_a_source_that_names_lists_or_quotes_is_telling(source: str) -> None:
    assert html.is_telling(f"<html><body><p>some words</p>{source}</body></html>")


@pytest.mark.parametrize(
    "source",
    [
        "<p class=MsoNormal>a signature and a quote</p>",
        '<div class="gmail_default">class="quote" is what I typed</div>',
        '<div id="quote">one</div>',
        "class=",
        'class="',
        "",
    ],
)
def test_a_source_that_names_none_is_not_telling(source: str) -> None:
    assert not html.is_telling(source)
