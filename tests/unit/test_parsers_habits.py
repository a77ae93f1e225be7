# ruff: noqa: E501, RUF001  a row is a mail, in all alphabets
"""Habits of people and of old programs at the edges of a text: attributions, name blocks, and what only looks listed."""

from base64 import b64encode

import pytest

from parsers.model import Status
from parsers.parse import explain, explain_body, read

LIST = "- Closed the case\n- Drafted the memo\n- Met the office"
ITEMS = ["Closed the case", "Drafted the memo", "Met the office"]
QUOTE = "> What did you do last week?\n> Five bullets, please."


def mail(body: str, sender: str = "ann@agency.test") -> bytes:
    return f"From: {sender}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}".encode()


def texts(body: str) -> list[str]:
    found = explain_body(body, html=False).reading.bullets
    return [bullet.text for bullet in found if bullet.kind not in ("paragraph", "semicolon")]


def reply(body: str) -> str:
    return explain_body(body, html=False).reply


def unsigned(body: str) -> str:
    return explain_body(body, html=False).unsigned


# Attributions and quoted headers


@pytest.mark.parametrize(
    "line",
    [
        "Вы писали 10 марта 2025 г., 15:00:00:",
        "You wrote on Monday, March 3, 2025, 3:00:00 PM:",
        "Monday, March 3, 2025, 3:00:00 PM, you wrote:",
        "Ann Lee wrote on Monday, March 3, 2025, 3:00:00 PM:",
        "Sie schrieben am Montag, 3. März 2025, 15:00:00:",
        "Am Montag, 3. März 2025 um 15:00:00 schrieben Sie:",
        "Vous écriviez le lundi 3 mars 2025, 15:00:00 :",
        "Le lundi 3 mars 2025 à 15:00:00, vous écriviez :",
        "Usted escribió el lunes 3 de marzo de 2025, 15:00:00:",
        "Lei ha scritto lunedì 3 marzo 2025, 15:00:00:",
        "Ви писали 3 березня 2025 р., 15:00:00:",
        "Jan Nowak napisał 3 marca 2025 (15:00:00):",
    ],
)
@pytest.mark.parametrize("quoted", ["HR> Answer, please.\n", "Answer, please.\n"])
def test_the_bat_says_who_wrote_and_then_when(line: str, quoted: str) -> None:
    assert reply(f"{LIST}\n\n{line}\n\n{quoted}") == LIST


@pytest.mark.parametrize(
    "line", ["We wrote on 3 March 2025 at 10:00:", "I wrote 3 letters by 10:30:", "They wrote on Monday, March 3:"]
)
def test_what_the_author_says_was_written_is_no_attribution(line: str) -> None:
    assert reply(f"{line}\n\n{LIST}") == f"{line}\n\n{LIST}"


@pytest.mark.parametrize(
    "head",
    [
        ">>> Ann Lee <ann@asker.test> schrieb am 17.03.2021 um 10:20\nin Nachricht\n<6051@asker.test>:",
        ">>> Ann Lee <ann@asker.test> schrieb am 17.03.2021 um 10:20 in\nNachricht <6051@asker.test>:",
        ">>> On 3/17/2021 at 10:20 AM, in message\n<6051@asker.test>, Ann Lee\n<ann@asker.test> wrote:",
        ">>> Ann Lee <ann@asker.test> a écrit le 17.03.2021 à 10:20\ndans le message\n<6051@asker.test> :",
        ">>> Ann Lee <ann@asker.test> 03/17/21 10:20 AM\n>>>",
    ],
)
def test_an_attribution_of_groupwise_goes_on_where_it_was_wrapped(head: str) -> None:
    assert reply(f"{LIST}\n\n{head}\n{QUOTE}\n\nThat is all.") == f"{LIST}\n\n\nThat is all."


NOTES_TABLE = """\
|---------+---------------------------->
|         |           Ann Lee          |
|         |           <ann@asker.test> |
|         |                            |
|         |           03/03/2025 08:00 |
|---------+---------------------------->
  >--------------------------------------------------------------|
  |                                                              |
  |       To:       pulse@asker.test                             |
  |       cc:                                                    |
  |       Subject:  Last week                                    |
  >--------------------------------------------------------------|
"""
NOTES_PLAIN = """\
Ann Lee <ann@asker.test>@lists.asker.test on 03/03/2025 08:41:03 AM

Please respond to ann@asker.test

Sent by:  pulse@asker.test


To:   pulse@asker.test
cc:

Subject:  Last week

"""


