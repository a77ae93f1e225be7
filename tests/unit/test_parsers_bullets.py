# ruff: noqa: E501, RUF001  a row is a mail, with the marks that people type
"""Lines into bullets: every mark of the table, levels, continuations, and lists without marks."""

import html
import re
import textwrap
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parsers.items import markers
from parsers.model import Reading, Status
from parsers.parse import explain_body, read

TEXTS = ["Closed the case", "Drafted the memo", "Met the office"]
KINDS = frozenset(
    {"dash", "star", "dot", "number", "letter", "circled", "emoji", "html_ul", "html_ol", "mso"}
    | {"paragraph", "semicolon", "inline"}
)


def reading(body: str, content: str = "text/plain") -> Reading:
    return read(f"From: ann@agency.test\r\nContent-Type: {content}; charset=utf-8\r\n\r\n{body}".encode())


def levels(found: Reading) -> list[tuple[int, str]]:
    return [(bullet.level, bullet.text) for bullet in found.bullets]


@pytest.mark.parametrize("mark", [*"-–—*•·‣▪➢»☐✅", "§ ", "Ø ", "o\t", "ü\t", "\uf0b7", "✔\ufe0f", "🎯"])  # marks
def test_a_mark_opens_an_item(mark: str) -> None:
    found = reading("\n".join(f"{mark} {text}" for text in TEXTS))
    assert [bullet.text for bullet in found.bullets] == TEXTS


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ("{n}. {t}", "number"),
        ("{n}) {t}", "number"),
        ("({n}) {t}", "number"),
        ("{n}: {t}", "number"),
        ("#{n} {t}", "number"),
        ("{n}.{t}", "number"),
        ("{a}. {t}", "letter"),
        ("{a}) {t}", "letter"),
        ("({a}) {t}", "letter"),
        ("{i}. {t}", "letter"),
        ("{c} {t}", "circled"),
        ("{n}\ufe0f\u20e3 {t}", "emoji"),
        ("-{t}", "dash"),
        ("*{t}", "star"),
    ],
)
def test_a_counted_or_tight_mark_opens_an_item(form: str, kind: str) -> None:
    rows = zip("123", "abc", ["i", "ii", "iii"], "①②③", TEXTS, strict=True)
    found = reading("\n".join(form.format(n=n, a=a, i=i, c=c, t=t) for n, a, i, c, t in rows))
    assert [(bullet.kind, bullet.text) for bullet in found.bullets] == [(kind, text) for text in TEXTS]


@pytest.mark.parametrize(
    "line", ["3.5 hours saved", "o look", "— Ann Doe", "-Ann", "A. Doe", "*bold* text", "-----", "* * *"]
)
def test_what_only_looks_like_a_mark_opens_nothing_alone(line: str) -> None:
    assert [bullet.text for bullet in reading("- one\n- two\n- three\n\n" + line).bullets] == ["one", "two", "three"]


def test_every_kind_of_the_table_is_one_that_is_stored() -> None:
    assert {shape.kind for shape in markers.SHAPES} <= KINDS


def test_a_lone_mark_binds_to_the_next_line_that_says_something() -> None:
    assert levels(reading("   -\n\n   one\n   -\n\n   two\n")) == [(0, "one"), (0, "two")]


def test_a_wrapped_or_indented_line_continues_its_item() -> None:
    assert levels(reading("- one\nmore of it\n- two\n  Said so\n- three\n")) == [
        (0, "one more of it"),
        (0, "two Said so"),
        (0, "three"),
    ]


def test_indentation_makes_levels_and_sub_items_do_not_count() -> None:
    found = reading("- one\n  - sub\n    - deep\n- two\n")
    assert levels(found) == [(0, "one"), (1, "sub"), (2, "deep"), (0, "two")]
    assert found.status is Status.FEW


def test_dashes_between_numbers_are_their_sub_items() -> None:
    found = reading("1. one\n- a\n- b\n2. two\n3. three\n")
    assert [level for level, _ in levels(found)] == [0, 1, 1, 0, 0]


def test_lists_are_joined_and_headings_are_left_over() -> None:
    found = reading("Hi,\n\nTravel:\n- one\n- two\n\nLeave:\n- three\n")
    assert [text for _, text in levels(found)] == ["one", "two", "three"]
    assert found.leftover == "Hi,\nTravel:\nLeave:"


@pytest.mark.parametrize(
    ("body", "kind", "confidence"),
    [
        ("Hello,\n\nClosed the case\n\nDrafted the memo\n\nMet the office\n", "paragraph", 0.6),
        ("Closed the case\nDrafted the memo\nMet the office\n", "paragraph", 0.6),
        ("Closed the case; Drafted the memo; Met the office\n", "semicolon", 0.5),
        ("1) Closed the case 2) Drafted the memo 3) Met the office\n", "inline", 0.7),
        ("Last week: 1) Closed the case 2) Drafted the memo 3) Met the office\n", "inline", 0.7),
    ],
)
def test_a_list_without_marks_is_found_with_less_confidence(body: str, kind: str, confidence: float) -> None:
    found = reading(body)
    assert [(b.kind, b.text, b.confidence) for b in found.bullets] == [(kind, text, confidence) for text in TEXTS]


