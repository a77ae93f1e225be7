"""Is this sender who the envelope says? Only a proved one is ever sent a bounce."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Proof:
    """`by` names what proved the sender, or why nothing did."""

    proved: bool
    by: str


def trusted(client: str, networks: Sequence[Network]) -> bool:
    """Say whether `client` (an IP address, without brackets or zone) lies in one of `networks`."""
    try:
        address = ip_address(client.split("%", maxsplit=1)[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address.version == network.version and address in network for network in networks)


def prove(in_trusted_network: bool) -> Proof:
    """Return the proof for a client: in `trusted_networks` its envelope sender is believed."""
    return Proof(True, "trusted_networks") if in_trusted_network else Proof(False, "none")
