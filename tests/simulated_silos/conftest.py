from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from httpx2 import ASGITransport, AsyncClient
from starlette.applications import Starlette

from simulated_silos.app import create_app
from simulated_silos.protocols.callbacks import Callbacks
from tests.simulated_silos.support import Caller, Receiver, receiving


@pytest.fixture
async def app() -> AsyncIterator[Starlette]:
    """Silos in this process that keep nothing."""
    app = create_app()
    yield app
    await app.state.simulator.close()


@pytest.fixture
async def client(app: Starlette) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(transport=ASGITransport(app), base_url="http://silos") as client:
        yield client


@pytest.fixture
def callbacks(app: Starlette) -> Callbacks:
    """The callbacks of the silos: await `settled()` to know that all were sent that will be."""
    return app.state.simulator.callbacks


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
def voice(client: AsyncClient) -> Caller:
    return Caller(client, "voice", "line")


@pytest.fixture
def numbers(client: AsyncClient) -> Caller:
    return Caller(client, "number-inventory", "number")


@pytest.fixture
def tv(client: AsyncClient) -> Caller:
    return Caller(client, "tv", "subscription")


@pytest.fixture
async def shipping(client: AsyncClient, receiver: Receiver) -> Caller:
    """An asynchronous silo that does nothing until told."""
    caller = Caller(client, "shipping", "parcel", callback_url=receiver.url)
    await caller.pace(None)
    return caller
