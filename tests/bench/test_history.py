from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import (
    ActivityTaskStartedEventAttributes,
    HistoryEvent,
    MarkerRecordedEventAttributes,
)

from bench.history import actions


def plain(kind: EventType.ValueType) -> HistoryEvent:
    return HistoryEvent(event_type=kind)


def attempt(number: int) -> HistoryEvent:
    return HistoryEvent(
        event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED,
        activity_task_started_event_attributes=ActivityTaskStartedEventAttributes(attempt=number),
    )


def local_activity(workflow_task: int) -> HistoryEvent:
    marker = MarkerRecordedEventAttributes(
        marker_name="core_local_activity", workflow_task_completed_event_id=workflow_task
    )
    return HistoryEvent(event_type=EventType.EVENT_TYPE_MARKER_RECORDED, marker_recorded_event_attributes=marker)


def test_starts_activities_timers_signals_updates_and_upserts_are_billed_and_nothing_else() -> None:
    billed = [
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
        EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
        EventType.EVENT_TYPE_TIMER_STARTED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
        EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
    ]
    free = [
        EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
        EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
        EventType.EVENT_TYPE_TIMER_FIRED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
    ]
    assert actions(map(plain, [*billed, *free])) == len(billed)


def test_each_retry_of_an_activity_is_billed() -> None:
    assert actions([plain(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED), attempt(3)]) == 3


def test_all_local_activities_of_one_workflow_task_are_billed_as_one() -> None:
    assert actions([local_activity(4), local_activity(4), local_activity(9)]) == 2
