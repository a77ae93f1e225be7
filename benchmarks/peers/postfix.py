"""Postfix with a configuration, a queue and mail of its own; nothing of the machine's own is touched.

As Debian ships it, but without chroot, without the limits on clients of smtpd, and without the pause of a second
that it makes when mail comes faster than it is delivered (in_flow_delay): that would be measured as latency. Its
log goes to a file, as Pulsebox's does. A message is in the queue before its 250, and gone once it is delivered.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import tree
from benchmarks.letters import DOMAIN, mailboxes
from benchmarks.peers.server import ServerError, free_port, wait_until_gone, wait_until_greeted

POSTFIX = "/usr/sbin/postfix"
DAEMONS = "/usr/lib/postfix/sbin"
OWNER = "nobody"
QUEUES = ("maildrop", "incoming", "active")

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
message_size_limit = 52428800
mailbox_size_limit = 0
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {folder}/mail
virtual_mailbox_limit = 0
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
"""
VIRTUAL = "virtual_mailbox_maps = texthash:{folder}/mailboxes\n"

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
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """One instance below `folder`, which every user must be able to enter; `more` is added to main.cf."""

    def __init__(self, folder: Path, several: int = 1, more: str = VIRTUAL) -> None:
        self.port = free_port()
        self._mailboxes = mailboxes(several)
        self._folder = folder / "postfix"
        self._more = more

    def start(self) -> None:
        self._write()
        self._run("start")
        wait_until_greeted(self.port)

    def stop(self) -> None:
        if (self._folder / "queue/pid/master.pid").exists():
            pids = tree.descendants(self.roots()[0])
            # Nothing is left in the queue that would have to come to rest.
            self._run("abort")
            wait_until_gone(pids)

    def roots(self) -> Sequence[int]:
        return [int((self._folder / "queue/pid/master.pid").read_text())]

    def roles(self) -> Mapping[str, Sequence[int]]:
        """Return what listens: smtpd, a process for each connection."""
        return {"listener": [pid for pid in tree.children(self.roots()[0]) if tree.program(pid) == "smtpd"]}

    def left(self) -> int:
        """Raises ServerError when something was deferred: it would be tried again in minutes."""
        if any(each.is_file() for each in (self._folder / "queue/deferred").rglob("*")):
            last = [line for line in (self._folder / "log").read_text().splitlines() if "deferred" in line][-1]
            raise ServerError(f"mail was deferred: {last}")
        return sum(len(list((self._folder / "queue" / name).iterdir())) for name in QUEUES)

    def check(self, total: int) -> None:
        found = sum(len(list(new.iterdir())) for new in (self._folder / "mail").glob("*/new"))
        if found != total:
            raise ServerError(f"{found} messages in the maildirs, {total} were sent")

    def _write(self) -> None:
        owner = pwd.getpwnam(OWNER)
        for name, user in (("queue", "root"), ("data", "postfix"), ("mail", OWNER)):
            (self._folder / name).mkdir(parents=True)
            shutil.chown(self._folder / name, user)
        # Each has a maildir of its own, by its local part.
        lines = [f"{each} {each.partition('@')[0]}/\n" for each in self._mailboxes]
        (self._folder / "mailboxes").write_text("".join(lines))
        main = (MAIN + self._more).format(
            folder=self._folder, daemons=DAEMONS, domain=DOMAIN, uid=owner.pw_uid, gid=owner.pw_gid
        )
        (self._folder / "main.cf").write_text(main)
        (self._folder / "master.cf").write_text(MASTER.format(port=self.port))

    def _run(self, verb: str) -> None:
        done = subprocess.run([POSTFIX, "-c", self._folder, verb], capture_output=True, text=True, check=False)
        if done.returncode:
            raise ServerError(f"postfix {verb}: {done.stderr.strip() or done.stdout.strip()}")


def version() -> str:
    """Return Postfix's version; "none" where it is not installed."""
    if not Path(POSTFIX).exists():
        return "none"
    done = subprocess.run(["/usr/sbin/postconf", "-h", "mail_version"], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def missing() -> str | None:
    """Return why Postfix cannot be measured here, None when it can."""
    if not Path(POSTFIX).exists():
        return "apt-get install postfix (no configuration of its own is needed)"
    if os.geteuid() != 0:
        return "Postfix starts as root only"
    return None
