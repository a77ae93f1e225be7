"""config.toml as frozen types. A mistake is a `ConfigError` that names the file, the line, the key and the value."""

import os
import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
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
    field_validator,
    model_validator,
)

from smtpd_service.domain.address import is_address, mailbox_key
from smtpd_service.domain.sender import Network
from smtpd_service.mistakes import explained
from storage.records import WhenFull

ENVIRONMENT = "PULSEBOX__"
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?) ?(ms|s|min|h|d)")
_SIZE = re.compile(r"\d+(?:\.\d+)? ?(?:[kMGTPE]?B|[KMGTPE]iB)?", re.IGNORECASE | re.ASCII)
_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]\s]+):(\d{1,5})")
# A size of 2**63 octets or more fits no counter.
SIZE_LIMIT = 2**63 - 1
DRAIN_LIMIT = timedelta(seconds=10)


class ConfigError(Exception):
    """The configuration cannot be used; the text is what to print."""


def _list(value: object) -> object:
    if not isinstance(value, list | tuple) or not value:
        raise ValueError('write a list: ["127.0.0.1:2525"]')
    return value


def _duration(value: object) -> object:
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip())
        if match is None:
            raise ValueError("write a duration with a unit: 500 ms, 30 s, 5 min, 4 h, 5 d")
        return timedelta(seconds=float(match.group(1)) * _UNITS[match.group(2)])
    raise ValueError("write a duration as text with a unit: 500 ms, 30 s, 5 min, 4 h, 5 d")


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
    if match is None or int(match.group(2)) > 65535:
        raise ValueError("write host:port, with an IPv6 address in brackets: 127.0.0.1:2525, [::1]:2525")
    return Endpoint(host=match.group(1).strip("[]"), port=int(match.group(2)))


def _endpoint(value: object) -> object:
    return endpoint(value) if isinstance(value, str) else value


def _endpoint_or_none(value: str) -> str:
    return str(endpoint(value)) if value else ""


def _address_or_none(value: str) -> str:
    return _address(value) if value else ""


def _ip_endpoint(value: "Endpoint") -> "Endpoint":
    try:
        ip_address(value.host)
    except ValueError:
        raise ValueError("write the IP address to listen on: 127.0.0.1:2525, 0.0.0.0:25, [::]:25") from None
    return value


def _network(value: object) -> object:
    return ip_network(value, strict=True) if isinstance(value, str) else value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("write a time zone's name: America/New_York") from None
    return value


def _drain(value: timedelta) -> timedelta:
    if value > DRAIN_LIMIT:
        raise ValueError("write at most 10 s; the whole service ends within 20 s of SIGTERM")
    return value


def _database_url(value: str) -> str:
    if not re.match(r"(?:sqlite:///[^:?][^?]*$|postgresql\+psycopg://)", value):
        raise ValueError("write sqlite:///PATH or postgresql+psycopg://user@host/name")
    return value


