"""The command line: what was typed in, an exit code out. 0 is done, 1 something was found wrong, 2 bad input.

Only the noun that was typed is loaded, since its imports are most of the time that a short verb takes.
"""

import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Annotated

import typer
from typer.main import get_command

from smtpd_service.cli.complaint import Complaint, one_line
from smtpd_service.cli.options import noun

# In the order of the help; each is a file of that name. A noun holds verbs, a verb stands alone.
NOUNS = {
    "serve": "verb",
    "demo": "verb",
    "doctor": "verb",
    "config": "noun",
    "mailbox": "noun",
    "quota": "noun",
    "message": "noun",
    "parse": "verb",
    "queue": "noun",
    "outbox": "noun",
    "quarantine": "noun",
    "bounce": "noun",
    "query": "verb",
    "export": "verb",
    "simulate": "verb",
    "db": "noun",
    "node": "noun",
}


def run(arguments: Sequence[str]) -> int:
    """Do what was typed and return the exit code; a mistake is one line on standard error."""
    if closed := _closed_stream():
        return _refuse(f"pulsebox: {closed} is closed; open it, if only on /dev/null")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that knows no arrow still gets its answer.
            stream.reconfigure(errors="replace")
    try:
        _require_text(arguments)
        code = _do(list(arguments) or ["--help"])
        sys.stdout.flush()
    except BrokenPipeError:
        _let_go()
        return 1
    except OSError as error:
        _let_go()
        return _refuse(f"pulsebox: cannot write the answer: {error.strerror}")
    except Complaint as complaint:
        return _refuse(f"pulsebox: {complaint}")
    except typer.TyperException as error:
        return _refuse(_usage(error))
    return code


def _closed_stream() -> str | None:
    """Return a standard stream that is not open: a database opened next would take its place, and be printed to."""
    named = (("standard input", sys.stdin), ("standard output", sys.stdout), ("standard error", sys.stderr))
    return next((name for name, stream in named if stream is None), None)


def _require_text(arguments: Sequence[str]) -> None:
    """Refuse octets that are no text, on the line or in who we are: no database could hold them."""
    for given in (*arguments, os.environ.get("PULSEBOX_USER", "")):
        if not given.isprintable() and any("\ud800" <= c <= "\udfff" or c == "\0" for c in given):
            raise Complaint(f"{given!a} is not UTF-8; write it in UTF-8")


def _do(arguments: list[str]) -> int:
    command = get_command(_app(arguments[0]))
    try:
        answer = command.main(arguments, prog_name="pulsebox", standalone_mode=False)
    except typer.Abort:
        return 1
    return answer if isinstance(answer, int) else 0


def _app(named: str) -> typer.Typer:
    app = noun("Receives replies by SMTP, charges them to a mailbox quota, and reads their bullets into SQL.")
    app.callback()(_top)
    for name in (named,) if named in NOUNS else NOUNS:
        module = import_module(f"smtpd_service.cli.{name}")
        if NOUNS[name] == "noun":
            app.add_typer(module.verbs, name=name)
        else:
            app.command(name)(getattr(module, name))
    return app


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pulsebox {version('pulsebox')}")
        raise typer.Exit


def _top(
    _version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Receives replies by SMTP, charges them to a mailbox quota, and reads their bullets into SQL."""


def _usage(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "pulsebox"
    # Typer lets the checker of a value speak with its own prefix.
    said = error.format_message().replace("Value error, ", "").strip().rstrip(".")
    return f"{path}: {said}; see: {path} --help"


def _refuse(text: str) -> int:
    if sys.stderr is not None:
        print(one_line(text), file=sys.stderr)
    return 2


def _let_go() -> None:
    """Whoever read our output has seen enough; what is left of it goes nowhere, also at the very end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