@pytest.mark.parametrize("head", [NOTES_TABLE, NOTES_PLAIN])
def test_below_a_header_of_notes_all_is_quoted(head: str) -> None:
    assert reply(f"{LIST}\n\n\n{head}\n\n- Send five bullets\n- No links\n") == LIST


def test_a_table_of_the_authors_own_stays() -> None:
    table = "|-------+-------|\n| Monday | closed |\n| Friday | opened |\n|-------+-------|"
    assert reply(f"{table}\n\nThat is all.") == f"{table}\n\nThat is all."


@pytest.mark.parametrize(
    "line",
    [
        "----- Original Message -----",
        "----- Ursprüngliche Mail -----",
        "----- Mail original -----",
        "----- Mensaje original -----",
        "----- Messaggio originale -----",
        "----- Mensagem original -----",
        "----- Oorspronkelijk bericht -----",
        "----- Originele bericht -----",
        "----- Ursprungligt meddelande -----",
        "----- Oprindelig meddelelse -----",
        "----- Oryginalna wiadomość -----",
        "----- Původní zpráva -----",
        "----- Исходное сообщение -----",
    ],
)
def test_a_divider_above_a_marked_quote_goes_and_the_answers_stay(line: str) -> None:
    assert reply(f"Above.\n\n{line}\n{QUOTE}\n\nBelow.") == "Above.\n\n\nBelow."


# Encodings


def test_a_stray_character_in_base64_is_ignored_and_a_footer_is_not_read() -> None:
    encoded = b64encode(LIST.encode() + b"\n- Counted all of the culverts along the road").decode()
    wire = f"{encoded[:20]} \r\n\r\n{encoded[20]}*{encoded[21:70]}\r\n{encoded[70:]}"
    head = "From: ann@agency.test\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    for footer in (
        "",
        "\r\n____________\r\nhttp://lists.test/one",
        "\r\nhttps://lists.agency.test/mailman/listinfo/alpha-and-beta",
    ):
        found = read(f"{head}{wire}{footer}".encode())
        assert [bullet.text for bullet in found.bullets] == [*ITEMS, "Counted all of the culverts along the road"]


# Name blocks


def test_a_name_that_stands_twice_goes_twice() -> None:
    body = f"{LIST}\n\n- Ann Lee\n\nOn 3/10/25 9:30 AM, HR wrote:\n> What did you do?\n\n- Ann Lee"
    assert explain(mail(body, "Ann Lee <ann@agency.test>")).unsigned == LIST


@pytest.mark.parametrize("sender", ["ann@agency.test", '"Lee, Ann" <ann@agency.test>'])
def test_name_and_title_above_a_notice_go_with_it(sender: str) -> None:
    notice = "CONFIDENTIAL: This message may hold privileged information meant only for the addressee, and nobody else."
    assert explain(mail(f"{LIST}\n\nAnn Lee\nSenior Attorney\n\n{notice}", sender)).unsigned == LIST


BLOCKS = [
    "Mario Rossi\nAlfa Servizi Srl\nVia Roma 1\n20100 Milano\nTel. 02 555010\nFax 02 555011\nP.IVA 01234567890",
    "Ing. Mario Rossi\nAlfa S.p.A.\nTel: +39 02 555010 - Fax: +39 02 555011",
    "Ute Ahn\nBeta GmbH\nHauptstraße 1\nD-10115 Berlin\nTelefon 030 555010\nTelefax 030 555011\nGeschäftsführer: Bo Ek\nAmtsgericht Berlin, HRB 1234\nUSt-IdNr. DE123456789",
    "Jeanne Petit\nGamma SARL\n1 rue de la Paix\n75002 Paris\nTél. : 01 55 50 10 10\nSIRET 123 456 789 00010",
    "Bo Ek\nDelta Ltd\n1 High Street\nLondon\nPhone 020 555 0100\nVAT no. GB123456789",
    "Ann Lee, Director of Works\nEpsilon Inc.\nPhone: 555-0100\nFax: 555-0101\nann@agency.test",
]


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("said", [LIST, "I closed the case and drafted the memo."])
def test_a_name_over_ways_to_reach_it_is_a_signature(said: str, block: str) -> None:
    body = f"{said}\n\n{block}\n\nOn 3/10/25 9:30 AM, HR wrote:\n{QUOTE}"
    assert unsigned(body) == said
    assert reply(body) == f"{said}\n\n{block}"


