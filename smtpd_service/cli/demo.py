"""`pulsebox demo`: the main job, shown from end to end on a small mailbox."""

from typing import Annotated

import typer

from smtpd_service.cli.complaint import Complaint
from smtpd_service.cli.desk import settings_of
from smtpd_service.cli.options import Config


def demo(
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the service running afterwards.")] = False,
    config: Config = None,
) -> int:
    """Fill a mailbox with real replies, bounce, raise the quota, go on; prints what happened.

    Runs on a database of its own in var/demo; of --config it takes the host name and the wording of bounces.
    """
    from smtpd_service.demo.stage import DemoError  # noqa: PLC0415  # brings the whole service, for this verb alone
    from smtpd_service.demo.story import run  # noqa: PLC0415  # likewise

    settings = settings_of(config) if config is not None else None
    try:
        return run(settings, keep)
    except DemoError as error:
        raise Complaint(str(error)) from error
    except OSError as error:
        raise Complaint(f"the demonstration needs a folder var/demo here that it may write: {error}") from error
