"""The counting rule, read off an order's own history: no work for nothing while the target stands and nothing fails."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

from orders.fulfilment.messages import SiloCalls, read_silo_event
from orders.model import wire_names
from orders.model.values import Verb

_HARMLESS = (
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_STICKY_TASK_QUEUE,
)
"""News came in while the task was at work; or its worker went."""
_MOVES = (
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED,
    EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED,  # Those whose silo has refused something too.
    EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT,
)


class Count:
    """The calls begun since the target last moved or something last went wrong."""

    def __init__(self) -> None:
        self._made: set[str] = set()
        self._undone: set[str] = set()
        self._begun: set[str] = set()
        self.flaws: list[str] = []

    def anew(self) -> None:
        """The target moved, or something went wrong: what was begun before counts no more."""
        self._made.clear()
        self._undone.clear()

    def begin(self, verb: str, key: str) -> None:
        """A call is made. One that had no answer is made again under its own key: that is the same work, not more."""
        if key in self._begun:
            return
        self._begun.add(key)
        service = key.rsplit("/", 1)[0]
        if verb == Verb.PROVISION:
            self._made.add(service)
        elif verb == Verb.COMPENSATE:
            self._undone.add(service)
        if service in self._made & self._undone:
            self.flaws.append(f"{service} was provisioned and compensated for nothing")


async def done_for_nothing(client: Client, order: str, moved_at: Iterable[datetime]) -> list[str]:
    """Generations that were made and undone though no change was decided and nothing went wrong in between.

    `moved_at` are the instants at which verdicts were reached: that one which had to wait for a silo has no event. What
    begins in the same workflow task may have begun just before it: the worker takes in signals before outcomes.
    """
    moments = {_milliseconds(moment) for moment in moved_at}
    count = Count()
    decided = False
    async for event in client.get_workflow_handle(wire_names.workflow_id(order)).fetch_history_events():
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            scheduled = event.activity_task_scheduled_event_attributes
            _, _, verb = scheduled.activity_type.name.rpartition(".")
            if verb in list(Verb):
                [asked] = await client.data_converter.decode(scheduled.input.payloads, [SiloCalls])
                for call in asked.calls:
                    count.begin(verb, call.key)
        elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED:
            before, decided = decided, _milliseconds(event.event_time.ToDatetime()) in moments
            if before or decided:
                count.anew()
        elif event.event_type in _MOVES or await _went_wrong(client, event):
            count.anew()
    return count.flaws


async def _went_wrong(client: Client, event: HistoryEvent) -> bool:
    if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
        signal = event.workflow_execution_signaled_event_attributes
        if signal.signal_name == wire_names.SILO_EVENTS_SIGNAL:
            return await _reports_what_went_wrong(client, signal.input.payloads)
        return True
    return False


async def _reports_what_went_wrong(client: Client, payloads: Sequence[Payload]) -> bool:
    try:
        [news] = await client.data_converter.decode(payloads, [list[object]])
    except Exception:  # Whatever a library says to what nobody can read: it changes nothing.
        return False
    return any(map(_tells_what_went_wrong, news))


def _tells_what_went_wrong(told: object) -> bool:
    try:
        return read_silo_event(told).kind.went_wrong
    except ValueError:
        return False


async def failed_tasks(client: Client, order: str) -> list[str]:
    """The tasks of an order's workflow that failed, but for those that were overtaken by news."""
    found: list[str] = []
    async for event in client.get_workflow_handle(wire_names.workflow_id(order)).fetch_history_events():
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
            failed = event.workflow_task_failed_event_attributes
            if failed.cause not in _HARMLESS:
                cause = WorkflowTaskFailedCause.Name(failed.cause).removeprefix("WORKFLOW_TASK_FAILED_CAUSE_")
                found.append(f"a workflow task failed, {cause}: {failed.failure.message[:200]}")
    return found


def _milliseconds(moment: datetime) -> int:
    return int(moment.replace(tzinfo=None).timestamp() * 1000)
