from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import closing

import httpx2
import pytest

from activities.protocols.http_client import silo_client
from catalog_loader.catalog_files import read_catalog
from orders.model.catalog import Catalog
from register import Register
from settings import ROOT, Settings
from tests.activities.bench import Bench, simulated_silos


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return read_catalog(ROOT / "catalog")


@pytest.fixture(scope="session")
def silos_address() -> Iterator[str]:
    with simulated_silos() as address:
        yield address


@pytest.fixture(scope="session")
async def client(catalog: Catalog) -> AsyncIterator[httpx2.AsyncClient]:
    async with silo_client(catalog.silos.values()) as client:
        yield client


@pytest.fixture(scope="session")
def register(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Register]:
    with closing(Register(f"sqlite:///{tmp_path_factory.mktemp('register') / 'register.db'}")) as register:
        yield register


@pytest.fixture
async def bench(catalog: Catalog, client: httpx2.AsyncClient, silos_address: str, register: Register) -> Bench:
    """Silos that hold nothing, and do asynchronous work when told to."""
    # A callback address where nobody listens: what matters here is what calls answer.
    settings = Settings(silos_url=silos_address, api_url="http://127.0.0.1:9/", _env_file=None)  # pyright: ignore[reportCallIssue]
    bench = Bench(catalog, client, settings, register)
    await bench.sim("POST", "/reset")
    await bench.sim("PUT", "/*/pace", {"completes_after_ms": None})
    return bench
