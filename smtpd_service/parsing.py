"""The reader's hold on its parsing child (`smtpd_service.child`): work sent ahead, answers in order, limits kept.

The child is killed and another started where it takes too long; what comes back is data (msgpack) that is checked
against the shapes it must have, never code.
"""

import contextlib
import fcntl
import os
import select
import subprocess
import sys
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from parsers.model import Explained, Reading
from smtpd_service.child import HEAD, LENGTH, OUT_OF_MEMORY, Kind

# On a busy machine a child loads for longer than one message may take, in seconds.
START_WITHIN = 30.0
# Octets of answers taken, and of requests given, at a time.
PIECE = 65_536
# What is sent ahead, and answered: the child goes on while the reader stores.
AHEAD = 1_000_000
# An answer longer than this is none of ours: the longest mail that is read at all makes a tenth of it.
LONGEST_ANSWER = 100_000_000
# With so many answers to come, the reader looks for them at intervals (in seconds), not one by one: to be woken for
# each costs more than to take it (measured).
MANY, NAP = 8, 0.004
# A child that is kept from its turn has so many times its deadline by the clock; the shortest wait between two looks.
SLOWEST, SOONEST = 10, 0.005


@dataclass(frozen=True, slots=True)
class Request:
    """One message to read; `null_sender` tells that its reverse-path was `<>`, `asked` is what it answers, or empty."""

    octets: bytes
    null_sender: bool
    asked: str = ""
    kind: Kind = Kind.READ

    def frame(self) -> bytes:
        asked = self.asked.encode("utf-8", "replace")
        return b"".join((HEAD.pack(len(self.octets), len(asked), self.null_sender, self.kind), self.octets, asked))


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
        self._pipes: _Pipes | None = None
        self._asked: deque[Request] = deque()  # and not answered yet

    def readings(self, requests: Sequence[Request]) -> Generator[Reading | ParsingError, None, None]:
        """Give an answer to each request, in order; ParsingError where the child had to be replaced.

        Raises NoChildError.
        """
        return self._answers(requests, _READING)

    def explanations(self, requests: Sequence[Request]) -> Generator[Explained | ParsingError, None, None]:
        """Give the same for requests to explain."""
        return self._answers(requests, _EXPLAINED)

    def _answers(
        self, requests: Sequence[Request], shape: msgspec.msgpack.Decoder[Answer]
    ) -> Generator[Answer | ParsingError, None, None]:
        with self.talk():
            self.ask(requests)
            for _ in requests:
                answer = self._answer(shape)
                yield answer

    @contextlib.contextmanager
    def talk(self) -> Iterator[None]:
        """See that the child is up; forget at the end what was asked inside and not answered. Raises NoChildError."""
        self._running()
        try:
            yield
        finally:
            if self._asked:
                # Answers that nobody has taken would be taken for those of the next talk.
                self._asked.clear()
                self.close()

    def ask(self, requests: Sequence[Request]) -> None:
        """Send requests ahead, as many as the pipe takes, so that the child does not wait for us.

        Each is answered by one `reading`, in order. Raises NoChildError.
        """
        if not self._asked:
            self._running()
        self._asked += requests
        if self._pipes is not None:
            self._pipes.give(requests)

    def reading(self) -> Reading | ParsingError:
        """Return the answer to the request that waits longest. Raises NoChildError."""
        return self._answer(_READING)

    def _answer(self, shape: msgspec.msgpack.Decoder[Answer]) -> Answer | ParsingError:
        pipes, limit = self._talking()
        self._asked.popleft()
        try:
            return shape.decode(pipes.answer(limit))
        except (msgspec.MsgspecError, OverflowError, RecursionError, UnicodeDecodeError):
            # The last two are Python's own, at what is nested without end and at text that is no UTF-8.
            self.close()
            return ParsingError("the parsing child answered what is no reading")
        except TimeoutError:
            self.close()
            return ParsingError(f"not read within {self._deadline:g} s")
        except (OSError, EOFError):
            return ParsingError(f"the parsing child ended: {self._how_it_ended()}")

    def _talking(self) -> "tuple[_Pipes, _Limit]":
        """Return the way to the child, which is asked anew what one before it was asked, and its limit."""
        process = self._process or self._running()
        if self._pipes is None:
            self._pipes = _Pipes(process)
            self._pipes.give(self._asked)
        return self._pipes, _Limit(self._deadline, process.pid)

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = self._start()
        return self._process

    def _start(self) -> "subprocess.Popen[bytes]":
        try:
            process = subprocess.Popen(  # noqa: S603  # our own module, no shell
                # -P: nothing is imported from the folder that somebody happens to be in.
                [sys.executable, "-P", "-m", "smtpd_service.child", str(self._memory), str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL if self._quiet else None,
                bufsize=0,
            )
        except OSError as error:
            raise NoChildError(f"no parsing child could be started: {error.strerror}") from error
        for pipe in _ends(process):
            os.set_blocking(pipe, False)
            # Less is allowed to some users; it is only slower then.
            with contextlib.suppress(OSError):
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, AHEAD)
        try:
            _Pipes(process).answer(_Limit(START_WITHIN))
        except (TimeoutError, OSError, EOFError) as error:
            _end(process)
            raise NoChildError("the parsing child did not come up") from error
        return process

    def _how_it_ended(self) -> str:
        """Wait for a child that has closed its pipe, and say how it ended."""
        assert self._process is not None  # noqa: S101  # it was read from
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1)
        code = self._process.returncode
        self.close()
        if code is not None and code < 0:
            return f"killed by signal {-code}"
        return "out of memory" if code == OUT_OF_MEMORY else f"exit {code}"

    def close(self) -> None:
        if self._process is not None:
            _end(self._process)
        self._process = self._pipes = None


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


