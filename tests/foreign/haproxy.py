"""An HAProxy of our own in front of the service: each port hands on to one of ours, with a PROXY header."""

import csv
import io
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.foreign.programs import needs, program
from tests.foreign.waiting import wait_for_port
from tests.postfix import free_port

_HEAD = """\
global
    maxconn 200
    stats socket {folder}/stats.sock

defaults
    mode tcp
    timeout check 5s
    timeout connect 5s
    timeout client 60s
    timeout server 60s
"""

# Its health check speaks SMTP, behind a PROXY header that says LOCAL (v2) or UNKNOWN (v1).
_FRONT = """
listen {name}
    bind 127.0.0.1:{port}
    bind ::1:{port}
    option smtpchk EHLO haproxy.test
    server pulsebox 127.0.0.1:{ours} {name} check check-send-proxy inter 200ms
"""

VERSIONS = ("send-proxy", "send-proxy-v2")


class HAProxy:
    """A running HAProxy: `ports` by what it sends."""

    def __init__(self, folder: Path, ports: dict[str, int]) -> None:
        self.folder, self.ports = folder, ports

    def check(self, name: str) -> str:
        """Return what its health check thinks of our port: `UP`, `DOWN`, …"""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(str(self.folder / "stats.sock"))
            client.sendall(b"show stat\n")
            said = b"".join(iter(lambda: client.recv(65_536), b"")).decode()
        rows = csv.DictReader(io.StringIO(said.removeprefix("# ")))
        return next(row["status"] for row in rows if (row["pxname"], row["svname"]) == (name, "pulsebox"))


@contextmanager
def haproxy(folder: Path, ours: int) -> Iterator[HAProxy]:
    """Run an HAProxy with a port for each version of the header, all before our port `ours`."""
    needs("haproxy")
    folder.mkdir()
    running = HAProxy(folder, {version: free_port() for version in VERSIONS})
    config = folder / "haproxy.cfg"
    fronts = "".join(_FRONT.format(name=name, port=port, ours=ours) for name, port in running.ports.items())
    config.write_text(_HEAD.format(folder=folder) + fronts, encoding="utf-8")
    log = folder / "haproxy.log"
    with log.open("wb") as said:
        started = subprocess.Popen([program("haproxy"), "-db", "-f", str(config)], stdout=said, stderr=said)
    try:
        for port in running.ports.values():
            wait_for_port(("127.0.0.1", port))
        yield running
    finally:
        started.terminate()
        started.wait(timeout=10)
