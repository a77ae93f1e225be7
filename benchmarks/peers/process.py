"""A server that is one process and stores nothing: started by a command, ended by SIGTERM."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.peers.server import free_port, wait_until_greeted


class Discarding:
    """What it has answered is done, since it throws everything away; `{port}` in the command is its port."""

    def __init__(self, folder: Path, command: Sequence[str]) -> None:
        self.port = free_port()
        self.folder = folder
        self._command = [part.format(port=self.port) for part in command]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.folder / "log").open("w") as log:
            self._process = subprocess.Popen(self._command, cwd=self.folder, stdout=log, stderr=log)
        wait_until_greeted(self.port)

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def roots(self) -> Sequence[int]:
        assert self._process is not None  # noqa: S101  # it was started
        return [self._process.pid]

    def roles(self) -> Mapping[str, Sequence[int]]:
        return {"listener": self.roots()}

    def left(self) -> int:
        return 0

    def check(self, total: int) -> None:
        """Nothing is kept that could be counted."""