def test_whom_the_author_names_below_a_colon_stays() -> None:
    said = "Please call them for the rest:\n\nBo Ek\nPhone 555-0100\nbo@asker.test"
    assert unsigned(said) == said


def test_what_the_author_tells_of_a_company_stays() -> None:
    said = "I called Beta GmbH on Monday.\n\nTheir phone is 030 555010 and their fax 030 555011.\nWe meet on Friday."
    assert unsigned(said) == said


@pytest.mark.parametrize("sign", ["-dg", "-earlm", "- dg", "--bo", "~ann"])
def test_a_short_name_below_a_dash_ends_the_text(sign: str) -> None:
    assert unsigned(f"I closed the case.\n\n{sign}") == "I closed the case."
    assert unsigned(f"I closed the case.\n{sign}") == "I closed the case."


@pytest.mark.parametrize(
    "body", ["You may add:\n\n-v\n-x", "-closed\n-drafted", "Run it with\n-verbose", "One\n\n-two\n\nThree"]
)
def test_a_word_below_a_dash_that_signs_nothing_stays(body: str) -> None:
    assert unsigned(body) == body


def test_a_signature_below_the_last_of_several_quotes_is_the_authors_and_no_quote() -> None:
    body = "> one?\n\nYes.\n\n> two?\n\nNo.\n\n> three?\n\n-- \nAnn Lee"
    assert reply(body) == "Yes.\n\n\nNo.\n\n\n--\nAnn Lee"
    assert unsigned(body) == "Yes.\n\n\nNo."


def test_the_footer_of_a_list_below_quotes_is_nobodys_answer() -> None:
    body = "> one?\n\nYes.\n\n> two?\n\nNo.\n\n> three?\n\n____\nAlpha mailing list\nhttp://lists.test/listinfo/alpha"
    assert reply(body) == "Yes.\n\n\nNo."


# Items and what is none


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("1. Closed the audit\n", ["Closed the audit"]),
        ("Hi all,\n\n1. Closed the audit\n\nThanks,\nAnn\n", ["Closed the audit"]),
        ("1) Closed the audit of the\n   branch office\n\nAnn Lee\n", ["Closed the audit of the branch office"]),
        ("1. April\n", []),
        ("1. Mai 2025\n", []),
        ("We met on the\n\n1. Closed the audit\n\nIt was long, and nobody left before the end of it.\n", []),
        ("2. Closed the audit\n", []),
    ],
)
def test_one_number_is_an_item_where_nothing_else_is_said(body: str, expected: list[str]) -> None:
    assert texts(body) == expected


def test_one_mark_above_a_sub_list_is_an_item() -> None:
    found = explain_body("Hello,\n\n* Budget:\n  - Closed March\n  - Opened April\n", html=False).reading
    assert [(bullet.level, bullet.text) for bullet in found.bullets] == [
        (0, "Budget:"),
        (1, "Closed March"),
        (1, "Opened April"),
    ]
    assert found.status is Status.FEW


def test_counts_below_a_command_are_of_no_item() -> None:
    body = (
        "- Added the switch that everybody asked for since the last release, and its page\n"
        "- Fixed the build on systems that have no compiler of their own, which was long overdue\n"
        "git shortlog -s v1.0..v1.1\n    12\tAnna Bell\n     3\tBo Ek\n\n- Anna\n"
    )
    assert texts(body) == [
        "Added the switch that everybody asked for since the last release, and its page",
        "Fixed the build on systems that have no compiler of their own, which was long overdue",
    ]


def test_a_name_below_a_list_that_text_has_ended_is_no_item() -> None:
    assert texts(
        "- Added a switch\n- Fixed the build\n\nThe release is out, and the notes will follow.\n\n- Anna\n"
    ) == ["Added a switch", "Fixed the build"]
    assert texts("- Procurement\n- Hiring\n\n- Training\n") == ["Procurement", "Hiring", "Training"]


