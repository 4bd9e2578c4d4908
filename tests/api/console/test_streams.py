"""Open pages cost Temporal nothing: what has changed is read in the register, once for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx2
import pytest_asyncio
from sqlalchemy import update
from temporalio.client import (
    Client,
    CountWorkflowsInput,
    DescribeWorkflowInput,
    Interceptor,
    ListWorkflowsInput,
    OutboundInterceptor,
    QueryWorkflowInput,
)

from api.access.principal import Principal, Scope
from api.access.sessions import CONSOLE, Sessions
from api.app import create_app
from register import Register
from register.tables.orders import ORDERS
from settings import Settings
from tests.api.conftest import shut
from tests.given.registers import a_record
from tests.running.pipe import Pipe, free_port, listening
from tests.steps import let_go, under_way

OPEN: Final = 20


class Counting(Interceptor):
    """Notes what Temporal is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return _Counting(next, self.asked)


class _Counting(OutboundInterceptor):
    def __init__(self, following: OutboundInterceptor, asked: list[str]) -> None:
        super().__init__(following)
        self._asked = asked

    async def query_workflow(self, input: QueryWorkflowInput) -> Any:
        self._asked.append(f"query {input.id}")
        return await super().query_workflow(input)

    async def describe_workflow(self, input: DescribeWorkflowInput) -> Any:
        self._asked.append(f"describe {input.id}")
        return await super().describe_workflow(input)

    def list_workflows(self, input: ListWorkflowsInput) -> Any:
        self._asked.append(f"list {input.query}")
        return super().list_workflows(input)

    async def count_workflows(self, input: CountWorkflowsInput) -> Any:
        self._asked.append(f"count {input.query}")
        return await super().count_workflows(input)


@pytest_asyncio.fixture(loop_scope="session")
async def counted(shared_pipe: Pipe) -> AsyncIterator[tuple[httpx2.AsyncClient, Counting]]:
    """The console for somebody who is logged in, and what Temporal is asked by its API."""
    given = {**shared_pipe.settings.model_dump(), "api_port": free_port()}
    settings, _ = shut(Settings.model_validate(given))
    counting = Counting()
    app = create_app(settings, Client(**{**shared_pipe.client.config(), "interceptors": [counting]}))
    mounted: Any = next(route for route in app.routes if getattr(route, "path", "") == CONSOLE)
    async with listening(app, settings.api_port):
        sessions: Sessions = mounted.app.state.sessions
        session = await sessions.begin(Principal("agent-7", frozenset([Scope.OPERATE])))
        cookies = {sessions.cookie: session}
        async with httpx2.AsyncClient(base_url=settings.api_address, cookies=cookies, timeout=60) as http:
            yield http, counting


async def until_told(lines: AsyncIterator[str], what: str) -> None:
    """Wait until a stream tells of that."""
    async for line in lines:
        if line == f"data: {what}":
            return
    raise AssertionError("the stream ended")


async def test_while_nothing_moves_open_pages_ask_temporal_nothing(
    pipe: Pipe, counted: tuple[httpx2.AsyncClient, Counting]
) -> None:
    http, counting = counted
    order_id = await under_way(pipe)
    assert (await http.get(f"{CONSOLE}/orders/{order_id}")).status_code == 200
    assert counting.asked  # The page itself asks the order's workflow.
    beacon = f"O-{order_id}"
    with closing(Register(pipe.settings.register_address)) as register:
        async with asyncio.timeout(60), AsyncExitStack() as pages:
            await pages.enter_async_context(http.stream("GET", f"{CONSOLE}/changes?order={order_id}"))
            lists = [
                (await pages.enter_async_context(http.stream("GET", f"{CONSOLE}/changes"))).aiter_lines()
                for _ in range(OPEN)
            ]
            counting.asked.clear()
            for version in range(1, 4):
                register.records.record(a_record(version, order_id=beacon))
                await asyncio.gather(*(until_told(lines, f"{beacon} {version}") for lines in lists))
    assert counting.asked == []
    await let_go(pipe, order_id)


async def test_an_order_that_has_ended_a_while_ago_is_shown_without_its_workflow(
    pipe: Pipe, counted: tuple[httpx2.AsyncClient, Counting]
) -> None:
    http, counting = counted
    order_id = await under_way(pipe)
    await let_go(pipe, order_id)
    earlier = datetime.now(UTC) - timedelta(minutes=2)
    with closing(Register(pipe.settings.register_address)) as register, register.database.writing() as connection:
        ended = update(ORDERS).where(ORDERS.c.id == order_id)
        connection.execute(ended.values(completed_at=earlier, written_at=earlier))
    counting.asked.clear()
    page = await http.get(f"{CONSOLE}/orders/{order_id}")
    assert "Nothing is left to do" in page.text
    assert "decides the date" in page.text
    tasks = await http.get(f"{CONSOLE}/orders/{order_id}/timeline")
    assert "tasks</h2>" in tasks.text
    assert counting.asked == []
