"""Foreign programs that tests start: where they are, and which of Debian's packages brings them."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

# Program → package; `.ci/run` installs them all.
PACKAGES = {
    "haproxy": "haproxy",
    "iproute2": "iproute2",
    "msmtp": "msmtp",
    "mutt": "mutt",
    "nodemailer": "node-nodemailer",
    "pgbouncer": "pgbouncer",
    "postfix": "postfix",
    "promtool": "prometheus",
    "sisimai": "libsisimai-perl",
    "smtp-sink": "postfix",
    "swaks": "swaks",
    "systemd-analyze": "systemd",
    "systemd-socket-activate": "systemd",
}
# Too large to be installed for a few checks: tests that need one are skipped wherever it is missing.
OPTIONAL = {"promtool"}
# Set where a missing program is a mistake of the machine, and not a reason to skip.
REQUIRED = "FOREIGN_PROGRAMS_REQUIRED"
NODE_MODULES = Path("/usr/share/nodejs")
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin"


def needs(*names: str) -> None:
    """Skip, naming what to install, unless each program is here; fail where they are required."""
    absent = {name for name in names if not is_here(name)}
    if not absent:
        return
    missing = sorted({PACKAGES[name] for name in absent})
    text = f"not installed, so nothing was tested with it: apt-get install {' '.join(missing)}"
    if os.environ.get(REQUIRED) and not absent <= OPTIONAL:
        pytest.fail(text)
    pytest.skip(text)


def program(name: str) -> str:
    """Return the path of a program that `needs` has found."""
    found = shutil.which(name, path=_PATH) or shutil.which(name)
    assert found is not None, f"{name} is not here; say needs({name!r}) first"
    return found


@cache
def is_here(name: str) -> bool:
    if name == "sisimai":
        return shutil.which("perl") is not None and _succeeds("perl", "-MSisimai", "-MJSON", "-e", "1")
    if name == "nodemailer":
        return shutil.which("node") is not None and (NODE_MODULES / "nodemailer").exists()
    # Only root makes network namespaces, and in a container not even root may.
    if name == "iproute2":
        return shutil.which("ip", path=_PATH) is not None and _succeeds("unshare", "--net", "--mount", "true")
    # Postfix is started by root only.
    if name == "postfix" and os.geteuid() != 0:
        return False
    return shutil.which(name, path=_PATH) is not None or shutil.which(name) is not None


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False, timeout=30).returncode == 0
