"""config.toml as frozen types. A mistake is a `ConfigError` that names the file, the line, the key and the value."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ByteSize,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from smtpd_service.mistakes import explained, line_of
from smtpd_service.setting_types import (
    SIZE_LIMIT,
    Address,
    AddressOrNone,
    Collector,
    Count,
    DatabaseUrl,
    Delay,
    Duration,
    Endpoint,
    EndpointOrNone,
    Hostname,
    HostnameOrNone,
    IpEndpoint,
    IpEndpointOrNone,
    IpNetwork,
    Language,
    Listen,
    ListenOn,
    Patience,
    Percent,
    Positive,
    Processes,
    Section,
    Size,
    Truth,
    Zone,
    endpoint,
    non_empty_list,
)
from storage.records import WhenFull

ENVIRONMENT = "PULSEBOX__"
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DRAIN_LIMIT = timedelta(seconds=10)


class ConfigError(Exception):
    """The configuration cannot be used; the text is what to print.

    `at` is the section and the key of a value that says where something is, which cannot be used itself.
    """

    def __init__(self, text: str, at: tuple[str, str] | None = None) -> None:
        super().__init__(f"[{at[0]}] {at[1]}: {text}" if at else text)
        self.text = text
        self.at = at


class Database(Section):
    url: DatabaseUrl = "sqlite:///var/pulsebox.db"


class Smtp(Section):
    listen: Annotated[tuple[Listen, ...], BeforeValidator(non_empty_list)] = (ListenOn(host="127.0.0.1", port=2525),)
    hostname: Hostname = "mx.agency.example"
    max_message: Annotated[Size, Field(ge=1)] = ByteSize(25_000_000)
    trusted_networks: tuple[IpNetwork, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    trusted_relays: tuple[IpNetwork, ...] = ()
    bare_line_ends: Literal["reject", "normalize"] = "reject"
    max_recipients: Annotated[int, Field(ge=100, le=10_000)] = 100
    max_connections: Count = 2000
    max_connections_per_address: Count = 50
    max_commands: Count = 10_000
    max_errors: Count = 20
    idle_timeout: Positive = timedelta(minutes=5)
    min_data_rate: Size = ByteSize(1000)
    greet_delay: Delay = timedelta(milliseconds=200)
    in_flight: Size = ByteSize(256_000_000)

    @model_validator(mode="after")
    def _in_flight_holds_a_message(self) -> "Smtp":
        if self.in_flight < self.max_message:
            raise ValueError("in_flight must hold at least one message of max_message, or that is deferred for ever")
        return self

    @model_validator(mode="after")
    def _proxy_is_believed_of_somebody(self) -> "Smtp":
        if not self.trusted_relays and any(each.proxy and not each.path for each in self.listen):
            raise ValueError("a port with proxy takes mail from trusted_relays only; name the front servers there")
        return self


class Tls(Section):
    certificate: str = ""
    key: str = ""

    @model_validator(mode="after")
    def _both_or_none(self) -> "Tls":
        if bool(self.certificate) != bool(self.key):
            raise ValueError("name both, certificate and key, or neither")
        return self


class Authentication(Section):
    check: Truth = True
    authserv_id: HostnameOrNone = ""
    trusted_authserv_ids: tuple[Hostname, ...] = ()
    arc_sealers: tuple[Hostname, ...] = ()
    resolvers: tuple[IpEndpoint, ...] = ()
    timeout: Positive = timedelta(seconds=2)
    deadline: Positive = timedelta(seconds=5)


class Storage(Section):
    reserve: Size = ByteSize(200_000_000)
    keep_months: Annotated[int, Field(ge=0, le=1200)] = 0


class Intake(Section):
    batch_messages: Count = 500
    batch_octets: Size = ByteSize(32_000_000)


class QuotaDefaults(Section):
    warn_at: tuple[Percent, ...] = (70, 85, 95)


class CampaignDefaults(Section):
    name: Annotated[str, Field(pattern=r"^[^\x00-\x1f]{1,100}$")] = "weekly"
    deadline_day: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = "monday"
    deadline_time: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d:[0-5]\d$")] = "23:59:59"
    time_zone: Zone = "America/New_York"
    open_days: Annotated[int, Field(ge=1, le=7)] = 6
    grace: Duration = timedelta(0)
    request: Annotated[str, Field(max_length=20_000, pattern=r"^[^\x00]*\z")] = ""


class Quarantine(Section):
    release_by: Annotated[int, Field(ge=1, le=2)] = 2


class Reader(Section):
    processes: Processes = "auto"
    batch: Count = 100
    deadline: Positive = timedelta(seconds=2)
    memory: Annotated[Size, Field(ge=64_000_000)] = ByteSize(512_000_000)
    stand_back: Duration = timedelta(minutes=2)


class Outbound(Section):
    smarthost: EndpointOrNone = ""
    direct: Truth = False
    maildir: Path = Path("var/outbox")
    tls: Literal["none", "opportunistic", "required", "implicit"] = "none"
    ca_file: str = ""
    user: Annotated[str, Field(pattern=r"^[^\r\n\x00]*$")] = ""
    password_file: str = ""
    timeout: Positive = timedelta(seconds=30)
    concurrency: Annotated[int, Field(ge=1, le=100)] = 4
    concurrency_per_destination: Annotated[int, Field(ge=1, le=100)] = 2
    give_up_after: Patience = timedelta(days=5)
    wording: Literal["incident", "helpful"] = "incident"
    language: Language = "en"
    templates: str = ""
    display_name: Annotated[str, Field(max_length=100, pattern=r"^[^\r\n\x00]*$")] = "Mail Delivery"
    receipts: Literal["none", "all"] = "none"
    receipts_per_day: Count = 3

    @property
    def relay(self) -> Endpoint | None:
        """Return where notices are relayed to; None means the recipients' own servers, or the maildir."""
        return endpoint(self.smarthost) if self.smarthost else None

    @model_validator(mode="after")
    def _one_way_out(self) -> "Outbound":
        if self.smarthost and self.direct:
            raise ValueError("name a smarthost or set direct, not both")
        if bool(self.user) != bool(self.password_file):
            raise ValueError("name both, user and password_file, or neither")
        if self.user and self.tls not in {"required", "implicit"}:
            raise ValueError('a password is sent over checked TLS only; set tls = "required" or "implicit"')
        if self.user and not self.smarthost:
            raise ValueError("only a smarthost asks who we are; name one, or take user and password_file out")
        if self.direct and self.tls == "implicit":
            raise ValueError('other sites take mail on port 25, where TLS begins with STARTTLS; set "opportunistic"')
        return self


