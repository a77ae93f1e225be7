"""Spans for OpenTelemetry, an extra: what each stage did with a message, in one trace for each message.

A message's id is 128 bits, as a trace's is, so that all processes and machines put their spans into the same trace
without a word to each other, and choose the same ones. Spans are made after the fact, from how long something took;
without an endpoint nothing is loaded, and each place that says something costs one comparison. They carry ids, sizes
and outcomes, never an address or a text. A collector that is away costs the spans.
"""

import contextlib
import logging
import secrets
import time
from collections.abc import Iterable
from importlib import import_module
from typing import Any
from uuid import UUID

from smtpd_service.settings import ConfigError, Settings

MISSING = "needs what is not installed; run: pip install 'pulsebox[traces]'"
# Spans are sent together, so often; those of the last moment within so long of the end.
SENT_EVERY = 2.0
FLUSH_WITHIN = 2.0
TIMEOUT = 5.0
_LOW = (1 << 64) - 1

Fact = str | int | float


class Tracer:
    """Makes spans and hands them to the exporter; one for each process, made by its first span."""

    def __init__(self, settings: Settings, process: str) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  # an extra
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        self._resource = Resource.create(
            {
                "service.name": "pulsebox",
                "service.instance.id": settings.smtp.hostname,
                "pulsebox.process": process,
            }
        )
        exporter = OTLPSpanExporter(endpoint=f"{settings.traces.endpoint}/v1/traces", timeout=TIMEOUT)
        self._spans = BatchSpanProcessor(exporter, schedule_delay_millis=SENT_EVERY * 1000)

    def span(self, name: str, trace: int, span: int, seconds: float, facts: dict[str, Fact], **more: Any) -> None:
        from opentelemetry.sdk.trace import ReadableSpan  # noqa: PLC0415  # an extra
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope  # noqa: PLC0415

        parent, links = more.get("parent"), more.get("links", ())
        ended = time.time_ns()
        self._spans.on_end(
            ReadableSpan(
                name=name,
                context=_context(trace, span),
                parent=_context(trace, parent) if parent is not None else None,
                links=[_link(each) for each in links],
                resource=self._resource,
                instrumentation_scope=InstrumentationScope("pulsebox"),
                attributes={f"pulsebox.{key}": value for key, value in facts.items()},
                start_time=ended - int(seconds * 1e9),
                end_time=ended,
            )
        )

    def flush(self) -> None:
        self._spans.force_flush(int(FLUSH_WITHIN * 1000))


def _context(trace: int, span: int) -> Any:
    from opentelemetry.trace import SpanContext, TraceFlags  # noqa: PLC0415  # an extra

    return SpanContext(trace, span, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _link(message: int) -> Any:
    from opentelemetry.trace import Link  # noqa: PLC0415  # an extra

    return Link(_context(message, message & _LOW))


# What this process was told; no settings: nothing is traced.
_settings: Settings | None = None
_process = ""
_tracer: Tracer | None = None


def plan(settings: Settings) -> None:
    """Have spans made from now on, where an endpoint is named. Raises ConfigError where the extra is missing."""
    global _settings  # noqa: PLW0603  # spans are for all of a process, as logging is
    if not settings.traces.endpoint:
        return
    try:
        # Loaded once for all the processes that are forked from here.
        for name in ("opentelemetry.exporter.otlp.proto.http.trace_exporter", "opentelemetry.sdk.trace.export"):
            import_module(name)
    except ImportError as error:
        raise ConfigError(MISSING, at=("traces", "endpoint")) from error
    # Each span that could not be sent would be a line; that the collector is away is one.
    logging.getLogger("opentelemetry").setLevel(logging.ERROR)
    _settings = settings


def begin(process: str) -> None:
    """Say which process this is: the exporter has a thread, which no process inherits."""
    global _process, _tracer
    _process, _tracer = process, None


def stop() -> None:
    """Send what was not sent yet, for a moment."""
    if _tracer is not None:
        with contextlib.suppress(Exception):
            _tracer.flush()


def message(id_: str, seconds: float, **facts: Fact) -> None:
    """Say that a message was answered: the span that that of its reading lies below."""
    if _settings is not None and (trace := _chosen(id_)):
        _make("message", trace, trace & _LOW, seconds, facts)


def read(id_: str, seconds: float, **facts: Fact) -> None:
    """Say that a message was read, perhaps on another machine."""
    if _settings is not None and (trace := _chosen(id_)):
        _make("read", trace, secrets.randbits(64), seconds, facts, parent=trace & _LOW)


def notice(id_: str, seconds: float, **facts: Fact) -> None:
    """Say that a notice was tried: its tries are a trace of their own, by its own id."""
    if _settings is not None and (trace := _chosen(id_)):
        _make("notice", trace, secrets.randbits(64), seconds, facts)


def batch(ids: Iterable[str], seconds: float) -> None:
    """Say that a transaction was committed, with links to those of its messages that are traced."""
    if _settings is None:
        return
    every = list(ids)
    chosen = [trace for id_ in every if (trace := _chosen(id_))]
    if chosen:
        _make("batch", secrets.randbits(128), secrets.randbits(64), seconds, {"messages": len(every)}, links=chosen)


def _chosen(id_: str) -> int:
    """Return the trace of a message, 0 for one that is not traced; the end of a UUIDv7 is random."""
    assert _settings is not None  # noqa: S101  # asked by the callers
    trace = UUID(id_).int
    return trace if (trace & 0xFFFF_FFFF_FFFF) % _settings.traces.one_in == 0 else 0


def _make(name: str, trace: int, span: int, seconds: float, facts: dict[str, Fact], **more: Any) -> None:
    global _tracer  # noqa: PLW0603  # as above
    assert _settings is not None  # noqa: S101  # asked by the callers
    try:
        if _tracer is None:
            _tracer = Tracer(_settings, _process)
        _tracer.span(name, trace, span, seconds, facts, **more)
    except Exception:  # what is told of mail must not get in its way
        logging.getLogger("opentelemetry").exception("a span could not be made")
