"""The service with a profile of each thread of each process: what `serve` does, and cProfile around the work.

`python -m benchmarks.profiled --config FILE`; the profiles are written beside FILE when the service ends,
`listener 0.MainThread.prof` and so on. cProfile makes small functions look dearer than they are.
"""

import contextlib
import cProfile
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from multiprocessing.synchronize import Event
from pathlib import Path
from types import FrameType

from smtpd_service import events
from smtpd_service.first_start import make_ready
from smtpd_service.service import Supervisor, posts
from smtpd_service.settings import load
from smtpd_service.smtp.listener import address_of, open_sockets
from storage.engine import open_store

Profiles = dict[str, cProfile.Profile]


def work_profiled(work: Callable[[Event], None], stem: str, ready: Event) -> None:
    """Do the work of one post, and write a profile of each thread that it had."""
    profiles: Profiles = {"MainThread": cProfile.Profile()}
    threading.setprofile(partial(_begin, profiles))
    profiles["MainThread"].enable()
    try:
        work(ready)
    finally:
        profiles["MainThread"].disable()
        for thread, profile in profiles.items():
            profile.dump_stats(f"{stem}.{thread}.prof")


def _begin(profiles: Profiles, _frame: FrameType, _event: str, _value: object) -> None:
    """Have a new thread's first call replaced as what is called by a profile of its own."""
    profile = profiles[threading.current_thread().name] = cProfile.Profile()
    # From Python 3.12 on there is one profile in a process: the main thread's.
    with contextlib.suppress(ValueError):
        profile.enable()


def main(config: Path) -> int:
    settings = load(config)
    events.start(settings.service.log_level)
    store = open_store(settings.database_url)
    make_ready(settings, store)
    store.close()
    sockets = open_sockets(settings.smtp.listen)
    filled = [
        replace(post, work=partial(work_profiled, post.work, str(config.parent / post.name)))
        for post in posts(settings, sockets, None)
    ]
    supervisor = Supervisor(filled, sockets, settings.service.drain.total_seconds())
    signal.signal(signal.SIGTERM, lambda *_: supervisor.stop())
    supervisor.start()
    if supervisor.wait_ready():
        print("ready", *(address_of(each) for each in sockets), flush=True)
    supervisor.watch()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[-1])))
