"""A mail without its long texts, for a library that takes them apart line by line, and the texts put back.

Below a blank line no header goes on, so all is text up to the next line that begins with `--`, which alone may divide
parts (RFC 2046 section 5.1.1); `-->` is the end of a comment in HTML, and no boundary begins with `>`. Mail that holds
a message is left as it is: that has a header below its part's own. Linear: each octet is looked at a few times.
"""

import re
from email.message import Message

# Less is taken apart as quickly as it is put back.
_LONG = 500
# No mail has so many texts; what is beyond is left in it.
_PIECES = 4_000
_BLANK = re.compile(rb"\n\r?\n")
_DELIMITER, _COMMENT = b"\n--", b">"
# A bare CR ends lines as well, and what stands for a text is between two NULs.
_UNUSUAL = (b"\r--", b"\0")
_HOLDS_MESSAGES = (b"message/", b"multipart/digest")
_BOUNDARY = re.compile(rb"boundary\s*=\s*\"?[\w=.'+-]")


def without_texts(mail: bytes) -> tuple[bytes, list[bytes]]:
    """Return a mail with a number in place of each long text, and the texts; none of them where that is not safe."""
    if any(sign in mail for sign in _UNUSUAL):
        return mail, []
    kept: list[bytes] = []
    texts: list[bytes] = []
    place, last = 0, len(mail.rstrip(b"\r\n"))
    while len(kept) < _PIECES and (blank := _BLANK.search(mail, place, last)) is not None:
        begin, end = blank.end(), _end(mail, blank.end() - 1, last)
        if end - begin >= _LONG:
            kept += [mail[place:begin], b"\0%d\0" % len(texts)]
            texts.append(mail[begin:end])
        else:
            end = max(end, begin - 1)
            kept.append(mail[place:end])
        place = end
    hollow = b"".join([*kept, mail[place:]])
    return (hollow, texts) if _is_safe(hollow) else (mail, [])


def _end(mail: bytes, begin: int, last: int) -> int:
    """Return where the text from `begin` on ends, at `last` at last; the line end before a delimiter is not its own."""
    end = mail.find(_DELIMITER, begin)
    while end >= 0 and mail.startswith(_COMMENT, end + len(_DELIMITER)):
        end = mail.find(_DELIMITER, end + 1)
    return last if end < 0 else end - (mail[end - 1 : end] == b"\r")


def _is_safe(hollow: bytes) -> bool:
    """Return whether the header of each part is still there, and says what was assumed."""
    lowered = hollow.lower()
    if not hollow.isascii() or any(sign in lowered for sign in _HOLDS_MESSAGES):
        return False
    return lowered.count(b"boundary") == len(_BOUNDARY.findall(lowered))


def fill(message: Message, texts: list[bytes]) -> None:
    """Put the texts back into the parts of a mail that was parsed without them."""
    for part in message.walk() if texts else ():
        payload = part.get_payload()
        if isinstance(payload, str) and "\0" in payload:
            pieces = payload.split("\0")
            pieces[1::2] = [texts[int(number)].decode("ascii", "surrogateescape") for number in pieces[1::2]]
            part.set_payload("".join(pieces))
