"""`orderpipe order rescue`: an order whose workflow task fails for ever goes on, without the message that it fails on.

The workflow is reset to before that message: Temporal begins a new run with the history until there. What else has
come in since (callbacks of silos, changes, cancellations) is sent to that run again, in order, so that none is lost;
changes that came as updates come as signals, their verdicts stand in the order's log. Calls that were made since are
made again, under the same keys.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from rich.console import Console
from temporalio.api.common.v1 import Payloads, WorkflowExecution
from temporalio.api.enums.v1 import EventType, ResetReapplyExcludeType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import (
    RequestCancelWorkflowExecutionRequest,
    ResetWorkflowExecutionRequest,
    SignalWorkflowExecutionRequest,
)
from temporalio.client import Client
from temporalio.common import RawValue

from ops.maintenance.outside import said_in_words
from ops.terminal import CommandError
from orders.model import wire_names
from settings import Settings
from workflows.sdk.connection import connect
from workflows.sdk.executions import describe

IDENTITY: Final = "orderpipe order rescue"
_SHOWN: Final = 200
_MOST_SHOWN: Final = 50
_LOOKS: Final = 100
_PAUSE: Final = timedelta(seconds=0.2)
_SENT_AGAIN: Final = (
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED,
)
_NOT_BY_TEMPORAL: Final = (
    ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL,
    ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE,
    ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_CANCEL_REQUEST,
)


class CannotRescue(CommandError):
    """The order cannot be rescued like that: says why, for people."""


@dataclass(frozen=True)
class Message:
    """Something that has come in, by its number in history."""

    event: int
    at: datetime
    name: str
    content: Payloads


@dataclass(frozen=True)
class Stuck:
    """One run of an order's workflow with what came in, its `last` workflow task completed, and why the next fails."""

    run_id: str
    last: int
    why: str
    messages: tuple[Message, ...]

    @property
    def since(self) -> tuple[Message, ...]:
        """What came in after the last workflow task that was completed: one of these it may be."""
        return tuple(message for message in self.messages if message.event > self.last)


@dataclass(frozen=True)
class Rescued:
    """What became of it: the new run, how many messages it was sent again, and whether it goes on."""

    run_id: str
    sent_again: int
    goes_on: bool


def run_rescue(settings: Settings, order_id: str, drop: Collection[int], *, reset: bool, console: Console) -> bool:
    """Rescue an order, or (without `reset`) only tell what it may fail on. True if it goes on.

    Raises:
        CannotRescue: if there is no such order, or no such message.
        CommandError: if Temporal does not do what it is asked.
    """

    async def all_of_it() -> bool:
        client = await connect(f"127.0.0.1:{settings.temporal_port}")
        found = await look_at(client, order_id)
        if not reset:
            await show(client, found, console)
            return False
        rescued = await rescue(client, order_id, drop)
        console.print(f"Run {rescued.run_id} has {rescued.sent_again} messages again.", highlight=False)
        console.print("The order goes on." if rescued.goes_on else "Its workflow task still fails.", highlight=False)
        return rescued.goes_on

    with said_in_words():
        return asyncio.run(all_of_it())


async def look_at(client: Client, order_id: str, run_id: str | None = None) -> Stuck:
    """What came in, and why the workflow task fails, if it does.

    Raises:
        CannotRescue: if there is no such order in flight.
    """
    if run_id is None:
        execution = await describe(client, order_id)
        if execution is None or not execution.is_open:
            raise CannotRescue(f"Order {order_id} is not in flight")
        run_id = execution.run_id
    last, why = 0, ""
    messages: list[Message] = []
    async for event in client.get_workflow_handle(
        wire_names.workflow_id(order_id), run_id=run_id
    ).fetch_history_events():
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            last, why = event.event_id, ""
        elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
            failure = event.workflow_task_failed_event_attributes.failure
            why = f"{failure.message}\n{failure.stack_trace}"
        elif event.event_type in _SENT_AGAIN:
            messages.append(_message(event))
    return Stuck(run_id, last, why, tuple(messages))


