"""kill -9 of one process of the service, or of all at once by its main one, and the wait until it answers again."""

import smtplib
import socket
import time

import psutil

from tests.service import Service, eventually

ANSWERING_WITHIN = 5.0
CHILDREN = ("listener", "reader", "courier")


def free_port() -> int:
    """Return a port that a service can take again after each start."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def family(service: Service) -> list[psutil.Process]:
    assert service.process is not None
    return psutil.Process(service.process.pid).children(recursive=True)


def child(service: Service, role: str) -> psutil.Process:
    """Return the process that fills a post: the listener listens, the reader has a child, the courier neither."""
    assert service.process is not None
    direct = psutil.Process(service.process.pid).children()
    assert len(direct) == 3, service.log.read_text()[-2000:]
    by_sockets = [each for each in direct if any(c.status == psutil.CONN_LISTEN for c in each.net_connections())]
    with_child = [each for each in direct if each.children()]
    match role:
        case "listener":
            return by_sockets[0]
        case "reader":
            return with_child[0]
        case _:
            return next(each for each in direct if each not in by_sockets and each not in with_child)


def answers(service: Service) -> bool:
    try:
        with smtplib.SMTP(service.host, service.port, timeout=2) as client:
            client.ehlo()
            return client.docmd("MAIL FROM:<probe@load.test>")[0] == 250
    except (OSError, smtplib.SMTPException):
        return False


def strike(service: Service, victim: str) -> float:
    """Kill one process of the service, see to it that it runs again, and return how long it did not answer."""
    if victim == "main":
        orphans = family(service)
        service.kill()
        began = time.monotonic()
        gone(orphans)
        service.start()
    else:
        eventually(lambda: len(family(service)) >= 4)
        killed = child(service, victim)
        own = killed.children()
        killed.kill()
        began = time.monotonic()
        gone(own)
    eventually(lambda: answers(service), ANSWERING_WITHIN)
    return time.monotonic() - began


def gone(processes: list[psutil.Process]) -> None:
    """Wait until none of them runs."""
    eventually(lambda: not any(each.is_running() and each.status() != "zombie" for each in processes), 2)
