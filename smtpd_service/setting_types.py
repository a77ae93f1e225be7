"""The kinds of values that config.toml knows: sizes, durations, addresses, endpoints; each says what would be right."""

import contextlib
import re
from collections.abc import Sequence
from datetime import timedelta
from ipaddress import ip_address, ip_interface, ip_network
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)

from smtpd_service.domain.address import is_address, mailbox_key
from smtpd_service.domain.sender import Network

_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?) ?(ms|s|min|h|d)", re.ASCII)
# More is a mistake, and more than the clock can count breaks whatever waits for it.
LONGEST = timedelta(days=366)
_SIZE = re.compile(r"\d+(?:\.\d+)? ?(?:[kMGTPE]?B|[KMGTPE]iB)?", re.IGNORECASE | re.ASCII)
_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]\s]+):(\d{1,5})")
# A size of 2**63 octets or more fits no counter.
SIZE_LIMIT = 2**63 - 1
# What may stand after an address to listen on.
LISTEN_WORDS = ("tls", "lmtp", "proxy")
MOST_PROCESSES = 64


def non_empty_list(value: object) -> object:
    if not isinstance(value, list | tuple) or not value:
        raise ValueError('write a list: ["127.0.0.1:2525"]')
    return value


def _processes(value: object) -> object:
    if value == "auto" or (type(value) is int and 0 <= value <= MOST_PROCESSES):
        return value
    raise ValueError(f'write "auto", or a number from 0 to {MOST_PROCESSES}')


def _duration(value: object) -> object:
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip())
        if match is None:
            raise ValueError("write a duration with a unit: 500 ms, 30 s, 5 min, 4 h, 5 d")
        seconds = float(match.group(1)) * _UNITS[match.group(2)]
        if seconds > LONGEST.total_seconds():
            raise ValueError(f"the longest duration is {LONGEST.days} d")
        return timedelta(seconds=seconds)
    raise ValueError("write a duration as text with a unit: 500 ms, 30 s, 5 min, 4 h, 5 d")


def _delay(value: timedelta) -> timedelta:
    if value > timedelta(minutes=1):
        raise ValueError("write at most 1 min; somebody waits for it")
    return value


def _patience(value: timedelta) -> timedelta:
    if not timedelta(hours=1) <= value <= timedelta(days=30):
        raise ValueError("write a duration between 1 h and 30 d")
    return value


def _size(value: object) -> object:
    text = value.strip() if isinstance(value, str) else value
    if isinstance(text, str) and _SIZE.fullmatch(text):
        return text
    if isinstance(text, int) and not isinstance(text, bool) and text >= 0:
        return text
    raise ValueError("write a size in octets, or as text with a unit: 500 kB, 25 MB, 50 GB, 1 GiB")


def _size_fits(value: ByteSize) -> ByteSize:
    if not 0 <= value <= SIZE_LIMIT:
        raise ValueError(f"a size lies between 0 and {SIZE_LIMIT} octets")
    return value


def _address(value: str) -> str:
    if not is_address(value):
        raise ValueError("write one address: name@domain")
    return mailbox_key(value)


def endpoint(value: str) -> "Endpoint":
    """Read `host:port`. Raises ValueError saying what is right."""
    match = _HOST_PORT.fullmatch(value)
    if match is not None and int(match.group(2)) > 65535:
        raise ValueError("ports end at 65535; write host:port: 127.0.0.1:2525, [::1]:2525")
    if match is None:
        raise ValueError("write host:port, with an IPv6 address in brackets: 127.0.0.1:2525, [::1]:2525")
    return Endpoint(host=match.group(1).strip("[]"), port=int(match.group(2)))


def _endpoint(value: object) -> object:
    return endpoint(value) if isinstance(value, str) else value


def _endpoint_or_none(value: str) -> str:
    return str(endpoint(value)) if value else ""


def _address_or_none(value: str) -> str:
    return _address(value) if value else ""


def _listen(value: object) -> object:
    """Read `host:port` or `unix:/path`, and the words after it."""
    if not isinstance(value, str):
        return value
    where, *words = value.split()[:5] or [""]
    _check_words(words)
    facts: dict[str, object] = dict.fromkeys(words, True)
    if where.startswith("unix:"):
        return ListenOn.model_validate(
            {"host": "", "port": 0, "path": _socket_path(where.removeprefix("unix:")), **facts}
        )
    found = endpoint(where)
    try:
        ip_address(found.host)
    except ValueError:
        raise ValueError("write the IP address to listen on: 127.0.0.1:2525, 0.0.0.0:25, [::]:25") from None
    return ListenOn.model_validate({"host": found.host, "port": found.port, **facts})


def _check_words(words: Sequence[str]) -> None:
    for word in words:
        if word not in LISTEN_WORDS or words.count(word) > 1:
            raise ValueError(f"after the address may stand {', '.join(LISTEN_WORDS)}, each once; not {word!r}")


