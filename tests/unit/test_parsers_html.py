"""HTML as its reader sees it: lists with marks and levels, quotes gone."""

import pytest

from parsers import html
from parsers.model import Part
from parsers.parse import read

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
        f'<div><div style="border:none;border-top:solid #E1E1E1 1.0pt">From</div></div>{LIST}',
        f'<div style="border-top:solid #B5C4DF 1.0pt">From</div>{LIST}',
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
