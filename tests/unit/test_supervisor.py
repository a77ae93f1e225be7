"""How the processes of a service end, whenever they are told."""

import signal
import time
from collections.abc import Iterator
from multiprocessing.synchronize import Event

import pytest

from smtpd_service import supervisor
from smtpd_service.supervisor import Post, Supervisor


@pytest.fixture
def told() -> Iterator[None]:
    """Handle what the service is told as it does: only the parent knows what that means."""
    before = [(number, signal.signal(number, lambda *_: None)) for number in (signal.SIGTERM, signal.SIGINT)]
    yield
    for number, handler in before:
        signal.signal(number, handler)


@pytest.mark.usefixtures("told")
def test_a_process_that_is_told_to_end_while_it_begins_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first that it does takes long here: until it has handlers of its own, it has those of its parent."""
    monkeypatch.setattr(supervisor, "die_with", lambda _parent: time.sleep(0.5))
    post = Post("courier", wait)
    watching = Supervisor([post], [], drain=0.0)

    watching.start()
    process = post.process
    assert process is not None
    watching.end()

    assert process.exitcode == -signal.SIGTERM


@pytest.mark.usefixtures("told")
def test_the_parent_goes_on_being_told_after_it_has_started_a_process() -> None:
    watching = Supervisor([Post("courier", wait)], [], drain=0.0)
    watching.start()
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []).isdisjoint({signal.SIGTERM, signal.SIGINT})
    watching.end()


def wait(ready: Event) -> None:
    ready.set()
    time.sleep(60)
