"""Text in ISO-2022, which switches its character sets by escape sequences, into text: never raises.

Python's codec is asked first. It does not know row 13, where Windows keeps ①②③ and ㈱, and
gives up at a line that ends within Japanese: such text is read pair by pair, as Shift_JIS.
"""

import re

_KOREAN = b"\x1b$)C"
_SWITCH = re.compile(rb"(\x1b(?:\$[@B]|\$\(D|\([BJI]|&@|\$A|\$\(C|\.[AF])|[\r\n])")
_PAIRS = frozenset({b"\x1b$@", b"\x1b$B"})
_KATAKANA = b"\x1b(I"


def decode(octets: bytes) -> str:
    """Return the text of `octets`; what cannot be read is U+FFFD."""
    try:
        return octets.decode("iso2022_kr" if _KOREAN in octets else "iso2022_jp_ext")
    except UnicodeError:
        return "".join(_segments(octets))


def _segments(octets: bytes) -> list[str]:
    found: list[str] = []
    mode = b""
    for piece in _SWITCH.split(octets):
        if piece in (b"\r", b"\n"):
            # RFC 1468: each line begins in ASCII.
            mode = b""
            found.append(piece.decode("ascii"))
        elif piece.startswith(b"\x1b") and _SWITCH.fullmatch(piece):
            mode = piece
        elif mode in _PAIRS:
            found.append(_shifted(piece).decode("cp932", "replace"))
        elif mode == _KATAKANA:
            found.append(bytes(octet | 0x80 for octet in piece).decode("cp932", "replace"))
        else:
            found.append(piece.decode("utf-8", "replace"))
    return found


def _shifted(pairs: bytes) -> bytes:
    """Return JIS X 0208 code points in Shift_JIS, which has the rows of Windows."""
    shifted = bytearray()
    for row, cell in zip(pairs[::2], pairs[1::2], strict=False):
        if not (0x21 <= row <= 0x7E and 0x21 <= cell <= 0x7E):
            shifted += b"?"
            continue
        lead = ((row - 0x21) >> 1) + 0x81
        trail = cell + (0x1F if row % 2 else 0x7E)
        shifted += bytes([lead if lead < 0xA0 else lead + 0x40, trail + (row % 2 and cell >= 0x60)])
    return bytes(shifted)
