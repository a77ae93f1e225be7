"""MAIL and RCPT parameters, in the case that the client wrote (RFC 1870, 3461, 6152, 6531)."""

import re
from dataclasses import dataclass
from typing import Literal

Fault = Literal["syntax", "unknown"]

_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~\x80-\U0010ffff]+))?")
# RFC 3461 section 4: xtext leaves out `+` and `=`, which stand as `+` and two hexadecimal digits.
_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")
_HEX = re.compile(rb"\+([0-9A-F]{2})")
_ORCPT = re.compile(r"[A-Za-z0-9!#$%&'*/?^_`{|}~.-]+;")
ENVID_LIMIT = 100
ORCPT_LIMIT = 500


@dataclass(frozen=True, slots=True)
class MailParameters:
    """`size` in octets as declared; `envid` as given, in xtext."""

    size: int | None = None
    body: Literal["7BIT", "8BITMIME"] = "7BIT"
    smtputf8: bool = False
    ret: Literal["FULL", "HDRS"] | None = None
    envid: str | None = None


@dataclass(frozen=True, slots=True)
class RcptParameters:
    """`notify` holds SUCCESS, FAILURE, DELAY or NEVER; None where nothing was said (FAILURE counts)."""

    notify: frozenset[str] | None = None
    orcpt: str | None = None

    @property
    def never(self) -> bool:
        """Say whether no failed DSN may be sent: by NEVER, or by naming others only (RFC 3461 section 4.1)."""
        return self.notify is not None and "FAILURE" not in self.notify


_NO_MAIL_PARAMETERS = MailParameters()
_NO_RCPT_PARAMETERS = RcptParameters()


def split(text: str) -> dict[str, str | None] | Fault:
    """Return keyword (upper case) to value (as written, None without `=`); each keyword once."""
    found: dict[str, str | None] = {}
    # Only the space parts parameters: str.split() alone would take U+2028 and others too.
    for word in filter(None, text.split(" ")):
        match = _PARAMETER.fullmatch(word)
        if match is None or match.group(1).upper() in found:
            return "syntax"
        found[match.group(1).upper()] = match.group(2)
    return found


# Keyword to the form of its value; None where no value may stand. In ASCII: elsewhere a long s is an S too.
_MAIL_VALUES: dict[str, re.Pattern[str] | None] = {
    "SIZE": re.compile(r"[0-9]{1,20}"),
    "BODY": re.compile(r"7BIT|8BITMIME", re.ASCII | re.IGNORECASE),
    "SMTPUTF8": None,
    "RET": re.compile(r"FULL|HDRS", re.ASCII | re.IGNORECASE),
    "ENVID": re.compile(rf"(?=.{{1,{ENVID_LIMIT}}}$){_XTEXT.pattern}"),
}
_NOTIFY = re.compile(r"NEVER|(?:SUCCESS|FAILURE|DELAY)(?:,(?:SUCCESS|FAILURE|DELAY))*", re.ASCII | re.IGNORECASE)


def mail_parameters(text: str) -> MailParameters | Fault:
    """Read what follows the reverse-path; unknown keywords are `unknown`, bad values `syntax`."""
    if not text:
        return _NO_MAIL_PARAMETERS
    found = split(text)
    if isinstance(found, str):
        return found
    if found.keys() - _MAIL_VALUES.keys():
        return "unknown"
    if not all(_fits(_MAIL_VALUES[keyword], value) for keyword, value in found.items()):
        return "syntax"
    size, body, ret = found.get("SIZE"), found.get("BODY"), found.get("RET")
    return MailParameters(
        size=int(size) if size else None,
        body="8BITMIME" if body and body.upper() == "8BITMIME" else "7BIT",
        smtputf8="SMTPUTF8" in found,
        ret=None if ret is None else "FULL" if ret.upper() == "FULL" else "HDRS",
        envid=found.get("ENVID"),
    )


def _fits(form: re.Pattern[str] | None, value: str | None) -> bool:
    if form is None or value is None:
        return form is None and value is None
    return form.fullmatch(value) is not None


def rcpt_parameters(text: str) -> RcptParameters | Fault:
    """Read what follows the forward-path. NEVER stands alone (RFC 3461 section 4.1)."""
    if not text:
        return _NO_RCPT_PARAMETERS
    found = split(text)
    if isinstance(found, str):
        return found
    if found.keys() - {"NOTIFY", "ORCPT"}:
        return "unknown"
    notify, orcpt = found.get("NOTIFY"), found.get("ORCPT")
    if "NOTIFY" in found and not _fits(_NOTIFY, notify):
        return "syntax"
    if "ORCPT" in found and not _is_orcpt(orcpt):
        return "syntax"
    return RcptParameters(frozenset(notify.upper().split(",")) if notify else None, orcpt)


def _is_orcpt(value: str | None) -> bool:
    """Check `type;xtext`; the address within is the sender's business (RFC 3461 section 4.2)."""
    if value is None or len(value) > ORCPT_LIMIT:
        return False
    kind = _ORCPT.match(value)
    if kind is None or kind.end() == len(value):
        return False
    # RFC 6533 section 3 lets `utf-8` addresses be written in UTF-8 as they are, or with \x{…}.
    return kind.group().lower() == "utf-8;" or _XTEXT.fullmatch(value, kind.end()) is not None


def decode_xtext(xtext: str) -> str:
    """Return the text that `xtext` stands for; what is no xtext stays as it is (RFC 3461 section 4)."""
    octets = _HEX.sub(lambda pair: bytes.fromhex(pair[1].decode()), xtext.encode("utf-8", "replace"))
    return octets.decode("utf-8", "replace")
