"""What Temporal keeps for the workers of a fleet, of which some are killed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest_asyncio
from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import TaskQueueKind, TaskQueueType
from temporalio.api.taskqueue.v1 import StickyExecutionAttributes, TaskQueue
from temporalio.api.workflowservice.v1 import (
    DeleteWorkflowExecutionRequest,
    DescribeTaskQueueRequest,
    PollWorkflowTaskQueueRequest,
    RespondWorkflowTaskCompletedRequest,
)
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from orders.model import wire_names
from tests.running.pipe import until
from workflows.sdk.fleet import unload_sticky_queues

AN_HOUR = Duration(seconds=3600)


@dataclass(frozen=True)
class Order:
    """An order's workflow, and a worker that has it in memory: it does nothing but take its workflow tasks."""

    client: Client
    handle: WorkflowHandle[Any, Any]
    queue: TaskQueue
    sticky: TaskQueue

    async def take(self, queue: TaskQueue) -> None:
        """Do the next workflow task, which is to come by that queue. The one after it comes by the sticky queue."""
        asked = PollWorkflowTaskQueueRequest(namespace=self.client.namespace, task_queue=queue, identity="one")
        task = await self.client.workflow_service.poll_workflow_task_queue(asked, timeout=timedelta(seconds=20))
        assert task.task_token, f"nothing came by {queue.name}"
        sticky = StickyExecutionAttributes(worker_task_queue=self.sticky, schedule_to_start_timeout=AN_HOUR)
        await self.client.workflow_service.respond_workflow_task_completed(
            RespondWorkflowTaskCompletedRequest(
                namespace=self.client.namespace, task_token=task.task_token, identity="one", sticky_attributes=sticky
            )
        )

    async def take_while_asking(self) -> None:
        """Signal the order once its worker asks for what is kept for it, and have the worker take that."""
        taking = asyncio.create_task(self.take(self.sticky))
        await until(self.is_asked_for, "the worker to ask")
        await self.handle.signal("go_on")
        await taking

    async def is_asked_for(self) -> bool:
        """True where Temporal knows of the worker."""
        asked = DescribeTaskQueueRequest(
            namespace=self.client.namespace,
            task_queue=self.sticky,
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
        return bool((await self.client.workflow_service.describe_task_queue(asked)).pollers)


@pytest_asyncio.fixture(loop_scope="session")
async def order(temporal: WorkflowEnvironment) -> AsyncIterator[Order]:
    """An order that a worker has in memory, as its last workflow task tells.

    It is deleted in the end: other tests read all orders of the server, and it is none that could be read.
    """
    client = temporal.client
    name = uuid4().hex
    handle = await client.start_workflow(wire_names.ORDER_WORKFLOW, id=name, task_queue=name)
    sticky = TaskQueue(name=f"sticky-{name}", kind=TaskQueueKind.TASK_QUEUE_KIND_STICKY, normal_name=name)
    order = Order(client, handle, TaskQueue(name=name), sticky)
    await order.take(order.queue)
    await order.take_while_asking()

    async def listed() -> bool:
        found = client.list_workflows(f"WorkflowId = '{name}' AND WorkflowType = '{wire_names.ORDER_WORKFLOW}'")
        return [one.id async for one in found] == [name]

    async def gone() -> bool:
        return not await listed()

    await until(listed, "the order to be listed")
    yield order
    deleted = WorkflowExecution(workflow_id=name)
    await client.workflow_service.delete_workflow_execution(
        DeleteWorkflowExecutionRequest(namespace=client.namespace, workflow_execution=deleted)
    )
    await until(gone, "the order to be deleted")


async def test_what_is_kept_for_a_worker_that_was_killed_any_other_may_have_at_once(order: Order) -> None:
    assert await unload_sticky_queues(order.client) >= 1
    await order.handle.signal("go_on")
    await order.take(order.queue)


async def test_a_worker_that_lives_is_given_its_orders_once_it_has_asked_again(order: Order) -> None:
    await unload_sticky_queues(order.client)
    await order.take_while_asking()
