from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from activities.register import Register
from activities.register.schema import SCHEMA
from tests.postgres import PostgresServer, fresh_database


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A register whose folder is not there yet."""
    return f"sqlite:///{tmp_path / 'data' / 'register.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """An empty register on either database."""
    return request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")


@pytest.fixture(scope="session")
def on_postgres(postgres: PostgresServer) -> Iterator[Register]:
    """One register for all tests that are content with empty tables: making a database takes half a second."""
    with fresh_database(postgres) as url, closing(Register(url)) as register:
        register.prepare()
        yield register


@pytest.fixture(params=["sqlite", "postgresql"])
def register(request: pytest.FixtureRequest) -> Iterator[Register]:
    """A register with empty tables on either database."""
    if request.param == "sqlite":
        with closing(Register(request.getfixturevalue("sqlite_url"))) as register:
            register.prepare()
            yield register
    else:
        register: Register = request.getfixturevalue("on_postgres")
        with register.database.writing() as connection:
            connection.execute(text(f"TRUNCATE {', '.join(SCHEMA.tables)}"))
        yield register
