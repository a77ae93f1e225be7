"""What is no answer of a person, told before any text is read."""

import pytest

from parsers.model import Status
from parsers.parse import read

BODY = "\r\n- Closed the case\r\n- Drafted the memo\r\n- Met the office\r\n"


@pytest.mark.parametrize(
    ("headers", "null_sender", "status", "gate"),
    [
        ("Auto-Submitted: auto-replied\r\n", False, Status.AUTO_REPLY, "gate:auto-submitted"),
        ("Auto-Submitted: auto-generated (away)\r\n", False, Status.AUTO_REPLY, "gate:auto-submitted"),
        ("Precedence: auto_reply\r\n", False, Status.AUTO_REPLY, "gate:precedence"),
        ("From: Ann <ann@agency.test>\r\n", True, Status.AUTO_REPLY, "gate:null-sender"),
        ("From: MAILER-DAEMON@agency.test\r\n", True, Status.BOUNCE, "gate:daemon"),
        ("Content-Type: multipart/encrypted; boundary=b\r\n", False, Status.ENCRYPTED, "gate:pgp-mime"),
        ("From: MAILER-DAEMON@agency.test\r\n", False, Status.BOUNCE, "gate:daemon"),
        ("From: postmaster@agency.test\r\n", True, Status.BOUNCE, "gate:daemon"),
        ("Return-Path: <>\r\nFrom: postmaster@agency.test\r\n", False, Status.BOUNCE, "gate:daemon"),
        ("Return-Path: <>\r\n", False, Status.AUTO_REPLY, "gate:null-sender"),
        ("X-Autoreply: yes\r\n", False, Status.AUTO_REPLY, "gate:x-autoreply"),
        ("X-Autoreply-From: ann@agency.test\r\n", False, Status.AUTO_REPLY, "gate:x-autoreply"),
        ("X-Autorespond: Away\r\n", False, Status.AUTO_REPLY, "gate:x-autorespond"),
        ("Precedence: auto-reply\r\n", False, Status.AUTO_REPLY, "gate:precedence"),
        ("X-Precedence: auto_reply\r\n", False, Status.AUTO_REPLY, "gate:precedence"),
        ("X-FC-MachineGenerated: true\r\n", False, Status.AUTO_REPLY, "gate:machine-generated"),
        ("X-Failed-Recipients: bob@agency.test\r\n", False, Status.BOUNCE, "gate:failed-recipients"),
        ("X-MS-Exchange-Message-Is-Ndr:\r\nFrom: a@b.test\r\n", False, Status.BOUNCE, "gate:report"),
        ("Content-Type: text/calendar; method=COUNTER\r\n", False, Status.CALENDAR, "gate:calendar"),
        ("Content-Type: application/pkcs7-mime\r\n", False, Status.ENCRYPTED, "gate:smime"),
        ("Content-Type: text/calendar; method=REPLY\r\n", False, Status.CALENDAR, "gate:calendar"),
        ("Content-Type: multipart/report; boundary=b\r\n", False, Status.BOUNCE, "gate:report"),
    ],
)
def test_a_gated_message_gives_its_reason_and_no_bullets(
    headers: str, null_sender: bool, status: Status, gate: str
) -> None:
    reading = read((headers + BODY).encode(), null_sender=null_sender)
    assert (reading.status, [each.rule for each in reading.trace], reading.bullets) == (status, [gate], ())


@pytest.mark.parametrize(
    "headers",
    [
        "Auto-Submitted: no\r\n",
        "Precedence: bulk\r\n",
        "Precedence: list\r\n",
        "X-Auto-Response-Suppress: All\r\n",
        "X-MS-Exchange-Inbox-Rules-Loop: ann@agency.test\r\n",
        "List-Id: <staff.agency.test>\r\n",
        "X-Autoreply: no\r\n",
        "From: postmaster@agency.test\r\n",
        "Return-Path: <ann@agency.test>\r\n",
        "Content-Type: multipart/signed; boundary=never\r\n",
    ],
)
def test_what_proves_nothing_holds_nothing_back(headers: str) -> None:
    assert read((headers + BODY).encode()).status is Status.OK


def test_an_inline_pgp_message_is_encrypted() -> None:
    assert read(b"Subject: x\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nhQEM\r\n").status is Status.ENCRYPTED


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("Hi. This is the qmail-send program at mx.agency.test.\r\nI'm afraid I wasn't able to", Status.BOUNCE),
        ("This is the mail system at host mx.agency.test.\r\n\r\nI'm sorry to have to inform you", Status.BOUNCE),
        ("This message was created automatically by mail delivery software.\r\n", Status.BOUNCE),
        ("The original message was received at Mon, 3 Mar 2025 10:00:00 -0500\r\nfrom relay", Status.BOUNCE),
        ("Your message did not reach some or all of the intended recipients.\r\n\r\n", Status.BOUNCE),
        ("Delivery has failed to these recipients or groups:\r\n\r\n", Status.BOUNCE),
        ("Your message\r\n\r\n  To:  Ann\r\n  Subject: x\r\n\r\nwas read on 3/3/2025", Status.READ_RECEIPT),
        ("This is a Return Receipt for the mail that you sent", Status.READ_RECEIPT),
    ],
)
def test_a_machine_is_known_by_how_its_text_begins(body: str, status: Status) -> None:
    for null_sender in (True, False):
        assert read(f"Subject: x\r\n\r\n{body}{BODY}".encode(), null_sender=null_sender).status is status


