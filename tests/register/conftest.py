from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from register import Register
from tests.given.registers import emptied
from tests.running.postgres import PostgresServer, fresh_database


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A register whose folder is not there yet."""
    return f"sqlite:///{tmp_path / 'data' / 'register.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """A register that is to be prepared yet, on either database."""
    return request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")


@pytest.fixture(scope="session")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Register]:
    with closing(Register(f"sqlite:///{tmp_path_factory.mktemp('register') / 'register.db'}")) as register:
        register.prepare()
        yield register


@pytest.fixture(scope="session")
def on_postgresql(postgres: PostgresServer) -> Iterator[Register]:
    with fresh_database(postgres) as url, closing(Register(url)) as register:
        register.prepare()
        yield register


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def shared_register(request: pytest.FixtureRequest) -> Register:
    """One register on either database for all tests: to make one takes a good part of a second."""
    return request.getfixturevalue(f"on_{request.param}")


@pytest.fixture
def register(shared_register: Register) -> Register:
    """A register with empty tables, on either database."""
    return emptied(shared_register)