class Dkim(Section):
    domain: HostnameOrNone = ""
    selector: Annotated[str, Field(pattern=r"^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)?$")] = ""
    key: str = ""

    @model_validator(mode="after")
    def _both_or_none(self) -> "Dkim":
        if bool(self.selector) != bool(self.key):
            raise ValueError("name both, selector and key, or neither")
        return self


class Operator(Section):
    address: AddressOrNone = ""


def _drain(value: timedelta) -> timedelta:
    if value > DRAIN_LIMIT:
        raise ValueError("write at most 10 s; the whole service ends within 20 s of SIGTERM")
    return value


class Service(Section):
    listeners: Annotated[int, Field(ge=1, le=64)] = 1
    drain: Annotated[Duration, AfterValidator(_drain)] = timedelta(seconds=8)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"
    log_addresses: Literal["plain", "hashed"] = "plain"


class Metrics(Section):
    listen: IpEndpointOrNone = ""
    mailboxes: Annotated[int, Field(ge=0, le=1000)] = 20

    @property
    def endpoint(self) -> ListenOn | None:
        """Return where metrics, health and readiness are told; None means nowhere."""
        return ListenOn(**endpoint(self.listen).model_dump()) if self.listen else None


class Traces(Section):
    endpoint: Collector = ""
    one_in: Count = 1


class MailboxToMake(Section):
    address: Address
    quota: Size = ByteSize(50_000_000_000)
    quota_messages: Annotated[int, Field(ge=0, le=SIZE_LIMIT)] | None = None
    grace: Size = ByteSize(0)
    when_full: WhenFull = WhenFull.BOUNCE
    rate_messages: Annotated[int, Field(ge=1, le=SIZE_LIMIT)] | None = None
    rate_sender: Annotated[int, Field(ge=1, le=SIZE_LIMIT)] | None = None
    language: Language | None = None
    aliases: tuple[Address, ...] = ()


