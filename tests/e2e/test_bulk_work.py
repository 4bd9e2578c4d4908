"""Bulk work goes on though worker, API and server are killed: no order is asked twice, none is left out."""

from __future__ import annotations

import os

import pytest

from orders.read_model.jobs.bulk import FASTEST
from tests.e2e.running import PATIENCE_S, StackPipe
from tests.given.bulks import (
    a_channel,
    asked_once,
    begin,
    counted,
    fallen_out,
    job_of,
    orders_of,
    refuse,
    retry_of,
    settled,
)
from tests.running.pipe import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(3600)]

COUNT = int(os.environ.get("ORDERPIPE_TEST_OUTAGE_ORDERS", "60"))
STILL_REFUSED = COUNT // 10


async def until_asked(pipe: StackPipe, job_id: str, count: int) -> None:
    """Wait until so many orders were asked."""

    async def asked() -> bool:
        job = await job_of(pipe, job_id)
        return job["total"] - job["counts"]["waiting"] >= count

    await until(asked, f"{count} orders to be asked", seconds=PATIENCE_S)


async def test_a_job_outlives_worker_api_and_server(pipe: StackPipe) -> None:
    channel = a_channel()
    orders = await fallen_out(pipe, COUNT, channel)
    again = sorted(orders)[:STILL_REFUSED]
    await refuse(pipe, *again)
    job = (await begin(pipe, retry_of(channel, rate=min(COUNT // 6, FASTEST))))["id"]

    await until_asked(pipe, job, 5)
    await pipe.kill("worker")
    await pipe.kill("api")
    await pipe.start("api")
    await pipe.start("worker")
    await until_asked(pipe, job, 25)
    await pipe.kill("temporal")
    await pipe.start("temporal")

    told = await settled(pipe, job)
    assert (told["state"], counted(told)) == ("asked", {"done": COUNT - STILL_REFUSED, "refused": STILL_REFUSED})
    assert sorted(await orders_of(pipe, job, state="refused")) == again
    assert await asked_once(pipe, job, orders) == []
    done = [order_id for order_id in orders if order_id not in again]
    assert await pipe.states(done) == {"completed"}
    assert [twice for order_id in orders for twice in await pipe.applied_twice(order_id)] == []
