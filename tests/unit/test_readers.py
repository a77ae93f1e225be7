"""How many readers a service starts: as many as the processors allow, or as it is told."""

import os
from pathlib import Path

import pytest

from smtpd_service.service import posts
from smtpd_service.settings import load


@pytest.mark.parametrize(("processors", "readers"), [(1, 1), (2, 1), (3, 2), (8, 7), (64, 8)])
def test_unless_it_is_said_there_is_one_and_one_more_for_each_processor_beyond_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processors: int, readers: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(processors)))
    assert started(tmp_path, "") == readers


@pytest.mark.parametrize("count", [0, 3])
def test_there_are_as_many_as_the_configuration_says(tmp_path: Path, count: int) -> None:
    assert started(tmp_path, f"[reader]\nprocesses = {count}\n") == count


def started(folder: Path, text: str) -> int:
    config = folder / "config.toml"
    config.write_text(text)
    return len(posts(load(config, {}), [], "reader"))