class Settings(Section):
    """The whole configuration; `file` is where it came from."""

    file: Path
    database: Database = Database()
    smtp: Smtp = Smtp()
    # Looked at also where it is left out.
    tls: Annotated[Tls, Field(validate_default=True)] = Tls()
    authentication: Authentication = Authentication()
    storage: Storage = Storage()
    intake: Intake = Intake()
    quota: QuotaDefaults = QuotaDefaults()
    campaign: CampaignDefaults = CampaignDefaults()
    quarantine: Quarantine = Quarantine()
    reader: Reader = Reader()
    outbound: Outbound = Outbound()
    dkim: Dkim = Dkim()
    operator: Operator = Operator()
    service: Service = Service()
    metrics: Metrics = Metrics()
    traces: Traces = Traces()
    mailbox: tuple[MailboxToMake, ...] = ()

    @contextmanager
    def located(self) -> Iterator[None]:
        """Give a ConfigError of a value the place where the value is written."""
        try:
            yield
        except ConfigError as error:
            if error.at is None:
                raise
            section, key = error.at
            value = getattr(getattr(self, section), key)
            raise ConfigError(f"{self.place(*error.at)}: {section}.{key} = {str(value)!r}: {error.text}") from error

    def place(self, section: str, key: str) -> str:
        """Return where a value is written: the file with its line, or the environment's variable."""
        if (variable := f"{ENVIRONMENT}{section}__{key}".upper()) in os.environ:
            return variable
        return f"{self.file}:{line_of(self.file.read_text(encoding='utf-8'), (section, key))}"

    def beside(self, path: str) -> Path | None:
        """Return a path of the configuration, relative ones taken from its folder; None where none is named."""
        return self.file.parent / path if path else None

    @property
    def maildir(self) -> Path:
        return self.file.parent / self.outbound.maildir

    @property
    def database_url(self) -> str:
        """Return the database's address, a relative SQLite file taken from the configuration's folder."""
        before, sqlite, path = self.database.url.partition("sqlite:///")
        return f"{sqlite}{self.file.parent / path}" if sqlite and not before else self.database.url

    @field_validator("tls")
    @classmethod
    def _listeners_have_a_certificate(cls, tls: Tls, info: ValidationInfo) -> Tls:
        smtp = info.data.get("smtp")
        if smtp is not None and not tls.certificate and any(each.tls for each in smtp.listen):
            raise ValueError("[smtp] listen asks for tls; name a certificate and its key here")
        return tls

    @field_validator("metrics")
    @classmethod
    def _metrics_have_a_port_of_their_own(cls, metrics: Metrics, info: ValidationInfo) -> Metrics:
        at, smtp = metrics.endpoint, info.data.get("smtp")
        if at and at.port and smtp and at.port in {each.port for each in smtp.listen if not each.path}:
            raise ValueError(f"listen = {metrics.listen!r}: mail is taken at this port; name another")
        return metrics

    @field_validator("mailbox")
    @classmethod
    def _addresses_are_listed_once(cls, boxes: tuple[MailboxToMake, ...]) -> tuple[MailboxToMake, ...]:
        seen: set[str] = set()
        for address in (a for box in boxes for a in (box.address, *box.aliases)):
            if address in seen:
                raise ValueError(f"{address!r} is listed twice")
            seen.add(address)
        return boxes


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
        raise ConfigError(explained(file, text, error, overridden, _keys())) from error


def _keys() -> dict[str, frozenset[str]]:
    """Return the keys of each section; those of "" are the sections."""
    sections = {name: field.annotation for name, field in Settings.model_fields.items() if name != "file"}
    of_each = {
        name: frozenset(kind.model_fields)
        for name, kind in sections.items()
        if isinstance(kind, type) and issubclass(kind, Section)
    }
    return {"": frozenset(sections), "mailbox": frozenset(MailboxToMake.model_fields), **of_each}


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
