"""`pulsebox serve`: the service, or one role of it, in the foreground."""

from enum import StrEnum
from typing import Annotated

import typer

from smtpd_service.cli.complaint import Complaint
from smtpd_service.cli.desk import settings_of, understood
from smtpd_service.cli.options import Config
from smtpd_service.settings import ConfigError


class Role(StrEnum):
    LISTENER = "listener"
    READER = "reader"
    COURIER = "courier"


def serve(
    role: Annotated[Role | None, typer.Argument(help="Only this role; else the whole service.")] = None,
    *,
    config: Config = None,
) -> int:
    """Run the service until SIGTERM or Ctrl-C; logs go to standard error, `ready` to standard output."""
    from smtpd_service import service  # noqa: PLC0415  # the whole service is loaded by this verb alone

    settings = settings_of(config)
    with understood(settings):
        try:
            return service.serve(settings, role.value if role else None)
        except ConfigError as error:
            raise Complaint(str(error)) from error
        except OSError as error:
            raise Complaint(f"{error.strerror or error}; see: pulsebox doctor") from error
