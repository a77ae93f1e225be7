"""An operator's desk for each test: a folder with a configuration and a database of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.engine import Store
from tests.session.office import Office, office_in


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_in(tmp_path) as made:
        yield made


@pytest.fixture
def each_office(tmp_path: Path, store: Store, database_url: str) -> Office:
    """An office on either database."""
    return Office(tmp_path, store, database_url)
