"""Databases of one kind, for what only that kind promises."""

from collections.abc import Iterator

import pytest

from storage.engine import Store, open_store
from tests.servers import PostgresServer


@pytest.fixture
def postgres_store(postgres: PostgresServer) -> Iterator[Store]:
    with postgres.database(schema=True) as url:
        opened = open_store(url)
        yield opened
        opened.close()
