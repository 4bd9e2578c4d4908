"""One stack for all end-to-end tests of a process, its silos emptied between tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.e2e.running import StackPipe, quick_folder, running_stack


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running() -> AsyncIterator[StackPipe]:
    """The stack of this test process."""
    with quick_folder("orderpipe-e2e-") as folder:
        async with running_stack(folder) as pipe:
            yield pipe


@pytest_asyncio.fixture(loop_scope="session")
async def pipe(running: StackPipe) -> AsyncIterator[StackPipe]:
    """The stack without orders in flight, and its silos empty and without faults."""
    await running.clean()
    yield running
