"""Postfix that hands to Dovecot over LMTP, which keeps a quota for each mailbox: private to its folder.

Dovecot's own processes keep the users that Debian gives them; the mail belongs to nobody. No port is taken: LMTP is a
unix socket, and nobody fetches mail.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.peers.postfix import OWNER, Postfix
from benchmarks.peers.postfix import missing as postfix_missing
from benchmarks.peers.server import ServerError

DOVECOT = "/usr/sbin/dovecot"
LMTP = "/usr/lib/dovecot/lmtp"

CONFIG = """\
base_dir = {folder}/run
state_dir = {folder}/state
instance_name = benchmark
protocols = lmtp
log_path = {folder}/log
ssl = no
mail_location = maildir:{mail}/%n
mail_plugins = quota
first_valid_uid = 1
default_vsz_limit = 1G
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid={owner} gid=nogroup home={mail}/%n allow_all_users=yes
}}
plugin {{
  quota = maildir:mailbox
  quota_rule = *:storage=50G
}}
service lmtp {{
  unix_listener postfix {{
    mode = 0666
  }}
}}
"""
TRANSPORT = """\
virtual_mailbox_maps = static:all
virtual_transport = lmtp:unix:{run}/postfix
lmtp_destination_recipient_limit = 1
"""


class Dovecot(Postfix):
    """Both below `folder`."""

    def __init__(self, folder: Path) -> None:
        self._dovecot = folder / "dovecot"
        super().__init__(folder, more=TRANSPORT.format(run=self._dovecot / "run"))

    def start(self) -> None:
        for name in ("run", "state"):
            (self._dovecot / name).mkdir(parents=True)
        mail = self._folder / "mail"
        config = CONFIG.format(folder=self._dovecot, mail=mail, owner=OWNER)
        (self._dovecot / "dovecot.conf").write_text(config)
        self._control()
        super().start()

    def stop(self) -> None:
        super().stop()
        if (self._dovecot / "run/master.pid").exists():
            self._control("stop")

    def roots(self) -> Sequence[int]:
        return [*super().roots(), int((self._dovecot / "run/master.pid").read_text())]

    def roles(self) -> Mapping[str, Sequence[int]]:
        return {**super().roles(), "dovecot": self.roots()[1:]}

    def _control(self, *verb: str) -> None:
        command = [DOVECOT, "-c", str(self._dovecot / "dovecot.conf"), *verb]
        # It goes on in the background with what it is given here: a pipe would never end.
        with (self._dovecot / "said").open("w+") as said:
            done = subprocess.run(command, stdout=said, stderr=said, check=False)
            said.seek(0)
            if done.returncode:
                raise ServerError(f"dovecot {' '.join(verb)}: {said.read().strip()}")


def version() -> str:
    if not Path(DOVECOT).exists():
        return "none"
    return subprocess.run([DOVECOT, "--version"], capture_output=True, text=True, check=False).stdout.split(" ")[0]


def missing() -> str | None:
    """Return why it cannot be measured here, None when it can."""
    if not (Path(DOVECOT).exists() and Path(LMTP).exists()):
        return "apt-get install postfix dovecot-core dovecot-lmtpd"
    return postfix_missing() if os.geteuid() == 0 else "Dovecot starts as root only"
