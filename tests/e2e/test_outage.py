"""A silo is down for longer than any call is tried again: no order falls out, nothing is done twice.

`make outages N=1000` does it with a thousand orders and an outage of five minutes, and tells how long it takes.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.running import PATIENCE_S, StackPipe, quick_folder, running_stack
from tests.given.bulks import SILO, a_channel
from tests.given.households import item, order
from tests.running.pipe import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(3600)]

ORDERS = int(os.environ.get("ORDERPIPE_TEST_OUTAGE_ORDERS", "40"))
OUTAGE_S = int(os.environ.get("ORDERPIPE_TEST_OUTAGE_S", "10"))
ATTEMPTS = 10
"""Of a call, within some seven seconds, where nobody sees that the silo is down."""


@pytest_asyncio.fixture(name="pipe", loop_scope="session")
async def a_stack_that_gives_up_soon() -> AsyncIterator[StackPipe]:
    with quick_folder("orderpipe-outage-") as folder:
        async with running_stack(folder, attempts=ATTEMPTS) as pipe:
            yield pipe


async def silo(pipe: StackPipe) -> dict[str, Any]:
    """What operators are told of it."""
    return (await pipe.http.get(f"{pipe.settings.api_address}/care/v1/silos/{SILO}")).json()


async def test_no_order_falls_out_of_an_outage_and_all_are_done_after_it(pipe: StackPipe) -> None:
    channel = a_channel()
    await pipe.sim("PUT", f"/{SILO}/faults", {"outage": True})
    began = monotonic()
    orders: list[str] = []
    for _ in range(0, ORDERS, 20):
        bodies = [order(item("1", "mobile-s", sim_type="esim"), channel=channel) for _ in range(20)]
        orders += await pipe.submit_all(bodies)

    async def left_alone() -> bool:
        told = await silo(pipe)
        return (told["state"], told["ordersWaiting"]) == ("open", len(orders)) and monotonic() - began > OUTAGE_S

    await until(left_alone, "the silo to be left alone, and every order to wait for it", PATIENCE_S + OUTAGE_S)
    await pipe.sim("DELETE", f"/{SILO}/faults")
    back = monotonic()
    assert await pipe.states(orders) == {"completed"}
    print(
        f"{len(orders)} orders met an outage of {back - began:.0f} s, and were done {monotonic() - back:.1f} s after it"
    )

    for state in ("waiting", "over"):
        found = await pipe.http.get(
            f"{pipe.settings.api_address}/care/v1/fallout", params={"channel": channel, "state": state}
        )
        assert (found.status_code, found.json()["total"]) == (200, 0)
    assert [twice for order_id in orders for twice in await pipe.applied_twice(order_id)] == []
