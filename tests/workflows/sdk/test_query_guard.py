"""A query changes no workflow state, though it brings a worker what has come in since the last workflow task."""

from __future__ import annotations

import pytest
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion

from workflows.sdk.query_guard import ASK_AGAIN, changed_by_workflow_tasks_only


def activation(seconds: int, length: int, job: str, *, replayed: bool = False) -> WorkflowActivation:
    """One activation at a time, with a history of a length, and one job in it. A query comes by itself."""
    act = WorkflowActivation(history_length=length, is_replaying=replayed)
    act.timestamp.seconds = seconds
    made = getattr(act.jobs.add(), job)
    made.SetInParent()
    if job == "query_workflow":
        made.query_id = "legacy_query"
    return act


def taken(activations: list[WorkflowActivation]) -> list[bool]:
    """Which of some activations in a row are not refused."""
    passed: list[WorkflowActivation] = []

    def activate(act: WorkflowActivation) -> WorkflowActivationCompletion:
        passed.append(act)
        return WorkflowActivationCompletion()

    guarded = changed_by_workflow_tasks_only(activate)
    refused = [guarded(act).failed.failure.message == ASK_AGAIN for act in activations]
    assert passed == [act for act, no in zip(activations, refused, strict=True) if not no]
    return [not no for no in refused]


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
    assert taken([activation(1, 5, "initialize_workflow"), following]) == [True, not refused]


def test_a_query_after_a_replay_is_refused_where_it_may_have_brought_a_workflow_task_that_nobody_completes() -> None:
    replay = activation(1, 5, "initialize_workflow", replayed=True)
    task, next_task = activation(2, 9, "fire_timer"), activation(3, 14, "fire_timer")
    query = activation(2, 9, "query_workflow", replayed=True)
    with_the_task = activation(2, 9, "query_workflow", replayed=True)
    with_the_task.jobs[0].query_workflow.query_id = "1"
    assert taken([replay, task, query]) == [True, True, False]
    assert taken([replay, task, with_the_task, query]) == [True, True, True, False]
    assert taken([replay, task, next_task, query]) == [True] * 4
    assert taken([replay, query, task, query]) == [True] * 4


def test_what_began_here_and_is_in_the_cache_may_be_asked_at_any_time() -> None:
    query = activation(1, 3, "query_workflow", replayed=True)
    assert taken([activation(1, 3, "initialize_workflow"), query, activation(2, 9, "fire_timer"), query]) == [True] * 4
