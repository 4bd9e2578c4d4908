"""Which worker processes there are, as Temporal sees them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    GetWorkflowExecutionHistoryReverseRequest,
    ListWorkflowExecutionsRequest,
    ShutdownWorkerRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from orders.model import wire_names
from workflows.sdk.executions import PATIENCE

ALIVE_FOR: Final = timedelta(seconds=90)
"""Whoever has not polled for longer is gone: a poll takes a minute, and Temporal remembers it for five."""
ORDERS_LOOKED_AT: Final = 20
EVENTS_LOOKED_AT: Final = 20
"""The last of each of so many orders: enough to name the queue of each of some few workers."""


async def sharing_queue(client: Client, queue: str) -> set[str]:
    """The identities of the workers that take activities from a queue, with the client's own, polling yet or not.

    Raises:
        RPCError: if Temporal cannot be asked.
    """
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    )
    answer = await client.workflow_service.describe_task_queue(request, timeout=PATIENCE)
    last = max((poller.last_access_time.ToMilliseconds() for poller in answer.pollers), default=0)
    # Compared with each other, since Temporal's clock may be another than ours.
    alive = last - ALIVE_FOR.total_seconds() * 1000
    return {
        client.identity,
        *(poller.identity for poller in answer.pollers if poller.last_access_time.ToMilliseconds() >= alive),
    }


async def unload_sticky_queues(client: Client) -> int:
    """Have Temporal give what it keeps for workers that were killed to any worker. Returns how many queues there were.

    A workflow task is kept for the worker that has the order in memory, in a sticky queue of that worker alone.
    Temporal takes the worker for there until ten seconds after its last poll. A worker that stops tells it
    (`ShutdownWorker`); for one that was killed, the next one does. It finds the queues in the last events of the orders
    begun last. The queue of a worker that lives is loaded again with its next poll.

    Raises:
        RPCError: if Temporal cannot be asked.
    """
    listed = await client.workflow_service.list_workflow_executions(
        ListWorkflowExecutionsRequest(
            namespace=client.namespace,
            query=f"WorkflowType = '{wire_names.ORDER_WORKFLOW}' AND ExecutionStatus = 'Running'",
            page_size=ORDERS_LOOKED_AT,
        ),
        timeout=PATIENCE,
    )
    found = await asyncio.gather(*(_sticky_queues(client, one.execution) for one in listed.executions))
    queues = set[str]().union(*found)
    for queue in queues:
        await client.workflow_service.shutdown_worker(
            ShutdownWorkerRequest(namespace=client.namespace, sticky_task_queue=queue, identity=client.identity),
            timeout=PATIENCE,
        )
    return len(queues)


async def _sticky_queues(client: Client, execution: WorkflowExecution) -> set[str]:
    """Those that an order's last workflow tasks were kept in. None where it is gone meanwhile."""
    request = GetWorkflowExecutionHistoryReverseRequest(
        namespace=client.namespace, execution=execution, maximum_page_size=EVENTS_LOOKED_AT
    )
    try:
        latest = await client.workflow_service.get_workflow_execution_history_reverse(request, timeout=PATIENCE)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return set()
        raise
    queues = (event.workflow_task_scheduled_event_attributes.task_queue for event in latest.history.events)
    return {queue.name for queue in queues if queue.normal_name}  # A queue that all poll has none beside its name.
