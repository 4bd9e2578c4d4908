"""A query changes no workflow state, though it brings a worker what has come in since the last workflow task."""

from __future__ import annotations

import pytest
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion

from workflows.sdk.query_guard import ASK_AGAIN, changed_by_workflow_tasks_only


def activation(seconds: int, length: int, job: str) -> WorkflowActivation:
    """One activation at a time, with a history of a length, and one job in it."""
    act = WorkflowActivation(history_length=length)
    act.timestamp.seconds = seconds
    getattr(act.jobs.add(), job).SetInParent()
    return act


@pytest.mark.parametrize(
    ("following", "refused"),
    [
        (activation(2, 9, "fire_timer"), False),
        (activation(1, 9, "fire_timer"), True),
        (activation(1, 9, "signal_workflow"), True),
        (activation(1, 5, "resolve_activity"), False),
        (activation(1, 9, "query_workflow"), False),
        (activation(1, 9, "remove_from_cache"), False),
    ],
)
def test_what_comes_at_the_time_of_the_last_workflow_task_with_a_longer_history_is_refused(
    following: WorkflowActivation, refused: bool
) -> None:
    passed: list[WorkflowActivation] = []

    def activate(act: WorkflowActivation) -> WorkflowActivationCompletion:
        passed.append(act)
        return WorkflowActivationCompletion()

    guarded = changed_by_workflow_tasks_only(activate)
    guarded(activation(1, 5, "initialize_workflow"))
    answer = guarded(following)
    assert (answer.failed.failure.message == ASK_AGAIN) == refused
    assert (following in passed) == (not refused)
