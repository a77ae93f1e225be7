"""Who speaks before the greeting, in the segment that ends the handshake: refused where no greeting is delayed, too."""

import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.certificates import Authority
from tests.session.dialogue import serving
from tests.session.reaching import ways_in


@pytest.mark.acceptance
def test_who_speaks_in_one_segment_with_the_handshake_gets_554(tmp_path: Path) -> None:
    files = Authority().issue(tmp_path)
    listen = ["127.0.0.1:0", "127.0.0.1:0 tls"]
    with serving(tmp_path, sections={"tls": dict(files.settings())}, listen=listen, greet_delay="0 s") as service:
        assert heard_after(ways_in(service)[1], b"EHLO client.test\r\n").startswith(b"554 5.5.1 ")


def heard_after(address: tuple[str, int] | str, early: bytes) -> bytes:
    """Say `early` together with the last octets of the handshake; return what is answered."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    heard, said = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(heard, said)
    with socket.create_connection(address, timeout=20) as client:  # type: ignore[arg-type]  # no unix socket here

        def until(step: Callable[[], bytes | None]) -> bytes:
            while True:
                try:
                    return step() or b""
                except ssl.SSLWantReadError:
                    client.sendall(said.read())
                    heard.write(client.recv(65_536))

        until(session.do_handshake)
        session.write(early)
        return until(lambda: session.read(100))
