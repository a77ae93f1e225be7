"""Machines that fail: killed, cut off in mid-load, cut off with the mailbox that everybody needs in hand."""

import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from storage import mailboxes
from storage.engine import open_store
from storage.upgrade import upgrade
from tests.acceptance.three_nodes import story
from tests.foreign.programs import needs
from tests.machines import HUB, machines, postgresql
from tests.service import ROOT, environment
from tests.storage.stock import add_box, box

# The server notices after 6 s.
HELD_UP = 8.0
# What a node does when it is cut off; the row is locked as intake locks it.
_HOLD = """
import sys, time
from storage import mailboxes
from storage.engine import open_store
with open_store(sys.argv[1]).unit() as tx:
    mailboxes.lock(tx, [sys.argv[2]])
    if sys.argv[3] == "while it sends":
        copy = tx.connection.driver_connection.cursor().copy("COPY secret FROM STDIN")
        copy.__enter__().write(b"a line that has no end" * 10_000)
    print("held", flush=True)
    time.sleep(300)
"""


@pytest.fixture(autouse=True)
def _programs() -> None:
    needs("haproxy", "iproute2")


@pytest.mark.acceptance
@pytest.mark.timeout(240)
def test_three_nodes_of_which_one_is_killed_and_one_cut_off_lose_nothing_and_double_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    story(tmp_path, said.append)
    with capsys.disabled():
        print("", *(line for line in said if not line.startswith("role")), sep="\n")


@pytest.mark.acceptance
@pytest.mark.parametrize("when", ["between two statements", "while it sends"])
def test_a_node_cut_off_with_a_mailbox_in_hand_holds_up_the_others_for_seconds(
    when: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with ExitStack() as stack:
        made = stack.enter_context(machines("mx1"))
        sockets = stack.enter_context(postgresql(made))
        url = f"postgresql+psycopg://postgres@/pulsebox?host={sockets}"
        upgrade(url)
        store = open_store(url)
        stack.callback(store.close)
        hot = add_box(store, box())
        there = f"postgresql+psycopg://postgres@{made.addresses[HUB]}/pulsebox"
        command = [*made.on("mx1"), sys.executable, "-c", _HOLD, there, hot.id, when]
        holder = subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE)
        stack.enter_context(holder)
        stack.callback(holder.kill)
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        made.cut("mx1")

        begun = time.monotonic()
        with store.unit() as tx:
            mailboxes.lock(tx, [hot.id])
        stalled = time.monotonic() - begun

        assert 1 < stalled <= HELD_UP
    with capsys.disabled():
        print(f"\ncut off {when}: the others waited for {stalled:.1f} s")
