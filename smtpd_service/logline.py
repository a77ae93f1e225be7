"""How an event is written: one line each, as text or as JSON, with the addresses in it plain or hashed.

Promises: any facts give one line that is valid in its form; nothing that came over the wire can begin another line
or reach a terminal as a control character. A traceback stands below its line, set in, in text, and inside it in JSON.
"""

import hmac
import json
import logging
import math
import re
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

Shown = str | int | float | bool

# Facts that are one address of a host.
_HOSTS = {"client", "peer"}
# A local part may be quoted and hold an apostrophe, a domain may be an address in brackets (RFC 5321 section 4.1.2).
_ADDRESS = re.compile(
    r"""(?:"(?:[^"\\]|\\.){0,128}"|[^\s<>()\[\]"',;:=][^\s<>()\[\]",;:=]{0,254})@(?:\[[^\]\s]*\]|[^\s<>()\[\]"',;:=]+)"""
)
# Of a keyed digest: enough that two addresses of one roster are not confused.
_DIGITS = 16
# Made once: `json.dumps` makes one for each line.
_encoded = json.JSONEncoder(allow_nan=False).encode


class Line(logging.LogRecord):
    """One event with its facts."""

    def __init__(self, logger: str, level: int, event: str, facts: Mapping[str, object], trouble: Any) -> None:
        said = (type(trouble), trouble, trouble.__traceback__) if trouble is not None else None
        super().__init__(logger, level, "", 0, event, None, said)
        self.event = event
        self.facts = facts

    def getMessage(self) -> str:  # noqa: N802  # the library's own name
        return as_text(self.event, self.facts)


def as_text(event: str, facts: Mapping[str, object]) -> str:
    """Return `event key=value key="two words"`."""
    return " ".join([event, *[f"{key}={_quoted(value)}" for key, value in facts.items() if value is not None]])


def _quoted(value: object) -> str:
    text = _on_one_line(str(value))
    if text and " " not in text and '"' not in text:
        return text
    # What is quoted ends with its quote, so that no value passes for another fact.
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _on_one_line(value: str) -> str:
    return value if value.isprintable() else "".join(c if c.isprintable() else "?" for c in value)


def hashing(key: bytes) -> Callable[[str, str], str]:
    """Return what replaces the addresses in the value of a fact by keyed digests: `#` and 16 hex digits."""

    @lru_cache(maxsize=4096)
    def digest(text: str) -> str:
        return "#" + hmac.digest(key, text.lower().encode("utf-8", "surrogateescape"), "sha256").hex()[:_DIGITS]

    def hidden(name: str, text: str) -> str:
        if name in _HOSTS:
            return digest(text)
        return _ADDRESS.sub(lambda found: digest(found[0]), text) if "@" in text else text

    return hidden


class Form(logging.Formatter):
    """Text lines; `hide` is what `hashing` returns, None where addresses stay as they are."""

    def __init__(self, hide: Callable[[str, str], str] | None = None) -> None:
        super().__init__()
        self._hide = hide
        self._second, self._stamp = 0, ""

    def format(self, record: logging.LogRecord) -> str:
        if isinstance(record, Line):
            said = as_text(record.event, self._facts(record))
        else:
            said = _on_one_line(self._hidden("text", record.getMessage()))
        line = f"{self._at(record)} {record.process} {record.levelname} {said}"
        if not record.exc_info:
            return line
        # Set in, so that no line of what an exception says passes for one of ours.
        below = (f"    {_on_one_line(each)}" for each in self._trouble(record).splitlines())
        return "\n".join((line, *below))

    def _at(self, record: logging.LogRecord) -> str:
        second = int(record.created)
        if second != self._second:
            # Thousands of lines share a second.
            self._second, self._stamp = second, self._second_as_text(second)
        return f"{self._stamp}{self._separator}{int(record.msecs):03d}{self._zone}"

    _separator, _zone = ",", ""

    def _second_as_text(self, second: int) -> str:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))

    def _facts(self, record: Line) -> Mapping[str, object]:
        if self._hide is None:
            return record.facts
        # Numbers hold no address, and a digest of the rest costs.
        return {
            key: value if value is None or isinstance(value, int | float) else self._hide(key, str(value))
            for key, value in record.facts.items()
        }

    def _hidden(self, name: str, text: str) -> str:
        return self._hide(name, text) if self._hide is not None else text

    def _trouble(self, record: logging.LogRecord) -> str:
        text = self.formatException(record.exc_info) if record.exc_info else ""
        return self._hidden("trouble", text)


class JsonForm(Form):
    """One JSON object a line: `time`, `level`, `pid`, `event`, then the facts; `trouble` holds a traceback."""

    _separator, _zone = ".", "Z"

    def _second_as_text(self, second: int) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Shown | None] = {
            "time": self._at(record),
            "level": record.levelname.lower(),
            "pid": record.process,
            "event": record.event if isinstance(record, Line) else "library",
        }
        if isinstance(record, Line):
            facts = ((key, _shown(value)) for key, value in self._facts(record).items() if value is not None)
            line = line | dict(facts) | line
        else:
            line |= {"logger": record.name, "text": _clean(self._hidden("text", record.getMessage()))}
        trouble = self._trouble(record)
        if trouble:
            line["trouble"] = _clean(trouble)
        return _encoded(line)


def _shown(value: object) -> Shown:
    if isinstance(value, bool) or type(value) is int:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    return _clean(str(value))


def _clean(text: str) -> str:
    # Half a surrogate pair is JSON that many readers refuse.
    return text.encode("utf-8", "replace").decode()
