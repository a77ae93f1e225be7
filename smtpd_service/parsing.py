"""The parsing child, and the reader's hold on it.

Parsing runs in a process of its own, since its input is hostile: it is limited in memory by the kernel and
in time by the reader, which kills it and starts another. What comes back is JSON, never code.

A request is a length (4 octets, big-endian), one octet that tells a null reverse-path, and the message; an
answer is a length and the reading as JSON. A length of 0 comes first: the child has loaded the parsers.
"""

import json
import os
import resource
import select
import struct
import subprocess
import sys
import time
from typing import BinaryIO

from parsers.model import Reading
from smtpd_service.lifeline import die_with

_LENGTH = struct.Struct(">I")
# On a busy machine a child loads for longer than one message may take, in seconds.
START_WITHIN = 30.0


class ParsingError(Exception):
    """The child gave no reading; the text says why."""


class NoChildError(Exception):
    """No child came up to parse anything: no message's fault."""


class Child:
    """One parsing child, started when it is needed and again after it had to be killed.

    `deadline` is in seconds for one message; `memory` in octets of address space.
    """

    def __init__(self, *, deadline: float, memory: int) -> None:
        self._deadline = deadline
        self._memory = memory
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, octets: bytes, *, null_sender: bool) -> Reading:
        """Return the reading of one message. Raises ParsingError and NoChildError; the child is gone then."""
        process = self._running()
        assert process.stdin is not None  # noqa: S101  # both are pipes
        assert process.stdout is not None  # noqa: S101
        stop = time.monotonic() + self._deadline
        try:
            _write(process.stdin.fileno(), _LENGTH.pack(len(octets)) + bytes([null_sender]) + octets, stop)
            length = _LENGTH.unpack(_read(process.stdout.fileno(), _LENGTH.size, stop))[0]
            return Reading.from_dict(json.loads(_read(process.stdout.fileno(), length, stop)))
        except TimeoutError:
            self.close()
            raise ParsingError(f"not read within {self._deadline:g} s") from None
        except (OSError, EOFError):
            raise ParsingError(f"the parsing child ended: {self._how_it_ended()}") from None

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = self._start()
        return self._process

    def _start(self) -> "subprocess.Popen[bytes]":
        try:
            process = subprocess.Popen(  # noqa: S603  # our own module, no shell
                [sys.executable, "-m", "smtpd_service.parsing", str(self._memory), str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
            )
        except OSError as error:
            raise NoChildError(f"no parsing child could be started: {error.strerror}") from error
        assert process.stdin is not None  # noqa: S101  # both are pipes
        assert process.stdout is not None  # noqa: S101
        for pipe in (process.stdin, process.stdout):
            os.set_blocking(pipe.fileno(), False)
        try:
            _read(process.stdout.fileno(), _LENGTH.size, time.monotonic() + START_WITHIN)
        except (TimeoutError, OSError, EOFError) as error:
            _end(process)
            raise NoChildError("the parsing child did not come up") from error
        return process

    def _how_it_ended(self) -> str:
        """Wait for a child that has closed its pipe, and say how it ended."""
        assert self._process is not None  # noqa: S101  # it was read from
        try:
            code = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            code = None
        self.close()
        if code is not None and code < 0:
            return f"killed by signal {-code}"
        return "out of memory" if code == OUT_OF_MEMORY else f"exit {code}"

    def close(self) -> None:
        if self._process is not None:
            _end(self._process)
            self._process = None


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def _wait(stop: float, *, reading: list[int], writing: list[int]) -> None:
    left = stop - time.monotonic()
    if left <= 0 or not any(select.select(reading, writing, [], left)):
        raise TimeoutError


def _write(fd: int, data: bytes, stop: float) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view) :]
        except BlockingIOError:
            _wait(stop, reading=[], writing=[fd])


def _read(fd: int, count: int, stop: float) -> bytes:
    data = bytearray()
    while len(data) < count:
        _wait(stop, reading=[fd], writing=[])
        piece = os.read(fd, count - len(data))
        if not piece:
            raise EOFError
        data += piece
    return bytes(data)


OUT_OF_MEMORY = 70


def main() -> None:
    """Answer requests until the pipe is closed."""
    from parsers.parse import read  # noqa: PLC0415  # only the child pays for loading the parsers

    memory, parent = int(sys.argv[1]), int(sys.argv[2])
    die_with(parent)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    # Whatever a library prints must not get between two answers.
    sys.stdout = sys.stderr
    _answer(answers, b"")
    while (head := requests.read(_LENGTH.size + 1)) and len(head) > _LENGTH.size:
        octets = requests.read(_LENGTH.unpack(head[: _LENGTH.size])[0])
        try:
            answer = json.dumps(read(octets, null_sender=bool(head[-1])).to_dict()).encode()
        except MemoryError:
            # What is left of the heap is not to be trusted.
            os._exit(OUT_OF_MEMORY)
        _answer(answers, answer)


def _answer(answers: BinaryIO, answer: bytes) -> None:
    answers.write(_LENGTH.pack(len(answer)) + answer)
    answers.flush()


if __name__ == "__main__":
    main()
