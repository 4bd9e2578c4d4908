"""A silo's workflow, from outside: it is started where it is not there, and told something."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio.client import Client, WithStartWorkflowOperation, WorkflowUpdateStage
from temporalio.common import WorkflowIDConflictPolicy

from orders.health.condition import Condition
from orders.health.messages import SiloFails, Steered, SteerSilo
from orders.model import wire_names
from workflows.sdk.executions import PATIENCE


async def tell_of_failures(client: Client, start: Condition, told: SiloFails) -> None:
    """Tell a silo's workflow that the silo fails. `start` is what it begins with where it is not there.

    Raises:
        RPCError: if Temporal cannot be asked.
    """
    await client.start_workflow(
        wire_names.SILO_WORKFLOW,
        start,
        id=wire_names.silo_workflow_id(start.silo),
        task_queue=wire_names.ORDERS_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        start_signal=wire_names.SILO_FAILS_SIGNAL,
        start_signal_args=[told],
        static_summary=f"the silo {start.silo}",
        rpc_timeout=PATIENCE,
    )


async def steer(client: Client, start: Condition, asked: SteerSilo, within: timedelta) -> Steered:
    """Have a silo paused, resumed, throttled, or a window of it opened or closed; told once that is in force.

    Raises:
        RPCError: if Temporal cannot be asked, or no worker answers in time.
    """
    begun: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
        wire_names.SILO_WORKFLOW,
        start,
        id=wire_names.silo_workflow_id(start.silo),
        task_queue=wire_names.ORDERS_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary=f"the silo {start.silo}",
    )
    update = await client.start_update_with_start_workflow(  # pyright: ignore[reportUnknownMemberType]
        wire_names.STEER_UPDATE,
        asked,
        start_workflow_operation=begun,
        wait_for_stage=WorkflowUpdateStage.ACCEPTED,
        result_type=Steered,
        rpc_timeout=within,
    )
    return await update.result(rpc_timeout=within)