def _socket_path(path: str) -> str:
    # sun_path holds 108 octets with its end (unix(7)).
    if not path.startswith("/") or len(path.encode()) > 107:
        raise ValueError(
            "write a unix socket as unix: and its absolute path of at most 107 octets: unix:/run/pulsebox/lmtp.sock"
        )
    return path


def _ip(value: "Endpoint") -> "Endpoint":
    try:
        ip_address(value.host)
    except ValueError:
        raise ValueError("write an IP address and a port: 127.0.0.1:53, [::1]:53") from None
    return value


def _ip_or_none(value: str) -> str:
    if not value:
        return value
    with contextlib.suppress(ValueError):
        found = _ip(endpoint(value))
        # A free port that nobody is told of is of no use.
        if found.port:
            return str(found)
    raise ValueError("write an IP address and a port: 127.0.0.1:9525, [::1]:9525")


def _collector(value: str) -> str:
    if value and not re.fullmatch(r"https?://[^\s/@?#]+(?:/[^\s?#]*)?", value):
        raise ValueError("write the collector's address for OTLP over HTTP: http://127.0.0.1:4318")
    return value.rstrip("/")


def _network(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        network = ip_network(value, strict=False)
    except ValueError:
        raise ValueError("write a network: 10.0.0.0/8, 2001:db8::/32") from None
    if str(network) == value or "/" not in value:
        return network
    address = ip_interface(value)
    if address.ip != network.network_address:
        raise ValueError(f"write {network}, or {address.ip}/{network.max_prefixlen} for that address alone")
    return network


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("write a time zone's name: America/New_York") from None
    return value


# Names and IPv4 addresses: of several hosts none is told by IPv6.
_ONE_OF_HOSTS = r"[A-Za-z0-9._-]+(?::\d{1,5})?"


def _database_url(value: str) -> str:
    if not re.match(r"(?:sqlite:///[^:?][^?]*$|postgresql\+psycopg://)", value):
        raise ValueError("write sqlite:///PATH or postgresql+psycopg://user@host/name")
    hosts = re.match(r"postgresql\+psycopg://(?:[^/?]*@)?([^@/?]*)", value)
    if hosts is not None and "," in hosts[1] and not all(re.fullmatch(_ONE_OF_HOSTS, h) for h in hosts[1].split(",")):
        raise ValueError("write several hosts as name:port, commas between: user@db1:5432,db2:5432/name")
    return value


def _hostname(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?", value):
        raise ValueError("write a host name: mx.agency.example")
    return value.lower()


def _hostname_or_none(value: str) -> str:
    return _hostname(value) if value else ""


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Endpoint(Section):
    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class ListenOn(Endpoint):
    """Where mail is taken, and how: `path` is a unix socket in place of host and port.

    `tls` speaks TLS from the first octet, `proxy` requires a PROXY header, `lmtp` speaks LMTP (RFC 2033).
    """

    path: str = ""
    tls: bool = False
    lmtp: bool = False
    proxy: bool = False

    @property
    def where(self) -> str:
        """Return the address without the words after it."""
        return f"unix:{self.path}" if self.path else super().__str__()

    def __str__(self) -> str:
        return " ".join((self.where, *(word for word in LISTEN_WORDS if getattr(self, word))))


Size = Annotated[ByteSize, BeforeValidator(_size), AfterValidator(_size_fits)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]
Positive = Annotated[Duration, Field(gt=timedelta(0))]
Delay = Annotated[Duration, AfterValidator(_delay)]
Patience = Annotated[Duration, AfterValidator(_patience)]
Address = Annotated[str, AfterValidator(_address)]
AddressOrNone = Annotated[str, AfterValidator(_address_or_none)]
EndpointOrNone = Annotated[str, AfterValidator(_endpoint_or_none)]
IpEndpointOrNone = Annotated[str, AfterValidator(_ip_or_none)]
Collector = Annotated[str, AfterValidator(_collector)]
IpEndpoint = Annotated[Endpoint, BeforeValidator(_endpoint), AfterValidator(_ip)]
Listen = Annotated[ListenOn, BeforeValidator(_listen)]
IpNetwork = Annotated[Network, BeforeValidator(_network)]
Zone = Annotated[str, AfterValidator(_zone)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
Hostname = Annotated[str, AfterValidator(_hostname)]
HostnameOrNone = Annotated[str, AfterValidator(_hostname_or_none)]
Language = Literal["en", "es"]
Processes = Annotated[int | Literal["auto"], BeforeValidator(_processes)]
Truth = Annotated[bool, Field(strict=True)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Percent = Annotated[int, Field(ge=1, le=100)]


def parse_size(text: str) -> int:
    """Return octets for `60GB`, `500 kB`, `1 GiB` or a plain number. Raises ValueError saying what is right."""
    try:
        return int(TypeAdapter(Size).validate_python(text.strip()))
    except (ValidationError, OverflowError):
        if _SIZE.fullmatch(text.strip()):
            raise ValueError(f"{text!r} is too large; the largest size is {SIZE_LIMIT} octets") from None
        raise ValueError(f"{text!r} is no size; write octets or a number with a unit: 500 kB, 25 MB, 1 GiB") from None
