"""The benchmark at its smallest: each kind of workload does its work on a real service, and leaves nothing behind."""

import tempfile
from pathlib import Path

import psutil
import pytest

from benchmarks.peers import postfix
from benchmarks.rounds import measure
from benchmarks.rows import Row
from benchmarks.workloads import Burst, Flood, Idle, Scale, Steady, Stored

pytestmark = pytest.mark.acceptance

TINY = Scale("tiny", share=0.01, seconds=1, burst=1, stored=1_000, idle=20, rounds=1)
SPEEDS = {"accepted", "done", "CPU", "CPU loader", "memory under load", "memory after"}


@pytest.mark.parametrize("peer", ["pulsebox", "pulsebox-postgresql"])
def test_every_workload_is_done_and_measured(peer: str, tmp_path: Path) -> None:
    floods = (Flood("45 kB", "conn", 6_000), Flood("1 MB", "reuse", 6_000))
    row = Row("", (peer,), (*floods, Steady(50), Burst(60), Idle(), Stored(sample=100)), mailboxes=3)

    measured = measure(row, TINY, print, tmp_path)

    assert measured.failed == {}
    found = {workload: set(measures) for workload, measures in measured.values[peer].items()}
    assert found.pop("at rest") == {"memory"}
    assert found["45 kB conn"] >= SPEEDS | {"CPU listener", "CPU reader beyond mail-parser"}
    assert found["1 MB reuse"] >= SPEEDS
    assert found["50/s conn"] >= {"rate kept", "dot to 250, p50", "dot to 250, p99"}
    assert found["1,000 stored"] >= {"accepted", "CPU"}
    assert measured.values[peer]["burst of 60/s conn"]["deferred"] == [0]
    assert measured.values[peer]["idle connections"]["connections"] == [20]


@pytest.mark.skipif(postfix.missing() is not None, reason=f"Postfix is not measured here: {postfix.missing()}")
def test_a_peer_of_many_processes_leaves_none_behind() -> None:
    # Below pytest's own folder only root may enter.
    with tempfile.TemporaryDirectory(prefix="peer-") as folder:
        Path(folder).chmod(0o755)
        measured = measure(Row("", ("postfix",), (Flood("2 kB", "conn", 6_000),)), TINY, print, Path(folder))

        assert measured.failed == {}
        assert set(measured.values["postfix"]["2 kB conn"]) >= SPEEDS
        assert [each.name() for each in psutil.process_iter() if folder in _folder(each)] == []
        assert list(Path(folder).iterdir()) == []


def _folder(process: psutil.Process) -> str:
    try:
        return process.cwd()
    except psutil.Error:
        return ""