def test_a_person_who_tells_of_a_bounce_is_read() -> None:
    body = f"Hi,\r\n{BODY}\r\n> This is the mail system at host mx.agency.test.\r\n"
    assert read(f"Subject: x\r\n\r\n{body}".encode()).status is Status.OK


@pytest.mark.parametrize(
    ("part", "status"),
    [
        ("message/delivery-status", Status.BOUNCE),
        ("message/disposition-notification", Status.READ_RECEIPT),
        ("text/calendar; method=reply", Status.CALENDAR),
    ],
)
def test_a_report_is_known_by_its_parts_whatever_holds_them(part: str, status: Status) -> None:
    head = "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
    octets = f"{head}{BODY}\r\n--b\r\nContent-Type: {part}\r\n\r\nReporting-MTA: dns; x\r\n--b--\r\n"
    assert read(octets.encode()).status is status


def test_a_bounce_that_somebody_attached_is_no_bounce() -> None:
    head = "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
    inner = "Content-Type: multipart/report; boundary=c\r\n\r\n--c\r\nContent-Type: message/delivery-status\r\n\r\n"
    octets = f"{head}{BODY}\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n{inner}--c--\r\n--b--\r\n"
    assert read(octets.encode()).status is Status.OK


def test_a_calendar_is_known_by_its_text_where_the_header_does_not_say() -> None:
    octets = "Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nEND:VCALENDAR\r\n"
    assert read(octets.encode()).status is Status.CALENDAR


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: What did you do last week?",
        "automatic reply: What did you do last week?",
        "[EXTERNAL] Automatic reply: week",
        "Automatische Antwort: Woche",
        "Réponse automatique\u00a0: semaine",
        "Respuesta automática: semana",
        "Resposta automática: semana",
        "Risposta automatica: settimana",
        "Automatisch antwoord: week",
        "Autosvar: vecka",
        "Automatisk svar: uke",
        "Automatiskt svar: vecka",
        "Automaattinen vastaus: viikko",
        "Automatyczna odpowiedź: tydzień",
        "Automatická odpověď: týden",
        "Автоматический ответ: неделя",
        "自動応答: 週報",
        "自动回复: 周报",
        "自动答复\uff1a周报",
        "자동 회신: 주",
        "Auto-Reply: week",
        "AutoReply: week",
        "Out of Office AutoReply: week",
    ],
)
@pytest.mark.parametrize("body", ["I am out of the office until Monday.", "Bis bald.\r\n\r\n- Ann\r\n- Bob\r\n- Cy"])
def test_what_a_mail_system_puts_before_the_subject_tells_its_answer(subject: str, body: str) -> None:
    said = read(f"Subject: {subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n".encode())
    assert (said.status, said.bullets, said.trace[0].rule) == (Status.AUTO_REPLY, (), "gate:subject")


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Out of Office Re: What did you do last week?", "I am out of the office until Monday."),
        ("Out of Office: week", "Hello,\r\n\r\nI'm currently out of office.\r\n\r\n- Urgent: call Bob"),
        ("Out of the office", "Thank you for your message. I will be away from 3 to 7 March."),
        ("OOO: week", "I will be on annual leave until 7 March."),
        ("Abwesenheitsnotiz: Woche", "Ich bin bis 7. März nicht im Büro."),
        ("Absence du bureau : semaine", "Bonjour, je suis absente jusqu'au 7 mars."),
        ("Fuera de la oficina: semana", "Estoy fuera de la oficina."),
        ("Afwezig: week", "Ik ben tot 7 maart afwezig."),
        ("不在通知: 週報", "3月7日まで不在にしております。"),
    ],
)
@pytest.mark.parametrize("html", [False, True])
def test_a_subject_and_a_text_of_absence_together_tell_a_machine_s_answer(subject: str, body: str, html: bool) -> None:
    kind, text = ("html", f"<html><body><p>{body}</p></body></html>") if html else ("plain", body)
    said = read(f"Subject: {subject}\r\nContent-Type: text/{kind}; charset=utf-8\r\n\r\n{text}\r\n".encode())
    assert (said.status, said.trace[0].rule) == (Status.AUTO_REPLY, "gate:absence")


@pytest.mark.parametrize(
    ("subject", "opening"),
    [
        ("Re: automatic reply project", ""),
        ("Re: Automatic reply: week", ""),
        ("Automatic reply project", ""),
        ("Automatic replies: my week", ""),
        ("My week: Automatic reply: done", ""),
        ("Re: Out of Office: week", "I am out of the office today, so this is early."),
        ("Re: week", "I am out of the office today, so this is early."),
        ("Out of Office: my week", "Here is what I did."),
        ("Out of Office: my week", "Thank you for your message. The work is now carried out."),
        ("Out of office policy", "I am out of the office today, so this is early."),
        ("Away team: my week", "I am out of the office today, so this is early."),
    ],
)
def test_a_person_may_write_of_automatic_replies_and_absence(subject: str, opening: str) -> None:
    said = read(f"Subject: {subject}\r\n\r\n{opening}\r\n{BODY}".encode())
    assert (said.status, len(said.bullets)) == (Status.OK, 3)


def test_a_long_subject_or_text_of_half_absence_is_looked_at_in_linear_time() -> None:
    for piece in ("[a]", "Out of Office ", "I am ", "ich bin a ", "auto "):
        text = piece * (80_000 // len(piece))
        read(f"Subject: Out of Office: {text}\r\n\r\n{text}\r\n".encode())
