"""`pulsebox parse`: a mail read without a service, a database or a configuration, told to people and to programs."""

import base64
import io
import json
import os
import pty
import signal
import subprocess
import sys
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from parsers import parse as parser
from parsers.model import Explained
from smtpd_service.cli import limited, masked, reading_view
from tests.session.office import Said, clean_environment, typed

PULSEBOX = Path(sys.executable).with_name("pulsebox")
BODY = """Hi team,

- closed the case
- wrote the memo
  for the director
- met the team

Best regards,
Ann Lee

On Mon, Mar 3, 2025 at 8:00 AM HR <hr@asker.test> wrote:
> Five bullets, please
"""
MAIL = f"From: Ann Lee <ann@agency.test>\nSubject: Re: last week\n\n{BODY}".encode()
PAGE = (
    b"From: ann@agency.test\nContent-Type: text/html\n\n"
    b"<p>Hi</p><ul><li>closed the case</li><li>wrote the memo</li></ul>"
    b'<blockquote type="cite">Five bullets, please</blockquote>'
)


@pytest.fixture
def mail(tmp_path: Path) -> Path:
    return written(tmp_path, "a.eml", MAIL)


def written(folder: Path, name: str, octets: bytes) -> Path:
    (folder / name).write_bytes(octets)
    return folder / name


def parsed(*arguments: str | Path, code: int = 0) -> Said:
    said = typed("parse", *map(str, arguments))
    assert said.code == code, said
    if code == 2:
        assert said.octets == b""
        assert len(said.err.splitlines()) == 1
    return said


def as_json(*arguments: str | Path, code: int = 0) -> Any:
    return parsed(*arguments, "--json", code=code).json


def kept_back(**rules: Any) -> Explained:
    """Return the reading of MAIL with its second bullet, or the whole, in quarantine."""
    found = parser.explain(MAIL)
    reading = found.reading
    first, second, *others = reading.bullets
    bullets = (first, replace(second, quarantine=rules.get("bullet")), *others)
    return replace(found, reading=replace(reading, bullets=bullets, quarantine=rules.get("reply", ())))


def test_json_holds_the_whole_reading(mail: Path) -> None:
    said = as_json(mail)

    assert (said["status"], said["flags"], said["sender"], said["subject"]) == (
        "OK",
        [],
        "ann@agency.test",
        "Re: last week",
    )
    assert [bullet["text"] for bullet in said["bullets"]] == [
        "closed the case",
        "wrote the memo for the director",
        "met the team",
    ]
    assert said["bullets"][0] == {
        "position": 1,
        "text": "closed the case",
        "level": 0,
        "marker": "-",
        "kind": "dash",
        "span": [BODY.index("closed"), BODY.index("closed") + len("closed the case")],
        "part": 0,
        "portion_mark": None,
        "confidence": 1.0,
        "quarantined": False,
    }
    assert {"leftover", "fingerprint", "defects", "version"} < set(said)
    assert {each["rule"].partition(":")[0] for each in said["trace"]} == {"signature", "attribution", "quote"}
    assert all(set(each) == {"rule", "part", "start", "end"} for each in said["trace"])


def test_several_files_are_one_object_by_file_name(mail: Path, tmp_path: Path) -> None:
    other = written(tmp_path, "b.eml", b"From: bob@agency.test\n\n- one\n- two\n")

    said = as_json(mail, other)
    assert {name: reading["status"] for name, reading in said.items()} == {str(mail): "OK", str(other): "FEW"}


def test_people_see_what_was_kept_and_what_was_cut_by_which_rule(mail: Path) -> None:
    lines = [line.split() for line in parsed(mail).out.splitlines()]

    assert ["status", "OK,", "3", "bullets"] in lines
    assert ["2", "|", "-", "wrote", "the", "memo"] in lines
    assert ["|", "for", "the", "director"] in lines
    assert ["-", "Ann", "Lee"] in [line[1:] for line in lines if line and line[0].startswith("signature")]
    assert ["quote", "-", ">", "Five", "bullets,", "please"] in lines
    assert ["1", "0", "-", "dash", "1.00", "closed", "the", "case"] in lines


def test_html_is_shown_as_its_reader_sees_it_with_what_its_structure_quotes(tmp_path: Path) -> None:
    lines = [line.split() for line in parsed(written(tmp_path, "a.eml", PAGE)).out.splitlines()]

    assert ["1", "|", "closed", "the", "case"] in lines
    assert ["2", "|", "wrote", "the", "memo"] in lines
    assert ["-", "Five", "bullets,", "please"] in [line[1:] for line in lines if line and line[0].startswith("html:")]


