# ruff: noqa: RUF001  attributions in other alphabets
"""Quotes are cut, in the words of many programs and languages; what only looks like one stays."""

import pytest

from parsers import reply, text
from parsers.model import Part

ITEMS = "- Closed the case\n- Drafted the memo\n- Met the office"

# What is cut whatever stands below it: (what a trace calls it, the lines).
PROVED = [
    ("attribution:en", "On Mon, Mar 3, 2025 at 8:00 AM HR <hr@asker.test> wrote:"),
    ("attribution:en", "On Mon, Mar 3, 2025 at 8:00 AM Human Resources <\nhr@asker.test> wrote:"),
    ("attribution:en", "On Mon, Mar 3, 2025 at 8:00 AM Human Resources\n<hr@asker.test>\nwrote:"),
    ("attribution:en", "On Mar 3, 2025, at 8:00 AM, HR wrote:"),
    ("attribution:en", "On Mar 3, 2025,\nat 8:00 AM,\nHR <hr@asker.test> wrote:"),
    ("attribution:en", "On 3/4/05, Ann <ann@asker.test> wrote:"),
    ("attribution:en", "On Mon, 2004-03-01 at 12:00, Ann Lee wrote:"),
    ("attribution:en", "On Mon, Mar 01, 2004 at 12:00:20PM +0100, Ann Lee wrote:"),
    ("attribution:en", 'At 2025-03-03 08:00:00, "Ann Lee" <ann@asker.test> wrote:'),
    ("attribution:en", "Ann Lee <ann@asker.test> writes:"),
    ("attribution:en", "Ann Lee wrote on 03/03/2025 08:00:"),
    ("attribution:en", "In article <abc@asker.test>, Ann Lee <ann@asker.test> wrote:"),
    ("attribution:en", "In a message dated 3/1/04 6:47:18 AM Eastern Standard Time, ann@asker.test\nwrites:"),
    ("attribution:en", '"Ann Lee" <ann@asker.test> wrote in message\nnews:abc@asker.test...'),
    ("attribution:en", "---- On Mon, 03 Mar 2025 08:00:00 +0100 Ann Lee <ann@asker.test> wrote ----"),
    ("attribution:en", "--- In group@asker.test, Ann Lee <ann@...> wrote:"),
    ("attribution:en", "Quoting Ann Lee <ann@asker.test>:"),
    ("attribution:stamp", "2010/3/4 Ann Lee <ann@asker.test>"),
    ("attribution:stamp", "пн, 3 мар. 2025 г. в 08:00, HR <hr@asker.test>:"),
    ("attribution:stamp", "2025年3月3日(月) 8:00 HR <hr@asker.test>:"),
    ("attribution:groupwise", ">>> Ann Lee 03/03/05 9:00 AM >>>"),
    ("attribution:de", "Am 03.03.25 um 08:00 schrieb HR:"),
    ("attribution:de", "Am 12.03.04 schrieb Ann Lee:"),
    ("attribution:de", "Ann Lee schrieb am 03.03.2025 um 08:00:"),
    ("attribution:de", "Ann Lee <ann@asker.test> hat am 03.03.2025 08:00 CET geschrieben:"),
    ("attribution:de", "Zitat von Ann Lee <ann@asker.test>:"),
    ("attribution:fr", "Le lun. 3 mars 2025 à 08:00, HR <hr@asker.test> a\nécrit :"),
    ("attribution:fr", "Le 03/03/2025 à 08:00, Ann Lee a écrit :"),
    ("attribution:es", "El lun, 3 mar 2025 a las 8:00, HR (<\nhr@asker.test>) escribió:"),
    ("attribution:pt", "Em seg., 3 de mar. de 2025 às 08:00, HR <hr@asker.test> escreveu:"),
    ("attribution:it", "Il giorno lun 3 mar 2025 alle ore 08:00 HR <hr@asker.test>\nha scritto:"),
    ("attribution:nl", "Op ma 3 mrt 2025 om 08:00 schreef HR <hr@asker.test>:"),
    ("attribution:nl", "Op 3 mrt. 2025, om 08:00 heeft Ann <ann@asker.test> het volgende geschreven:"),
    ("attribution:sv", "Den mån 3 mars 2025 kl 08:00 skrev HR <hr@asker.test>:"),
    ("attribution:sv", "man. 3. mar. 2025 kl. 08:00 skrev HR <hr@asker.test\n>:"),
    ("attribution:fi", "ma 3. maalisk. 2025 klo 8.00 Ann (ann@asker.test) kirjoitti:"),
    ("attribution:pl", "pon., 3 mar 2025 o 08:00 HR <hr@asker.test> napisał(a):"),
    ("attribution:cs", "Dne 3.3.2025 v 8:00 Ann Lee napsal(a):"),
    ("attribution:ru", "03.03.2025 08:00, Ann Lee пишет:"),
    ("attribution:uk", "пн, 3 бер. 2025 р. о 08:00 Ann <ann@asker.test> пише:"),
    ("attribution:tr", "3 Mar 2025 Pzt, 08:00 tarihinde Ann <ann@asker.test> şunu yazdı:"),
    ("attribution:ro", "În lun., 3 mar. 2025 la 08:00, Ann <ann@asker.test> a scris:"),
    ("attribution:hu", "Ann <ann@asker.test> ezt írta (időpont: 2025. márc. 3., H, 8:00):"),
    ("attribution:el", "Στις Δευ 3 Μαρ 2025 στις 8:00 π.μ., ο χρήστης Ann <ann@asker.test> έγραψε:"),
    ("attribution:ja", "2025/03/03 8:00、Ann Lee <ann@asker.test>のメール:"),
    ("attribution:zh", "Ann <ann@asker.test> 于2025年3月3日周一 08:00写道："),
    ("attribution:zh", "在 2025/3/3 8:00, Ann Lee 写道:"),
    ("attribution:ko", "2025년 3월 3일 (월) 오전 8:00, Ann <ann@asker.test>님이 작성:"),
    ("attribution:vi", "Vào Th 2, 3 thg 3, 2025 vào lúc 08:00 Ann <ann@asker.test> đã viết:"),
    ("original-message:en", "-----Original Message-----"),
    ("original-message:de", "-----Ursprüngliche Nachricht-----"),
    ("original-message:da", "-------- Oprindelig besked --------"),
    ("original-message:zh", '------------------ 原始邮件 ------------------\n发件人: "HR"<hr@asker.test>;'),
    ("forwarded:en", "---------- Forwarded message ---------"),
    ("forwarded:en", "----- Forwarded by Ann Lee/Agency on 03/03/2005 09:00 AM -----"),
    ("forwarded:en", "Begin forwarded message:"),
    ("forwarded:de", "Anfang der weitergeleiteten Nachricht:"),
    ("header-block:en", "________________________________\nFrom: HR\nSent: Monday\nTo: Ann"),
    ("header-block:en", "*From:* HR <hr@asker.test>\n*Sent:* Monday, March 3, 2025 8:00 AM"),
    ("header-block:en", "Date: Mon, 3 Mar 2025\nSubject: x\nFrom: hr@asker.test"),
    ("header-block:en", "From: Human Resources\n<hr@asker.test>\nSent: Monday\nTo: Ann"),
    ("header-block:de", "Von: HR\nGesendet: Montag\nAn: Ann\nBetreff: x"),
    ("header-block:fr", "De : HR<mailto:hr@asker.test>\nEnvoyé le :lundi 3 mars 2025 09:35\nÀ : Ann"),
    ("header-block:fr", "De : HR\n\nEnvoyé : lundi\n\nÀ : Ann"),
    ("header-block:it", "Da: HR\nInviato: lunedì\nA: Ann\nOggetto: x"),
    ("header-block:nl", "Van: HR\nVerzonden: maandag\nAan: Ann\nOnderwerp: x"),
    ("header-block:sv", "Från: HR\nSkickat: den 3 mars\nTill: Ann\nÄmne: x"),
    ("header-block:fi", "Lähettäjä: HR\nLähetetty: maanantai\nVastaanottaja: Ann\nAihe: x"),
    ("header-block:pl", "Od: HR\nWysłane: poniedziałek\nDo: Ann\nTemat: x"),
    ("header-block:ru", "От: HR\nОтправлено: 3 марта\nКому: Ann\nТема: x"),
    ("header-block:tr", "Gönderen: HR\nGönderilen gün: 3 Mart 2025 08:00\nKime: Ann"),
    ("header-block:zh", "发件人： HR\n发送时间： 2025年3月3日\n收件人： Ann\n主题： x"),
    ("header-block:ja", "差出人: HR\n送信日時: 2025年3月3日\n宛先: Ann\n件名: x"),
    ("header-block:ko", "보낸 사람: HR\n보낸 날짜: 2025년 3월 3일\n받는 사람: Ann\n제목: x"),
    ("header-block:notes", "Ann Lee/Agency\n03/03/2005 08:00 AM\nTo\nBob Ray/Agency@AGENCY\ncc\n\nSubject\nRe: x"),
]