def test_who_said_it_is_no_item() -> None:
    body = (
        "Two lines that I liked:\n\n  The river does not ask the bridge.\n    -- Ada Brook, The Long Water\n\n"
        "  Whoever counts, counts twice.\n    -- Oto Lind, Ledgers\n"
    )
    assert texts(body) == []
    assert texts("Done:\n-- Closed the case\n-- Drafted the memo\n") == ["Closed the case", "Drafted the memo"]


def test_a_word_alone_between_wrapped_lines_goes_on() -> None:
    body = (
        "- The new edition of the handbook has been sent to all of the offices in the north\nof\n"
        "the country, and the printers say that the rest of them will have it before Friday\nat\nnoon.\n"
        "- The archive is open again, after the water that stood in its cellars for a whole\nwinter\n"
        "has been pumped out and the shelves have been dried, and readers may come as before.\n"
    )
    assert texts(body) == [
        "The new edition of the handbook has been sent to all of the offices in the north of the country, and the printers say that the rest of them will have it before Friday at noon.",
        "The archive is open again, after the water that stood in its cellars for a whole winter has been pumped out and the shelves have been dried, and readers may come as before.",
    ]


# HTML


def test_text_below_a_nested_list_is_of_the_item_around_it() -> None:
    source = "<ul><li>Budget<ul><li>Closed March</li><li>Opened April</li></ul>and sent both</li><li>Hiring</li></ul>"
    found = explain_body(source, html=True).reading.bullets
    assert [(bullet.level, bullet.text) for bullet in found] == [
        (0, "Budget and sent both"),
        (1, "Closed March"),
        (1, "Opened April"),
        (0, "Hiring"),
    ]


def test_a_name_that_outlook_made_a_list_of_is_no_item() -> None:
    listed = "<ul><li>Closed the case</li><li>Drafted the memo</li><li>Met the office</li></ul>"
    name = """<div><br></div><ul style='list-style-type:"- "'><li>Ann Lee</li></ul>"""
    assert [bullet.text for bullet in explain_body(listed + name, html=True).reading.bullets] == ITEMS


# What a trace says of armour


def test_a_trace_tells_what_armour_was_taken_off() -> None:
    body = (
        f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n{LIST}\n\nbegin 644 a.txt\n#0V%T\n`\nend\n"
        "-----BEGIN PGP SIGNATURE-----\n\niQEz\n-----END PGP SIGNATURE-----\n"
    )
    found = explain_body(body, html=False).reading
    assert [(cut.rule, body[cut.start : cut.end].split("\n", maxsplit=1)[0]) for cut in found.trace] == [
        ("armour:signed", "-----BEGIN PGP SIGNED MESSAGE-----"),
        ("armour:uuencoded", "begin 644 a.txt"),
        ("armour:signature", "-----BEGIN PGP SIGNATURE-----"),
    ]


# Real mail's ways


def test_a_greeting_between_an_attribution_and_its_quote_leaves_the_answers() -> None:
    body = f"On 5 Sep 2002, Ann Lee wrote:\n\nAnn,\n\n{QUOTE}\n\nHere is one.\n"
    assert reply(body) == "Ann,\n\n\nHere is one."
    assert reply(f"{LIST}\n\nOn 5 Sep 2002, Ann Lee wrote:\n\nAnn,\n\nFive bullets, please.") == LIST


def test_a_name_behind_a_star_wrote_what_is_quoted_below() -> None:
    assert reply(f"* Ann Lee <ann@asker.test> wrote:\n\n{QUOTE}\n\nYes.") == "Yes."
    assert texts("* Ann Lee <ann@asker.test> wrote:\n* Bo Ek read:\n* Nobody answered\n")[1:] == [
        "Bo Ek read:",
        "Nobody answered",
    ]


def test_an_arrow_may_quote_below_an_attribution() -> None:
    assert (
        reply("On 5 Sep 2002, Ann Lee wrote:\n\n=> Where does it fit?\n=>\n=> After what?\n\nBefore it.")
        == "Before it."
    )


def test_a_rule_below_the_last_line_is_the_authors_where_nothing_was_cut_there() -> None:
    assert reply("Yes.\n\n-----\nA motto of mine.\n-----") == "Yes.\n\n-----\nA motto of mine.\n-----"
    assert reply(f"Yes.\n_____\n\nOn 5 Sep 2002, Ann Lee wrote:\n{QUOTE}") == "Yes."


