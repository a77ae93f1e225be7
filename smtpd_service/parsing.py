"""The parsing child, and the reader's hold on it.

Parsing runs in a process of its own, since its input is hostile: it is limited in memory by the kernel and
in time by the reader, which kills it and starts another. What comes back is JSON, never code.

A request is the lengths of the message and of the text of what was asked (4 octets each, big-endian), one octet
that tells a null reverse-path, one for the kind of answer, the message, and that text in UTF-8; an answer is a length
and the reading, or the reading explained, as JSON. A length of 0 comes first: the child has loaded the parsers.
"""

import gc
import json
import os
import resource
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, BinaryIO, TypeVar

from parsers.model import Explained, Reading
from smtpd_service.lifeline import die_with

_LENGTH = struct.Struct(">I")
_HEAD = struct.Struct(">II?B")
# On a busy machine a child loads for longer than one message may take, in seconds.
START_WITHIN = 30.0
# Octets of answers taken at a time.
PIECE = 65_536


class Kind(IntEnum):
    """What is given and what is wanted: a message read or explained, or a bare body (in UTF-8) explained."""

    READ = 0
    EXPLAIN = 1
    EXPLAIN_TEXT = 2
    EXPLAIN_HTML = 3


@dataclass(frozen=True, slots=True)
class Request:
    """One message to read; `null_sender` tells that its reverse-path was `<>`, `asked` is what it answers, or empty."""

    octets: bytes
    null_sender: bool
    asked: str = ""
    kind: Kind = Kind.READ

    def frame(self) -> bytes:
        asked = self.asked.encode("utf-8", "replace")
        return _HEAD.pack(len(self.octets), len(asked), self.null_sender, self.kind) + self.octets + asked


Answer = TypeVar("Answer")


class ParsingError(Exception):
    """The child gave no reading of one message; the text says why."""


class NoChildError(Exception):
    """No child came up to parse anything: no message's fault."""


