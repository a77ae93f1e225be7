"""The parsing child: a process of its own for parsing, since its input is hostile; the kernel limits its memory.

A request is the lengths of the message and of the text of what was asked (4 octets each, big-endian), one octet
that tells a null reverse-path, one for the kind of answer, the message, and that text in UTF-8; an answer is a length
and the reading, or the reading explained, as msgpack. A length of 0 comes first: the child has loaded the parsers.
"""

import gc
import os
import resource
import signal
import struct
import sys
from enum import IntEnum
from typing import BinaryIO

import msgspec

from parsers.model import Explained, Reading
from smtpd_service.lifeline import die_with

LENGTH = struct.Struct(">I")
HEAD = struct.Struct(">II?B")
OUT_OF_MEMORY = 70
NICENESS = 10

encode = msgspec.msgpack.Encoder().encode


class Kind(IntEnum):
    """What is given and what is wanted: a message read or explained, or a bare body (in UTF-8) explained."""

    READ = 0
    EXPLAIN = 1
    EXPLAIN_TEXT = 2
    EXPLAIN_HTML = 3


def main() -> None:
    """Answer requests until the pipe is closed."""
    from parsers import parse  # noqa: PLC0415  # whoever knows the wire alone does not load the parsers

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
    while len(head := requests.read(HEAD.size)) == HEAD.size:
        length, asked, null_sender, kind = HEAD.unpack(head)
        try:
            octets, request = requests.read(length), requests.read(asked).decode()
            found: Reading | Explained
            if kind == Kind.READ:
                found = parse.read(octets, null_sender=null_sender, request=request)
            elif kind == Kind.EXPLAIN:
                found = parse.explain(octets, null_sender=null_sender, request=request)
            else:
                found = parse.explain_body(octets.decode(), html=kind == Kind.EXPLAIN_HTML, request=request)
            answer = encode(found)
        except MemoryError:
            # What is left of the heap is not to be trusted.
            os._exit(OUT_OF_MEMORY)
        _answer(answers, answer)


def _answer(answers: BinaryIO, answer: bytes) -> None:
    try:
        answers.write(LENGTH.pack(len(answer)) + answer)
        answers.flush()
    except BrokenPipeError:
        os._exit(0)  # who asked was killed


if __name__ == "__main__":
    main()
