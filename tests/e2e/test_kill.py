"""Processes that die by SIGKILL while orders run: when they are back, every order is carried through, once."""

from __future__ import annotations

import pytest

from tests.e2e.comparison import flaws
from tests.e2e.running import StackPipe
from tests.pipe import body_of

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

COUNT = 30


async def test_orders_complete_though_worker_server_and_silos_are_killed_while_they_run(pipe: StackPipe) -> None:
    orders = await pipe.submit_all([body_of("triple-play") for _ in range(COUNT)])
    await pipe.until_calls("resource-inventory", "provision", COUNT // 2)
    await pipe.kill("worker")
    await pipe.start("worker")

    await pipe.until_calls("field-service", "provision.done", COUNT // 3)
    await pipe.kill("temporal")
    await pipe.start("temporal")

    await pipe.until_calls("voice", "provision", COUNT // 3)
    await pipe.kill("silos")
    await pipe.start("silos")

    assert await pipe.states(orders) == {"completed"}
    assert await flaws(pipe, orders) == []
