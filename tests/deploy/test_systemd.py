"""What systemd hears of the service and hands over to it, with real sockets and systemd's own tool."""

import os
import signal
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.foreign.programs import needs, program
from tests.service import Service, environment, eventually, mail
from tests.session.dialogue import HR, rows


@pytest.fixture
def service(tmp_path: Path) -> Service:
    made = Service(tmp_path)
    made.mailbox(HR)
    return made


@contextmanager
def started(service: Service, *before: str, code: int = 0, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run the service behind a command that starts it; it must end with `code`."""
    service.write_config()
    command = [*before, sys.executable, "-m", "smtpd_service", "serve", "--config", str(service.config)]
    with service.log.open("ab") as log:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, env=environment() | more, pass_fds=(3,) if before else ()
        )
    try:
        yield process
        process.terminate()
        assert process.wait(timeout=20) == code, service.log.read_text()
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


class Systemd:
    """The datagram socket that systemd listens on."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.path))
        self._socket.setblocking(False)
        self.heard: list[str] = []

    def listen(self) -> list[str]:
        """Return all lines that were heard until now."""
        try:
            while True:
                self.heard += self._socket.recv(4096).decode().splitlines()
        except BlockingIOError:
            return self.heard

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    with closing(Systemd(tmp_path)) as listening:
        yield listening


def test_systemd_hears_when_the_service_is_ready_that_it_lives_and_when_it_ends(
    service: Service, systemd: Systemd
) -> None:
    with started(service, NOTIFY_SOCKET=str(systemd.path), WATCHDOG_USEC="2000000") as process:
        eventually(lambda: "READY=1" in systemd.listen())
        # Mail is taken by then.
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"ready ")
        eventually(lambda: systemd.listen().count("WATCHDOG=1") >= 2)
        assert "STOPPING=1" not in systemd.listen()
    assert "STOPPING=1" in systemd.listen()
    assert systemd.listen().count("READY=1") == 1


@pytest.mark.acceptance
@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_process_that_hangs_ends_the_signs_of_life_and_they_come_again_with_it(
    service: Service, systemd: Systemd, which: int
) -> None:
    with started(service, NOTIFY_SOCKET=str(systemd.path), WATCHDOG_USEC="2000000") as process:
        eventually(lambda: "WATCHDOG=1" in systemd.listen())
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        hung = int(children[which])
        os.kill(hung, signal.SIGSTOP)
        try:

            def silent() -> bool:
                systemd.listen()
                systemd.heard.clear()
                # Three times as long as between two signs.
                with pytest.raises(AssertionError):
                    eventually(lambda: "WATCHDOG=1" in systemd.listen(), within=1.5)
                return "WATCHDOG=1" not in systemd.heard

            def gone() -> bool:
                try:
                    return silent()
                except BaseException:
                    return False

            eventually(gone, within=25)
            assert service.log.read_text().count("process_hangs process=") == 1
        finally:
            os.kill(hung, signal.SIGCONT)
        eventually(lambda: "WATCHDOG=1" in systemd.listen())


@pytest.mark.acceptance
def test_nobody_is_told_of_who_started_us(service: Service, systemd: Systemd) -> None:
    """A verb that the service runs, or a parsing process, must not speak for it."""
    with started(service, NOTIFY_SOCKET=str(systemd.path), LISTEN_FDS="1", LISTEN_PID="1") as process:
        eventually(lambda: "READY=1" in systemd.listen())
        smtp = process.stdout
        assert smtp is not None
        port = int(smtp.readline().split(b":")[-1])
        with smtplib.SMTP("127.0.0.1", port) as client:
            client.sendmail("ann@agency.test", [HR], mail())
        eventually(lambda: [row["state"] for row in rows(service, "SELECT state FROM message")] == ["read"])
        # The parsing process runs by now: it is a program of its own.
        listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, check=True)
        for reader in listed.stdout.split():
            for child in Path(f"/proc/{int(reader)}/task/{int(reader)}/children").read_text().split():
                given = Path(f"/proc/{child}/environ").read_bytes()
                assert b"NOTIFY_SOCKET" not in given
                assert b"LISTEN_FDS" not in given


def handed(address: str, family: socket.AddressFamily = socket.AF_INET) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.bind((address, 0))
    listening.listen(16)
    return listening


def by_number_three(listening: socket.socket) -> tuple[str, ...]:
    """Return the words that start a program with `listening` as its file 3 and the variables of sd_listen_fds."""
    os.dup2(listening.fileno(), 3)
    return ("sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', "sh")


@pytest.fixture
def number_three() -> Iterator[None]:
    """Keep what the test process has as its file 3."""
    try:
        kept: int | None = os.dup(3)
    except OSError:
        kept = None
    yield
    if kept is None:
        os.close(3)
    else:
        os.dup2(kept, 3)
        os.close(kept)


def test_a_socket_that_was_handed_over_takes_mail_and_stays_open_when_the_service_ends(
    service: Service, number_three: None
) -> None:
    with handed("127.0.0.1") as listening:
        host, port = listening.getsockname()
        service.set("smtp", listen=[f"{host}:{port}"])
        for _ in range(2):
            # A client that comes while nobody is there waits.
            early = socket.create_connection((host, port), timeout=20)
            with early, started(service, *by_number_three(listening)):
                assert early.recv(4).startswith(b"220")
                with smtplib.SMTP(host, port) as client:
                    client.sendmail("ann@agency.test", [HR], mail())
    assert len(rows(service, "SELECT id FROM message")) == 1


@pytest.mark.acceptance
def test_a_socket_that_nobody_asked_for_is_refused_at_the_start(service: Service, number_three: None) -> None:
    with handed("127.0.0.1") as listening, started(service, *by_number_three(listening), code=2) as process:
        assert process.wait(timeout=20) == 2
        where = f"127.0.0.1:{listening.getsockname()[1]}"
        said = f"systemd hands over {where}, which neither [smtp] nor [metrics] listen names"
    assert said in service.log.read_text()


@pytest.mark.acceptance
def test_a_socket_for_both_families_is_refused_at_the_start(service: Service, number_three: None) -> None:
    with handed("::", socket.AF_INET6) as listening:
        service.set("smtp", listen=[f"[::]:{listening.getsockname()[1]}"])
        with started(service, *by_number_three(listening), code=2) as process:
            assert process.wait(timeout=20) == 2
    assert "set BindIPv6Only=ipv6-only" in service.log.read_text()


@pytest.mark.acceptance
def test_systemd_s_own_tool_starts_the_service_with_the_first_client(service: Service) -> None:
    needs("systemd-socket-activate")
    with handed("127.0.0.1") as free:
        host, port = free.getsockname()
    service.set("smtp", listen=[f"{host}:{port}"])
    with started(service, program("systemd-socket-activate"), f"--listen={host}:{port}", "-E", "PYTHONPATH", code=0):
        eventually(lambda: "Listening on" in service.log.read_text())
        with smtplib.SMTP(host, port, timeout=20) as client:
            client.sendmail("ann@agency.test", [HR], mail())
        assert len(rows(service, "SELECT id FROM message")) == 1
