"""Databases of one kind, for what only that kind promises."""

from collections.abc import Iterator

import pytest

from storage.engine import Store, open_store
from storage.upgrade import upgrade
from tests.servers import PostgresServer


@pytest.fixture
def postgres_store(postgres: PostgresServer) -> Iterator[Store]:
    with postgres.database() as url:
        upgrade(url)
        opened = open_store(url)
        yield opened
        opened.close()
