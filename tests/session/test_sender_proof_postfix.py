"""Postfix as the front server: what it says of a message is believed, what it hands on of others' words is not."""

import smtplib
from collections.abc import Iterator

import pytest

from tests.nameserver import Nameserver
from tests.postfix import Postfix, postfix
from tests.service import Service, eventually
from tests.session.dialogue import HR, rows, serving
from tests.signing import letter, publish, signed

SAYS = "front.test; dmarc=pass header.from=partner.test"


@pytest.fixture(scope="module")
def names() -> Iterator[Nameserver]:
    with Nameserver() as serving:
        publish(serving, "signs.test")
        serving.txt("names.test", "v=spf1 ip4:127.0.0.1 -all")
        yield serving


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, names: Nameserver) -> Iterator[Service]:
    said = {"check": True, "resolvers": [str(names.endpoint)], "trusted_authserv_ids": ["front.test"]}
    with serving(
        tmp_path_factory.mktemp("front"),
        {"address": HR},
        sections={"authentication": said},
        trusted_relays=["127.0.0.1/32"],
    ) as running:
        yield running


@pytest.fixture(scope="module")
def silent(service: Service) -> Iterator[Postfix]:
    """A Postfix that says nothing of what it hands on."""
    with postfix(service.port) as running:
        yield running


@pytest.fixture(scope="module")
def speaking(service: Service) -> Iterator[Postfix]:
    """A Postfix that says the same of everything."""
    word = f"check_client_access static:{{PREPEND Authentication-Results: {SAYS}}}"
    with postfix(service.port, smtpd_data_restrictions=word) as running:
        yield running


def relayed(service: Service, front: Postfix, octets: bytes, sender: str) -> str:
    """Hand a message to Postfix; return what proved it, or why nothing did."""
    with smtplib.SMTP(*front.address) as client:
        client.sendmail(sender, [HR], octets)
    found: list[dict[str, str]] = []
    query = "SELECT proved_by FROM message WHERE mail_from = :sender"
    eventually(lambda: bool(found.extend(rows(service, query, sender=sender)) or found))
    return found[0]["proved_by"]


def test_its_word_on_the_author_is_believed(service: Service, speaking: Postfix) -> None:
    by = relayed(service, speaking, letter("ann@partner.test"), "ann@partner.test")
    assert by == "dmarc:partner.test (said by front.test)"


def test_where_it_says_nothing_a_client_behind_it_is_not_judged_by_its_address(
    service: Service, silent: Postfix
) -> None:
    assert relayed(service, silent, letter("ann@names.test"), "ann@names.test") == "none"


def test_where_it_says_nothing_a_signature_that_it_handed_on_proves(service: Service, silent: Postfix) -> None:
    octets = signed(letter("ann@signs.test"), "signs.test")
    assert relayed(service, silent, octets, "ann@signs.test") == "dkim:signs.test"


def test_its_word_is_about_that_author_alone(service: Service, speaking: Postfix) -> None:
    assert relayed(service, speaking, letter("bob@victim.test"), "other@partner.test") == "none"


def test_a_forged_word_below_its_own_is_not_believed(service: Service, speaking: Postfix) -> None:
    forged = "Authentication-Results: front.test; dmarc=pass header.from=victim.test\r\n"
    assert relayed(service, speaking, letter("bob@victim.test", extra=forged), "bob@victim.test") == "none"


def test_no_signature_is_asked_for_where_it_has_spoken(service: Service, speaking: Postfix) -> None:
    octets = signed(letter("eve@signs.test"), "signs.test")
    assert relayed(service, speaking, octets, "eve@signs.test") == "none"
