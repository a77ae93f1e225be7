"""Who answers at an address: our listener, somebody else, nobody; may we listen there, does the relay greet?"""

import errno
import socket

from smtpd_service.cli.remark import Finding, fail, ok, warn
from smtpd_service.settings import Endpoint

PATIENCE = 3.0
# RFC 5321 section 4.5.3.1.5: a reply line has at most 512 octets.
_LONGEST = 512
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # looked up, not bound

_REMEDIES = {
    errno.EACCES: "ports below 1024 need a right: run as root, or give CAP_NET_BIND_SERVICE",
    errno.EADDRNOTAVAIL: "this machine has no such address; mend [smtp] listen",
    errno.EADDRINUSE: "another program listens there; stop it, or mend [smtp] listen",
}


def check_listen(endpoint: Endpoint) -> Finding:
    """Say whether we listen at `endpoint`, or could."""
    subject = f"port {endpoint}"
    if endpoint.port == 0:
        return ok(subject, "any free port")
    try:
        greeting = _greeting(Endpoint(host=_ANYWHERE.get(endpoint.host, endpoint.host), port=endpoint.port))
    except TimeoutError:
        return warn(subject, "something listens there and says nothing", "see who it is: ss -ltnp")
    except OSError:
        return _free(endpoint, subject)
    if greeting.startswith("220"):
        return ok(subject, f"served: {greeting}")
    return fail(subject, f"served by what is no SMTP: {greeting!r}", "stop that, or mend [smtp] listen")


def _free(endpoint: Endpoint, subject: str) -> Finding:
    family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((endpoint.host, endpoint.port))
    except OSError as error:
        return fail(subject, f"cannot listen: {error.strerror}", _REMEDIES.get(error.errno or 0, "mend [smtp] listen"))
    return ok(subject, "free; pulsebox serve would listen there")


def check_relay(endpoint: Endpoint | None) -> Finding:
    """Say whether the smarthost greets; without one the maildir takes the notices."""
    if endpoint is None:
        return ok("relay", "none configured, notices go to the maildir")
    subject = f"relay {endpoint}"
    remedy = "see that it runs, and [outbound] smarthost; until then notices wait and are tried again"
    try:
        greeting = _greeting(endpoint)
    except OSError as error:
        return fail(subject, f"not reachable: {error.strerror or error}", remedy)
    return ok(subject, greeting) if greeting.startswith("220") else fail(subject, f"says {greeting!r}", remedy)


def _greeting(endpoint: Endpoint) -> str:
    """Return the first line that a server says, and take leave. Raises OSError."""
    with socket.create_connection((endpoint.host, endpoint.port), PATIENCE) as connection:
        with connection.makefile("rb") as reader:
            line = reader.readline(_LONGEST)
        connection.sendall(b"QUIT\r\n")
        return line.decode("ascii", "replace").strip()
