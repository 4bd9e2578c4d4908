"""Orders that the register takes for being under way, though their workflow was ended from outside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest

from ops.maintenance.abandoned_orders import find_abandoned
from ops.maintenance.register_rebuild import rebuild
from orders.model import wire_names
from orders.read_model.states import LifecycleState
from register import Register
from register.submissions import CLAIM
from tests.given.households import item, order
from tests.given.registers import a_record
from tests.running.pipe import Pipe
from tests.steps import delete_from_temporal, let_go, under_way


@pytest.fixture
def register(pipe: Pipe) -> Iterator[Register]:
    with closing(Register(pipe.settings.register_address)) as register:
        yield register


async def listed(pipe: Pipe, order_id: str) -> dict[str, Any]:
    """The order as the list tells it."""
    [resource] = (await pipe.http.get(pipe.api(f"/productOrder?id={order_id}"))).json()
    return resource


async def abandoned(pipe: Pipe, register: Register) -> set[str]:
    return {order.id for order in await find_abandoned(pipe.client, register)}


async def test_those_that_were_terminated_or_deleted_are_found_and_told_as_held_in_lists_too(
    pipe: Pipe, register: Register
) -> None:
    completed = await pipe.submit(order(item("sim", "mobile-s")))
    await pipe.outcome(completed)
    terminated, deleted, going_on = [await under_way(pipe) for _ in range(3)]
    assert not {terminated, deleted, going_on, completed} & await abandoned(pipe, register)
    await pipe.handle(terminated).terminate()
    await delete_from_temporal(pipe, deleted)
    before = await listed(pipe, terminated)
    for _ in range(2):
        found = await abandoned(pipe, register)
        assert {terminated, deleted} <= found
        assert not {going_on, completed} & found
    after = await listed(pipe, terminated)
    assert (before["state"], after["state"], (await listed(pipe, deleted))["state"]) == ("inProgress", "held", "held")
    assert after["note"][0]["id"] == "workflow_ended"
    assert after["externalId"] == before["externalId"]
    await rebuild(pipe.client, register)
    assert await listed(pipe, terminated) == before
    await pipe.handle(going_on).terminate()


async def test_one_that_is_reset_goes_on_and_is_told_so(pipe: Pipe, register: Register) -> None:
    order_id = await under_way(pipe)
    await pipe.handle(order_id).terminate()
    assert order_id in await abandoned(pipe, register)
    history = await pipe.handle(order_id).fetch_history()
    last = [event.event_id for event in history.events if event.HasField("workflow_task_completed_event_attributes")][
        -1
    ]
    await pipe.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=pipe.client.namespace,
            workflow_execution=WorkflowExecution(
                workflow_id=wire_names.workflow_id(order_id), run_id=history.run_id or ""
            ),
            workflow_task_finish_event_id=last,
            reason="terminated by mistake",
            request_id="reset-1",
        )
    )
    await let_go(pipe, order_id)
    assert (await listed(pipe, order_id))["state"] == "completed"
    assert await pipe.applied_twice(order_id) == []
    assert order_id not in await abandoned(pipe, register)


async def test_an_order_that_is_claimed_and_may_still_be_started_is_left_alone(pipe: Pipe, register: Register) -> None:
    claim = a_record(CLAIM, "web-0123456789ab", state=LifecycleState.ACKNOWLEDGED, completed_at=None)
    register.submissions.claim(claim, "digest")
    assert claim.view.id not in await abandoned(pipe, register)
    assert register.records.find(claim.view.id) == claim
