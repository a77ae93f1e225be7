"""What Prometheus would read: pages of the service's own port, and the figures on them."""

import http.client
import json
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.postfix import free_port
from tests.service import Service

Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def watched(service: Service) -> int:
    """Have the service tell how it does; return the port. Before its start."""
    port = free_port()
    service.set("metrics", listen=f"127.0.0.1:{port}")
    return port


def page(port: int, path: str, method: str = "GET") -> tuple[int, str]:
    """Return the status and the body of a page."""
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        asking.request(method, path)
        answer = asking.getresponse()
        return answer.status, answer.read().decode()
    finally:
        asking.close()


def reasons(port: int, path: str) -> tuple[int, list[str]]:
    """Return the status of /health or /ready, and what speaks against it."""
    status, body = page(port, path)
    said: dict[str, Any] = json.loads(body)
    return status, said["reasons"]


def series(text: str) -> Series:
    """Return every series of an exposition with its value."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


class Scrape:
    """One look at /metrics."""

    def __init__(self, port: int) -> None:
        self.status, self.text = page(port, "/metrics")
        self._series = series(self.text)

    def __getitem__(self, name: str) -> float:
        """Return the sum of all series of a name."""
        found = [value for (each, _), value in self._series.items() if each == name]
        assert found, f"there is no {name}"
        return sum(found)

    def of(self, name: str, **labels: str) -> float:
        return self._series[name, tuple(sorted(labels.items()))]

    def counters(self) -> Series:
        return {key: value for key, value in self._series.items() if key[0].endswith(("_total", "_count", "_bucket"))}

    def names(self) -> set[str]:
        return {name for name, _ in self._series}
