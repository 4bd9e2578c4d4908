"""What Temporal says of an order's workflow, for whoever is no workflow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from orders.model import wire_names

PATIENCE: Final = timedelta(seconds=5)
"""How long Temporal may take to answer where no worker is asked."""


@dataclass(frozen=True, slots=True)
class Execution:
    """An order's workflow, open or closed, and the digest of the body that it was started with.

    One that is closed has ended by itself, or was ended from outside.
    """

    is_open: bool
    ended_by_itself: bool
    body_digest: str


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
        is_open=paused or info.status == WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING,
        ended_by_itself=info.status == WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED,
        body_digest=(await client.data_converter.decode([digest], [str]))[0] if digest is not None else "",
    )


def lacks_namespace(error: RPCError) -> bool:
    """True where what was not found is the namespace, and not the workflow."""
    details = error.grpc_status.details
    return bool(details) and details[0].Is(NamespaceNotFoundFailure.DESCRIPTOR)