class _Limit:
    """How long an answer may take: `seconds` of the processor time of `pid`, or by the clock where there is none.

    Mail that arrives comes before a child, which may wait long for its turn; at last the clock counts all the same.
    """

    def __init__(self, seconds: float, pid: int | None = None) -> None:
        self._seconds = seconds
        self._pid = pid
        self._began = time.monotonic()
        self._spent = self._now()

    def left(self) -> float:
        """Return how long to wait before the next look, 0 when the time is over."""
        passed = time.monotonic() - self._began
        if self._pid is None:
            return max(0.0, self._seconds - passed)
        if passed > self._seconds * SLOWEST:
            return 0.0
        left = self._seconds - (self._now() - self._spent)
        return max(left, SOONEST) if left > 0 else 0.0

    def _now(self) -> float:
        if self._pid is None:
            return 0.0
        try:
            # As clock_getcpuclockid(3) makes it, which Python has for threads alone.
            return time.clock_gettime((~self._pid << 3) | 2)
        except OSError:  # it has ended; its pipe will say so
            return 0.0


class _Pipes:
    """Requests on their way to a child and its answers, over two pipes that never block."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._to, self._from = _ends(process)
        self._unsent: deque[Request] = deque()
        self._sending = memoryview(b"")
        self._came = bytearray()
        self._taken = 0
        self._awaited = 0

    def give(self, requests: Sequence[Request]) -> None:
        """Send as much as the pipe takes; the rest goes while answers are waited for."""
        self._unsent += requests
        self._awaited += len(requests)
        while self._more() and self._send():
            pass

    def answer(self, limit: "_Limit") -> bytes:
        """Return the next answer, sending requests meanwhile.

        Raises TimeoutError past `limit`, EOFError when the child has ended, OverflowError at one that is too long.
        """
        self._receive(LENGTH.size, limit)
        (length,) = LENGTH.unpack_from(self._came, self._taken)
        if length > LONGEST_ANSWER:
            raise OverflowError
        self._receive(LENGTH.size + length, limit)
        begin = self._taken + LENGTH.size
        self._taken = begin + length
        self._awaited -= 1
        return bytes(memoryview(self._came)[begin : self._taken])

    def _receive(self, count: int, limit: "_Limit") -> None:
        """Wait until so many octets have come that are not taken yet."""
        if len(self._came) - self._taken >= count:
            return
        if self._awaited > MANY and not self._more():
            time.sleep(NAP)
        while len(self._came) - self._taken < count:
            readable, writable, _ = select.select([self._from], [self._to] if self._more() else [], [], limit.left())
            if writable:
                self._send()
            if readable:
                self._read()
            if len(self._came) - self._taken < count and not limit.left():
                raise TimeoutError

    def _read(self) -> None:
        piece = os.read(self._from, PIECE)
        if not piece:
            raise EOFError
        del self._came[: self._taken]
        self._taken = 0
        self._came += piece

    def _more(self) -> bool:
        if not self._sending:
            self._sending = memoryview(self._piece())
        return bool(self._sending)

    def _piece(self) -> bytes:
        """Return what is sent next: one request, and more of them while they are small."""
        frames: list[bytes] = []
        room = PIECE
        while self._unsent and room > 0:
            frames.append(self._unsent.popleft().frame())
            room -= len(frames[-1])
        return b"".join(frames)

    def _send(self) -> bool:
        """Send what the pipe takes, and say whether it took anything."""
        try:
            self._sending = self._sending[os.write(self._to, self._sending) :]
        except BlockingIOError:
            return False
        except OSError:
            # The child is gone; what it has answered before may still be in its pipe.
            self._unsent.clear()
            self._sending = memoryview(b"")
        return True


def _ends(process: "subprocess.Popen[bytes]") -> tuple[int, int]:
    """Return where requests go in, and where answers come out."""
    assert process.stdin is not None  # noqa: S101  # both were asked for
    assert process.stdout is not None  # noqa: S101
    return process.stdin.fileno(), process.stdout.fileno()


# Whatever comes must have these shapes.
_READING = msgspec.msgpack.Decoder(Reading)
_EXPLAINED = msgspec.msgpack.Decoder(Explained)