def test_the_form_of_an_alternative_that_was_not_read_is_not_shown(tmp_path: Path) -> None:
    other = b"--x\nContent-Type: text/plain\n\nclosed the case, as plain text\n--x\n"
    html = PAGE.partition(b"\n")[2]
    whole = b"From: a@b.test\nContent-Type: multipart/alternative; boundary=x\n\n" + other + html + b"\n--x--\n"

    said = parsed(written(tmp_path, "a.eml", whole)).out
    assert "as plain text" not in said
    assert "closed the case" in said


def test_a_mail_that_the_gate_stops_says_why(tmp_path: Path) -> None:
    away = written(tmp_path, "a.eml", b"From: a@b.test\nAuto-Submitted: auto-replied\n\n- I am away\n")

    said = parsed(away).out
    assert "AUTO_REPLY, 0 bullets" in said
    assert "gate:auto-submitted" in said


def test_what_a_sender_wrote_does_nothing_to_a_terminal(tmp_path: Path) -> None:
    hostile = "a\x1b[31mred\u202e\x9b2J\x07\x08 b"
    nasty = f"From: a@b.test\nSubject: {hostile}\n\n- {hostile}\n\n> {hostile}\n".encode()
    file = written(tmp_path, "a.eml", nasty)

    for verb in ((file,), (file, "--reply"), (file, "--form", "text")):
        said = parsed(*verb).out
        assert "red" in said
        assert not set(said) & set("\x1b\u202e\x9b\x07\x08")


def test_colours_are_for_terminals(mail: Path) -> None:
    ours, theirs = pty.openpty()
    environment = clean_environment() | {"TERM": "xterm-256color", "COLUMNS": "100"}
    environment.pop("NO_COLOR", None)
    done = subprocess.run([PULSEBOX, "parse", mail], stdout=theirs, check=False, timeout=60, env=environment)
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)

    assert done.returncode == 0
    assert "\x1b[2;9m> Five bullets, please" in shown
    assert "\x1b" not in parsed(mail).out


def test_the_reply_alone_is_what_the_author_wrote_without_the_signature(mail: Path) -> None:
    said = parsed(mail, "--reply").out
    assert said.startswith("Hi team,\n\n- closed the case\n")
    assert "Ann Lee" not in said
    assert "Five bullets" not in said

    signed = parsed(mail, "--reply", "--keep-signature").out
    assert signed.endswith("Best regards,\nAnn Lee\n")
    assert as_json(mail, "--reply") == {"reply": said.rstrip("\n")}
    assert "add --reply" in parsed(mail, "--keep-signature", code=2).err


def test_a_bare_body_of_text_or_html_is_read_on_request(tmp_path: Path) -> None:
    text = written(tmp_path, "a.txt", BODY.encode())
    page = written(tmp_path, "a.html", PAGE.partition(b"\n\n")[2])

    assert len(as_json(text, "--form", "text")["bullets"]) == 3
    assert len(as_json(page, "--form", "html")["bullets"]) == 2
    # A header would be taken for one in a message.
    assert "Subject: x" in parsed(written(tmp_path, "b", b"Subject: x\n\nhi\n"), "--form", "text", "--reply").out


def test_a_bare_body_that_is_no_utf_8_is_taken_for_that_of_windows(tmp_path: Path) -> None:
    body = written(tmp_path, "a.txt", b"- caf\xe9 \x80\n")

    assert as_json(body, "--form", "text")["bullets"][0]["text"] == "café €"


@pytest.mark.parametrize("named", [("-",), ()])
def test_standard_input_is_a_mail_too(named: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(MAIL)))

    assert as_json(*named)["status"] == "OK"


def test_what_was_asked_can_be_named(mail: Path, tmp_path: Path) -> None:
    request = written(tmp_path, "request.txt", b"Five bullets, please\n")

    assert as_json(mail, "--request", request)["status"] == "OK"
    assert "--request: cannot read" in parsed(mail, "--request", tmp_path / "none", code=2).err


def test_a_file_that_is_not_there_is_one_clear_line_and_nothing_is_printed(mail: Path, tmp_path: Path) -> None:
    assert f"no file '{tmp_path}/none.eml'" in parsed(mail, tmp_path / "none.eml", code=2).err
    assert f"--dir {tmp_path}" in parsed(tmp_path, code=2).err
    assert "cannot read" in parsed("--dir", tmp_path / "none", code=2).err
    assert "not both" in parsed("--dir", tmp_path, mail, code=2).err


