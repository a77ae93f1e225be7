"""What the kernel saw: the octets are written and synced before the sender is told 250."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.service import Service, eventually, mail

CALLS = "trace=write,pwrite64,sendto,sendmsg,writev,fsync,fdatasync,recvfrom,read"


@pytest.fixture
def strace(tmp_path: Path) -> Path:
    """Return strace, or skip loudly where there is none or it may not look at a process of ours."""
    found = shutil.which("strace")
    if found is None:
        pytest.skip("STRACE IS MISSING: the order of write, sync and 250 is not shown on this machine")
    tried = subprocess.run([found, "-o", str(tmp_path / "try"), "true"], capture_output=True, check=False)
    if tried.returncode:
        pytest.skip("STRACE IS NOT PERMITTED: the order of write, sync and 250 is not shown on this machine")
    return Path(found)


@pytest.fixture
def traced(service: Service, strace: Path, tmp_path: Path) -> Iterator[Path]:
    """Give the file in which the system calls of the listener stand."""
    service.mailbox("hr@agency.test")
    service.start()
    assert service.process is not None
    [listener] = [
        each
        for each in psutil.Process(service.process.pid).children()
        if any(c.status == psutil.CONN_LISTEN for c in each.net_connections())
    ]
    file = tmp_path / "calls"
    command = [str(strace), "-f", "-y", "-s", "64", "-e", CALLS, "-o", str(file), "-p", str(listener.pid)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as tracing:
        assert tracing.stderr is not None
        line = tracing.stderr.readline()
        if b"attached" not in line:
            tracing.kill()
            pytest.skip(f"STRACE MAY NOT ATTACH: the order of write, sync and 250 is not shown here ({line!r})")
        yield file
        tracing.terminate()


def test_a_message_is_written_and_synced_before_it_is_acknowledged(traced: Path, service: Service) -> None:
    for number in range(5):
        service.send(mail(octets=3000, message_id=f"{number}@load.test"))
    eventually(lambda: len(re.findall(r'"250 2\.6\.0 Stored as', traced.read_text())) == 5)

    # Since the last answer: D the end of data came, W the log of the database was written, S it was synced.
    story = ""
    for line in traced.read_text().splitlines():
        if "pulsebox.db-wal" in line and re.search(r"\bp?write(64)?\(", line):
            story += "W"
        elif "pulsebox.db-wal" in line and re.search(r"\bf(data)?sync\(", line):
            story += "S"
        elif '"354 ' in line:
            story += "D"
        elif '"250 2.6.0 Stored as' in line:
            story += "A"
    told = re.findall("D[^DA]*A", story)
    assert len(told) == 5, story
    assert all(re.fullmatch("D[WS]*W+S+A", each) for each in told), story
