"""`winmail.dat`: what Exchange and Outlook put a message into (MS-OXTNEF), taken apart; never raises.

Of its properties only the bodies and the attached files are kept. Linear: each attribute is looked at once.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from parsers.attached import rtf
from parsers.octets import charset

SIGNATURE = b"\x78\x9f\x3e\x22"

_BODY, _PROPERTIES, _CODEPAGE = 0x800C, 0x9003, 0x9007
_NEW_FILE, _FILE_DATA, _FILE_TITLE, _FILE_PROPERTIES = 0x9002, 0x800F, 0x8010, 0x9005
_HEADER = struct.Struct("<BHHI")
# Of properties: their size where it is always the same, in steps of four.
_FIXED = {0x01: 4, 0x02: 4, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16}
_VARIABLE = frozenset({0x0D, 0x1E, 0x1F, 0x102})
_UNICODE = 0x1F
_SEVERAL = 0x1000
_NAMED = 0x8000
_PR_BODY, _PR_HTML, _PR_RTF, _PR_CODEPAGE = 0x1000, 0x1013, 0x1009, 0x3FDE
_PR_DATA, _PR_LONG_NAME = 0x3701, 0x3707


class File(NamedTuple):
    """One attached file."""

    name: str
    octets: bytes


class Tnef(NamedTuple):
    """What was in it: bodies, the one that says most first, and files."""

    bodies: tuple[rtf.Text, ...]
    files: tuple[File, ...]


def read(octets: bytes) -> Tnef:
    """Return the bodies and files; an empty one of octets that are no TNEF."""
    codec, plain = "cp1252", b""
    found: dict[int, tuple[int, bytes]] = {}
    files: list[File] = []
    for name, data in _attributes(octets):
        if name == _CODEPAGE and len(data) >= 4:
            codec = charset.codec(f"cp{int.from_bytes(data[:4], 'little')}") or codec
        elif name == _BODY:
            plain = data
        elif name == _PROPERTIES:
            found.update({known: (kind, value) for known, kind, value in _properties(data)})
        elif name == _NEW_FILE:
            files.append(File("", b""))
        elif files:
            files[-1] = _completed(files[-1], name, data, codec)
    return Tnef(tuple(_bodies(found, plain, codec)), tuple(file for file in files if file.octets))


def _attributes(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield name and data; a level is in front, a checksum behind."""
    place = 6 if octets.startswith(SIGNATURE) else len(octets)
    while place + _HEADER.size <= len(octets):
        _, name, _, length = _HEADER.unpack_from(octets, place)
        place += _HEADER.size
        yield name, octets[place : place + length]
        place += length + 2


def _properties(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield identifier, type and the first value of each property, up to one that makes no sense."""
    place = 4
    while place + 4 <= len(data):
        kind, known = struct.unpack_from("<HH", data, place)
        place = _past_name(data, place + 4) if known >= _NAMED else place + 4
        several = kind & _SEVERAL
        kind &= ~_SEVERAL
        count = 1
        if several or kind in _VARIABLE:
            count = int.from_bytes(data[place : place + 4], "little")
            place += 4
        value = b""
        if kind in _FIXED:
            value = data[place : place + _FIXED[kind]]
            place += _FIXED[kind] * count
        elif kind in _VARIABLE:
            value, place = _values(data, place, count)
        else:
            return
        yield known, kind, value


def _past_name(data: bytes, place: int) -> int:
    """Return where a named property's value begins: behind a GUID, and a number or a padded string."""
    by_string = int.from_bytes(data[place + 16 : place + 20], "little")
    place += 20
    length = int.from_bytes(data[place : place + 4], "little") if by_string else 0
    return place + 4 + -(-length // 4) * 4


def _values(data: bytes, place: int, count: int) -> tuple[bytes, int]:
    """Return the first of `count` values, and where they end."""
    first = b""
    for index in range(count):
        if place + 4 > len(data):
            return first, len(data)
        length = int.from_bytes(data[place : place + 4], "little")
        if index == 0:
            first = data[place + 4 : place + 4 + length]
        place += 4 + -(-length // 4) * 4
    return first, place


def _completed(file: File, name: int, data: bytes, codec: str) -> File:
    if name == _FILE_DATA:
        return file._replace(octets=data)
    if name == _FILE_TITLE:
        return file._replace(name=file.name or data.rstrip(b"\0").decode(codec, "replace"))
    if name == _FILE_PROPERTIES:
        for known, kind, value in _properties(data):
            if known == _PR_LONG_NAME:
                file = file._replace(name=_text(kind, value, codec))
            elif known == _PR_DATA and not file.octets:
                file = file._replace(octets=value)
    return file


def _text(kind: int, value: bytes, codec: str) -> str:
    return value.decode("utf-16-le" if kind == _UNICODE else codec, "replace").rstrip("\0")


def _bodies(found: dict[int, tuple[int, bytes]], plain: bytes, codec: str) -> Iterator[rtf.Text]:
    page = charset.codec(f"cp{int.from_bytes(found[_PR_CODEPAGE][1][:4], 'little')}") if _PR_CODEPAGE in found else None
    if _PR_HTML in found:
        yield rtf.Text(charset.decode(found[_PR_HTML][1].rstrip(b"\0"), page or "", html=True)[0], True)
    if _PR_RTF in found:
        yield rtf.read(rtf.decompressed(found[_PR_RTF][1]))
    if _PR_BODY in found:
        yield rtf.Text(_text(*found[_PR_BODY], codec), False)
    if plain:
        yield rtf.Text(plain.rstrip(b"\0").decode(codec, "replace"), False)
