"""What tests of a process share: one Temporal server, and one whole pipe around it."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from tests.running.pipe import Pipe, running_pipe
from tests.running.postgres import PostgresServer, find_programs, fresh_database, postgres_server
from tests.support import temporal_server

_dialled: list[str] = []


def _watch_where_to(event: str, args: tuple[object, ...]) -> None:
    """Note and refuse what would leave this machine, also where code under test takes the refusal for an answer."""
    if event == "socket.connect" and isinstance(args[1], tuple):
        host = str(args[1][0])
    elif event == "socket.getaddrinfo" and args[0]:
        host = args[0].decode("ascii", "replace") if isinstance(args[0], bytes) else str(args[0])
    else:
        return
    if _leads_away(event, host):
        _dialled.append(f"{event} {host}")
        raise OSError(f"a test must not leave this machine: {event} {host}")


def _leads_away(event: str, host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:  # Numbers in other forms, and what is too long for a name, are asked of nobody.
        return host != "localhost" and not host[:1].isdigit() and len(host) <= 63
    return event == "socket.connect" and not address.is_loopback


sys.addaudithook(_watch_where_to)


@pytest.fixture(autouse=True)
def nothing_but_loopback() -> Iterator[None]:
    """Fail a test that looks up or connects to anything but this machine, whatever became of it."""
    yield
    dialled = [*_dialled]
    _dialled.clear()
    assert not dialled


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def temporal() -> AsyncIterator[WorkflowEnvironment]:
    """The Temporal server of this test process."""
    async with temporal_server() as environment:
        yield environment


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_pipe(temporal: WorkflowEnvironment, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pipe]:
    """The pipe of this process. Its workers are the only ones of their namespace, so there is but one."""
    async with running_pipe(temporal.client, tmp_path_factory.mktemp("pipe")) as pipe:
        yield pipe


@pytest_asyncio.fixture(loop_scope="session")
async def pipe(shared_pipe: Pipe) -> AsyncIterator[Pipe]:
    """The pipe, its silos empty, without faults, and quick with asynchronous work."""
    await shared_pipe.sim("POST", "/reset")
    await shared_pipe.sim("PUT", "/*/pace", {"completes_after_ms": 0})
    yield shared_pipe
    await shared_pipe.sim("DELETE", "/*/faults")


@pytest.fixture(scope="session")
def postgres_programs() -> Path:
    """Where PostgreSQL is installed. Without it, tests that need it are skipped, but fail where CI runs."""
    programs = find_programs()
    if programs is None:
        missing = "there is no PostgreSQL server (Debian: apt-get install postgresql)"
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    return programs


@pytest.fixture(scope="session")
def postgres(postgres_programs: Path) -> Iterator[PostgresServer]:
    """The PostgreSQL server of this test process."""
    with postgres_server(postgres_programs) as server:
        yield server


@pytest.fixture
def own_postgres(postgres_programs: Path) -> Iterator[PostgresServer]:
    """A PostgreSQL server that a test may kill."""
    with postgres_server(postgres_programs) as server:
        yield server


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """An empty database."""
    with fresh_database(postgres) as url:
        yield url