# What is cut right above a quote alone.
HINTS = [
    "Ann Lee wrote:",
    "According to Ann Lee:",
    "Quoting Ann Lee:",
    "Thus spake Ann Lee (ann@asker.test):",
    "On Monday Ann Lee wrote:",
    "you wrote:",
    "--- Ann Lee wrote:",
    "* Ann Lee <ann@asker.test> [2004-03-01 12:00]:",
    "+++ Ann Lee [01/03/04 12:00 +0100]:",
    "In <abc@asker.test>, Ann wrote:",
    "Ann Lee, le 3 mars 2004 à 12:00 :",
    "Ann Lee a écrit :",
    "Ann Lee schrieb:",
    "Ann Lee escribió:",
    "Ann Lee skrev:",
    "Ann Lee pisze:",
    "Вы писали:",
    "Ann Lee さんは書きました:",
]

PROSE = [
    "From: the intake team",
    "From 3 March to 5 March:",
    "From: building A\nTo: building B",
    "To: all of you",
    "Subject: none",
    "On Monday I wrote:",
    "On 3 March 2025 we wrote:",
    "On Tuesday 4 March 2025 the director wrote:",
    "As I wrote on 3 March 2025:",
    "The following was written:",
    "Accomplishments for 03/03/2025:",
    "Meeting on 2025-03-03 10:00 with ann@agency.test:",
    "Am 3.3.2025 schrieb ich:",
    "According to the plan:",
    "**Forwarded** the memo to all",
    "Original message board closed",
    "-----",
]


