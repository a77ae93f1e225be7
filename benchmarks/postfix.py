"""Postfix that delivers to a maildir: private configuration, queue and mail, nothing of the machine's own touched.

As Debian ships it, but without chroot, without the limits on clients of smtpd, and without the pause of a second
that it makes when mail comes faster than it is delivered (in_flow_delay): that would be measured as latency. Its
log goes to a file, as Pulsebox's does.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from benchmarks.letters import MAILBOX
from benchmarks.server import ServerError, free_port, wait_until_greeted

POSTFIX = "/usr/sbin/postfix"
DAEMONS = "/usr/lib/postfix/sbin"
OWNER = "nobody"

MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
maillog_file_prefixes = {folder}
maillog_file = {folder}/log
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.agency.test
mydestination =
alias_maps =
alias_database =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
in_flow_delay = 0s
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = static:hr/
virtual_mailbox_limit = 0
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
"""

MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """One instance below `folder`, which every user must be able to enter."""

    name = "Postfix"
    durable = "two syncs a message: the queue file before the 250, the maildir file at delivery"

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder / "postfix"
        self._new = self._folder / "mail/hr/new"

    def start(self) -> None:
        self._write()
        self._run("start")
        wait_until_greeted(self.port)

    def stop(self) -> None:
        if (self._folder / "queue/pid/master.pid").exists():
            self._run("stop")

    def root(self) -> int:
        return int((self._folder / "queue/pid/master.pid").read_text())

    def parts(self) -> Mapping[str, int]:
        return {}

    def left(self, total: int) -> int:
        return total - (sum(1 for _ in self._new.iterdir()) if self._new.exists() else 0)

    def check(self, total: int) -> None:
        if self.left(total) != 0:
            raise ServerError(f"{total - self.left(total)} messages in the maildir, {total} were sent")

    def _write(self) -> None:
        owner = pwd.getpwnam(OWNER)
        for name, user in (("queue", "root"), ("data", "postfix"), ("mail", OWNER)):
            (self._folder / name).mkdir(parents=True)
            shutil.chown(self._folder / name, user)
        domain = MAILBOX.partition("@")[2]
        main = MAIN.format(folder=self._folder, daemons=DAEMONS, domain=domain, uid=owner.pw_uid, gid=owner.pw_gid)
        (self._folder / "main.cf").write_text(main)
        (self._folder / "master.cf").write_text(MASTER.format(port=self.port))

    def _run(self, verb: str) -> None:
        done = subprocess.run([POSTFIX, "-c", self._folder, verb], capture_output=True, text=True, check=False)
        if done.returncode:
            raise ServerError(f"postfix {verb}: {done.stderr.strip() or done.stdout.strip()}")


def version() -> str:
    """Return Postfix's version."""
    done = subprocess.run(["/usr/sbin/postconf", "-h", "mail_version"], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def missing() -> str | None:
    """Return why Postfix cannot be measured here, None when it can."""
    if not Path(POSTFIX).exists():
        return f"there is no {POSTFIX}: apt-get install postfix (no configuration of its own is needed)"
    if os.geteuid() != 0:
        return "Postfix starts as root only"
    return None
