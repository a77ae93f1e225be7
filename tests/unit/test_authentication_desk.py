"""Where listeners hand messages in: one deadline, a bounded pool, and no exception."""

import asyncio
import logging
import time
from pathlib import Path

import pytest

from smtpd_service.authentication import desk as module
from smtpd_service.authentication.desk import Desk
from smtpd_service.domain.sender import Proof
from smtpd_service.settings import Settings
from tests.nameserver import Nameserver
from tests.signing import letter, publish, signed


def desk(nameserver: Nameserver, deadline: str = "300 ms", **smtp: list[str]) -> Desk:
    said = {"resolvers": [str(nameserver.endpoint)], "timeout": "60 s", "deadline": deadline}
    return Desk(Settings.model_validate({"file": Path("x.toml"), "smtp": smtp, "authentication": said}))


async def proof(at: Desk, octets: bytes) -> Proof:
    return await at.proof(octets, client="192.0.2.10", helo="mx.agency.test", mail_from="ann@agency.test")


def test_a_message_is_examined(nameserver: Nameserver) -> None:
    publish(nameserver, "agency.test")
    at = desk(nameserver, "60 s")
    assert asyncio.run(proof(at, signed(letter(), "agency.test"))).by == "dkim:agency.test"
    at.close()


def test_more_messages_than_threads_all_end_in_time(nameserver: Nameserver) -> None:
    nameserver.dead("*")
    at = desk(nameserver)

    async def many() -> list[Proof]:
        return await asyncio.gather(*(proof(at, letter()) for _ in range(10 * module.THREADS)))

    begin = time.monotonic()
    assert {each.by for each in asyncio.run(many())} == {"temperror"}
    assert time.monotonic() - begin < 20
    at.close()


def test_a_client_whose_names_are_never_answered_holds_up_nobody_else(nameserver: Nameserver) -> None:
    nameserver.dead("_dmarc.dead.test")
    publish(nameserver, "agency.test")
    at = desk(nameserver, "8 s")
    octets = signed(letter(), "agency.test")

    async def both() -> Proof:
        dead = letter("eve@dead.test")
        stranger = [
            asyncio.create_task(at.proof(dead, client="192.0.2.66", helo="x.test", mail_from="eve@dead.test"))
            for _ in range(4 * module.THREADS)
        ]
        await asyncio.sleep(0.2)
        found = await proof(at, octets)
        assert not any(each.done() for each in stranger)
        for each in stranger:
            each.cancel()
        await asyncio.wait(stranger)
        return found

    assert asyncio.run(both()).by == "dkim:agency.test"
    at.close()


def test_what_takes_too_long_is_not_waited_for(
    nameserver: Nameserver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "MOMENT", -0.25)
    nameserver.slow(0.2, "*")
    at = desk(nameserver)
    with caplog.at_level(logging.WARNING, "pulsebox"):
        assert asyncio.run(proof(at, letter())) == Proof(False, "temperror")
    at.close()
    assert "sender_not_checked" in caplog.text


def test_what_goes_wrong_is_no_proof_and_is_logged(nameserver: Nameserver, caplog: pytest.LogCaptureFixture) -> None:
    at = desk(nameserver)
    at.close()
    with caplog.at_level(logging.ERROR, "pulsebox"):
        assert asyncio.run(proof(at, letter())) == Proof(False, "temperror")
    assert "sender_not_checked" in caplog.text


@pytest.mark.parametrize(
    ("client", "by"),
    [("127.0.0.1", "trusted_networks"), ("127.0.0.2", "pending"), ("192.0.2.1", "pending"), ("local", "pending")],
)
def test_a_front_server_is_no_trusted_client(nameserver: Nameserver, client: str, by: str) -> None:
    at = desk(nameserver, trusted_relays=["127.0.0.2/32"])
    assert at.first(client).by == by
    at.close()
