"""What Temporal says of an order's workflow, for whoever is no workflow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.enums.v1 import PendingActivityState, WorkflowExecutionStatus
from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest, ListWorkflowExecutionsRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from orders.model import wire_names

PATIENCE: Final = timedelta(seconds=5)
"""How long Temporal may take to answer where no worker is asked."""
STUCK_AFTER: Final = 2
"""Workflow tasks that have failed in a row."""
WORKFLOW_TASK_FAILS: Final = "workflow_task_fails"
_LONGEST_ERROR: Final = 500
REPORTED: Final = "TemporalReportedProblems"
"""Temporal's own search attribute of workflows whose task fails."""


@dataclass(frozen=True, slots=True)
class Tries:
    """How often a call under way was tried, when it is next, and how the last try failed. `key` names the call.

    `activity` is its type, `<silo>.<verb>`.
    """

    key: str
    activity: str
    attempts: int
    next_try: datetime | None
    last_error: str


@dataclass(frozen=True, slots=True)
class Execution:
    """An order's workflow, open or closed, and the digest of the body that it was started with.

    One that is closed has ended by itself, or was ended from outside. Where its workflow task has failed, or timed
    out, several times in a row, nothing is done for it.
    """

    run_id: str
    is_open: bool
    ended_by_itself: bool
    body_digest: str
    has_workflow_task: bool
    failed_in_a_row: int
    failing: tuple[Tries, ...] = ()
    """Calls whose last try has failed."""

    @property
    def is_stuck(self) -> bool:
        """True where nothing is done for the order. One failure may be that of a worker that was stopped."""
        return self.failed_in_a_row >= STUCK_AFTER


async def describe(client: Client, order_id: str, timeout: timedelta = PATIENCE) -> Execution | None:
    """The latest run of an order's workflow, or None if Temporal knows of none.

    By the raw RPC: the SDK's `describe` fails on a workflow that an operator paused, having no name for that status.

    Raises:
        RPCError: if Temporal cannot be asked.
    """
    name = wire_names.workflow_id(order_id)
    request = DescribeWorkflowExecutionRequest(
        namespace=client.namespace, execution=WorkflowExecution(workflow_id=name)
    )
    try:
        answer = await client.workflow_service.describe_workflow_execution(request, retry=True, timeout=timeout)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND and not lacks_namespace(error):
            return None
        raise
    info = answer.workflow_execution_info
    paused = info.status == WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_PAUSED
    digest = info.memo.fields.get(wire_names.BODY_DIGEST_MEMO)
    return Execution(
        run_id=info.execution.run_id,
        has_workflow_task=answer.HasField("pending_workflow_task"),
        failed_in_a_row=max(answer.pending_workflow_task.attempt - 1, 0),
        is_open=paused or info.status == WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING,
        ended_by_itself=info.status == WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED,
        failing=tuple(_tries(call) for call in answer.pending_activities if call.HasField("last_failure")),
        body_digest=(await client.data_converter.decode([digest], [str]))[0] if digest is not None else "",
    )


def _tries(call: PendingActivityInfo) -> Tries:
    tries_now = call.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
    due = call.HasField("next_attempt_schedule_time") and not tries_now
    return Tries(
        key=call.activity_id,
        activity=call.activity_type.name,
        # The number of a try that is still to come is told as well.
        attempts=call.attempt if tries_now else call.attempt - 1,
        next_try=call.next_attempt_schedule_time.ToDatetime(UTC) if due else None,
        last_error=call.last_failure.message[:_LONGEST_ERROR],
    )


@dataclass(frozen=True, slots=True)
class Trouble:
    """An order in flight that something is the matter with: a code, or `workflow_task_fails`."""

    order_id: str
    code: str


async def in_trouble(client: Client, most: int, timeout: timedelta = PATIENCE) -> list[Trouble]:
    """Orders in flight with a problem of their own, or whose workflow task fails, as far as Temporal lists them.

    Raises:
        RPCError: if Temporal cannot be asked.
    """
    query = (
        f'WorkflowType = "{wire_names.ORDER_WORKFLOW}" AND ExecutionStatus = "Running" '
        f"AND ({wire_names.PROBLEM} IS NOT NULL OR {REPORTED} IS NOT NULL)"
    )
    request = ListWorkflowExecutionsRequest(namespace=client.namespace, query=query, page_size=most)
    answer = await client.workflow_service.list_workflow_executions(request, retry=True, timeout=timeout)
    return [
        Trouble(wire_names.order_id(info.execution.workflow_id), _code(info.search_attributes.indexed_fields))
        for info in answer.executions
    ]


def _code(attributes: Mapping[str, Payload]) -> str:
    if REPORTED in attributes or wire_names.PROBLEM not in attributes:
        return WORKFLOW_TASK_FAILS
    return str(json.loads(attributes[wire_names.PROBLEM].data))


def lacks_namespace(error: RPCError) -> bool:
    """True where what was not found is the namespace, and not the workflow."""
    details = error.grpc_status.details
    return bool(details) and details[0].Is(NamespaceNotFoundFailure.DESCRIPTOR)