def test_a_folder_is_one_object_by_file_name_in_order(tmp_path: Path) -> None:
    for name in ("c.eml", "a.eml", "b.EML", "d.txt"):
        written(tmp_path, name, MAIL)

    said = parsed("--dir", tmp_path)
    assert list(said.json) == ["a.eml", "b.EML", "c.eml"]
    assert said.json["a.eml"] == as_json(tmp_path / "a.eml")
    assert said.err == ""
    assert set(parsed("--dir", tmp_path, "--reply").json["a.eml"]) == {"reply"}
    assert list(parsed("--dir", tmp_path, "--form", "text").json) == ["a.eml", "b.EML", "c.eml", "d.txt"]


def test_an_empty_folder_is_an_empty_object(tmp_path: Path) -> None:
    assert parsed("--dir", tmp_path).json == {}


def test_a_file_that_cannot_be_read_is_reported_and_the_others_are_printed(mail: Path, tmp_path: Path) -> None:
    (tmp_path / "b.eml").mkdir()
    (tmp_path / "c.eml").symlink_to("nowhere")
    os.mkfifo(tmp_path / "d.eml")

    said = parsed("--dir", tmp_path, code=1)
    assert list(said.json) == ["a.eml"]
    assert len(said.err.splitlines()) == 3
    assert "no regular file" in said.err


def test_a_name_that_is_no_utf_8_still_makes_json(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.eml")).write_bytes(MAIL)

    assert list(parsed("--dir", tmp_path).json) == ["\N{REPLACEMENT CHARACTER}.eml"]


def reports(words: bytes) -> bytes:
    """Return a mail whose attached PDF draws these, packed."""
    stream = zlib.compress(words)
    pdf = b"".join([
        b"%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n",
        b"2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n",
        b"3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R>>\nendobj\n",
        b"4 0 obj\n<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream\nendobj\n" % (len(stream), stream),
        b"trailer<</Root 1 0 R>>\n%%EOF",
    ])  # fmt: skip
    head = b"From: ann@agency.test\nContent-Type: application/pdf; name=week.pdf\nContent-Transfer-Encoding: base64\n\n"
    return head + base64.encodebytes(pdf)


def test_a_file_that_ends_the_parser_is_unreadable_and_stops_no_other(mail: Path, tmp_path: Path) -> None:
    bomb = written(tmp_path, "bomb.eml", reports(b"q " * 20_000_000))
    last = written(tmp_path, "last.eml", MAIL)

    said = parsed("--json", mail, bomb, last).json
    assert [each["status"] for each in said.values()] == ["OK", "UNREADABLE", "OK"]
    assert "the parsing child ended" in said[str(bomb)]["defects"][0]
    folder = parsed("--dir", tmp_path)
    assert [each["status"] for each in folder.json.values()] == ["OK", "UNREADABLE", "OK"]
    assert folder.err == ""


def test_a_file_that_takes_too_long_is_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited, "SECONDS", 0.05)
    slow = written(tmp_path, "a.eml", b"From: a@b.test\n\n" + b"- word; " * 2_000_000)

    assert as_json(slow)["defects"] == ["not read within 0.05 s"]


def test_ctrl_c_ends_it(tmp_path: Path) -> None:
    for number in range(2_000):
        written(tmp_path, f"{number}.eml", MAIL)
    command = [PULSEBOX, "parse", "--dir", tmp_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment()) as running:
        assert running.stdout is not None
        running.stdout.read(1)
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=30)

    assert running.returncode == 130


def test_nothing_is_imported_from_the_folder_one_is_in(mail: Path, tmp_path: Path) -> None:
    (tmp_path / "parsers").mkdir()
    written(tmp_path, "parsers/__init__.py", b"raise SystemExit(9)")
    written(tmp_path, "json.py", b"raise SystemExit(9)")
    command = [PULSEBOX, "parse", "--json", mail]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, timeout=60, env=clean_environment())

    assert json.loads(done.stdout)["status"] == "OK"


def test_more_mails_than_are_sent_ahead_come_out_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited, "MAILS_AHEAD", 2)
    for number in range(5):
        written(tmp_path, f"{number}.eml", MAIL.replace(b"last week", b"week %d" % number))

    said = parsed("--dir", tmp_path).json
    assert [each["subject"] for each in said.values()] == [f"Re: week {number}" for number in range(5)]


def test_a_file_too_large_is_not_even_read(tmp_path: Path) -> None:
    large = tmp_path / "a.eml"
    with large.open("wb") as file:
        file.truncate(limited.OCTETS + 1)

    said = as_json(large)
    assert (said["status"], said["defects"]) == ("UNREADABLE", ["over 100,000,000 octets"])
    reply = as_json(large, "--reply")
    assert (reply["reply"], reply["status"]) == (None, "UNREADABLE")


