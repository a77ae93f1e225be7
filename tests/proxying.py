"""PROXY headers as a front server writes them."""

from ipaddress import ip_address

LOCAL, PROXY = 0x20, 0x21
UNSPECIFIED, TCP4, TCP6, UNIX = 0x00, 0x11, 0x21, 0x31


def v1(client: str, server: str = "127.0.0.1") -> bytes:
    return f"PROXY TCP{ip_address(client).version} {client} {server} 40000 25\r\n".encode()


def v2(command: int, family: int, client: str = "", *, more: bytes = b"") -> bytes:
    """Return a header of version 2; `client` stands for both ends, and `more` comes after the addresses."""
    body = ip_address(client).packed * 2 + b"\x9c\x40\x00\x19" if client else b""
    body += more
    return b"\r\n\r\n\0\r\nQUIT\n" + bytes([command, family]) + len(body).to_bytes(2, "big") + body
