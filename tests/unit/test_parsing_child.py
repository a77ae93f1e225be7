"""A parsing child that hostile mail has made its own: whatever it answers, its reader lives on."""

import sys
from pathlib import Path

import pytest

from smtpd_service.parsing import LONGEST_ANSWER, Child, ParsingError, Request

# Says that it is ready, and answers the first request that comes.
TAKEN_OVER = """#!{python}
import os, struct
os.write(1, struct.pack(">I", 0))
os.read(0, 1)
os.write(1, struct.pack(">I", {length}) + {answer!r})
os.read(0, 1000)
"""


@pytest.mark.parametrize(
    ("answer", "length"),
    [
        (b"\xc1", 1),
        (b"\x80", 1),
        (b"\x81\xa7subject\xa1\xff", 11),
        (b"\x81\xa1x" + b"\x91" * 5_000 + b"\xc0", 5_004),
        (b"\xdd\xff\xff\xff\xff", 5),
        (b"", LONGEST_ANSWER + 1),
    ],
    ids=["no msgpack", "no reading", "no UTF-8", "nested without end", "a list without end", "too long"],
)
def test_an_answer_that_is_no_reading_costs_its_message_a_try_and_nobody_else(
    answer: bytes, length: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "child"
    program.write_text(TAKEN_OVER.format(python=sys.executable, length=length, answer=answer))
    program.chmod(0o755)
    child = Child(deadline=5.0, memory=512_000_000)
    with monkeypatch.context() as taken_over:
        taken_over.setattr(sys, "executable", str(program))
        [found] = child.readings([Request(b"", null_sender=False)])

    assert isinstance(found, ParsingError)
    assert str(found) == "the parsing child answered what is no reading"
    [found] = child.readings([Request(b"Subject: What I did\r\n\r\n- one\r\n", null_sender=False)])
    child.close()
    assert not isinstance(found, ParsingError)