def test_a_nickname_in_the_block_does_not_hide_the_senders_name() -> None:
    body = 'I closed the case.\n\n- Ann M. "Bee" Lee\n  http://agency.test/~ann/\n  ann@agency.test\n'
    assert explain(mail(body, '"Ann M. Lee" <ann@agency.test>')).unsigned == "I closed the case."


@pytest.mark.parametrize(
    "body",
    [
        "Put this into your filter:\n\n:0\n* ^Subject: .*report\n/dev/null\n\nand this:\n\n:0:\n* x-flag: yes\n$MAILDIR/flagged\n",
        "The spread:\n* = 12 cases\n  1.0 3 *\n  2.0 9 ***\n\nand after it:\n* = 40 cases\n  1.0 8 **\n",
        "I ran this:\n\n#> export --all out \\\n -b one,two\n\n#> commit $TREE \\\n    -p one \\\n    -p two)\n",
        'Hi Bo,\n\n+ You could try another host, though I do not know if they do\n+ "just hosting".\n+\nHeh, you will not find much there these days.\n',
        "It is large (1), and there is a number to call (2), as one can hear (3).\n\n(1) http://one.test/\n(2) 'Whoever has lost money may call.'  http://two.test/ --\nfor those who have.\n(3) http://three.test/\n",
    ],
    ids=["filter", "histogram", "continued", "plus", "notes"],
)
def test_what_programs_read_or_wrote_holds_no_item(body: str) -> None:
    assert texts(body) == []


NARROW = "1) I doubt that most of his\n20,000 visitors counted the\nbridges of their own towns.\n\n2) Let us give the man the\nbenefit of the doubt and count\nthem twice.  40,000 is less\nthan he says.\n"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            NARROW,
            [
                "I doubt that most of his 20,000 visitors counted the bridges of their own towns.",
                "Let us give the man the benefit of the doubt and count them twice. 40,000 is less than he says.",
            ],
        ),
        (
            "-  Have you seen it?\nShe has it.\nThen I have.\n\n-  I know what it is.\n\n-  Unthinkable!\nYou keep saying so.\n\nEnjoy.\n",
            ["Have you seen it? She has it. Then I have.", "I know what it is.", "Unthinkable! You keep saying so."],
        ),
        (
            "- One of it goes on\n  over two lines\n\n- Two of it\nThat is all for this week.\n",
            ["One of it goes on over two lines", "Two of it"],
        ),
        ("- One of it\n- Two of it\nThat is all.\n\nBye now, all of you.\n", ["One of it", "Two of it"]),
        ("- one of it\nNext week:\n\n- two of it\n- three of it\n", ["one of it", "two of it", "three of it"]),
        (
            "- First we did this:\n\n  . we took the one\n    and kept it\n\n  . we took the other\n\n- Then we left\n",
            ["First we did this:", "we took the one and kept it", "we took the other", "Then we left"],
        ),
        (
            f"1. {'the first of the long lines that nobody wraps ' * 5}ends.\n2. {'the last of the long lines that nobody wraps ' * 6}ends.\nThat was all that I wanted to say.\n",
            [
                f"{'the first of the long lines that nobody wraps ' * 5}ends.",
                f"{'the last of the long lines that nobody wraps ' * 6}ends.",
            ],
        ),
    ],
    ids=["narrow", "feed", "indented", "closing", "heading", "stops", "long"],
)
def test_an_item_is_as_long_as_its_paragraph_where_items_are_paragraphs(body: str, expected: list[str]) -> None:
    assert texts(body) == expected


@pytest.mark.parametrize("greeting", ["", "Hi,\n", "Hello all\n", "Dear Ann,\n\n", "Hi team!\n"])
@pytest.mark.parametrize("mark", ["-", "*", "•", "1."])
@pytest.mark.parametrize("farewell", ["", "\nThanks\nAnn", "\n\nBest regards,\nAnn Lee"])
def test_one_item_right_below_a_greeting_is_an_answer(greeting: str, mark: str, farewell: str) -> None:
    assert texts(f"{greeting}{mark} Closed 14 cases{farewell}\n") == ["Closed 14 cases"]
