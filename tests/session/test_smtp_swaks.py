"""swaks, the postmaster's own test client, sends us mail."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.service import eventually
from tests.session.dialogue import ANN, HR, rows, serving, stored_octets

pytestmark = pytest.mark.skipif(shutil.which("swaks") is None, reason="swaks is not installed: apt-get install swaks")

BODY = "Hello,\n\n- answered 12 letters\n- closed the budget\n\n.leading dot\n-- \nAnn\n"


def swaks(address: tuple[str, int], *arguments: str) -> tuple[int, str]:
    """Run swaks against a service; return its exit code and transcript."""
    command = ["swaks", "--server", f"{address[0]}:{address[1]}", "--from", ANN, "--to", HR, "--helo", "swaks.test"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False, timeout=30)
    return done.returncode, done.stdout


def test_swaks_sends_a_reply_that_is_stored_once_and_read_into_its_bullets(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        code, transcript = swaks(service.address, "--header", "Subject: Last week", "--body", BODY)
        assert code == 0, transcript
        [octets] = stored_octets(service)
        assert b"Subject: Last week\r\n" in octets
        assert b"\r\n\r\nHello,\r\n\r\n- answered 12 letters\r\n- closed the budget\r\n" in octets
        assert b"\r\n.leading dot\r\n" in octets
        eventually(lambda: bool(rows(service, "SELECT text FROM bullets")))
        texts = [row["text"] for row in rows(service, "SELECT text FROM bullets ORDER BY position")]
    assert texts[:2] == ["answered 12 letters", "closed the budget"]


def test_swaks_pipelines_a_reply(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        code, transcript = swaks(service.address, "--pipeline", "--body", BODY)
        assert code == 0, transcript
        assert len(stored_octets(service)) == 1


def test_swaks_tells_a_refused_recipient_from_a_refused_message(tmp_path: Path) -> None:
    with serving(tmp_path, {"address": HR, "quota": 50, "when_full": "reject"}) as service:
        # Its own exit codes: 24 no recipient was taken, 26 the message was not.
        assert swaks(service.address, "--to", "nobody@agency.test")[0] == 24
        code, transcript = swaks(service.address, "--body", BODY)
        assert code == 26
        assert "552 5.2.3" in transcript
