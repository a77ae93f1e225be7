"""An operator at the command line: the real verbs, on a database of their own, what they print and answer."""

import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smtpd_service.cli.app import run
from smtpd_service.identity import now
from smtpd_service.storing import Answer, prepare, store_batch
from smtpd_service.warning import Policy
from storage import acceptance, nodes
from storage.engine import Store, open_store
from storage.records import Mailbox, Node
from tests.databases import sqlite_with_schema
from tests.storage.stock import offer


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    octets: bytes
    err: str

    @property
    def out(self) -> str:
        return self.octets.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.octets)


class Office:
    """A folder with a configuration, and its database."""

    def __init__(self, folder: Path, store: Store, database_url: str) -> None:
        self.folder = folder
        self.store = store
        self.config = folder / "pulsebox.toml"
        self.config.write_text(
            f'[database]\nurl = "{database_url}"\n[smtp]\nlisten = ["127.0.0.1:0"]\n'
            '[quota]\nwarn_at = [50, 90]\n[operator]\naddress = "ops@agency.test"\n'
        )

    def types(self, *arguments: str, code: int = 0) -> Said:
        """Run a verb in this process and hold it to its exit code; a mistake is one line and nothing else."""
        said = typed(*arguments, "--config", str(self.config))
        assert said.code == code, f"{arguments}: {said}"
        if code == 2:
            assert said.octets == b""
            assert len(said.err.splitlines()) == 1
        return said

    def json(self, *arguments: str, code: int = 0) -> Any:
        return self.types(*arguments, "--json", code=code).json

    def receive(self, octets: bytes, *to: Mailbox, mail_from: str = "ann@agency.test") -> Answer:
        """Take one mail as intake does, and return what the session is told."""
        with self.store.unit() as tx:
            made = prepare(offer(octets, *to, mail_from=mail_from), acceptance.key(tx))
            [answer] = store_batch(tx, [made], (), Policy((50, 90), ""), now())
        return answer

    @contextmanager
    def listener(self, generation: int) -> Iterator[None]:
        """A listener that has seen this generation and no later one."""
        with self.store.unit() as tx:
            nodes.beat(tx, Node(NODE, "listener", "mx", 1, now(), generation))
        yield
        with self.store.unit() as tx:
            nodes.leave(tx, NODE)


NODE = "0195b1c2-7f00-7abc-8def-0123456789ab"


def typed(*arguments: str) -> Said:
    """Run what was typed in this process, with streams of its own."""
    before = sys.stdout, sys.stderr
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    sys.stdout, sys.stderr = out, err
    try:
        code = run(arguments)
        out.flush()
        err.flush()
    finally:
        sys.stdout, sys.stderr = before
    return Said(code, out.buffer.getvalue(), err.buffer.getvalue().decode())


@contextmanager
def office_in(folder: Path) -> Iterator[Office]:
    """Give an office on SQLite in `folder`."""
    url = sqlite_with_schema(folder / "pulsebox.db")
    store = open_store(url)
    yield Office(folder, store, url)
    store.close()


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PULSEBOX")}
