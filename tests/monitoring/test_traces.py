"""Spans: one trace for each message, told apart by its id, and a service that nobody collects from."""

import uuid
from pathlib import Path

import pytest

from tests.service import Service, eventually, mail
from tests.session.dialogue import HR, rows

pytest.importorskip("opentelemetry.sdk", reason="pulsebox[traces] is not installed")
from tests.monitoring.collector import collecting, facts

FULL = "full@agency.test"
WORD = "zebra-crossing"


def test_a_message_is_one_trace_through_all_processes_and_holds_no_text(service: Service) -> None:
    service.mailbox(HR)
    service.mailbox(FULL, quota="1 kB")
    with collecting() as collector:
        service.set("traces", endpoint=collector.address)
        service.start()
        service.send(mail(subject=WORD, bullets=2))
        service.send(mail(octets=3000), to=FULL)
        eventually(lambda: bool(collector.named("read") and collector.named("notice")))
        assert service.stop() == 0

        [stored] = rows(service, "SELECT id FROM message")
        trace = uuid.UUID(str(stored["id"])).bytes
        message, read = (
            next(span for span in collector.named(name) if span.trace_id == trace) for name in ("message", "read")
        )
        assert read.parent_span_id == message.span_id
        assert message.end_time_unix_nano > message.start_time_unix_nano
        assert facts(message) == {"pulsebox.octets": len(mail(subject=WORD, bullets=2)), "pulsebox.outcome": "Stored"}
        assert facts(read) == {"pulsebox.status": "FEW", "pulsebox.bullets": 2}
        assert facts(collector.named("notice")[0]) == {"pulsebox.kind": "bounce", "pulsebox.result": "Delivered"}
        assert trace in [link.trace_id for span in collector.named("batch") for link in span.links]
        for told in (WORD, "ann@agency.test", HR, "did thing"):
            assert told.encode() not in collector.octets


@pytest.mark.acceptance
def test_a_collector_that_is_away_holds_up_no_mail(service: Service) -> None:
    service.mailbox(HR)
    service.set("traces", endpoint="http://127.0.0.1:9")
    service.start()
    for number in range(20):
        service.send(mail(message_id=f"{number}@agency.test"))
    eventually(lambda: len(rows(service, "SELECT id FROM message WHERE state = 'read'")) == 20)
    assert service.stop() == 0


def test_an_endpoint_without_the_extra_says_what_to_install(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hidden/opentelemetry").mkdir(parents=True)
    (tmp_path / "hidden/opentelemetry/__init__.py").write_text("raise ImportError\n")
    service.set("traces", endpoint="http://127.0.0.1:4318")
    service.write_config()
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}/hidden")
    monkeypatch.setattr("tests.service.ROOT", f"{tmp_path}/hidden:{Path(__file__).parents[2]}")
    said = service.pulsebox("config", "check", code=2)
    assert "traces.endpoint = 'http://127.0.0.1:4318'" in said
    assert "pip install 'pulsebox[traces]'" in said
