"""`pulsebox config`: whether the file can be used, and every key with the value that counts."""

import json as json_
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel

from smtpd_service.cli.complaint import masked, one_line
from smtpd_service.cli.desk import settings_of
from smtpd_service.cli.options import Config, Json, noun
from smtpd_service.cli.paper import print_json, say
from smtpd_service.setting_types import Endpoint
from smtpd_service.settings import ConfigError, Settings, find_config, load

verbs = noun("The configuration file.")


@verbs.command()
def check(*, config: Config = None, json: Json = False) -> int:
    """Read the file, and what it names; say what is wrong, a line a mistake; exit 2 then."""
    from smtpd_service import traces  # noqa: PLC0415  # as below
    from smtpd_service.outbound import departure, proofreading, writing  # noqa: PLC0415  # templates, a client: slow
    from smtpd_service.smtp.certificate import certificate_of  # noqa: PLC0415  # the listener's: slow

    file = find_config(config, os.environ)
    try:
        settings = load(file)
        mistakes = [one_line(line) for line in proofreading.mistakes(settings)]
    except ConfigError as error:
        mistakes = [one_line(line) for line in str(error).splitlines()]
    else:
        readers = (certificate_of, departure.route_of, writing.writer_of, departure.encryption_for, traces.plan)
        for read in readers:
            try:
                with settings.located():
                    read(settings)
            except ConfigError as error:
                mistakes += [one_line(line) for line in str(error).splitlines()]
    if json:
        print_json({"file": str(file), "ok": not mistakes, "mistakes": mistakes})
    for line in mistakes:
        typer.echo(f"pulsebox config check: {line}", err=True)
    if not mistakes and not json:
        say(f"{file}: fine")
    return 2 if mistakes else 0


@verbs.command()
def show(*, config: Config = None, json: Json = False) -> None:
    """All keys with their effective values: file, environment and defaults; passwords are hidden."""
    settings = settings_of(config)
    sections = {
        name: _section(settings, name) for name in type(settings).model_fields if name not in {"file", "mailbox"}
    }
    boxes = [_values(box) for box in settings.mailbox]
    if json:
        print_json({"file": str(settings.file)} | sections | {"mailbox": boxes})
        return
    say(f"# {settings.file}")
    for line in _toml(sections, boxes):
        say(line)


def _section(settings: Settings, name: str) -> dict[str, Any]:
    values = _values(getattr(settings, name))
    # A relative path counts from the file, which a reader of this does not know.
    effective = {"database": {"url": masked(settings.database_url)}, "outbound": {"maildir": str(settings.maildir)}}
    return values | effective.get(name, {})


def _values(section: BaseModel) -> dict[str, Any]:
    return {name: _value(getattr(section, name)) for name in type(section).model_fields}


def _value(value: Any) -> Any:
    """Return a setting as JSON has it: sizes in octets, durations in seconds."""
    match value:
        case timedelta():
            return value.total_seconds()
        case bool() | None:
            return value
        case int():
            return int(value)
        case tuple():
            return [_value(each) for each in value]
        case str():
            return str(value)
        case Endpoint() | Path() | _:
            return str(value)


def _toml(sections: dict[str, dict[str, Any]], boxes: list[dict[str, Any]]) -> Iterator[str]:
    for name, values in sections.items():
        yield ""
        yield f"[{name}]"
        yield from _assignments(values)
    for values in boxes:
        yield ""
        yield "[[mailbox]]"
        yield from _assignments(values)


def _assignments(values: dict[str, Any]) -> Iterator[str]:
    for key, value in values.items():
        if value is None:
            yield f"# {key} is not set"
        else:
            yield f"{key} = {_written(value)}"


def _written(value: Any) -> str:
    # Basic strings, arrays, whole numbers and booleans are written alike in TOML and JSON; seconds carry a unit.
    return json_.dumps(f"{value:g} s") if isinstance(value, float) else json_.dumps(value, ensure_ascii=False)
