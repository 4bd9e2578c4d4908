"""What an order leaves in Temporal's history, and what Temporal Cloud would bill for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHandle

_LOCAL_ACTIVITY = "core_local_activity"
_CHILD_WORKFLOW_ACTIONS = 2


class Footprint(BaseModel):
    """Events by type, bytes and billable actions of one history."""

    events: dict[str, int]
    bytes: int
    actions: int

    @property
    def total(self) -> int:
        """How many events there are."""
        return sum(self.events.values())


async def footprint(handle: WorkflowHandle[Any, Any]) -> Footprint:
    """That of a closed workflow."""
    history = await handle.fetch_history()
    events = Counter(_name(event) for event in history.events)
    return Footprint(
        events=dict(events.most_common()),
        bytes=sum(event.ByteSize() for event in history.events),
        actions=actions(history.events),
    )


def actions(events: Iterable[HistoryEvent]) -> int:
    """Billable actions by Temporal Cloud's list, as far as a history shows them.

    Starts, activities and each retry of one, timers, signals, updates, upserts of search attributes; all local
    activities of one workflow task together. Not in a history, and not counted: queries, heartbeats, rejected updates.
    """
    count = 0
    with_local_activities: set[int] = set()
    for event in events:
        match event.event_type:
            case (
                EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED
                | EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
                | EventType.EVENT_TYPE_TIMER_STARTED
                | EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
                | EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED
                | EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES
                | EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED
            ):
                count += 1
            case EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
                count += event.activity_task_started_event_attributes.attempt - 1
            case EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
                count += _CHILD_WORKFLOW_ACTIONS
            case EventType.EVENT_TYPE_MARKER_RECORDED:
                marker = event.marker_recorded_event_attributes
                if marker.marker_name == _LOCAL_ACTIVITY:
                    with_local_activities.add(marker.workflow_task_completed_event_id)
            case _:
                pass
    return count + len(with_local_activities)


def _name(event: HistoryEvent) -> str:
    return EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")
