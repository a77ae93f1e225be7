"""How a hop is spoken to: in plain, with TLS where it can be had, or with TLS that is checked."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from smtpd_service.settings import ConfigError

Mode = Literal["none", "opportunistic", "required", "implicit"]


@dataclass(frozen=True, slots=True)
class Encryption:
    """`checked` verifies certificate and host name, `unchecked` takes whatever certificate there is."""

    mode: Mode
    checked: ssl.SSLContext
    unchecked: ssl.SSLContext


def encryption_of(mode: Mode, ca_file: Path | None) -> Encryption:
    """Return the contexts; `ca_file` replaces the system's authorities. Raises ConfigError naming the file."""
    try:
        checked = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except OSError as error:
        # An ssl.SSLError is one, too: the file is there and holds no certificate.
        reason = error.strerror if not isinstance(error, ssl.SSLError) else "holds no certificate in PEM form"
        raise ConfigError(f"{ca_file}: {reason}", ("outbound", "ca_file")) from error
    unchecked = ssl.create_default_context()
    unchecked.check_hostname = False
    unchecked.verify_mode = ssl.CERT_NONE
    return Encryption(mode, checked, unchecked)
