"""One stack for all end-to-end tests of a process, its silos emptied between tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest
import pytest_asyncio

from tests.e2e.running import StackPipe, running_stack

_IN_MEMORY = Path("/dev/shm")
_ROOM = 2 * 2**30


@pytest.fixture(scope="session")
def stack_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the stack keeps its data. In memory where that is possible: a process that is killed loses neither."""
    if not (os.access(_IN_MEMORY, os.W_OK) and shutil.disk_usage(_IN_MEMORY).free > _ROOM):
        yield tmp_path_factory.mktemp("stack")
        return
    folder = Path(mkdtemp(prefix="orderpipe-e2e-", dir=_IN_MEMORY))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running(stack_folder: Path) -> AsyncIterator[StackPipe]:
    """The stack of this test process."""
    async with running_stack(stack_folder) as pipe:
        yield pipe


@pytest_asyncio.fixture(loop_scope="session")
async def pipe(running: StackPipe) -> AsyncIterator[StackPipe]:
    """The stack without orders in flight, and its silos empty and without faults."""
    await running.clean()
    yield running
