"""Migrations begin with an empty database."""

from collections.abc import Iterator

import pytest

from storage.engine import Store, open_store
from storage.upgrade import upgrade


@pytest.fixture
def database_url(empty_database_url: str) -> str:
    return empty_database_url


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    upgrade(database_url)
    opened = open_store(database_url)
    yield opened
    opened.close()
