"""The service as these tests start it: nothing is read here, so that no reader is started either."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.service import Service
from tests.session.dialogue import serving


@contextmanager
def staged(
    folder: Path, *mailboxes: dict[str, Any], sections: dict[str, dict[str, Any]] | None = None, **smtp: Any
) -> Iterator[Service]:
    """Run a service as `serving` does, without readers unless `sections` has them."""
    with serving(folder, *mailboxes, sections={"reader": {"processes": 0}} | (sections or {}), **smtp) as running:
        yield running
