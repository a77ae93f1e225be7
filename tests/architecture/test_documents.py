"""The documents say what the code does: settings, replies and statuses are compared with their pages."""

import re
import tomllib
from pathlib import Path

import pytest

from parsers.model import Status
from smtpd_service.domain.replies import REPLIES, Session
from smtpd_service.setting_types import Section
from smtpd_service.settings import MailboxToMake, Settings, load

ROOT = Path(__file__).resolve().parents[2]


def sections() -> dict[str, set[str]]:
    """Return every section of the settings with its keys."""
    found: dict[str, set[str]] = {}
    for name, field in Settings.model_fields.items():
        model = MailboxToMake if name == "mailbox" else field.annotation
        if name != "file":
            assert isinstance(model, type)
            assert issubclass(model, Section)
            found[name] = set(model.model_fields)
    return found


def documented_settings() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    section = ""
    for line in (ROOT / "docs/config.md").read_text().splitlines():
        if header := re.match(r"## `\[+(\w+)\]+`", line):
            section = header[1]
            found[section] = set()
        elif row := re.match(r"\| `(\w+)` \|", line):
            found[section].add(row[1])
    return found


def test_every_setting_stands_in_the_document_and_nothing_else() -> None:
    assert documented_settings() == sections()


def test_every_setting_stands_in_the_shipped_file() -> None:
    text = (ROOT / "config.toml").read_text()
    # Keys without a default are shown in comments.
    written = tomllib.loads(
        re.sub(r"(?m)^# (quota_messages|grace|aliases|rate_messages|rate_sender|language) = ", r"\1 = ", text)
    )

    assert {name: set(keys[0] if name == "mailbox" else keys) for name, keys in written.items()} == sections()


def test_the_shipped_file_holds_the_defaults() -> None:
    shipped = load(ROOT / "config.toml", {})

    assert shipped.model_dump(exclude={"file", "mailbox"}) == Settings(file=ROOT).model_dump(
        exclude={"file", "mailbox"}
    )


@pytest.mark.parametrize("session", list(Session))
def test_every_session_reply_stands_in_the_document(session: Session) -> None:
    assert str(session.value) in (ROOT / "docs/replies.md").read_text()


@pytest.mark.parametrize("row", list(REPLIES.values()), ids=str)
def test_every_reply_to_an_outcome_stands_in_the_document(row: object) -> None:
    assert str(row) in (ROOT / "docs/replies.md").read_text()


def test_the_document_names_no_reply_that_is_never_said() -> None:
    said = {str(row) for row in REPLIES.values()} | {str(session.value) for session in Session}
    written = re.findall(r"^\| `(\d{3} [^`]*)` \|", (ROOT / "docs/replies.md").read_text(), re.MULTILINE)

    assert set(written) == said


@pytest.mark.parametrize("status", list(Status))
def test_every_status_of_a_submission_is_explained_to_auditors(status: Status) -> None:
    assert f"`{status}`" in (ROOT / "docs/audit.md").read_text()
