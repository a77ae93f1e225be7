"""A queue of waiting connections for each listener: the kernel spreads who comes evenly over them (SO_REUSEPORT).

All belong to the parent process, so that a listener that dies loses none of those that wait: its successor has the same
queue. An address is taken for us alone before it is shared, so that a second service started by mistake is refused.
"""

import socket
from collections.abc import Sequence

from smtpd_service.smtp.listener import BACKLOG
from smtpd_service.systemd import HandedOver


def queues_of(sockets: Sequence[socket.socket], listeners: int) -> list[list[socket.socket]]:
    """Return for each of the `listeners` its sockets, in the order of `sockets`, which are those of the first.

    Unix sockets know no such thing, and what systemd handed over is systemd's: these are shared. Raises OSError.
    """
    return [[each if number == 0 else _brother(each) for each in sockets] for number in range(listeners)]


def _brother(listening: socket.socket) -> socket.socket:
    """Return another socket that listens at the same address, or the same where there can be no other."""
    if listening.family == socket.AF_UNIX or isinstance(listening, HandedOver):
        return listening
    # Linux lets a socket that listens by itself so far have brothers from now on; who does not say so is refused.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    brother = socket.socket(listening.family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        brother.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        brother.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if listening.family == socket.AF_INET6:
            brother.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        brother.bind(listening.getsockname())
        brother.listen(BACKLOG)
        brother.setblocking(False)
    except OSError:
        brother.close()
        raise
    return brother
