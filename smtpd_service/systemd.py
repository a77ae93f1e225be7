"""What systemd is told and what it hands over: sd_notify(3) and sd_listen_fds(3), a few lines each.

Started by anything else, nothing is said and nothing was handed over. What cannot be told is not worth failing for.
"""

import contextlib
import os
import socket
import time
from collections.abc import MutableMapping

from smtpd_service.settings import ConfigError

FIRST_HANDED = 3
# Of the watchdog's patience, after which the next sign of life is due.
SHARE = 4


class HandedOver(socket.socket):
    """A listening socket that belongs to systemd: its file stays when we close it."""


def handed_over(environment: MutableMapping[str, str] = os.environ) -> list[socket.socket]:
    """Return the listening sockets that were made for us; those who are started by us are not told of them.

    Raises ConfigError for one that takes two kinds of addresses.
    """
    wanted = environment.pop("LISTEN_PID", "")
    count = environment.pop("LISTEN_FDS", "")
    environment.pop("LISTEN_FDNAMES", None)
    if wanted != str(os.getpid()) or not count.isdecimal():
        return []
    handed: list[socket.socket] = []
    for number in range(FIRST_HANDED, FIRST_HANDED + int(count)):
        os.set_inheritable(number, False)
        each = HandedOver(fileno=number)
        each.setblocking(False)
        if each.family == socket.AF_INET6 and not each.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY):
            # Clients by IPv4 would come in the form of IPv6, and no network that is trusted would hold them.
            raise ConfigError("systemd hands over a socket for IPv6 and IPv4 at once; set BindIPv6Only=ipv6-only")
        handed.append(each)
    return handed


class Notifier:
    """Tells systemd how the service does; without `NOTIFY_SOCKET` nobody."""

    def __init__(self, environment: MutableMapping[str, str] = os.environ) -> None:
        # Not for those who are started by us: they would speak for the service.
        self._address = environment.pop("NOTIFY_SOCKET", "")
        patience, pid = environment.pop("WATCHDOG_USEC", ""), environment.pop("WATCHDOG_PID", "")
        ours = pid in {"", str(os.getpid())} and patience.isdecimal()
        self._every = int(patience) / 1e6 / SHARE if ours else 0.0
        self._told_at = 0.0

    def ready(self, status: str) -> None:
        self._tell(f"READY=1\nSTATUS={status}")

    def stopping(self) -> None:
        self._tell("STOPPING=1\nSTATUS=draining")

    def status(self, status: str) -> None:
        self._tell(f"STATUS={status}")

    def alive(self) -> None:
        """Say that all is well, as often as the watchdog wants to hear it."""
        if self._every and time.monotonic() - self._told_at >= self._every:
            self._tell("WATCHDOG=1")
            self._told_at = time.monotonic()

    def _tell(self, state: str) -> None:
        if not self._address:
            return
        # A leading @ stands for the NUL of Linux's abstract names.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as telling:
            telling.settimeout(1.0)
            telling.sendto(state.encode(), address)
