"""A real PgBouncer in transaction mode, between a service and the tests' PostgreSQL."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.foreign.programs import program

# Two server connections for whoever comes: a session's state left behind by one is met by another at once.
POOL = 2
_INI = """
[databases]
* = host={host} {port} user=postgres

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {pool}
max_client_conn = 500
"""


@contextmanager
def pgbouncer(url: str, *, pool: int = POOL) -> Iterator[str]:
    """Give the address of the database at `url` (SQLAlchemy's form) by way of a PgBouncer; it ends after."""
    # Not below pytest's folder: a second run as root closes that to the user that it runs as.
    folder = Path(tempfile.mkdtemp(prefix="pulsebox-pgb-"))
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listen = probe.getsockname()[1]
    host = query["host"][0] if "host" in query else parts.hostname
    port = query["port"][0] if "port" in query else parts.port
    ini = folder / "pgbouncer.ini"
    ini.write_text(_INI.format(host=host, port=f"port={port}" if port else "", listen=listen, pool=pool))
    # It refuses to run as root, and only the server's own user gets at the server's socket.
    user = "pgserver" if os.geteuid() == 0 else None
    if user is not None:
        shutil.chown(folder, user)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program("pgbouncer"), str(ini)], stderr=log, user=user, cwd="/")
    try:
        _wait_for(listen, process, folder / "log")
        yield f"postgresql+psycopg://postgres@127.0.0.1:{listen}{parts.path}"
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 10
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.02)