def _hostname(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?", value):
        raise ValueError("write a host name: mx.agency.example")
    return value.lower()


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Endpoint(_Section):
    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


Size = Annotated[ByteSize, BeforeValidator(_size), AfterValidator(_size_fits)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]
Positive = Annotated[Duration, Field(gt=timedelta(0))]
Address = Annotated[str, AfterValidator(_address)]
Listen = Annotated[Endpoint, BeforeValidator(_endpoint), AfterValidator(_ip_endpoint)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Percent = Annotated[int, Field(ge=1, le=100)]


class Database(_Section):
    url: Annotated[str, AfterValidator(_database_url)] = "sqlite:///var/pulsebox.db"


class Smtp(_Section):
    listen: Annotated[tuple[Listen, ...], BeforeValidator(_list)] = (Endpoint(host="127.0.0.1", port=2525),)
    hostname: Annotated[str, AfterValidator(_hostname)] = "mx.agency.example"
    max_message: Annotated[Size, Field(ge=1)] = ByteSize(25_000_000)
    trusted_networks: tuple[Annotated[Network, BeforeValidator(_network)], ...] = (
        ip_network("127.0.0.0/8"),
        ip_network("::1/128"),
    )
    bare_line_ends: Literal["reject", "normalize"] = "reject"
    max_recipients: Annotated[int, Field(ge=100, le=10_000)] = 100
    max_connections: Count = 2000
    max_connections_per_address: Count = 50
    max_commands: Count = 10_000
    max_errors: Count = 20
    idle_timeout: Positive = timedelta(minutes=5)
    min_data_rate: Size = ByteSize(1000)
    greet_delay: Duration = timedelta(milliseconds=200)
    in_flight: Size = ByteSize(256_000_000)

    @model_validator(mode="after")
    def _in_flight_holds_a_message(self) -> "Smtp":
        if self.in_flight < self.max_message:
            raise ValueError("in_flight must hold at least one message of max_message, or that is deferred for ever")
        return self


class Storage(_Section):
    reserve: Size = ByteSize(200_000_000)


class Intake(_Section):
    batch_messages: Count = 500
    batch_octets: Size = ByteSize(32_000_000)


class QuotaDefaults(_Section):
    warn_at: tuple[Percent, ...] = (70, 85, 95)


class CampaignDefaults(_Section):
    name: Annotated[str, Field(pattern=r"^[^\x00-\x1f]{1,100}$")] = "weekly"
    deadline_day: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = "monday"
    deadline_time: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d:[0-5]\d$")] = "23:59:59"
    time_zone: Annotated[str, AfterValidator(_zone)] = "America/New_York"
    open_days: Annotated[int, Field(ge=1, le=7)] = 6
    grace: Duration = timedelta(0)
    request: Annotated[str, Field(max_length=20_000, pattern=r"^[^\x00]*\z")] = ""


class Quarantine(_Section):
    release_by: Annotated[int, Field(ge=1, le=2)] = 2


class Reader(_Section):
    processes: Annotated[int, Field(ge=0, le=64)] = 1
    batch: Count = 100
    deadline: Positive = timedelta(seconds=2)
    memory: Annotated[Size, Field(ge=64_000_000)] = ByteSize(512_000_000)


class Outbound(_Section):
    smarthost: Annotated[str, AfterValidator(_endpoint_or_none)] = ""
    maildir: Path = Path("var/outbox")
    tls: Literal["none", "opportunistic"] = "none"
    timeout: Positive = timedelta(seconds=30)
    wording: Literal["incident", "helpful"] = "incident"
    display_name: Annotated[str, Field(max_length=100, pattern=r"^[^\r\n\x00]*$")] = "Mail Delivery"
    concurrency: Annotated[int, Field(ge=1, le=100)] = 4

    @property
    def relay(self) -> Endpoint | None:
        """Return where bounces are relayed to; None means the maildir."""
        return endpoint(self.smarthost) if self.smarthost else None


class Operator(_Section):
    address: Annotated[str, AfterValidator(_address_or_none)] = ""


class Service(_Section):
    listeners: Annotated[int, Field(ge=1, le=64)] = 1
    drain: Annotated[Duration, AfterValidator(_drain)] = timedelta(seconds=8)
    log_level: Literal["debug", "info", "warning", "error"] = "info"


class MailboxToMake(_Section):
    address: Address
    quota: Size = ByteSize(50_000_000_000)
    quota_messages: Annotated[int, Field(ge=0, le=SIZE_LIMIT)] | None = None
    grace: Size = ByteSize(0)
    when_full: WhenFull = WhenFull.BOUNCE
    aliases: tuple[Address, ...] = ()


class Settings(_Section):
    """The whole configuration; `file` is where it came from."""

    file: Path
    database: Database = Database()
    smtp: Smtp = Smtp()
    storage: Storage = Storage()
    intake: Intake = Intake()
    quota: QuotaDefaults = QuotaDefaults()
    campaign: CampaignDefaults = CampaignDefaults()
    quarantine: Quarantine = Quarantine()
    reader: Reader = Reader()
    outbound: Outbound = Outbound()
    operator: Operator = Operator()
    service: Service = Service()
    mailbox: tuple[MailboxToMake, ...] = ()

    @property
    def maildir(self) -> Path:
        return self.file.parent / self.outbound.maildir

    @property
    def database_url(self) -> str:
        """Return the database's address, a relative SQLite file taken from the configuration's folder."""
        prefix = "sqlite:///"
        if self.database.url.startswith(prefix):
            return f"{prefix}{self.file.parent / self.database.url.removeprefix(prefix)}"
        return self.database.url

    @field_validator("mailbox")
    @classmethod
    def _addresses_are_listed_once(cls, boxes: tuple[MailboxToMake, ...]) -> tuple[MailboxToMake, ...]:
        seen: set[str] = set()
        for address in (a for box in boxes for a in (box.address, *box.aliases)):
            if address in seen:
                raise ValueError(f"{address!r} is listed twice")
            seen.add(address)
        return boxes


def parse_size(text: str) -> int:
    """Return octets for `60GB`, `500 kB`, `1 GiB` or a plain number. Raises ValueError saying what is right."""
    try:
        return int(TypeAdapter(Size).validate_python(text.strip()))
    except ValidationError:
        raise ValueError(f"{text!r} is no size; write octets or a number with a unit: 500 kB, 25 MB, 1 GiB") from None


def find_config(given: Path | None, environment: Mapping[str, str]) -> Path:
    """Return the configuration file: the one given, `PULSEBOX_CONFIG`, or `./config.toml`."""
    return given or Path(environment.get("PULSEBOX_CONFIG") or "config.toml")


def load(file: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the configuration with its overrides. Raises ConfigError."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise ConfigError(f"{file}: {reason}; name another file with --config or PULSEBOX_CONFIG") from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: {error}") from error
    overridden = _override(data, environment)
    try:
        return Settings.model_validate({**data, "file": file.resolve()})
    except ValidationError as error:
        raise ConfigError(explained(file, text, error, overridden)) from error


def _override(data: dict[str, Any], environment: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    """Put environment variables into `data`; return which key came from which variable."""
    taken: dict[tuple[str, ...], str] = {}
    for name in sorted(environment):
        path = tuple(name.removeprefix(ENVIRONMENT).lower().split("__"))
        if not name.startswith(ENVIRONMENT) or len(path) != 2:
            continue
        section = data.setdefault(path[0], {})
        if not isinstance(section, dict):
            raise ConfigError(f"{name}: [[{path[0]}]] cannot be set from the environment")
        section[path[1]] = _value(environment[name])
        taken[path] = name
    return taken


def _value(text: str) -> Any:
    """Read a variable as TOML would, and as plain text where that fails."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
