"""Certificates of an authority that lives as long as a test, and TLS as a client begins it."""

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

NAME = "mx.agency.test"


@dataclass(frozen=True)
class Files:
    """A certificate and its key, in PEM files of their own."""

    certificate: Path
    key: Path

    def settings(self) -> dict[str, str]:
        return {"certificate": str(self.certificate), "key": str(self.key)}

    def lock_key(self, password: str) -> None:
        """Write the key again, under a password."""
        key = load_pem_private_key(self.key.read_bytes(), None)
        lock = BestAvailableEncryption(password.encode())
        self.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))


class Authority:
    """Issues certificates for `mx.agency.test`; `client` is the context of a client who trusts them."""

    def __init__(self) -> None:
        self._authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
        self.client = ssl.create_default_context()
        self._authority.configure_trust(self.client)

    def write_root(self, file: Path) -> None:
        """Write what a client must trust, for one that reads it from a file."""
        self._authority.cert_pem.write_to_path(str(file))

    def only(self, version: ssl.TLSVersion) -> ssl.SSLContext:
        """Return the context of a client that speaks one version alone, weak ciphers and all."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._authority.configure_trust(context)
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
        return context

    def issue(self, folder: Path, name: str = NAME) -> Files:
        """Write a new certificate and its key, in place of those that were there; each file at one moment."""
        issued = self._authority.issue_cert(name, "127.0.0.1", key_type=trustme.KeyType.ECDSA)
        files = Files(folder / "certificate.pem", folder / "key.pem")
        chain = b"".join(each.bytes() for each in issued.cert_chain_pems)
        for file, octets in ((files.certificate, chain), (files.key, issued.private_key_pem.bytes())):
            new = file.with_suffix(".new")
            new.write_bytes(octets)
            new.replace(file)
        return files

    def wrap(self, plain: socket.socket, name: str = NAME) -> ssl.SSLSocket:
        """Shake hands as a client. Raises OSError."""
        return self.client.wrap_socket(plain, server_hostname=name)


def serial(secured: socket.socket) -> str:
    """Return the serial number of the certificate that the server showed."""
    assert isinstance(secured, ssl.SSLSocket)
    shown = secured.getpeercert()
    assert shown is not None
    return str(shown["serialNumber"])
