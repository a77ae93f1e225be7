"""The command as it is installed: a process with pipes, an environment and a clock."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from smtpd_service.cli.app import NOUNS
from tests.service import eventually
from tests.session.office import Office, clean_environment
from tests.storage.stock import add_box, add_messages, box, message

PULSEBOX = Path(sys.executable).with_name("pulsebox")


def run(*arguments: str | Path, **more: str) -> subprocess.CompletedProcess[bytes]:
    environment = clean_environment() | more
    return subprocess.run([PULSEBOX, *arguments], capture_output=True, check=False, timeout=30, env=environment)


SLOW = ("alembic", "aiosmtpd", "mailparser", "selectolax", "jinja2", "uvloop", "aiosmtplib", "parsers.parse")


@pytest.mark.parametrize("verb", [("mailbox", "list"), ("message", "list"), ("queue", "list"), ("quarantine", "list")])
def test_what_a_short_verb_does_not_need_is_not_loaded(office: Office, verb: tuple[str, ...]) -> None:
    """What is loaded is most of the time that it takes; how long that is, is for a benchmark to say."""
    code = (
        "import sys; from smtpd_service.cli.app import run; "
        f"code = run([*{verb}, '--config', {str(office.config)!r}]); "
        f"print(code, [name for name in {SLOW} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.splitlines()[-1] == "0 []"


@pytest.mark.parametrize(
    ("closed", "told"),
    [
        ("<&-", "pulsebox: standard input is closed; open it, if only on /dev/null\n"),
        (">&-", "pulsebox: standard output is closed; open it, if only on /dev/null\n"),
        ("2>&-", ""),
    ],
)
@pytest.mark.parametrize("verb", ["parse", "mailbox list", "--version"])
def test_a_closed_standard_stream_is_one_clear_line(closed: str, told: str, verb: str) -> None:
    command = f"{shlex.quote(str(PULSEBOX))} {verb} {closed}"
    done = subprocess.run(
        ["/bin/sh", "-c", command], capture_output=True, text=True, check=False, timeout=30, env=clean_environment()
    )

    assert (done.returncode, done.stdout, done.stderr) == (2, "", told)


def test_raw_octets_come_through_a_pipe_unchanged(office: Office) -> None:
    octets = bytes(range(256)) * 8
    [id_] = add_messages(office.store, add_box(office.store, box()), message(octets))

    assert run("message", "show", id_, "--raw", "--config", office.config).stdout == octets


def test_a_reader_that_has_seen_enough_is_no_error(office: Office) -> None:
    made = add_box(office.store, box())
    add_messages(office.store, made, *(message(b"Subject: %d\r\n" % number) for number in range(300)))
    for verb in (("message", "list", "--limit", "300"), ("export", "messages"), ("query", "SELECT * FROM messages")):
        readable, writable = os.pipe()
        os.close(readable)
        command = [PULSEBOX, *verb, "--config", office.config]
        done = subprocess.run(command, stdout=writable, stderr=subprocess.PIPE, check=False, timeout=30)
        os.close(writable)
        assert (done.returncode, done.stderr) == (1, b"")


def test_a_terminal_without_arrows_still_gets_its_answer(office: Office) -> None:
    add_box(office.store, box())

    done = run("quota", "set", "hr@agency.test", "2 MB", "--config", office.config, PYTHONIOENCODING="ascii")

    assert done.returncode == 0
    assert b"limit 1.0 ? 2.0 MB" in done.stdout


def test_a_demonstration_has_its_folder_alone_and_takes_its_service_along(tmp_path: Path) -> None:
    command = [PULSEBOX, "demo", "--keep"]
    environment = clean_environment() | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, env=environment) as first:
        assert first.stdout is not None
        try:
            next(line for line in first.stdout if line.startswith("The service listens"))
            [service] = Path(f"/proc/{first.pid}/task/{first.pid}/children").read_text().split()
            database = (tmp_path / "var/demo/pulsebox.db").stat().st_ino

            second = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=30)
            assert (second.returncode, len(second.stderr.splitlines())) == (2, 1)
            assert b"a demonstration runs in" in second.stderr
            assert (tmp_path / "var/demo/pulsebox.db").stat().st_ino == database

            first.terminate()
            first.stdout.read()
            assert first.wait(timeout=30) == 128 + signal.SIGTERM
            assert not Path(f"/proc/{service}").exists()
        finally:
            first.kill()


def test_ctrl_c_while_the_command_loads_ends_it_without_a_word(tmp_path: Path) -> None:
    # Who runs the tests in the background has it ignored.
    command = ["env", "--default-signal=INT", PULSEBOX, "demo"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as started:
        eventually(lambda: b"pydantic_core" in Path(f"/proc/{started.pid}/maps").read_bytes())
        started.send_signal(signal.SIGINT)
        said, _ = started.communicate(timeout=30)

    assert (started.returncode, said) == (130, b"")


def test_help_names_every_noun() -> None:
    done = run()

    assert done.returncode == 0
    assert all(f"  {noun} " in done.stdout.decode() for noun in NOUNS)
    assert run("--version").stdout.startswith(b"pulsebox ")