class Child:
    """One parsing child, started when it is needed and again after it had to be killed.

    `deadline` is in seconds for one message; `memory` in octets of address space; a `quiet` one says nothing on
    standard error when it is ended by a message.
    """

    def __init__(self, *, deadline: float, memory: int, quiet: bool = False) -> None:
        self._deadline = deadline
        self._memory = memory
        self._quiet = quiet
        self._process: subprocess.Popen[bytes] | None = None

    def readings(self, requests: Sequence[Request]) -> Generator[Reading | ParsingError, None, None]:
        """Give an answer to each request, in order; ParsingError where the child had to be replaced.

        Requests are sent ahead, so that the child does not wait for us. Raises NoChildError.
        """
        return self._answers(requests, Reading.from_dict)

    def explanations(self, requests: Sequence[Request]) -> Generator[Explained | ParsingError, None, None]:
        """Give the same for requests to explain."""
        return self._answers(requests, Explained.from_dict)

    def _answers(
        self, requests: Sequence[Request], load: Callable[[dict[str, Any]], Answer]
    ) -> Generator[Answer | ParsingError, None, None]:
        done = 0
        try:
            while done < len(requests):
                talk = _Talk(self._running(), requests[done:])
                answer: Answer | ParsingError | None = None
                while done < len(requests) and not isinstance(answer, ParsingError):
                    answer = self._answer(talk, load)
                    done += 1
                    yield answer
        finally:
            if done < len(requests):
                # Answers that nobody has taken would be taken for those of the next batch.
                self.close()

    def _answer(self, talk: "_Talk", load: Callable[[dict[str, Any]], Answer]) -> Answer | ParsingError:
        stop = time.monotonic() + self._deadline
        try:
            length = _LENGTH.unpack(talk.receive(_LENGTH.size, stop))[0]
            return load(json.loads(talk.receive(length, stop)))
        except TimeoutError:
            self.close()
            return ParsingError(f"not read within {self._deadline:g} s")
        except (OSError, EOFError):
            return ParsingError(f"the parsing child ended: {self._how_it_ended()}")

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = self._start()
        return self._process

    def _start(self) -> "subprocess.Popen[bytes]":
        try:
            process = subprocess.Popen(  # noqa: S603  # our own module, no shell
                # -P: nothing is imported from the folder that somebody happens to be in.
                [sys.executable, "-P", "-m", "smtpd_service.parsing", str(self._memory), str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL if self._quiet else None,
                bufsize=0,
            )
        except OSError as error:
            raise NoChildError(f"no parsing child could be started: {error.strerror}") from error
        for pipe in _pipes(process):
            os.set_blocking(pipe, False)
        try:
            _Talk(process, ()).receive(_LENGTH.size, time.monotonic() + START_WITHIN)
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


class _Talk:
    """Requests on their way to a child and its answers, over two pipes that never block."""

    def __init__(self, process: "subprocess.Popen[bytes]", requests: Sequence[Request]) -> None:
        self._to, self._from = _pipes(process)
        self._frames: Iterator[bytes] = (request.frame() for request in requests)
        self._sending = memoryview(b"")
        self._came = bytearray()

    def receive(self, count: int, stop: float) -> bytes:
        """Return the next `count` octets of answers, sending requests meanwhile.

        Raises TimeoutError at `stop`, EOFError when the child has ended.
        """
        while len(self._came) < count:
            writing = [self._to] if self._more() else []
            readable, writable, _ = select.select([self._from], writing, [], max(0.0, stop - time.monotonic()))
            if not readable and not writable:
                raise TimeoutError
            if writable:
                self._send()
            if readable:
                piece = os.read(self._from, PIECE)
                if not piece:
                    raise EOFError
                self._came += piece
            if time.monotonic() > stop and len(self._came) < count:
                raise TimeoutError
        taken = bytes(self._came[:count])
        del self._came[:count]
        return taken

    def _more(self) -> bool:
        if not self._sending:
            self._sending = memoryview(next(self._frames, b""))
        return bool(self._sending)

    def _send(self) -> None:
        try:
            self._sending = self._sending[os.write(self._to, self._sending) :]
        except BlockingIOError:
            return
        except OSError:
            # The child is gone; what it has answered before may still be in its pipe.
            self._frames, self._sending = iter(()), memoryview(b"")


def _pipes(process: "subprocess.Popen[bytes]") -> tuple[int, int]:
    assert process.stdin is not None  # noqa: S101  # both were asked for
    assert process.stdout is not None  # noqa: S101
    return process.stdin.fileno(), process.stdout.fileno()


OUT_OF_MEMORY = 70
NICENESS = 10


def main() -> None:
    """Answer requests until the pipe is closed."""
    from parsers import parse  # noqa: PLC0415  # only the child pays for loading the parsers

    memory, parent = int(sys.argv[1]), int(sys.argv[2])
    die_with(parent)
    # Ctrl-C is for whoever started us, and that one ends us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Mail that arrives comes first. Not the reader itself: it would hold the database while it waits its turn.
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # What is loaded stays; to look for cycles at each 700 objects takes a tenth of the time of a long list (measured).
    gc.freeze()
    gc.set_threshold(50_000)
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    # Whatever a library prints must not get between two answers.
    sys.stdout = sys.stderr
    _answer(answers, b"")
    while len(head := requests.read(_HEAD.size)) == _HEAD.size:
        length, asked, null_sender, kind = _HEAD.unpack(head)
        try:
            octets, request = requests.read(length), requests.read(asked).decode()
            found: Reading | Explained
            if kind == Kind.READ:
                found = parse.read(octets, null_sender=null_sender, request=request)
            elif kind == Kind.EXPLAIN:
                found = parse.explain(octets, null_sender=null_sender, request=request)
            else:
                found = parse.explain_body(octets.decode(), html=kind == Kind.EXPLAIN_HTML, request=request)
            answer = json.dumps(found.to_dict()).encode()
        except MemoryError:
            # What is left of the heap is not to be trusted.
            os._exit(OUT_OF_MEMORY)
        _answer(answers, answer)


def _answer(answers: BinaryIO, answer: bytes) -> None:
    answers.write(_LENGTH.pack(len(answer)) + answer)
    answers.flush()


if __name__ == "__main__":
    main()
