"""Is this sender who the envelope says? Only a proved one is ever sent a bounce."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Proof:
    """`by` names what proved the author, or why nothing did; `results` is the value of Authentication-Results.

    `returnable` says whether a notice to the reverse-path can reach nobody but who sent the mail.
    """

    proved: bool
    by: str
    returnable: bool = False
    results: str = ""

    @property
    def pending(self) -> bool:
        """Say whether nobody has looked yet: the message, which may prove its sender, is still to come."""
        return self == PENDING


# What a client on a socket of this machine has for an address.
LOCAL = "local"
# A client that the front server before it does not name: neither is the front server's own address believed then.
UNKNOWN = "unknown"
# What is known of a client whose messages are looked at, before one has come.
PENDING = Proof(False, "pending")


def trusted(client: str, networks: Sequence[Network]) -> bool:
    """Say whether `client` (an IP address, without brackets or zone) lies in one of `networks`."""
    try:
        address = ip_address(client.split("%", maxsplit=1)[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address.version == network.version and address in network for network in networks)


def prove(in_trusted_network: bool, *, checked: bool = False) -> Proof:
    """Return what is known of a client before its mail: in `trusted_networks` its envelope sender is believed.

    `checked` says that each message of another client will be looked at.
    """
    if in_trusted_network:
        return Proof(True, "trusted_networks", returnable=True)
    return PENDING if checked else Proof(False, "none")
