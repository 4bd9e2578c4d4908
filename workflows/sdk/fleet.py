"""Which worker processes there are, as Temporal sees them."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from workflows.sdk.executions import PATIENCE

ALIVE_FOR: Final = timedelta(seconds=90)
"""Whoever has not polled for longer is gone: a poll takes a minute, and Temporal remembers it for five."""


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