def cut(body: str) -> tuple[str, list[str]]:
    found = reply.own(text.lines(Part(0, False, body)))
    assert all(0 <= each.start <= each.end <= len(body) for each in found.trace)
    return "\n".join(line.text for line in found.lines).strip(), [each.rule for each in found.trace]


def own(body: str) -> str:
    return cut(body)[0]


@pytest.mark.parametrize(("rule", "attribution"), PROVED)
def test_what_stands_below_an_attribution_is_cut(rule: str, attribution: str) -> None:
    left, rules = cut(f"{ITEMS}\n\n{attribution}\n\nWhat did you do?\n- item")
    assert (left, rule in rules) == (ITEMS, True)


@pytest.mark.parametrize("attribution", HINTS)
def test_a_name_and_a_verb_are_an_attribution_right_above_a_quote_alone(attribution: str) -> None:
    assert own(f"{ITEMS}\n\n{attribution}\n> Done?\n> - item\n\nYes.").split() == f"{ITEMS}\nYes.".split()
    assert "@" in attribution or attribution in own(f"{ITEMS}\n\n{attribution}\n\n{ITEMS}")


@pytest.mark.parametrize("line", PROSE)
def test_prose_above_the_authors_own_list_is_content(line: str) -> None:
    assert own(f"{line}\n{ITEMS}") == f"{line}\n{ITEMS}"


@pytest.mark.parametrize(
    "line",
    [
        "- From: intake team\n- To: review",
        "- On Tuesday 4 March the director wrote:",
        "1. From: the intake\n2. To: the office",
        "* On 3 March Ann <ann@agency.test> wrote:",
    ],
)
def test_a_list_line_is_never_a_boundary(line: str) -> None:
    assert own(f"{line}\n{ITEMS}") == f"{line}\n{ITEMS}"


