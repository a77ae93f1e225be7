"""Which clients are believed."""

from ipaddress import ip_network

import pytest

from smtpd_service.domain.sender import PENDING, Proof, prove, trusted

NETWORKS = [ip_network("127.0.0.0/8"), ip_network("10.1.0.0/16"), ip_network("::1/128"), ip_network("2001:db8::/32")]


@pytest.mark.parametrize(
    ("client", "answer"),
    [
        *(
            ("127.0.0.1", True),
            ("127.255.255.255", True),
            ("10.1.2.3", True),
            ("10.2.0.1", False),
            ("192.0.2.1", False),
        ),
        *(("::1", True), ("2001:db8::5", True), ("2001:db9::5", False), ("fe80::1%eth0", False), ("", False)),
        *(("::ffff:127.0.0.1", True), ("::ffff:192.0.2.1", False), ("local", False), ("127.0.0.1.example", False)),
    ],
)
def test_a_client_is_trusted_by_its_network_alone(client: str, answer: bool) -> None:
    assert trusted(client, NETWORKS) is answer


def test_nobody_is_trusted_where_no_network_is_listed() -> None:
    assert not trusted("127.0.0.1", [])


def test_who_is_in_a_trusted_network_is_proved_by_it() -> None:
    assert (prove(True).proved, prove(True).by) == (True, "trusted_networks")
    assert not prove(False).proved


def test_who_is_looked_at_is_neither_proved_nor_not_before_his_mail_comes() -> None:
    assert prove(False, checked=True) == PENDING
    assert PENDING.pending
    assert not PENDING.returnable
    assert not any(proof.pending for proof in (prove(True, checked=True), prove(False), Proof(False, "temperror")))
