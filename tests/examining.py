"""One message examined as a listener does it, with look-ups at a DNS server of the test's own."""

from ipaddress import ip_network

from smtpd_service.authentication.evidence import letter
from smtpd_service.authentication.examination import Trust, examine
from smtpd_service.domain.sender import Proof
from smtpd_service.resolver import Resolver
from tests.nameserver import Nameserver

CLIENT, RELAY = "192.0.2.10", "198.51.100.25"
OURS = "mx.office.test"


def examined(
    nameserver: Nameserver,
    octets: bytes,
    *,
    mail_from: str = "ann@agency.test",
    client: str = CLIENT,
    ids: tuple[str, ...] = (),
    sealers: tuple[str, ...] = (),
    timeout: float = 20,
) -> Proof:
    """Return the proof; RELAY is a front server of ours, and OURS our own name in results."""
    trust = Trust(OURS, (ip_network(RELAY),), frozenset(ids), frozenset(sealers))
    arrived = letter(octets, client=client, helo="mx.agency.test", mail_from=mail_from)
    return examine(arrived, trust, Resolver([nameserver.endpoint], timeout, timeout))


def outcome(proof: Proof) -> tuple[bool, str, bool]:
    return proof.proved, proof.by, proof.returnable
