"""A collector of OpenTelemetry's spans on a port of its own: OTLP over HTTP, as its own protocol module reads it."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collector:
    """`spans` in the order of arrival; `address` is what the service is told."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.spans: list[Any] = []
        self.octets = b""

    def take(self, octets: bytes) -> None:
        self.octets += octets
        request = ExportTraceServiceRequest.FromString(octets)
        self.spans += [
            span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans
        ]

    def named(self, name: str) -> list[Any]:
        return [span for span in self.spans if span.name == name]


@contextmanager
def collecting() -> Iterator[Collector]:
    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the library's own name
            octets = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.path == "/v1/traces"
            collector.take(gzip.decompress(octets) if self.headers["Content-Encoding"] == "gzip" else octets)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    collector = Collector(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def facts(span: Any) -> dict[str, Any]:
    """Return a span's attributes."""
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}
