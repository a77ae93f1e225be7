"""Who answers at an address: our listener, somebody else, nobody; may we listen there, does the relay greet?"""

import errno
import os
import socket
import ssl
from pathlib import Path

from smtpd_service.cli.remark import Finding, fail, ok, warn
from smtpd_service.setting_types import Endpoint, ListenOn

PATIENCE = 3.0
# RFC 5321 section 4.5.3.1.5: a reply line has at most 512 octets.
_LONGEST = 512
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # looked up, not bound

_REMEDIES = {
    errno.EACCES: "ports below 1024 need a right: run as root, or give CAP_NET_BIND_SERVICE",
    errno.EADDRNOTAVAIL: "this machine has no such address; mend [smtp] listen",
    errno.EADDRINUSE: "another program listens there; stop it, or mend [smtp] listen",
}


def check_listen(place: ListenOn) -> Finding:
    """Say whether we listen at `place`, or could."""
    subject = f"port {place}"
    if not place.path and place.port == 0:
        return ok(subject, "any free port")
    try:
        with _connected(place) as connection:
            return _served(connection, place, subject)
    except OSError:
        return _free(place, subject)


def _connected(place: ListenOn) -> socket.socket:
    """Return a connection to what listens at `place`. Raises OSError."""
    if not place.path:
        return socket.create_connection((_ANYWHERE.get(place.host, place.host), place.port), PATIENCE)
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(PATIENCE)
        connection.connect(place.path)
    except OSError:
        connection.close()
        raise
    return connection


def _served(connection: socket.socket, place: ListenOn, subject: str) -> Finding:
    if place.proxy:
        return ok(subject, "served; it waits for a PROXY header, which only [smtp] trusted_relays may send")
    try:
        greeting = _first_line(_in_tls(connection) if place.tls else connection)
    except TimeoutError:
        return warn(subject, "something listens there and says nothing", "see who it is: ss -ltnp")
    except OSError as error:
        return fail(subject, f"served, but not well: {error.strerror or error}", "see who it is: ss -ltnp")
    if greeting.startswith("220"):
        return ok(subject, f"served: {greeting}")
    return fail(subject, f"served by what is no SMTP: {greeting!r}", "stop that, or mend [smtp] listen")


def _in_tls(connection: socket.socket) -> socket.socket:
    # Only whether it speaks: the certificate has a line of its own.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(connection)


def _free(place: ListenOn, subject: str) -> Finding:
    try:
        if place.path:
            return _free_path(Path(place.path), subject)
        family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((place.host, place.port))
    except OSError as error:
        return fail(subject, f"cannot listen: {error.strerror}", _REMEDIES.get(error.errno or 0, "mend [smtp] listen"))
    return ok(subject, "free; pulsebox serve would listen there")


def _free_path(path: Path, subject: str) -> Finding:
    if not os.access(path.parent, os.W_OK | os.X_OK):
        return fail(
            subject, f"cannot be made in {path.parent}", f"mkdir -p {path.parent}, and give this user the right"
        )
    return ok(subject, "free; pulsebox serve would listen there")


def check_relay(endpoint: Endpoint | None, *, direct: bool = False, tls: bool = False) -> Finding:
    """Say whether the smarthost greets, `tls` from the first octet; without one nobody is asked."""
    if endpoint is None:
        who = "the recipients' own servers take notices" if direct else "notices go to the maildir"
        return ok("relay", f"none configured, {who}")
    subject = f"relay {endpoint}"
    remedy = "see that it runs, and [outbound] smarthost; until then notices wait and are tried again"
    try:
        with socket.create_connection((endpoint.host, endpoint.port), PATIENCE) as connection:
            greeting = _first_line(_in_tls(connection) if tls else connection)
    except OSError as error:
        return fail(subject, f"not reachable: {error.strerror or error}", remedy)
    return ok(subject, greeting) if greeting.startswith("220") else fail(subject, f"says {greeting!r}", remedy)


def _first_line(connection: socket.socket) -> str:
    """Return the first line that a server says, and take leave. Raises OSError."""
    with connection.makefile("rb") as reader:
        line = reader.readline(_LONGEST)
    connection.sendall(b"QUIT\r\n")
    return line.decode("ascii", "replace").strip()
