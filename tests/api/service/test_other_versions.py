"""Workers of a later version than the API's: what it cannot read yet is asked for again, and nothing is lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from temporalio import workflow
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from orders.model import wire_names
from settings import Settings
from tests.api.conftest import ORDERS, Door, opened
from tests.given.households import internet_voice_tv
from tests.support import client_in

LATER = {"told_since": "2.0"}


@workflow.defn(name=wire_names.ORDER_WORKFLOW)
class LaterWorkflow:
    """An order of a later version, which tells more about everything."""

    @workflow.run
    async def run(self, start: dict[str, object]) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.query(name=wire_names.ORDER_QUERY)
    def order(self, with_body: bool = False) -> dict[str, str]:
        return LATER

    @workflow.query(name=wire_names.FORK_QUERY)
    def fork(self) -> dict[str, str]:
        return LATER

    @workflow.update(name=wire_names.CHANGE_UPDATE)
    async def change(self, request: dict[str, object]) -> dict[str, str]:
        return LATER


@pytest_asyncio.fixture(loop_scope="session")
async def behind(temporal: WorkflowEnvironment, tmp_path: Path) -> AsyncIterator[Door]:
    """The API in front of workers that are ahead of it."""
    client = await client_in(temporal, "ahead")
    settings = Settings(_env_file=None, data_dir=tmp_path)  # pyright: ignore[reportCallIssue]
    async with (
        Worker(
            client,
            task_queue=wire_names.ORDERS_QUEUE,
            workflows=[LaterWorkflow],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ),
        opened(settings, client, patience_s=30) as http,
    ):
        yield Door(http, client, settings)


async def test_what_a_later_worker_tells_is_asked_for_again_and_a_change_is_kept(behind: Door) -> None:
    order_id = await behind.submit(internet_voice_tv())
    answers = [
        await behind.change(order_id, kind="cancel"),
        await behind.http.get(f"{ORDERS}/{order_id}"),
        await behind.http.post(f"/care/v1/orders/{order_id}/changes?dryRun=true", json={"kind": "cancel"}),
        await behind.http.get(f"/care/v1/orders/{order_id}/options"),
    ]
    assert [answer.status_code for answer in answers] == [202, 200, 503, 503]
    assert "version" in answers[2].text