def test_wrapped_prose_is_no_list() -> None:
    prose = (
        "I was on leave for the whole of last week and so there is nothing that\n"
        "I could report, except that the\noffice was kept open by others."
    )
    assert reading(prose).status is Status.EMPTY


@pytest.mark.parametrize(
    "text",
    [
        "All of my activities are sensitive.",
        "all of our work activities are classified",
        "Hi team,\n\nAll of my work activities are sensitive.\n\nV/R,\nAnn",
        "- All of my activities are sensitive",
    ],
)
def test_a_reply_that_is_all_sensitive_has_no_bullets(text: str) -> None:
    found = reading(text)
    assert (found.status, found.bullets, found.fingerprint) == (Status.SENSITIVE, (), None)


@pytest.mark.parametrize(
    "text", ["Not all of my activities are sensitive.", "- All of my activities are sensitive\n- One"]
)
def test_a_reply_that_is_partly_sensitive_is_not(text: str) -> None:
    assert reading(text).status is not Status.SENSITIVE


def test_the_fingerprint_is_of_the_items_in_any_order_case_and_spacing() -> None:
    one, other = reading("- A  b\n- c\n- d\n"), reading("* D\n* a b\n* C\n")
    assert one.fingerprint == other.fingerprint is not None
    assert one.fingerprint != reading("- a b\n- c\n- e\n").fingerprint


def test_a_benign_portion_mark_is_kept_beside_the_text() -> None:
    [bullet] = reading("- (U) Closed it\n").bullets
    assert (bullet.text, bullet.portion_mark) == ("Closed it", "U")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("1) Closed the case, 2) Drafted the memo, and 3) Met the office", TEXTS),
        ("This week: (a) Closed the case; (b) Drafted the memo; (c) Met the office", TEXTS),
        ("This week I did: i) Closed the case ii) Drafted the memo iii) Met the office", TEXTS),
        ("1. Closed the case 2. Drafted the memo 3. Met the office", TEXTS),
        (
            "1) Closed 14 cases 2) Spent 3.5 hours on memos 3) Met 2 offices",
            ["Closed 14 cases", "Spent 3.5 hours on memos", "Met 2 offices"],
        ),
        ("#1 Closed the case #2 Drafted the memo #3 Met the office", TEXTS),
        ("1- Closed the case 2- Drafted the memo 3- Met the office", TEXTS),
        ("• Closed the case • Drafted the memo • Met the office", TEXTS),
        ("- Closed the case - Drafted the memo - Met the office", TEXTS),
        ("Last week: - Closed the case - Drafted the memo - Met the office", TEXTS),
        ("Closed the case; Drafted the memo; Met the office", TEXTS),
        ("Closed the case; Drafted the\nmemo; and Met the office", TEXTS),
        ("Last week: Closed the case; Drafted the memo; Met the office", TEXTS),
    ],
)
def test_items_in_running_text_are_told_apart(body: str, expected: list[str]) -> None:
    assert [bullet.text for bullet in explain_body(body, html=False).reading.bullets] == expected


@pytest.mark.parametrize(
    "body",
    [
        "I did not see the point of it; still, I went there because of her. When I came there, she was gone; nobody knew where. So I left; that is all there is to say.",
        "We need 1) a plan, 2) a room and 3) the money, as I said.\n\nBut nobody listens to me, and so we have none of the three until this day.\n",
        "for (i = 0; i < n; i++)\n  x;",
        "I was there on Monday and saw how it is. It was good. Then I left.\n\nDo you know more? I would like to hear it, since nobody tells me. Write to me.\n\nI will be back on Friday. Then we can talk. Let us meet at the usual place.\n",
        "Ann Doe\nProgram Analyst\nRoom 12\n",
        "-\n-\n-\n-\n-\n\nAnn\n",
        "-\n\n-\n\n-\n",
    ],
)
def test_prose_and_code_are_no_items(body: str) -> None:
    assert explain_body(body, html=False).reading.bullets == ()


WORDS = st.text("abcdefgxyzäßλж", min_size=1, max_size=9)
SENTENCES = st.lists(WORDS, min_size=1, max_size=30).map(" ".join)
PIECES = st.sampled_from(
    ["(U) ", *"ab-*•1)., \t\n;:>(o", "\r\n", "\n\n", "\n- ", "\n1. ", "\n2. ", "  ", "word", "\u00a0", "é", "\u200b"]
)


@given(
    st.lists(SENTENCES, min_size=2, max_size=8), st.sampled_from(["- ", "* ", "• ", "  o  ", "+ "]), st.integers(20, 90)
)
def test_a_span_holds_its_item_and_nothing_else(items: list[str], mark: str, width: int) -> None:
    hanging = " " * len(mark)
    body = "\n".join(
        textwrap.fill(item, width, initial_indent=mark, subsequent_indent=hanging, break_long_words=False)
        for item in items
    )
    found = explain_body(body, html=False).reading.bullets
    assert [bullet.text for bullet in found] == items
    assert [" ".join(body[bullet.start : bullet.end].split()) for bullet in found] == items


