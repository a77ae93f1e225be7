"""HAProxy in front: the client that we know, trust and record is the one that came to HAProxy."""

import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.foreign.haproxy import VERSIONS, HAProxy, haproxy
from tests.foreign.programs import needs
from tests.service import Service, eventually, mail
from tests.session.dialogue import HR, Dialogue, rows, serving
from tests.session.reaching import ways_in

FULL = "full@agency.test"
BOXES = ({"address": HR}, {"address": FULL, "quota_messages": 0})
# One client whose sender is believed, one that is a stranger; HAProxy itself is only a relay.
EMPLOYEE, STRANGER, FRONT = "127.0.0.5", "127.0.0.6", "127.0.0.1"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    needs("haproxy")
    smtp = {
        "listen": [f"{FRONT}:0 proxy", f"{FRONT}:0"],
        "trusted_networks": [f"{EMPLOYEE}/32", "::1/128"],
        "trusted_relays": [f"{FRONT}/32"],
    }
    with serving(tmp_path_factory.mktemp("haproxy"), *BOXES, **smtp) as running:
        yield running


@pytest.fixture(scope="module")
def front(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HAProxy]:
    _, port = ways_in(service)[0]
    with haproxy(tmp_path_factory.mktemp("front") / "haproxy", int(port)) as running:
        yield running


@pytest.fixture(params=VERSIONS)
def port(request: pytest.FixtureRequest, front: HAProxy) -> int:
    return front.ports[request.param]


def test_the_client_on_record_is_the_one_that_came_to_haproxy(service: Service, port: int) -> None:
    for source in (EMPLOYEE, STRANGER):
        sender = f"from.{source}.{port}@agency.test"
        with smtplib.SMTP(FRONT, port, timeout=20, source_address=(source, 0), local_hostname="laptop.test") as client:
            client.sendmail(sender, [HR], mail())
        [row] = rows(
            service,
            "SELECT client, proved, proved_by, trace FROM message WHERE mail_from = :sender",
            sender=sender,
        )
        assert row["client"] == source
        assert f"[{source}]" in row["trace"]
        assert FRONT not in row["trace"]
        assert bool(row["proved"]) == (source == EMPLOYEE)


def test_a_client_over_ipv6_is_known_by_its_ipv6_address(service: Service, port: int) -> None:
    sender = f"six.{port}@agency.test"
    with smtplib.SMTP("::1", port, timeout=20) as client:
        client.sendmail(sender, [HR], mail())
    [row] = rows(service, "SELECT client, proved FROM message WHERE mail_from = :sender", sender=sender)
    assert (row["client"], bool(row["proved"])) == ("::1", True)


def test_a_bounce_goes_to_the_employee_behind_haproxy_and_none_to_the_stranger(service: Service, port: int) -> None:
    employee, stranger = f"employee.{port}@agency.test", f"stranger.{port}@agency.test"
    with smtplib.SMTP(FRONT, port, timeout=20, source_address=(EMPLOYEE, 0)) as client:
        client.sendmail(employee, [FULL], mail())
    eventually(lambda: len(service.outbox(employee)) == 1)

    with smtplib.SMTP(FRONT, port, timeout=20, source_address=(STRANGER, 0)) as client:
        with pytest.raises(smtplib.SMTPException) as refused:
            client.sendmail(stranger, [FULL], mail())
        assert "5.2.2" in str(refused.value)
    assert service.outbox(stranger) == []
    statement = "SELECT client FROM refusal WHERE mail_from = :sender"
    assert [row["client"] for row in rows(service, statement, sender=employee)] == [EMPLOYEE]
    assert [row["client"] for row in rows(service, statement, sender=stranger)] == [STRANGER]


def test_haproxy_s_health_check_finds_the_service_up(front: HAProxy) -> None:
    for version in VERSIONS:
        eventually(lambda version=version: front.check(version) == "UP")  # type: ignore[misc]


def test_who_comes_without_a_header_to_the_port_of_haproxy_is_told_nothing(service: Service) -> None:
    with Dialogue(ways_in(service)[0]) as client:
        client.send(b"EHLO client.test\r\n")
        assert client.closed()


def test_who_comes_around_haproxy_with_a_header_of_his_own_is_not_believed(service: Service) -> None:
    header = f"PROXY TCP4 {EMPLOYEE} {FRONT} 40000 25\r\n".encode()
    with Dialogue(ways_in(service)[0], source=STRANGER) as client:
        client.send(header)
        assert client.closed()
    # At the port without `proxy` it is what it looks like: a client that speaks too soon.
    with Dialogue(ways_in(service)[1], source=STRANGER) as client:
        client.send(header)
        assert not client.reply().startswith("220")


def test_haproxy_that_is_no_trusted_relay_finds_the_door_closed(tmp_path: Path) -> None:
    needs("haproxy")
    smtp = {"listen": [f"{FRONT}:0 proxy"], "trusted_networks": [f"{EMPLOYEE}/32"], "trusted_relays": ["127.0.0.9/32"]}
    with serving(tmp_path, *BOXES, **smtp) as service:
        _, ours = ways_in(service)[0]
        with haproxy(tmp_path / "haproxy", int(ours)) as front:
            eventually(lambda: front.check("send-proxy-v2").startswith("DOWN"))
        assert rows(service, "SELECT id FROM message") == []