def test_a_quarantined_bullet_is_masked_wherever_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    found = kept_back(bullet="some-rule")

    shown: Mapping[str, Any] = masked.facts(found.reading, everything=False)
    assert [(each["text"], each["quarantined"]) for each in shown["bullets"]] == [
        ("closed the case", False),
        (None, True),
        ("met the team", False),
    ]
    reply = masked.own_text(found, signed=True, everything=False)
    assert reply is not None
    assert "- █████ ███ ████\n  ███ ███ ████████\n- met" in reply

    reading_view.print_reading(found, everything=False)
    said = capsys.readouterr().out
    assert "memo" not in said
    assert "director" not in said
    assert "some-rule" in said
    assert "closed the case" in said


def test_a_quarantined_reply_shows_nothing_of_its_author(capsys: pytest.CaptureFixture[str]) -> None:
    found = kept_back(reply=("some-rule",))

    shown = masked.facts(found.reading, everything=False)
    assert (shown["leftover"], shown["subject"], shown["quarantine"]) == (None, None, ("some-rule",))
    assert all(each["text"] is None and each["quarantined"] for each in shown["bullets"])
    assert masked.own_text(found, signed=False, everything=False) is None

    reading_view.print_reading(found, everything=False)
    said = capsys.readouterr().out
    assert not any(word in said for word in ("memo", "case", "Hi", "Re: last week", "Five"))


def test_reviewers_may_ask_for_what_is_in_quarantine(capsys: pytest.CaptureFixture[str]) -> None:
    found = kept_back(reply=("some-rule",), bullet="other-rule")

    shown = masked.facts(found.reading, everything=True)
    assert (shown["subject"], shown["bullets"][1]["text"]) == ("Re: last week", "wrote the memo for the director")
    assert shown["bullets"][1]["quarantined"]
    assert "memo" in (masked.own_text(found, signed=False, everything=True) or "")
    reading_view.print_reading(found, everything=True)
    assert "for the director" in capsys.readouterr().out


def test_a_text_to_mask_that_is_not_found_masks_all() -> None:
    found = replace(kept_back(bullet="some-rule"), reply="something else", unsigned="something else")

    assert masked.own_text(found, signed=True, everything=False) is None


def test_a_long_line_and_many_rules_are_shown_in_time() -> None:
    body = "- " + "x" * 500_000 + "\n" + "> quoted\nmine\n" * 8_000
    begun = os.times().user

    said = parsed_body(body)
    assert "more characters" in said
    assert os.times().user - begun < 10


def parsed_body(body: str) -> str:
    before = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(body.encode()), "utf-8")
    try:
        return parsed("-", "--form", "text").out
    finally:
        sys.stdin = before


def test_reading_a_mail_loads_no_database(mail: Path) -> None:
    code = (
        "import sys; from smtpd_service.cli.app import run; "
        f"run(['parse', {str(mail)!r}]); "
        "print([name for name in ('sqlalchemy', 'alembic', 'aiosmtpd', 'storage.engine') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.splitlines()[-1] == "[]"


def test_the_object_of_a_folder_is_valid_json_whatever_the_mails_hold(tmp_path: Path) -> None:
    written(tmp_path, "a.eml", bytes(range(256)) * 20)
    written(tmp_path, "b.eml", b"")
    written(tmp_path, "c.eml", b'From: a@b.test\n\n- "quoted" \\ \x00 \xed\xa0\x80\n')

    assert len(json.loads(parsed("--dir", tmp_path).octets)) == 3


def test_a_number_that_nobody_should_see_is_shown_to_who_has_the_file_and_masked_on_request(tmp_path: Path) -> None:
    mail = written(tmp_path, "ssn.eml", MAIL.replace(b"met the team", b"filed the form of 219-09-9998"))
    third = as_json(mail)["bullets"][2]
    assert (third["text"], third["quarantined"]) == ("filed the form of 219-09-9998", True)
    assert "219-09" not in parsed(mail, "--json", "--mask").out
    assert "219-09" not in parsed(mail, "--mask").out
    assert "219-09" not in parsed(mail, "--reply", "--mask").out


def test_a_portion_mark_is_masked_with_its_text(tmp_path: Path) -> None:
    mail = written(tmp_path, "a.eml", MAIL.replace(b"- wrote the memo", b"- (TS//SI-GIRAFFE//NF) wrote the memo"))

    assert "GIRAFFE" in parsed(mail).out
    for verb in ((), ("--json",), ("--reply",), ("--reply", "--json")):
        said = parsed(mail, *verb, "--mask").out
        assert "GIRAFFE" not in said
        assert "closed the case" in said
    assert as_json(mail, "--mask")["bullets"][1]["portion_mark"] is None
