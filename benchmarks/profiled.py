"""The service with a profile of each thread of each process: what `serve` does, and cProfile around the work.

`python -m benchmarks.profiled --config FILE`; the profiles are written beside FILE when the service ends,
`listener 0.MainThread.prof` and so on. cProfile makes small functions look dearer than they are.
"""

import contextlib
import cProfile
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from multiprocessing.synchronize import Event
from pathlib import Path
from types import FrameType
from typing import Any

from smtpd_service import service
from smtpd_service.settings import load
from smtpd_service.supervisor import Post

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
    plain = service.posts

    def profiled(*how: Any, **more: Any) -> list[Post]:
        return [
            replace(post, work=partial(work_profiled, post.work, str(config.parent / post.name)))
            for post in plain(*how, **more)
        ]

    service.posts = profiled
    return service.serve(load(config))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[-1])))
