"""A Postfix of our own, on a high port and with folders of its own, that relays everything to one place."""

import grp
import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from mailbox import Maildir
from pathlib import Path
from typing import Any

from tests.foreign.programs import needs
from tests.foreign.waiting import wait_for_port

# Postfix's own master.cf, without chroot and without what is not needed to relay.
MASTER = """\
{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
lmtp unix - - n - - lmtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

# Mail to sender.test (bounces) stays here, everything else goes to the relay host.
MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/log/mail.log
maillog_file_prefixes = {folder}
myhostname = relay.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
relayhost = [127.0.0.1]:{relay}
default_transport = smtp
alias_maps =
alias_database =
virtual_mailbox_domains = sender.test
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = static:everybody/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
smtp_connection_cache_on_demand = no
smtp_destination_concurrency_failed_cohort_limit = 100
smtp_tls_security_level = none
smtpd_tls_security_level = none
{more}
"""


class Postfix:
    """A running relay: mail is handed in at `address`."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.address = ("127.0.0.1", port)

    @property
    def log(self) -> str:
        return (self.folder / "log/mail.log").read_text()

    def queue(self) -> list[dict[str, Any]]:
        """Return what `postqueue -j` says of each message in the queue."""
        command = ["/usr/sbin/postqueue", "-c", str(self.folder / "config"), "-j"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def queued(self) -> int:
        """Return how many messages wait for another try."""
        return sum(1 for each in (self.folder / "queue/deferred").rglob("*") if each.is_file())

    def empty(self) -> bool:
        """Say whether no message is anywhere in the queue."""
        queues = ("maildrop", "incoming", "active", "deferred")
        return not any(each.is_file() for queue in queues for each in (self.folder / "queue" / queue).rglob("*"))

    def bounces(self) -> list[bytes]:
        """Return the mail that came to senders of sender.test."""
        folder = self.folder / "mail/everybody"
        # Postfix makes them one after another.
        if not all((folder / each).exists() for each in ("tmp", "new", "cur")):
            return []
        box = Maildir(folder, create=False)
        return [box.get_bytes(key) for key in sorted(box.keys())]


@contextmanager
def postfix(relay: int, *, master: str = "", **settings: str) -> Iterator[Postfix]:
    """Run a Postfix that relays to port `relay` of this machine; `settings` and `master` are added to its files.

    Skips the test where Postfix is not installed, or the user is not root, by whom alone it is started.
    """
    needs("postfix")
    # Under pytest's own folder only root may enter.
    folder = Path(tempfile.mkdtemp(prefix="postfix-"))
    folder.chmod(0o755)
    running = Postfix(folder, free_port())
    try:
        _configure(running, relay, settings, master)
        _control(folder, "start")
        wait_for_port(running.address)
        yield running
    finally:
        _control(folder, "stop", check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _configure(running: Postfix, relay: int, settings: dict[str, str], master: str) -> None:
    user, group = pwd.getpwnam("postfix").pw_uid, grp.getgrnam("postfix").gr_gid
    for name in ("config", "queue", "data", "mail", "log"):
        (running.folder / name).mkdir()
    for name in ("data", "mail", "log"):
        os.chown(running.folder / name, user, group)
    more = "\n".join(f"{name} = {value}" for name, value in settings.items())
    main = MAIN.format(folder=running.folder, relay=relay, uid=user, gid=group, more=more)
    (running.folder / "config/main.cf").write_text(main)
    (running.folder / "config/master.cf").write_text(MASTER.format(port=running.address[1]) + master)


def _control(folder: Path, verb: str, *, check: bool = True) -> None:
    command = ["/usr/sbin/postfix", "-c", str(folder / "config"), verb]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if check and done.returncode:
        log = folder / "log/mail.log"
        raise RuntimeError(f"{done.stdout}{done.stderr}{log.read_text() if log.exists() else ''}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
