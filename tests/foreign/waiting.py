"""Waiting for a started program until it listens."""

import socket
import time

STARTS_WITHIN = 20.0


def wait_for_port(address: tuple[str, int]) -> None:
    """Return when somebody listens there. Raises OSError where nobody does in time."""
    end = time.monotonic() + STARTS_WITHIN
    while True:
        try:
            socket.create_connection(address, timeout=1).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            return
