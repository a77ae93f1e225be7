"""Notices in a maildir: real files, read back by the mailbox module of the standard library."""

import mailbox
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from smtpd_service.outbound.maildir import deliver, find

NOTICE = b"Subject: Undeliverable: x\r\n\r\nfull\r\n"


def contents(folder: Path) -> list[mailbox.MaildirMessage]:
    return list(mailbox.Maildir(folder, create=False))


def age(folder: Path) -> None:
    """Let it be an hour since the folder changed."""
    os.utime(folder, (time.time() - 3600,) * 2)


def test_a_mail_program_finds_the_notice_as_new(tmp_path: Path) -> None:
    folder = tmp_path / "outbox" / "ann"
    file = deliver(folder, "0195-a", NOTICE, recipient="ann@agency.test")
    [message] = contents(folder)
    assert message.get_subdir() == "new"
    assert message.items() == [
        ("Return-Path", "<>"),
        ("Delivered-To", "ann@agency.test"),
        ("Subject", "Undeliverable: x"),
    ]
    assert message.get_payload() == "full\n"
    assert file == folder / "new" / "0195-a.eml"
    assert not list((folder / "tmp").iterdir())


def test_the_same_notice_twice_is_one_file(tmp_path: Path) -> None:
    first = deliver(tmp_path, "0195-a", NOTICE)
    assert deliver(tmp_path, "0195-a", NOTICE) == first
    assert len(contents(tmp_path)) == 1


@pytest.mark.parametrize("flags", ["", ":2,", ":2,S", ":2,FRST"])
def test_a_notice_that_was_read_and_flagged_is_not_delivered_again(tmp_path: Path, flags: str) -> None:
    moved = tmp_path / "cur" / f"0195-a.eml{flags}"
    deliver(tmp_path, "0195-a", NOTICE).rename(moved)
    assert find(tmp_path, "0195-a") == moved
    assert deliver(tmp_path, "0195-a", NOTICE) == moved
    assert len(contents(tmp_path)) == 1


def test_an_id_that_begins_like_another_is_another_notice(tmp_path: Path) -> None:
    deliver(tmp_path, "0195-ab", NOTICE).rename(tmp_path / "cur" / "0195-ab.eml:2,S")
    assert find(tmp_path, "0195-a") is None
    deliver(tmp_path, "0195-a", NOTICE)
    assert len(contents(tmp_path)) == 2


def test_a_kill_while_writing_leaves_no_mail_and_the_next_try_delivers(tmp_path: Path) -> None:
    # The child dies at the fsync: the octets are in tmp, nothing is in new.
    child = (
        "import os, pathlib, sys, signal\n"
        "from smtpd_service.outbound.maildir import deliver\n"
        "os.fsync = lambda fd: os.kill(os.getpid(), signal.SIGKILL) if os.listdir(sys.argv[1] + '/tmp') else None\n"
        "deliver(pathlib.Path(sys.argv[1]), '0195-a', b'Subject: x\\r\\n\\r\\n')\n"
    )
    (tmp_path / "tmp").mkdir()
    killed = subprocess.run([sys.executable, "-c", child, str(tmp_path)], check=False, timeout=30)
    assert killed.returncode == -9
    assert len(list((tmp_path / "tmp").iterdir())) == 1
    assert find(tmp_path, "0195-a") is None
    deliver(tmp_path, "0195-a", NOTICE)
    assert len(contents(tmp_path)) == 1


def test_what_a_mail_program_has_moved_is_read_once_not_for_each_notice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(tmp_path, "0195-old", NOTICE).rename(tmp_path / "cur" / "0195-old.eml:2,S")
    age(tmp_path / "cur")
    read, scandir = [], os.scandir
    monkeypatch.setattr(os, "scandir", lambda folder: read.append(folder) or scandir(folder))

    for number in range(20):
        deliver(tmp_path, f"0195-{number}", NOTICE)
    assert deliver(tmp_path, "0195-old", NOTICE) == tmp_path / "cur" / "0195-old.eml:2,S"

    assert read == [tmp_path / "cur"]


def test_a_notice_moved_after_the_folder_was_read_is_found(tmp_path: Path) -> None:
    file = deliver(tmp_path, "0195-a", NOTICE)
    age(tmp_path / "cur")
    assert find(tmp_path, "0195-b") is None

    file.rename(tmp_path / "cur" / "0195-a.eml:2,")
    assert deliver(tmp_path, "0195-a", NOTICE) == tmp_path / "cur" / "0195-a.eml:2,"


def test_a_folder_that_changes_twice_under_one_time_is_read_twice(tmp_path: Path) -> None:
    file = deliver(tmp_path, "0195-a", NOTICE)
    seen = (tmp_path / "cur").stat().st_mtime_ns
    assert find(tmp_path, "0195-b") is None

    file.rename(tmp_path / "cur" / "0195-a.eml:2,")
    os.utime(tmp_path / "cur", ns=(seen, seen))
    assert find(tmp_path, "0195-a") == tmp_path / "cur" / "0195-a.eml:2,"


def test_nothing_is_found_where_no_maildir_is(tmp_path: Path) -> None:
    assert find(tmp_path / "none", "0195-a") is None


@pytest.mark.parametrize("notice_id", ["", "../x", "a/b", ".hidden", "a:2,S", "a\0", "x" * 300])
def test_an_id_that_could_leave_the_folder_is_refused(tmp_path: Path, notice_id: str) -> None:
    with pytest.raises(ValueError, match="no file name"):
        deliver(tmp_path, notice_id, NOTICE)
    assert not list(tmp_path.iterdir())


def test_a_hostile_recipient_adds_no_header(tmp_path: Path) -> None:
    deliver(tmp_path, "0195-a", NOTICE, recipient="a\r\nBcc: v@x.test")
    [message] = contents(tmp_path)
    assert message.keys() == ["Return-Path", "Delivered-To", "Subject"]


def test_only_the_owner_reads_the_folder(tmp_path: Path) -> None:
    deliver(tmp_path / "box", "0195-a", NOTICE)
    assert (tmp_path / "box" / "new").stat().st_mode & 0o077 == 0
