"""Lines into bullets: every mark of the table, levels, continuations, and lists without marks."""

import pytest

from parsers import markers
from parsers.model import Reading, Status
from parsers.parse import read

TEXTS = ["Closed the case", "Drafted the memo", "Met the office"]
KINDS = frozenset(
    {"dash", "star", "dot", "number", "letter", "circled", "emoji", "html_ul", "html_ol", "mso"}
    | {"paragraph", "semicolon", "inline"}
)


def reading(body: str, content: str = "text/plain") -> Reading:
    return read(f"From: ann@agency.test\r\nContent-Type: {content}; charset=utf-8\r\n\r\n{body}".encode())


def levels(found: Reading) -> list[tuple[int, str]]:
    return [(bullet.level, bullet.text) for bullet in found.bullets]


@pytest.mark.parametrize("mark", [*"-–—*•·‣▪➢»☐✅", "§ ", "Ø ", "o\t", "ü\t", "\uf0b7", "✔\ufe0f", "🎯"])  # noqa: RUF001  # marks
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
