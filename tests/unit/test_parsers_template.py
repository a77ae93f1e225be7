"""What we asked is taken away; what was typed inside the quoted request is read."""

import pytest

from parsers.parse import explain_body

ASKED = "Please reply to this email with approx. 5 bullets of what you accomplished last week."
REQUEST = f"{ASKED}\n\n1. [your item]\n2. [your item]\n3. [your item]\n\nDeadline is Monday at 11:59 p.m."
FILLED = f"{ASKED}\n\n1. Closed 14 tickets\n2. Drafted the memo\n3. [your item]\n\nDeadline is Monday at 11:59 p.m."
ANSWERS = ["Closed 14 tickets", "Drafted the memo"]
ATTRIBUTION = "On Mon, Mar 3, 2025 at 8:00 AM HR <hr@asker.test> wrote:\n\n"
HEADER = "From: HR <hr@asker.test>\nSent: Monday, March 3, 2025 8:00 AM\nTo: Ann\nSubject: x\n\n"
GMAIL = (
    '<div><br></div><div class="gmail_quote"><div class="gmail_attr">On Mon, Mar 3, 2025 HR wrote:</div>'
    '<blockquote class="gmail_quote">{}<blockquote type="cite"><ul><li>older</li></ul></blockquote></blockquote></div>'
)
OUTLOOK = (
    '<p>&nbsp;</p><div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>From:</b> HR<br><b>Sent:</b> 3</div>{}'
)
BOXED = "<p>See my answers below.</p><div style='border-left:2px solid #1010ff;padding-left:5px'>{}</div>"
LISTED = f"<p>{ASKED}</p><ol><li>Closed 14 tickets</li><li>Drafted the memo</li><li>...</li></ol><p>Monday</p>"


def quoted(body: str) -> str:
    return ATTRIBUTION + "\n".join(f"> {line}" for line in body.split("\n"))


def bullets(body: str, request: str = "", *, html: bool = False) -> list[str]:
    explained = explain_body(body, html=html, request=request)
    shown = explained.bodies[0].text
    for bullet in explained.reading.bullets:
        assert shown[bullet.start : bullet.end] == bullet.text
    for cut in explained.reading.trace:
        assert 0 <= cut.start <= cut.end <= len(shown)
        assert not any(cut.start < bullet.end and bullet.start < cut.end for bullet in explained.reading.bullets)
    assert {bullet.kind for bullet in explained.reading.bullets} <= {"inquote"}
    return [bullet.text for bullet in explained.reading.bullets]


@pytest.mark.parametrize("request_text", ["", REQUEST])
@pytest.mark.parametrize("body", [quoted(FILLED), HEADER + FILLED, "See my answers below.\n\n" + quoted(FILLED)])
def test_answers_inside_the_quoted_request_are_read(body: str, request_text: str) -> None:
    assert bullets(body, request_text) == ANSWERS


@pytest.mark.parametrize("request_text", ["", REQUEST])
@pytest.mark.parametrize("page", [GMAIL, OUTLOOK, BOXED])
def test_answers_inside_quoted_html_are_read(page: str, request_text: str) -> None:
    assert bullets(page.format(LISTED), request_text, html=True) == ANSWERS


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize(
    "request_text",
    [
        REQUEST,
        f"{ASKED}\n1. Reply to this email\n2. Cc your manager\n3. Do not send links\n4. Five bullets at most",
        f"{ASKED} Example:\n- Closed 3 tickets\n- Drafted a memo",
        f"{ASKED}\n- Item 1\n- Item 2\n- ...",
    ],
)
def test_a_quote_of_the_request_alone_holds_no_answers(request_text: str, known: bool) -> None:
    assert bullets(quoted(request_text), request_text if known else "") == []


def test_a_quoted_list_that_nobody_asked_for_holds_no_answers() -> None:
    assert bullets(quoted("Weekly news:\n- one thing\n- another thing")) == []


def test_what_the_author_says_himself_comes_before_the_quote() -> None:
    assert bullets(f"I was on leave all week.\n\n{quoted(FILLED)}") == []


def test_an_older_reply_inside_the_quote_is_not_read() -> None:
    assert bullets(quoted(f"- Closed it\n- Did it\n\nOn 2 Mar 2025, HR <hr@asker.test> wrote:\n> {ASKED}")) == []


def test_a_request_that_was_wrapped_anew_is_known() -> None:
    wrapped = FILLED.replace("of what you ", "of what you\n")
    assert bullets(quoted(wrapped), REQUEST) == ANSWERS


def test_a_template_pasted_above_the_answers_is_subtracted() -> None:
    explained = explain_body(f"{FILLED}\n", html=False, request=REQUEST)
    assert [bullet.text for bullet in explained.reading.bullets] == ANSWERS
    assert (explained.reading.leftover, {cut.rule for cut in explained.reading.trace}) == ("", {"template"})


def test_an_item_that_shares_a_word_with_the_request_stays() -> None:
    body = "- Monday\n- bullets\n- Accomplished what you asked: 5 tickets closed"
    assert len(explain_body(body, html=False, request=REQUEST).reading.bullets) == 3
