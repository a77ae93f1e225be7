"""A child process ends with its parent, however the parent ends."""

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Have the kernel kill this process when `parent` (a pid) ends; at once if it has ended already.

    A listener left behind would go on taking connections, and a parsing child would wait for ever.
    Where the system is not Linux, children end when they find their pipe closed.
    """
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    except (AttributeError, OSError):
        return
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
