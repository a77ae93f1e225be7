# ruff: noqa: RUF001  leave-takings in other alphabets
"""What people and programs put below their text goes, and only that; never before the last bullet."""

import pytest

from parsers.borders import farewell
from parsers.parse import explain, explain_body, read

LIST = "- Closed the case\n- Drafted the memo\n- Met the office"
PROSE = "I closed the case and drafted the memo."

BELOW = [
    "Best regards,\nAnn Lee",
    "V/R\nAnn Lee",
    "Med venlig hilsen / Best regards,\n-Ann Lee",
    "Thanks, Ann",
    "Thank you!\nAnn",
    "Have a great weekend!\nAnn",
    "r/\nSSgt Lee",
    "-- \nAnn Lee\nDirector",
    "--\nAnn Lee\n* phone: 555-0100\n* web: agency.test",
    "-----\nAnn Lee\nTel: 555-0100",
    "Mit freundlichen Grüßen\nAnn Lee",
    "Viele Grüße Ann",
    "MfG",
    "Cordialement,\nAnn",
    "Bien à vous,\nAnn",
    "Saludos,\nAnn",
    "Atenciosamente,\nAnn",
    "Cordiali saluti\nAnn",
    "Met vriendelijke groet,\nAnn",
    "Mvh Ann",
    "Venlig hilsen\nAnn",
    "Ystävällisin terveisin\nAnn",
    "Pozdrawiam,\nAnn",
    "S pozdravem\nAnn",
    "С уважением,\nАнна Ли",
    "Saygılarımla,\nAnn",
    "Cu stimă,\nAnn",
    "Üdvözlettel:\nAnn",
    "此致\n敬礼\n李安",
    "谢谢",
    "よろしくお願いします。\n李",
    "감사합니다.\n김안나",
    "Sent from my iPhone",
    "Sent from my Verizon, Samsung Galaxy smartphone",
    "Get Outlook for iOS<https://aka.ms/x>",
    "Von meinem iPhone gesendet",
    "Envoyé de mon iPhone",
    "Enviado desde mi iPhone",
    "Inviato da iPhone",
    "发自我的iPhone",
    "iPhoneから送信",
    "나의 iPhone에서 보냄",
    "Отправлено с iPhone",
    "Ann Lee\nDirector of Policy\n(202) 555-0100",
    "-Ann",
    "— Ann Lee",
    "/Ann",
    "Classification: UNCLASSIFIED",
    "CONFIDENTIALITY NOTICE: This e-mail is intended only for the person named.",
    "This message and any attachments are confidential and intended for the addressee only.",
    "Diese E-Mail enthält vertrauliche Informationen.",
    "Ce message est confidentiel et destiné au seul destinataire.",
    "_______________________________________________\nfoo mailing list\nfoo@agency.test",
    '--\nTo unsubscribe from this list: send the line "unsubscribe foo" in',
    'You received this message because you are subscribed to the Google Groups "foo" group.',
    "This email has been checked for viruses by Avast antivirus software.",
    "Please consider the environment before printing this e-mail.",
]


@pytest.mark.parametrize("said", [LIST, PROSE])
@pytest.mark.parametrize("below", BELOW)
def test_what_stands_below_the_text_is_cut_and_stays_in_the_reply(below: str, said: str) -> None:
    explained = explain_body(f"{said}\n\n{below}", html=False)
    assert (explained.unsigned, [cut.rule.split(":")[0] for cut in explained.reading.trace]) == (said, ["signature"])
    assert explained.reply.split() == f"{said} {below}".split()


@pytest.mark.parametrize(
    "line",
    [
        "Best Practices were drafted",
        "Thanks to Ann for the help with the memo",
        "Regards the memo, it is done",
        "Sent from the office to the field on Monday were 14 memos.",
        "Sent from my desk, which is quicker than my phone.",
        "Ann Lee drafted it",
        "Confidential informant met",
        "Disclaimer page drafted for the site",
    ],
)
def test_what_only_begins_like_a_signature_is_content(line: str) -> None:
    assert len(read(f"\n- one thing\n- {line}\n- last thing".encode()).bullets) == 3
    body = f"{line}\nAnd then we went on with it.\nMore of the same followed."
    assert explain_body(body, html=False).unsigned == body


@pytest.mark.parametrize("line", ["Best regards,", "V/R", "Thanks, Ann", "thank you!", "Sent from my iPhone"])
def test_a_sign_off_is_known(line: str) -> None:
    assert farewell.is_sign_off(line)


@pytest.mark.parametrize("line", ["Best Practices", "Thanked the office for its help with travel", "Regards the memo"])
def test_what_only_begins_like_a_sign_off_is_none(line: str) -> None:
    assert not farewell.is_sign_off(line)


