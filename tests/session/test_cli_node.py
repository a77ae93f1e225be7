"""Who runs where: `node list`, and what `doctor` makes of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from smtpd_service.cli.attending import check_nodes
from smtpd_service.identity import new_id, now
from storage import changes, nodes
from storage.records import Node, NodeSeen
from tests.service import Service, eventually
from tests.session.office import Office


def seen(host: str, *, silent: bool = False, ahead: float = 0, version: str = "1.0") -> NodeSeen:
    entry = Node(new_id(), "reader", host, 7, now(), generation=1, version=version)
    return NodeSeen(entry, now(), silent, timedelta(seconds=ahead))


@contextmanager
def running(office: Office, *entries: Node) -> Iterator[None]:
    with office.store.unit() as tx:
        for each in entries:
            nodes.beat(tx, each)
    yield
    with office.store.unit() as tx:
        for each in entries:
            nodes.leave(tx, each.id)


def test_node_list_tells_who_runs_where_in_which_version_and_who_has_not_seen_the_last_change(
    each_office: Office,
) -> None:
    with each_office.store.reading() as tx:
        newest = changes.current_generation(tx)
    ann = Node(new_id(), "listener", "mx1", 11, now(), newest, version="1.1")
    bob = Node(new_id(), "reader", "mx2", 12, now(), newest - 1, version="1.0", state="draining")
    assert each_office.types("node", "list").out == "no process is running; start one: pulsebox serve\n"
    with running(each_office, ann, bob):
        first, second = each_office.json("node", "list")
        lines = each_office.types("node", "list").out.splitlines()

    assert (first["role"], first["host"], first["pid"], first["version"]) == ("listener", "mx1", 11, "1.1")
    assert (first["behind"], first["state"], second["behind"], second["state"]) == (0, "serving", 1, "draining")
    assert abs(first["clock_ahead_ms"]) < 5000
    assert [line.split()[:4] for line in lines[1:]] == [
        ["listener", "mx1", "11", "1.1"],
        ["reader", "mx2", "12", "1.0"],
    ]
    assert lines[1].split()[-2:] == ["current", "serving"]
    assert lines[2].split()[-3:] == ["1", "behind", "draining"]


@pytest.mark.parametrize(
    ("found", "state", "said"),
    [
        ([], "ok", "no process"),
        ([seen("mx1"), seen("mx2")], "ok", "2 processes on 2 machines"),
        ([seen("mx1"), seen("mx1", silent=True)], "ok", "1 processes on 1 machine"),
        ([seen("mx1"), seen("mx2", silent=True)], "warn", "nothing was heard of mx2"),
        ([seen("mx1"), seen("mx2", ahead=61)], "warn", "the clock of mx2 is 61 s ahead of"),
        ([seen("mx1"), seen("mx2", ahead=-61)], "warn", "the clock of mx2 is 61 s behind the"),
        ([seen("mx1"), seen("mx2", version="1.1")], "warn", "versions 1.0 and 1.1 side by side"),
    ],
)
def test_doctor_tells_what_is_wrong_with_nodes(found: list[NodeSeen], state: str, said: str) -> None:
    finding = check_nodes(found)

    assert finding.state == state
    assert said in finding.found


def test_one_role_alone_runs_and_says_who_it_is_and_leaves(tmp_path: Path) -> None:
    service = Service(tmp_path)
    try:
        service.start("reader")
        with service.store() as store:

            def roles() -> list[str]:
                with store.reading() as tx:
                    return [each.node.role for each in nodes.all_nodes(tx)]

            eventually(lambda: roles() == ["reader"])
            assert service.stop() == 0
            assert roles() == []
    finally:
        service.kill()


def test_a_role_that_there_is_not_is_one_line_with_those_that_there_are(office: Office) -> None:
    assert "'console' is not one of 'listener', 'reader', 'courier'" in office.types("serve", "console", code=2).err
