"""Mail that is encrypted, or signed around its text: told apart by structure, and opened where it is only signed.

S/MIME has one content type for both, and its `smime-type` is often missing: the object identifier in
the octets decides (RFC 5652). The octets are walked as BER, of definite and of indefinite length.
"""

from typing import NamedTuple

SMIME = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
SMIME_NAMES = (".p7m", ".p7z")
RIGHTS_MANAGED = frozenset({"application/x-microsoft-rpmsg-message"})
PGP_ENCRYPTED = frozenset({"multipart/encrypted", "application/pgp-encrypted"})

PGP_MESSAGE = "-----BEGIN PGP MESSAGE-----"
PGP_SIGNED = "-----BEGIN PGP SIGNED MESSAGE-----"

_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_SEQUENCE, _SET, _EXPLICIT, _OCTETS, _OCTETS_IN_PIECES = 0x30, 0x31, 0xA0, 0x04, 0x24
# Encoders cut the text into pieces of one to a few kB; no mail has more than these.
_PIECES = 1_000_000


class _Element(NamedTuple):
    """One element: its tag, where its content begins and ends (to the end where its length is indefinite)."""

    tag: int
    begin: int
    end: int
    indefinite: bool


def is_signed_data(octets: bytes) -> bool:
    """Return whether a CMS object is signed and not encrypted: its first field says so."""
    return _SIGNED_DATA in octets[:32]


def signed_content(octets: bytes) -> bytes | None:
    """Return the MIME entity inside a CMS object that is only signed, None where it cannot be had."""
    place = octets.find(_SIGNED_DATA, 0, 32)
    if place < 0:
        return None
    # [0] EXPLICIT, SignedData, its version and digest algorithms, and the content: a type and [0] EXPLICIT.
    place += len(_SIGNED_DATA)
    for wanted in (_EXPLICIT, _SEQUENCE):
        place = _into(octets, place, wanted)
    for _ in range(2):
        place = _past(octets, place)
    place = _into(octets, place, _SEQUENCE)
    place = _into(octets, _past(octets, place), _EXPLICIT)
    return _pieces(octets, place)


def _element(octets: bytes, place: int) -> _Element | None:
    if place < 0 or place + 2 > len(octets):
        return None
    tag, length = octets[place], octets[place + 1]
    begin = place + 2
    if length == 0x80:
        return _Element(tag, begin, len(octets), True)
    if length > 0x80:
        size = length - 0x80
        if size > 4:
            return None
        length = int.from_bytes(octets[begin : begin + size], "big")
        begin += size
    return _Element(tag, begin, min(begin + length, len(octets)), False)


def _into(octets: bytes, place: int, wanted: int) -> int:
    """Return where the content of the element at `place` begins, -1 unless it is a `wanted` one."""
    element = _element(octets, place)
    return element.begin if element is not None and element.tag == wanted else -1


def _past(octets: bytes, place: int) -> int:
    element = _element(octets, place)
    return -1 if element is None or element.indefinite else element.end


def _pieces(octets: bytes, place: int) -> bytes | None:
    """Return an octet string, whole or in the pieces that BER allows."""
    element = _element(octets, place)
    if element is None:
        return None
    if element.tag == _OCTETS:
        return octets[element.begin : element.end]
    if element.tag != _OCTETS_IN_PIECES:
        return None
    found: list[bytes] = []
    place = element.begin
    for _ in range(_PIECES):
        piece = _element(octets, place) if place < element.end else None
        if piece is None or piece.tag != _OCTETS:
            break
        found.append(octets[piece.begin : piece.end])
        place = piece.end
    return b"".join(found) or None