def test_the_line_above_a_wrapped_attribution_stays() -> None:
    assert own("See you on 3 March\nOn Mon, 3 Mar 2025 HR <\nhr@asker.test> wrote:\n> x") == "See you on 3 March"


def test_text_below_a_quote_is_the_authors() -> None:
    assert own(f"On 3/3/25 8:00 AM, HR wrote:\n> What did you do?\n\n{ITEMS}") == ITEMS


def test_answers_between_quotes_are_the_authors() -> None:
    body = "On 3/3/25 8:00 AM, HR wrote:\n> Closed?\nYes.\n> Drafted?\nno, not yet\n> Met?\n\nWe did."
    assert own(body).split("\n") == ["Yes.", "no, not yet", "", "We did."]


def test_answers_below_a_header_block_with_a_marked_quote_are_the_authors() -> None:
    head = "----- Original Message -----\nFrom: HR <hr@asker.test>\nSubject: a long one that was wrapped\n at it"
    assert own(f"{head}\n\n> Done?\n\nYes.") == "Yes."


@pytest.mark.parametrize("mark", ["|", "}", ":", "│"])
def test_another_mark_is_a_quote_below_an_attribution(mark: str) -> None:
    assert own(f"Ann wrote:\n{mark} one\n{mark} - two\n\n{ITEMS}") == ITEMS
    assert own(f"Mine:\n{mark} one") == f"Mine:\n{mark} one"


def test_initials_before_the_mark_are_a_quote() -> None:
    assert own(f"AL> one\nAL> - two\n\n{ITEMS}") == ITEMS
    assert own(f'>>>>> "al" == Ann Lee writes:\n\nal> one\n\n{ITEMS}') == ITEMS
    assert own("mysql> select 1") == "mysql> select 1"


def test_what_a_quoted_line_lost_when_it_was_wrapped_is_quoted() -> None:
    long = "> Please reply to this mail with about five bullets of what it was that you did"
    assert own(f"{ITEMS}\n\nOn 3/3/25, HR <hr@asker.test> wrote:\n{long}\nlast week and\n> copy your manager.") == ITEMS


def test_a_short_answer_between_quoted_lines_is_no_remainder() -> None:
    assert own("On 3/3/25, HR <hr@asker.test> wrote:\n> Closed?\nyes\n> Drafted?") == "yes"


def test_from_behind_one_mark_was_escaped_by_a_mailbox() -> None:
    assert own(">From Monday on we met.\nThen we left.") == ">From Monday on we met.\nThen we left."


def test_a_signature_below_the_quote_goes_with_it() -> None:
    assert own(f"{ITEMS}\n\nOn 3/3/25, HR <hr@asker.test> wrote:\n> x\n\n-- \nAnn Lee") == ITEMS
    assert own("On 3/3/25, HR <hr@asker.test> wrote:\n> x\n\nYes.\n\n-- \nAnn Lee") == "Yes.\n\n--\nAnn Lee"


def test_each_cut_is_at_its_place() -> None:
    body = f"{ITEMS}\r\n\r\nOn 3/3/25, HR <hr@asker.test> wrote:\r\n> one\r\n> two\r\n"
    found = reply.own(text.lines(Part(0, False, body)))
    assert [(each.rule, body[each.start : each.end]) for each in found.trace] == [
        ("attribution:en", "On 3/3/25, HR <hr@asker.test> wrote:"),
        ("quote", "> one\r\n> two"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "CAUTION: This email originated from outside of the agency.\nDo not click links.",
        "[EXTERNAL EMAIL] Exercise caution",
        "You don't often get email from ann@agency.test. Learn why this is important",
        "ACHTUNG: Diese E-Mail kommt von einem externen Absender.",
    ],
)
def test_the_warning_of_a_gateway_is_not_the_authors(line: str) -> None:
    assert own(f"{line}\n\n{ITEMS}") == ITEMS
    assert own(f"{ITEMS}\n\n{line}") == f"{ITEMS}\n\n{line}"


def test_an_authors_own_caution_stays() -> None:
    assert own(f"Caution was needed this week:\n\n{ITEMS}") == f"Caution was needed this week:\n\n{ITEMS}"
