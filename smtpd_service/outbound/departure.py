"""From the configuration to a courier: which way out, under whose name, with which key and password.

All files that are named there are read here, so that a mistake shows at the start and not with the first bounce.
"""

from pathlib import Path

from smtpd_service.outbound.carrier import Carrier, MaildirCarrier, RelayCarrier
from smtpd_service.outbound.courier import Courier
from smtpd_service.outbound.encryption import Encryption, encryption_of
from smtpd_service.outbound.relay import Login
from smtpd_service.outbound.route import Direct, Maildir, Smarthost
from smtpd_service.outbound.sts import Policies
from smtpd_service.outbound.writing import writer_of
from smtpd_service.resolver import Resolver
from smtpd_service.settings import ConfigError, Settings
from storage.engine import Store


def courier_of(settings: Settings, store: Store) -> Courier:
    """Return the courier of a configuration. Raises ConfigError naming the setting and the file."""
    return Courier(store, carrier_of(settings), settings.outbound.give_up_after)


def carrier_of(settings: Settings) -> Carrier:
    """Return the carrier for the way out that is configured. Raises ConfigError."""
    with settings.located():
        route, writer = route_of(settings), writer_of(settings)
        encryption = encryption_for(settings)
    if isinstance(route, Maildir):
        return MaildirCarrier(route.folder, writer)
    outbound = settings.outbound
    return RelayCarrier(
        route,
        writer,
        encryption,
        hostname=settings.smtp.hostname,
        timeout=outbound.timeout.total_seconds(),
        at_once=outbound.concurrency,
        at_once_of_lane=outbound.concurrency_per_destination,
    )


def encryption_for(settings: Settings) -> Encryption:
    """Return how servers are spoken to in private. Raises ConfigError."""
    return encryption_of(settings.outbound.tls, settings.beside(settings.outbound.ca_file))


def route_of(settings: Settings) -> Maildir | Smarthost | Direct:
    """Return the way out. Raises ConfigError."""
    outbound = settings.outbound
    if outbound.relay is not None:
        return Smarthost(outbound.relay.host, outbound.relay.port, _login(settings))
    if not outbound.direct:
        return Maildir(settings.maildir)
    asking = settings.authentication
    resolver = Resolver(asking.resolvers, asking.timeout.total_seconds(), asking.deadline.total_seconds())
    checked = encryption_of("required", settings.beside(outbound.ca_file)).checked
    return Direct(resolver, Policies(resolver, checked), frozenset({settings.smtp.hostname}))


def _login(settings: Settings) -> Login | None:
    file = settings.beside(settings.outbound.password_file)
    return Login(settings.outbound.user, _password(file)) if file is not None else None


def _password(file: Path) -> bytes:
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}", ("outbound", "password_file")) from error
    if not lines or not lines[0].strip():
        raise ConfigError(f"{file}: its first line is empty; write the password there", ("outbound", "password_file"))
    return lines[0]
