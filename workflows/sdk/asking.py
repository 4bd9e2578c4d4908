"""Asking an order for a change, for whoever is no workflow: by update, which has a verdict, or else by signal."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, Final

from temporalio.client import (
    Client,
    RPCTimeoutOrCancelledError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateHandle,
    WorkflowUpdateStage,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from orders.change.request import ChangeRequest, Verdict
from orders.model import wire_names
from workflows.sdk.executions import PATIENCE, lacks_namespace

_RUN_ENDED: Final = "AcceptedUpdateCompletedWorkflow"


class NotInFlight(Exception):
    """Temporal has no workflow of the order that could be asked: there is none, or it is closed."""


async def ask_for_change(client: Client, order_id: str, request: ChangeRequest, within: timedelta) -> Verdict | None:
    """Ask an order for a change, once under its request id. None where it is not decided within a time: it will be.

    Raises:
        NotInFlight: if nothing can be asked of the order.
        RPCError, TimeoutError: if Temporal does not take it. The same may be asked again.
    """
    handle = client.get_workflow_handle(wire_names.workflow_id(order_id))
    try:
        try:
            accepted = await _accepted(handle, request, within)
        except RPCError as error:
            _require_in_flight(error)
            accepted = None
        except TimeoutError:
            accepted = None
        if accepted is not None:
            return await _verdict(accepted, within)
        # No worker, too many at once, or paused: an update that was not accepted can get lost, a signal cannot.
        async with asyncio.timeout(PATIENCE.total_seconds()):
            await handle.signal(wire_names.CHANGE_SIGNAL, request, rpc_timeout=PATIENCE)
    except RPCError as error:
        _require_in_flight(error)
        raise
    return None


async def _accepted(
    handle: WorkflowHandle[Any, Any], request: ChangeRequest, within: timedelta
) -> WorkflowUpdateHandle[Verdict]:
    async with asyncio.timeout(within.total_seconds()):
        return await handle.start_update(  # pyright: ignore[reportUnknownMemberType]
            wire_names.CHANGE_UPDATE,
            request,
            id=request.update_id,
            wait_for_stage=WorkflowUpdateStage.ACCEPTED,
            result_type=Verdict,
            rpc_timeout=within,
        )


async def _verdict(accepted: WorkflowUpdateHandle[Verdict], within: timedelta) -> Verdict | None:
    """What an accepted update says, if it says so in time. What it is lost with is in the order's log all the same."""
    try:
        async with asyncio.timeout(within.total_seconds()):
            return await accepted.result(rpc_timeout=within)
    except (TimeoutError, RPCTimeoutOrCancelledError, RPCError):
        return None
    except WorkflowUpdateFailedError as error:
        # The run ended, and what it has taken in is decided by the next.
        if isinstance(error.cause, ApplicationError) and error.cause.type == _RUN_ENDED:
            return None
        raise


def _require_in_flight(error: RPCError) -> None:
    """Return if it is not that there is nobody to ask.

    Raises:
        NotInFlight: if it is.
    """
    if error.status is RPCStatusCode.NOT_FOUND and not lacks_namespace(error):
        raise NotInFlight from error
