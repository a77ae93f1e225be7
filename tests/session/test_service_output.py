"""The service and the command line when nobody reads what they say, or the place to say it is odd."""

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.service import Service, environment, eventually, mail


def test_a_service_whose_ready_line_nobody_reads_goes_on_and_ends_cleanly(service: Service) -> None:
    service.mailbox("hr@agency.test")
    service.set("smtp", listen=["127.0.0.1:0"])
    service.write_config()
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "smtpd_service", "serve", "--config", str(service.config)]
    with service.log.open("wb") as log:
        process = subprocess.Popen(command, cwd=service.folder, stdout=writing, stderr=log, env=environment())
    os.close(writing)
    try:
        eventually(lambda: "nobody reads standard output" in service.log.read_text())
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        process.wait()


def test_a_database_that_is_deleted_under_the_service_is_451(service: Service) -> None:
    service.mailbox("hr@agency.test")
    service.start()
    (service.folder / "var/pulsebox.db").unlink()

    def refused() -> bool:
        with service.client() as client:
            client.ehlo()
            return client.mail("ann@agency.test")[0] == 451

    eventually(refused)


def test_an_export_goes_into_a_pipe_and_through_a_link(service: Service, tmp_path: Path) -> None:
    service.mailbox("hr@agency.test")
    service.start()
    service.send(mail())
    eventually(lambda: service.query("SELECT count(*) AS n FROM bullets") == [{"n": 3}])
    pipe, link, kept = tmp_path / "pipe", tmp_path / "link.csv", tmp_path / "kept.csv"
    os.mkfifo(pipe)
    link.symlink_to(kept)
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(pipe.read_text().splitlines()))
    reader.start()

    service.pulsebox("export", "bullets", "--format", "csv", "--output", str(pipe))
    reader.join(timeout=10)
    service.pulsebox("export", "bullets", "--format", "csv", "--output", str(link))

    assert len(lines) == 4
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert link.is_symlink()
    assert kept.read_text().splitlines() == lines


def test_octets_that_are_no_text_are_refused_in_one_line(service: Service) -> None:
    service.mailbox("hr@agency.test")
    service.start()
    command = [sys.executable, "-m", "smtpd_service", "mailbox", "show", b"a\xff@agency.test"]
    done = subprocess.run(
        [*command, "--config", str(service.config)], capture_output=True, text=True, check=False, env=environment()
    )

    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "is not UTF-8" in done.stderr


def test_an_answer_that_cannot_be_written_is_one_line(service: Service) -> None:
    service.mailbox("hr@agency.test")
    service.start()
    command = [sys.executable, "-m", "smtpd_service", "mailbox", "list", "--config", str(service.config)]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=environment())

    assert done.returncode == 2
    assert done.stderr == "pulsebox: cannot write the answer: No space left on device\n"


def test_a_service_that_is_told_again_and_again_ends_once(service: Service) -> None:
    """In its last moments, too, in which Python has given signals back to the system."""
    service.start()
    assert service.process is not None
    while service.process.poll() is None:
        service.process.terminate()
        time.sleep(0.000_5)

    assert service.stop() == 0
