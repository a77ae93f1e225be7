"""A demonstration that is told to end ends, whatever it is at."""

import os
import random
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from smtpd_service.demo.stage import Stage
from storage.engine import open_store
from tests.databases import sqlite_with_schema

TRIES = 30


class Told(Exception):  # noqa: N818  # no error
    pass


@pytest.fixture
def _told_by_sigterm() -> Iterator[None]:
    def tell(*_: object) -> None:
        raise Told

    before = signal.signal(signal.SIGTERM, tell)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("_told_by_sigterm")
def test_who_ends_it_while_it_looks_at_the_database_is_heard(tmp_path: Path) -> None:
    """SQLite asks our code what may be read; what is raised there would be a refusal to it."""
    store = open_store(sqlite_with_schema(tmp_path / "pulsebox.db"))
    stage = Stage(tmp_path, "127.0.0.1", 25, store)
    rng = random.Random(1)
    for _ in range(TRIES):
        teller = threading.Timer(rng.uniform(0, 0.004), os.kill, (os.getpid(), signal.SIGTERM))
        with pytest.raises(Told):
            look_until_told(stage, teller)
        teller.join()
    store.close()


def look_until_told(stage: Stage, teller: threading.Timer) -> NoReturn:
    teller.start()
    while True:
        stage.value("SELECT count(*) FROM messages")
