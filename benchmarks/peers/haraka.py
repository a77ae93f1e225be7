"""Haraka from npm, a pinned version in a folder that is kept between runs; it takes all mail and throws it away.

Plugins: the one that knows our domain, and queue/discard. Its log goes to a file, at the level that says a line or
two for each message, as the others' do.
"""

import shutil
import subprocess
from pathlib import Path

from benchmarks.letters import DOMAIN
from benchmarks.peers.process import Discarding
from benchmarks.peers.server import ServerError

VERSION = "3.3.4"
CACHE = Path(__file__).resolve().parents[2] / "var/peers" / f"haraka-{VERSION}"
# Nothing of a package runs while it is installed.
INSTALL = ("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--omit=optional", f"Haraka@{VERSION}")

FILES = {
    "smtp.ini": "listen=127.0.0.1:{port}\nnodes=0\ndaemonize=false\nspool_dir={folder}/spool\n",
    "plugins": "rcpt_to.in_host_list\nqueue/discard\n",
    "host_list": f"{DOMAIN}\n",
    "me": "mx.agency.test\n",
    "log.ini": "level=NOTICE\n",
}


class Haraka(Discarding):
    """One process below `folder`."""

    def __init__(self, folder: Path) -> None:
        # queue/discard asks for this in its environment.
        environment = ("env", "YES_REALLY_DO_DISCARD=1")
        super().__init__(folder, [*environment, "node", str(_program()), "-c", str(folder)])

    def start(self) -> None:
        install()
        (self.folder / "config").mkdir()
        (self.folder / "spool").mkdir()
        # Without its own it cannot greet; what it takes at most is 26 MB.
        shutil.copy(_home() / "config/connection.ini", self.folder / "config")
        for name, text in FILES.items():
            (self.folder / "config" / name).write_text(text.format(port=self.port, folder=self.folder))
        super().start()


def _home() -> Path:
    return CACHE / "node_modules/Haraka"


def _program() -> Path:
    return _home() / "bin/haraka"


def install() -> None:
    """Have npm fetch it where that was not done. Raises ServerError."""
    if _program().exists():
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    done = subprocess.run([*INSTALL, "--prefix", CACHE], cwd=CACHE, capture_output=True, text=True, check=False)
    if done.returncode or not _program().exists():
        raise ServerError(f"{' '.join(INSTALL)}: {done.stderr.strip()[-500:]}")


def version() -> str:
    return VERSION if _program().exists() else "none"


def missing() -> str | None:
    """Return why it cannot be measured here, None when it can."""
    if shutil.which("node") is None or (shutil.which("npm") is None and not _program().exists()):
        return "apt-get install nodejs npm (Node.js 20 or later)"
    return None
