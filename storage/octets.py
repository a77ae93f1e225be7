"""How raw octets lie in the database: zstd where that is smaller, as they are where not."""

import threading

import zstandard

# The names of the encoding where there is nothing any more: destroyed with its digest, or purged to make room.
DESTROYED = "destroyed"
PURGED = "purged"

# Higher ones take up to two fifths more time, and save nothing of 2 kB and a fiftieth of 45 kB (measured).
_LEVEL = 1
_local = threading.local()


class DestroyedError(ValueError):
    """The octets were destroyed on purpose; no reading brings them back."""


def pack(octets: bytes) -> tuple[str, bytes]:
    """Return the encoding's name (`zstd` or `raw`) and the octets in it."""
    packed = _compressor().compress(octets)
    return ("zstd", packed) if len(packed) < len(octets) else ("raw", octets)


def unpack(encoding: str, packed: bytes) -> bytes:
    """Return the octets as received.

    Raises DestroyedError where they were purged, ValueError for an unknown encoding, or octets that were damaged.
    """
    if encoding in {DESTROYED, PURGED}:
        raise DestroyedError(f"the octets were {encoding}")
    if encoding == "raw":
        return bytes(packed)
    if encoding == "zstd":
        try:
            return _decompressor().decompress(packed)
        except zstandard.ZstdError as error:
            raise ValueError(f"stored octets are damaged: {error}") from error
    raise ValueError(f"unknown encoding {encoding!r} of stored octets")


# Neither may be shared between threads, and each costs more to make than a message to pack (measured).


def _compressor() -> zstandard.ZstdCompressor:
    found: zstandard.ZstdCompressor | None = getattr(_local, "compressor", None)
    if found is None:
        found = _local.compressor = zstandard.ZstdCompressor(level=_LEVEL)
    return found


def _decompressor() -> zstandard.ZstdDecompressor:
    found: zstandard.ZstdDecompressor | None = getattr(_local, "decompressor", None)
    if found is None:
        found = _local.decompressor = zstandard.ZstdDecompressor()
    return found
