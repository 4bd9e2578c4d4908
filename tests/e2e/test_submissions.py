"""Submissions while what takes them in dies: no order that was acknowledged is lost, and none is there twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from orders.model import wire_names
from register import Register
from register.searching.query import Comparison, OrderField, OrderQuery, Predicate
from register.submissions import ClaimState
from tests.e2e.running import StackPipe, quick_folder, running_stack
from tests.running.pipe import body_of, until
from tests.running.postgres import PostgresServer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

COUNT = 200


@pytest_asyncio.fixture(loop_scope="session")
async def on_postgres(own_postgres: PostgresServer) -> AsyncIterator[StackPipe]:
    """A stack whose register is in a PostgreSQL server that a test may kill."""
    with quick_folder("orderpipe-e2e-") as folder:
        async with running_stack(folder, register_url=own_postgres.url()) as pipe:
            yield pipe


async def insist(pipe: StackPipe, body: dict[str, Any], acknowledged: Callable[[str], None]) -> None:
    """Submit an order as a careful channel does: until it is acknowledged."""

    async def taken() -> bool:
        try:
            answer = await pipe.http.post(pipe.api("/productOrder"), json=body)
        except httpx2.TransportError:
            return False
        if answer.status_code in (200, 201):
            acknowledged(str(answer.json()["id"]))
            return True
        assert answer.status_code == 503, answer.text
        return False

    await until(taken, "an acknowledgement", seconds=120)


async def test_no_acknowledged_order_is_lost_or_there_twice_though_api_worker_and_database_are_killed(
    on_postgres: StackPipe, own_postgres: PostgresServer
) -> None:
    pipe = on_postgres
    # Nothing is done for them before that: this is about taking them in.
    later = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    acknowledged: list[str] = []
    waiting = [body_of("mobile", requestedStartDate=later) for _ in range(COUNT)]

    async def channel() -> None:
        while waiting:
            await insist(pipe, waiting.pop(), acknowledged.append)

    async def when(count: int) -> None:
        async def reached() -> bool:
            return len(acknowledged) >= count

        await until(reached, f"{count} orders", seconds=120)

    async with asyncio.TaskGroup() as channels:
        for _ in range(20):
            channels.create_task(channel())
        await when(COUNT // 5)
        await pipe.kill("api")
        await pipe.start("api")
        await when(2 * COUNT // 5)
        await asyncio.to_thread(own_postgres.kill)
        await asyncio.to_thread(own_postgres.start)
        await when(3 * COUNT // 5)
        await pipe.kill("worker")
        await pipe.start("worker")

    assert len(acknowledged) == len(set(acknowledged)) == COUNT
    with closing(Register(own_postgres.url())) as register:
        written = OrderQuery(where=(Predicate(OrderField.ID, Comparison.IN, tuple(acknowledged)),))

        async def all_counted() -> bool:
            workflows = await pipe.client.count_workflows(f'WorkflowType = "{wire_names.ORDER_WORKFLOW}"')
            return workflows.count >= COUNT

        await until(all_counted, "Temporal to list every order")
        assert (await pipe.client.count_workflows(f'WorkflowType = "{wire_names.ORDER_WORKFLOW}"')).count == COUNT
        assert (register.search.count(written), register.search.count(OrderQuery())) == (COUNT, COUNT)
        assert ClaimState.FREE not in {register.submissions.look_up(order, "") for order in acknowledged}
