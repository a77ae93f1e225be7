"""Limits as an operator types them, read before anything is opened; what is not named stays as it is."""

from dataclasses import dataclass, replace
from typing import Any

from smtpd_service.cli import typed
from storage.records import Mailbox, WhenFull


@dataclass(frozen=True, slots=True)
class NewLimits:
    """The fields of a mailbox's quota, and of the mailbox, that are to change."""

    quota: dict[str, Any]
    box: dict[str, Any]

    def on(self, box: Mailbox) -> Mailbox:
        return replace(box, quota=replace(box.quota, **self.quota), **self.box)


_QUOTA = {
    "--messages": ("messages", typed.count_or_none),
    "--grace": ("grace", typed.size),
    "--rate": ("rate_messages", typed.rate_or_none),
    "--rate-sender": ("rate_sender", typed.rate_or_none),
}
_BOX = {
    "--warn-at": ("warn_at", typed.percents),
    "--language": ("language", typed.language),
}


def new_limits(when_full: WhenFull | None, **given: str | None) -> NewLimits:
    """Return what was typed; each option is named as on the command line, the size as `size` or `quota`.

    Raises Complaint.
    """
    named = {_option(name): text for name, text in given.items() if text is not None}
    quota = {field: read(option, named[option]) for option, (field, read) in _QUOTA.items() if option in named}
    box = {field: read(option, named[option]) for option, (field, read) in _BOX.items() if option in named}
    for option in ("SIZE", "--quota"):
        if option in named:
            quota["octets"] = typed.size(option, named[option])
    return NewLimits(quota, box | ({"when_full": when_full} if when_full else {}))


def _option(name: str) -> str:
    return "SIZE" if name == "size" else f"--{name.replace('_', '-')}"
