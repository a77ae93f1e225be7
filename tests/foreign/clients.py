"""Mail clients as employees and postmasters use them: msmtp, mutt, nodemailer, swaks; each sends one mail."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.foreign.programs import NODE_MODULES, program

Address = tuple[str, int]
SECONDS = 30

_MSMTPRC = """\
defaults
logfile {folder}/msmtp.log
account agency
host {host}
port {port}
from {sender}
domain laptop.test
auth off
{tls}
dsn_notify {notify}
dsn_return {ret}
account default : agency
"""

_MUTTRC = """\
set realname = "Ann Lee"
set from = "{sender}"
set use_envelope_from = yes
set envelope_from_address = "{sender}"
set hostname = laptop.test
set record = ""
# Without it mutt says HELO, and then asks for no report.
set ssl_starttls = yes
set ssl_force_tls = no
set header_cache = ""
set tmpdir = "{folder}"
{way}
{dsn}
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended: its exit code, and what it printed on both ways."""

    code: int
    text: str


def msmtprc(
    folder: Path, address: Address, sender: str, *, notify: str = "off", ret: str = "off", tls: str = "tls off"
) -> Path:
    """Write msmtp's configuration for that server and return it; `ret` is "headers", "full" or "off"."""
    file = folder / "msmtprc"
    host, port = address
    text = _MSMTPRC.format(folder=folder, host=host, port=port, sender=sender, notify=notify, ret=ret, tls=tls)
    file.write_text(text, encoding="utf-8")
    # It refuses a configuration that others may read.
    file.chmod(0o600)
    return file


def starttls(ca_file: Path, name: str) -> str:
    """Return msmtp's settings for STARTTLS with a certificate of that name, checked."""
    return f"tls on\ntls_starttls on\ntls_trust_file {ca_file}\ntls_host_override {name}"


def msmtp(rc: Path, octets: bytes, *recipients: str) -> Ran:
    """Hand a whole mail to msmtp as a sendmail."""
    return _run([program("msmtp"), "-C", str(rc), "--", *recipients], octets, rc.parent)


def mutt(folder: Path, body: str, recipient: str, *, way: str, sender: str, subject: str, dsn: str = "") -> Ran:
    """Send with mutt in batch mode; `way` is one line of its configuration: `smtp_over` or `sendmail_over`."""
    rc = folder / "muttrc"
    rc.write_text(_MUTTRC.format(folder=folder, sender=sender, way=way, dsn=dsn), encoding="utf-8")
    command = [program("mutt"), "-n", "-F", str(rc), "-s", subject, "--", recipient]
    return _run(command, body.encode(), folder)


def smtp_over(address: Address) -> str:
    """Return mutt's setting for its own SMTP."""
    return f'set smtp_url = "smtp://{address[0]}:{address[1]}/"'


def sendmail_over(rc: Path) -> str:
    """Return mutt's setting for msmtp as its sendmail."""
    return f'set sendmail = "{program("msmtp")} -C {rc}"'


def nodemailer(address: Address, mail: Mapping[str, Any], **transport: Any) -> dict[str, Any]:
    """Send with nodemailer and return what it made of it: `accepted`, `rejected`, `response`."""
    asked = {
        "transport": {"host": address[0], "port": address[1], "name": "laptop.test", "ignoreTLS": True} | transport,
        "mail": mail,
    }
    script = Path(__file__).with_name("nodemailer.js")
    done = subprocess.run(
        [program("node"), str(script)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
        timeout=SECONDS,
        env=os.environ | {"NODE_PATH": str(NODE_MODULES)},
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def swaks(server: str, *arguments: str) -> Ran:
    """Send with swaks to `host:port` or a unix socket's path."""
    where = ["--socket", server] if server.startswith("/") else ["--server", server]
    return _run([program("swaks"), *where, "--helo", "swaks.test", *arguments], b"", None)


def _run(command: list[str], octets: bytes, home: Path | None) -> Ran:
    environment = os.environ | ({"HOME": str(home)} if home is not None else {})
    done = subprocess.run(
        command,
        input=octets,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=SECONDS,
        env=environment,
    )
    return Ran(done.returncode, done.stdout.decode("utf-8", "replace"))
