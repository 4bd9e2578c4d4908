"""What speaks with a pipe from outside, here with the one inside the test process."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from ops.client.door import Door
from ops.demo.sim import Sim
from tests.running.pipe import Pipe


@pytest_asyncio.fixture(loop_scope="session")
async def door(pipe: Pipe) -> AsyncIterator[Door]:
    async with Door(pipe.settings.api_address) as door:
        yield door


@pytest_asyncio.fixture(loop_scope="session")
async def sim(pipe: Pipe) -> AsyncIterator[Sim]:
    async with Sim(pipe.settings.silos_address) as sim:
        yield sim
