"""The task queue of a silo, at the server: how fast its calls are handed out, and how many wait in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import RateLimit, TaskQueue
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    DescribeTaskQueueRequest,
    UpdateTaskQueueConfigRequest,
)
from temporalio.client import Client

from orders.model import wire_names
from workflows.sdk.executions import PATIENCE

_ACTIVITIES = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY


@dataclass(frozen=True, slots=True)
class SiloQueue:
    """Activities that wait for a silo, as far as Temporal counts them, and since when the oldest does.

    `rate` is what the server hands out a second at most, where it was told so for all workers.
    """

    length: int
    age: timedelta
    rate: float | None


async def limit(client: Client, silo: str, rate: float | None, reason: str) -> None:
    """Have the server hand out so many activities of a silo a second, to all workers together: none for 0.

    None: as many as the workers ask for.

    Raises:
        RPCError: if Temporal cannot be asked.
    """
    update = UpdateTaskQueueConfigRequest.RateLimitUpdate(
        rate_limit=None if rate is None else RateLimit(requests_per_second=rate), reason=reason[:500]
    )
    request = UpdateTaskQueueConfigRequest(
        namespace=client.namespace,
        identity=client.identity,
        task_queue=wire_names.silo_queue(silo),
        task_queue_type=_ACTIVITIES,
        update_queue_rate_limit=update,
    )
    await client.workflow_service.update_task_queue_config(request, retry=True, timeout=PATIENCE)


async def queue_of(client: Client, silo: str) -> SiloQueue:
    """What waits for a silo.

    Raises:
        RPCError: if Temporal cannot be asked.
    """
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=wire_names.silo_queue(silo)),
        task_queue_type=_ACTIVITIES,
        report_stats=True,
        report_config=True,
    )
    answer = await client.workflow_service.describe_task_queue(request, retry=True, timeout=PATIENCE)
    limited = answer.config.queue_rate_limit
    return SiloQueue(
        length=answer.stats.approximate_backlog_count,
        age=answer.stats.approximate_backlog_age.ToTimedelta(),
        rate=limited.rate_limit.requests_per_second if limited.HasField("rate_limit") else None,
    )


async def orders_waiting(client: Client, silo: str) -> int:
    """How many orders in flight wait for a silo, for some seconds at least.

    Raises:
        RPCError: if Temporal cannot be asked.
    """
    query = (
        f'WorkflowType = "{wire_names.ORDER_WORKFLOW}" AND ExecutionStatus = "Running" '
        f'AND {wire_names.WAITS_FOR} = "{silo}"'
    )
    request = CountWorkflowExecutionsRequest(namespace=client.namespace, query=query)
    answer = await client.workflow_service.count_workflow_executions(request, retry=True, timeout=PATIENCE)
    return answer.count