def test_a_sign_off_above_the_list_cuts_nothing() -> None:
    reading = read(f"Subject: x\n\nThanks,\n\nHere are mine:\n{LIST}\n".encode())
    assert (len(reading.bullets), reading.leftover) == (3, "Thanks,\nHere are mine:")


@pytest.mark.parametrize("below", ["Thanks,\n- Ann", "Ann", "--Ann", "Ann Doe\nDirector"])
def test_the_senders_own_name_is_a_signature(below: str) -> None:
    reading = read(f"From: Ann Doe <ann@agency.test>\n\n{LIST}\n\n{below}\n".encode())
    assert (len(reading.bullets), reading.leftover) == (3, "")


def test_an_answer_below_a_quote_that_a_signature_stands_above_is_read() -> None:
    body = "Hello\n-- \nAnn\n\nOn 3/3/25, HR <hr@asker.test> wrote:\n> one?\n- mine a\n- mine b\n> two?\n- mine c\n"
    explained = explain_body(body, html=False)
    assert [bullet.text for bullet in explained.reading.bullets] == ["mine a", "mine b", "mine c"]


def test_a_cut_names_its_language_and_place() -> None:
    body = f"From: Ann <ann@agency.test>\r\n\r\n{LIST}\r\n\r\nViele Grüße\r\nAnn"
    explained = explain(body.encode())
    [cut] = explained.reading.trace
    assert (cut.rule, explained.bodies[0].text[cut.start : cut.end]) == ("signature:sign-off:de", "Viele Grüße\r\nAnn")


NOTICE = "This message is confidential. If you are not the intended recipient of it:"


@pytest.mark.parametrize(
    "below",
    [
        f"Best regards,\nAnn Lee\n\n{NOTICE}\n- delete it\n- tell us",
        f"{NOTICE}\n1. delete it\n2. tell us",
        "Diese Nachricht ist vertraulich und nur für den Empfänger bestimmt. Sind Sie es nicht:\n- bitte löschen",
        "Ann Lee\n• Program Analyst • Grants Division\n• 202-555-0100 • ann@agency.test",
        "Thanks,\nAnn Lee\n• Program Analyst\n• 202-555-0100",
        "Thanks,\nAnn Lee\nProgram Analyst, Office of Grants\n\n* Linux user since 1995\n* Cat owner",
        "Regards,\nAnn Lee\n* Linux user since 1995\n* Cat owner",
        "- thanks, Ann",
        'Thanks,\nAnn\n\n"Be the change"\n- Gandhi',
        'To unsubscribe from this list: send the line "unsubscribe us" in\nthe body of a message to majordomo@x.test',
        '- To unsubscribe from this list: send the line "unsubscribe us" in\nthe body of a message to majordomo@x.test',
    ],
)
def test_marks_below_a_notice_or_a_name_are_not_the_authors(below: str) -> None:
    found = explain_body(f"{LIST}\n\n{below}\n", html=False)
    assert "\n".join(f"- {bullet.text}" for bullet in found.reading.bullets) == LIST
    assert found.unsigned == LIST


def test_marks_below_a_notice_are_not_the_authors_in_html_either() -> None:
    items = "".join(f"<li>{line[2:]}" for line in LIST.split("\n"))
    body = f"<ul>{items}</ul><p>Best regards,</p><p>Ann Lee</p><p>{NOTICE}</p><ul><li>delete it<li>tell us</ul>"
    assert len(explain_body(body, html=True).reading.bullets) == 3


@pytest.mark.parametrize(
    "below",
    [
        "Thanks,\nAnn\n\n- Filed the log\n- Booked the room",
        "Thanks,\nAnn\n\nP.S. I also:\n- Filed the log\n- Booked the room",
        "Thanks,\nAnn\nAnalyst, Office of Grants\n\nPS:\n- Filed the log\n- Booked the room",
        "Confidential:\n- Filed the log\n- Booked the room",
        "Privacy Act work:\n- Filed the log\n- Booked the room",
        "Other offices:\n\nAnn Lee\n- Filed the log\n- Booked the room",
    ],
)
def test_more_work_below_a_leave_taking_stays(below: str) -> None:
    found = explain_body(f"{LIST}\n\n{below}\n", html=False).reading
    assert [bullet.text for bullet in found.bullets][3:] == ["Filed the log", "Booked the room"]


def test_a_list_below_a_signature_that_stands_above_it_stays() -> None:
    assert len(explain_body(f"Thanks,\nAnn Lee\nAnalyst\n202-555-0100\n\n{LIST}\n", html=False).reading.bullets) == 3


def test_a_motto_below_the_senders_name_is_no_list() -> None:
    body = f"{PROSE}\n\nAnn Lee\n* Linux user since 1995\n* Cat owner\n"
    octets = f"From: Ann Lee <ann@agency.test>\r\n\r\n{body}".encode()
    assert explain(octets).unsigned == PROSE