@settings(max_examples=400)
@given(st.lists(PIECES, max_size=60).map("".join))
def test_a_span_begins_and_ends_with_words_of_its_item(body: str) -> None:
    for bullet in explain_body(body, html=False).reading.bullets:
        words, said = bullet.text.split(), body[bullet.start : bullet.end].replace("\u200b", "").split()
        assert (said[0], said[-1]) == (words[0], words[-1])
        assert bullet.text == bullet.text.strip()


@pytest.mark.parametrize(
    "body",
    [
        "完成了第一季度报告\n\n修复了导出错误的问题\n\n参加了周三的例会\n",
        "Closed it all\n\nMet the office\n\nRan a drill\n",
    ],
)
def test_short_paragraphs_are_items(body: str) -> None:
    found = explain_body(body, html=False).reading.bullets
    assert [bullet.text for bullet in found] == body.rstrip().split("\n\n")


SHY = [
    "-",
    "*",
    "–",
    "+ ",
    "o ",
    "O ",
    "? ",
    ". ",
    "-> ",
    "=> ",
    "--> ",
    "~ ",
    "-- ",
    "— ",
    "→ ",
    "➔ ",
    "» ",
    "♦ ",
    "🚀 ",
    "*) ",
]  # marks
DID = ["Closed", "Met", "Drafted", "Reviewed", "Sent", "Trained", "Updated", "filed", "prepared", "answered", "audited"]
WHAT = [
    "fourteen tickets of the travel queue",
    "the vendor of the badge system",
    "the memo on telework",
    "two new analysts",
    "the log for March 2025",
    "all open cases (12)",
    "Ann Doe's request",
    "the VPN outage",
]
HOW = [
    "for the front office",
    "about a new contract",
    "and sent it on",
    "before the Friday meeting",
    "with Bob Roe in Denver",
]


@pytest.mark.parametrize("mark", [*SHY, "- ", "• ", "1. ", "1) ", "(1) ", "a) ", "A. ", "1: ", "#1 ", "No. 1 ", "1.1 "])
@pytest.mark.parametrize(
    "form", ["a line each", "blank lines between", "wrapped to the margin", "wrapped and set in", "html"]
)
def test_five_items_of_any_mark_and_of_like_length_are_five_bullets(mark: str, form: str) -> None:
    chance = Random(mark + form)
    for _ in range(25):
        items = [
            " ".join([chance.choice(DID), chance.choice(WHAT), *chance.sample(HOW, chance.randint(1, 4))])
            for _ in range(5)
        ]
        marked = [_counted(mark, number) + item for number, item in enumerate(items, start=1)]
        if form.startswith("wrapped"):
            indent = " " * len(mark) if form.endswith("in") else ""
            marked = ["\n".join(textwrap.wrap(line, 76, subsequent_indent=indent)) for line in marked]
        if form == "html":
            body = "".join(f"<div>{html.escape(line)}</div>" for line in marked)
        else:
            body = "Hi,\n\n" + ("\n\n" if form.startswith("blank") else "\n").join(marked) + "\n\nThanks,\nAnn\n"
        found = explain_body(body, html=form == "html").reading
        assert [(bullet.level, bullet.text) for bullet in found.bullets] == [(0, item) for item in items], body


def _counted(mark: str, number: int) -> str:
    return mark.replace("1", str(number), 1).replace("a", "abcde"[number - 1]).replace("A", "ABCDE"[number - 1])


@pytest.mark.parametrize("mark", SHY)
def test_lines_that_are_wider_than_any_wrap_are_items_of_their_own(mark: str) -> None:
    items = [f"{verb} {' '.join(WHAT[:5])} {what}" for verb, what in zip(DID, WHAT[:5], strict=False)]
    found = explain_body("\n".join(mark + item for item in items), html=False).reading
    assert [bullet.text for bullet in found.bullets] == items


@pytest.mark.parametrize(
    "body",
    [
        "No list.\n\n--- a/queue.c\n+++ b/queue.c\n@@ -1,2 +1,2 @@\n-x\n+y\n z\n\nSee [1].\n\n[1] The book.\n",
        "See (1).\n\n(1) http://x.test/one\n(2) http://x.test/two\n",
        "Hi,\n\n(1) this, (2) that, (3) the other.\n\nSo much for it.\n\nAnd more of it.\n",
        "Hi all,\n\nBelow.\n\nClosed the one case\nDrafted the one memo\nMet the one office\n\nSo much for that.\n",
        "Hi,\n\nclosed it; drafted it; met them; sent it.\n\nMore below.\n\nAnd here.\n",
        "(1) this, (2) that, (3) the other.\n\nThe rest.\n",
    ],
)
def test_each_line_that_is_of_no_bullet_is_left_over(body: str) -> None:
    found = explain_body(body, html=False).reading
    said = re.findall(r"\w+", " ".join([found.leftover, *(f"{each.marker} {each.text}" for each in found.bullets)]))
    assert set(re.findall(r"\w+", body)) - {"and"} <= set(said)