async def rescue(client: Client, order_id: str, drop: Collection[int]) -> Rescued:
    """Have an order go on without some messages.

    Raises:
        CannotRescue: if one of them is none of what came in, or came before the workflow had done anything.
    """
    stuck = await look_at(client, order_id)
    unknown = set(drop) - {message.event for message in stuck.messages}
    if unknown:
        raise CannotRescue(f"No message has come in as event {', '.join(map(str, sorted(unknown)))}")
    before = await _last_before(client, order_id, stuck, min(drop, default=stuck.last + 1))
    new_run = await _reset(client, order_id, stuck.run_id, before)
    # Only now has the old run all that it will ever have.
    again = [
        message
        for message in (await look_at(client, order_id, stuck.run_id)).messages
        if message.event > before and message.event not in drop
    ]
    for message in again:
        await _send(client, order_id, stuck.run_id, message)
    return Rescued(new_run, len(again), await _goes_on(client, order_id))


async def _last_before(client: Client, order_id: str, stuck: Stuck, event_id: int) -> int:
    """The last workflow task that was completed before an event."""
    found = 0
    handle = client.get_workflow_handle(wire_names.workflow_id(order_id), run_id=stuck.run_id)
    async for event in handle.fetch_history_events():
        if event.event_id >= event_id:
            break
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            found = event.event_id
    if not found:
        raise CannotRescue("Its workflow had done nothing before that: there is nothing to go back to")
    return found


async def _reset(client: Client, order_id: str, run_id: str, event_id: int) -> str:
    request = ResetWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_execution=_execution(order_id, run_id),
        reason=IDENTITY,
        identity=IDENTITY,
        workflow_task_finish_event_id=event_id,
        request_id=f"{run_id}-{event_id}",
        reset_reapply_exclude_types=_NOT_BY_TEMPORAL,
    )
    return (await client.workflow_service.reset_workflow_execution(request)).run_id


async def _send(client: Client, order_id: str, old_run: str, message: Message) -> None:
    # Temporal takes the same request once.
    request_id = f"{old_run}-{message.event}"
    if message.name == _CANCEL:
        cancel = RequestCancelWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=_execution(order_id),
            identity=IDENTITY,
            request_id=request_id,
        )
        await client.workflow_service.request_cancel_workflow_execution(cancel)
        return
    signal = SignalWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_execution=_execution(order_id),
        signal_name=wire_names.CHANGE_SIGNAL if message.name == wire_names.CHANGE_UPDATE else message.name,
        input=message.content,
        identity=IDENTITY,
        request_id=request_id,
    )
    await client.workflow_service.signal_workflow_execution(signal)


async def _goes_on(client: Client, order_id: str) -> bool:
    """True once the new run has done its workflow task. False where that fails, or nobody works on it for a while."""
    for _ in range(_LOOKS):
        execution = await describe(client, order_id)
        if execution is None or not execution.is_open or not execution.has_workflow_task:
            return True
        if execution.failed_in_a_row:
            return False
        await asyncio.sleep(_PAUSE.total_seconds())
    return False


_CANCEL: Final = "request cancellation"


def _message(event: HistoryEvent) -> Message:
    if event.HasField("workflow_execution_signaled_event_attributes"):
        signal = event.workflow_execution_signaled_event_attributes
        name, content = signal.signal_name, signal.input
    elif event.HasField("workflow_execution_update_accepted_event_attributes"):
        update = event.workflow_execution_update_accepted_event_attributes.accepted_request.input
        name, content = update.name, update.args
    else:
        name, content = _CANCEL, Payloads()
    return Message(event.event_id, event.event_time.ToDatetime(), name, content)


def _execution(order_id: str, run_id: str = "") -> WorkflowExecution:
    return WorkflowExecution(workflow_id=wire_names.workflow_id(order_id), run_id=run_id)


async def show(client: Client, stuck: Stuck, console: Console) -> None:
    """What the workflow task fails with, and what came in for it. Others wrote it: it is shown quoted."""
    for line in (stuck.why or "Its workflow task does not fail.").splitlines():
        console.print(json.dumps(line)[1:-1], highlight=False, markup=False, soft_wrap=True)
    for message in stuck.messages[-_MOST_SHOWN:]:
        decoded = await client.data_converter.decode(
            message.content.payloads, [RawValue] * len(message.content.payloads)
        )
        said = " ".join(json.dumps(value.payload.data.decode(errors="replace"))[:_SHOWN] for value in decoded)
        console.print(
            f"event {message.event}  {message.at:%Y-%m-%d %H:%M:%S}  {message.name}  {said}",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
    console.print(
        "Have it go on without one of these with --drop EVENT, or with all of them, once the defect is mended, with "
        "--keep-all.",
        highlight=False,
    )
