"""Notices as an operator sees them before anybody gets one: previews, templates, and what is wrong with them."""

import email
from dataclasses import replace
from email import policy
from pathlib import Path

import pytest

from smtpd_service.identity import now
from storage import notices
from storage.records import NoticeKind
from tests.session.office import Office, typed
from tests.storage.stock import add_box, add_messages, box, message, notice


@pytest.fixture
def folder(office: Office) -> Path:
    """A folder of templates that the configuration names."""
    made = office.folder / "words"
    office.config.write_text(office.config.read_text() + '[outbound]\ntemplates = "words"\n')
    return made


@pytest.mark.parametrize(
    ("kind", "english", "spanish"),
    [
        ("bounce", "mailbox is full", "está lleno"),
        ("delivered", "was delivered", "fue entregado"),
        ("receipt", "Something missing?", "¿Falta algo?"),
        ("warning", "has passed 85 %", "ha superado el 85 %"),
    ],
)
def test_every_notice_can_be_looked_at_in_each_language(office: Office, kind: str, english: str, spanish: str) -> None:
    for language, said in (("en", english), ("es", spanish)):
        shown = office.json("bounce", "preview", "--kind", kind, "--language", language)
        mail = email.message_from_string(shown["mail"], policy=policy.default)
        assert mail["Content-Language"] == language
        assert said in " ".join(shown["text"].split())
        assert f'<html lang="{language}">' in shown["html"]
        for part in ("text", "html"):
            printed = office.types("bounce", "preview", "--kind", kind, "--language", language, f"--{part}").out
            assert printed.splitlines()[:3] == shown[part].splitlines()[:3]


def test_a_preview_is_in_the_mailboxs_own_language(office: Office) -> None:
    add_box(office.store, box(language="es"))
    assert "está lleno" in office.types("bounce", "preview", "--mailbox", "hr@agency.test", "--text").out
    spoken = office.types("bounce", "preview", "--mailbox", "hr@agency.test", "--language", "en", "--text").out
    assert "is full" in spoken


def test_one_form_of_a_preview_at_a_time(office: Office) -> None:
    for options in (("--html", "--text"), ("--text", "--json"), ("--html", "--json")):
        assert "choose one" in office.types("bounce", "preview", *options, code=2).err


def test_templates_are_written_out_changed_and_used(office: Office, folder: Path) -> None:
    assert office.types("bounce", "templates", "--to", str(folder)).out.startswith("wrote 31 templates to ")
    assert office.json("config", "check")["ok"] is True
    (folder / "en/incident.subject.txt").write_text("Returned by {{ hostname }}\n")
    mail = email.message_from_bytes(office.types("bounce", "preview").octets)
    assert mail["Subject"] == "Returned by mx.agency.example"


def test_templates_that_are_there_are_not_written_over(office: Office, folder: Path) -> None:
    (folder / "es").mkdir(parents=True)
    (folder / "es/warning.txt").write_text("mine")
    said = office.types("bounce", "templates", "--to", str(folder), code=2)
    assert f"{folder}/es/warning.txt is there already" in said.err
    assert not (folder / "frame.html").exists()


def test_a_folder_that_cannot_be_written_is_one_line(office: Office) -> None:
    (office.folder / "file").write_text("")
    assert (
        "folder that can be written"
        in office.types("bounce", "templates", "--to", f"{office.folder}/file/x", code=2).err
    )


def test_a_broken_template_is_named_by_every_verb_that_would_use_it(office: Office, folder: Path) -> None:
    (folder / "en").mkdir(parents=True)
    (folder / "en/receipt.html").write_text("<p>\n{{ itms }}</p>\n")
    (folder / "en/receits.txt").write_text("x")
    where = f"{folder}/en/receipt.html:2: no fact is called itms; did you mean items?"

    check = typed("config", "check", "--json", "--config", str(office.config))
    assert check.code == 2
    assert where in check.json["mistakes"]
    preview = office.types("bounce", "preview", code=2).err
    assert preview == f"pulsebox: {where} (and 1 more; see: pulsebox config check)\n"
    assert where in office.types("serve", code=2).err
    findings = {each["subject"]: each for each in office.json("doctor", code=1)}
    assert findings["templates"]["state"] == "fail"
    assert where in findings["templates"]["found"]


def test_the_doctor_finds_good_templates_good(office: Office, folder: Path) -> None:
    office.types("bounce", "templates", "--to", str(folder))
    findings = {each["subject"]: each for each in office.json("doctor")}
    assert findings["templates"] == {"state": "ok", "subject": "templates", "found": str(folder), "remedy": ""}


def test_notices_of_every_kind_are_listed_and_shown(office: Office) -> None:
    hr = add_box(office.store, box())
    [about] = add_messages(office.store, hr, message())
    made = {}
    for kind in NoticeKind:
        mail = email.message_from_bytes(office.types("bounce", "preview", "--kind", kind).octets)
        made[kind] = notice(hr, kind=kind, facts=_facts(kind), created_at=now(), message=about)
        assert mail["Subject"]
    with office.store.unit() as tx:
        notices.owe(tx, list(made.values()))

    assert {row["kind"] for row in office.json("outbox", "list")} == set(NoticeKind)
    for kind, each in made.items():
        assert [row["id"] for row in office.json("outbox", "list", "--kind", kind)] == [each.id]
        assert "hr@agency.test" in office.types("outbox", "show", each.id).out
        assert email.message_from_bytes(office.types("outbox", "show", each.id, "--raw").octets)["Date"]


def test_what_a_receipt_repeats_is_shown_in_its_mail_alone(office: Office) -> None:
    """Its mail is withheld once something of the reply is in quarantine; the facts would go on showing it."""
    hr = add_box(office.store, box())
    made = replace(notice(hr, kind=NoticeKind.RECEIPT, facts=_facts(NoticeKind.RECEIPT)), created_at=now())
    with office.store.unit() as tx:
        notices.owe(tx, [made])
    assert "Closed 14" not in str(office.json("outbox", "show", made.id))
    assert "Closed 14" in office.types("outbox", "show", made.id, "--raw").out


def _facts(kind: NoticeKind) -> dict[str, object]:
    """Return the facts of a sample, as a notice keeps them."""
    from smtpd_service.domain.notice import FailedRecipient  # noqa: PLC0415  # beside what needs it
    from smtpd_service.outbound import samples  # noqa: PLC0415  # the same

    address = "hr@agency.test"
    match kind:
        case NoticeKind.BOUNCE:
            full = FailedRecipient(address, None, "5.2.2", "552 5.2.2 Mailbox full", 2, 2)
            return samples.sample_bounce(full).facts()
        case NoticeKind.DELIVERED:
            return samples.sample_delivered(address).facts()
        case NoticeKind.RECEIPT:
            return samples.sample_receipt(address).facts()
        case NoticeKind.WARNING:
            return samples.sample_warning(address).facts()
