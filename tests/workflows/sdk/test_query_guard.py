"""A query leaves nothing behind of what it brings a worker that no completed workflow task has taken in."""

from __future__ import annotations

import pytest
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion

from workflows.sdk.query_guard import dropped_after_queries


def activation(seconds: int, length: int, job: str, *, replayed: bool = False) -> WorkflowActivation:
    """One activation at a time, with a history of a length, and one job in it. A query comes by itself."""
    act = WorkflowActivation(history_length=length, is_replaying=replayed)
    act.timestamp.seconds = seconds
    made = getattr(act.jobs.add(), job)
    made.SetInParent()
    if job == "query_workflow":
        made.query_id = "legacy_query"
    return act


def dropped(activations: list[WorkflowActivation]) -> list[bool]:
    """With which of some activations in a row the run is dropped. All of them pass."""
    passed: list[WorkflowActivation] = []
    drops: list[int] = []

    def activate(act: WorkflowActivation) -> WorkflowActivationCompletion:
        passed.append(act)
        return WorkflowActivationCompletion()

    guarded = dropped_after_queries(activate, lambda: drops.append(len(passed)))
    for act in activations:
        guarded(act)
    assert passed == activations
    return [number in drops for number in range(len(activations))]


BEGUN = activation(1, 5, "initialize_workflow")
REPLAY = activation(1, 5, "initialize_workflow", replayed=True)
TASK, NEXT_TASK = activation(2, 9, "fire_timer"), activation(3, 14, "fire_timer")
REPLAYED_TASK = activation(2, 9, "fire_timer", replayed=True)
QUERY = activation(2, 9, "query_workflow", replayed=True)
WITH_A_TASK = activation(2, 9, "query_workflow", replayed=True)
WITH_A_TASK.jobs[0].query_workflow.query_id = "1"
EVICTION = activation(2, 9, "remove_from_cache")


@pytest.mark.parametrize("job", ["fire_timer", "signal_workflow", "resolve_activity"])
def test_what_came_at_the_time_of_the_last_task_with_a_longer_history_is_dropped_with_the_query(job: str) -> None:
    assert dropped([BEGUN, activation(1, 9, job), QUERY]) == [False, False, True]
    assert dropped([BEGUN, activation(1, 5, job), QUERY]) == [False] * 3
    assert dropped([BEGUN, activation(2, 9, job), QUERY]) == [False] * 3
    assert dropped([REPLAY, activation(1, 9, job, replayed=True), QUERY]) == [False] * 3


@pytest.mark.parametrize(
    ("row", "drops"),
    [
        ([REPLAY, TASK, QUERY], True),
        ([REPLAY, TASK, TASK, QUERY], True),
        ([REPLAY, QUERY, TASK, QUERY], True),
        ([BEGUN, REPLAYED_TASK, NEXT_TASK, QUERY], True),
        ([REPLAY, TASK, WITH_A_TASK], False),
        ([REPLAY, TASK, EVICTION], False),
        ([REPLAY, TASK, NEXT_TASK, QUERY], False),
        ([REPLAY, REPLAYED_TASK, QUERY], False),
        ([BEGUN, QUERY, TASK, QUERY], False),
    ],
)
def test_a_task_that_may_have_come_with_a_query_is_dropped_with_it(row: list[WorkflowActivation], drops: bool) -> None:
    assert dropped(row) == [*[False] * (len(row) - 1), drops]
