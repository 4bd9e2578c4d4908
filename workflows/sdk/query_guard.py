"""Rejects queries that would change workflow state.

A worker that does not have an order in its cache gets its history with a query, and in it maybe what has come in since
the last workflow task. The SDK (1.35) applies that too, at the time of the last workflow task, and sends the commands
that come of it with the next one. A replay applies it in the next workflow task, together with whatever else is in
that, and at its time: it makes other commands, or the same in another order, and the order stands still for good
(TMPRL1100). So what is not part of a workflow task is refused here. That fails the query, which may be asked again, and
drops the order from the cache: the workflow task brings everything.

No upstream issue is known, in `temporalio/sdk-python` or `temporalio/sdk-rust` (once `sdk-core`).
`tests/workflows/test_sdk_faults.py` reproduces the fault without this guard, and says so once the SDK has mended it.
"""

from __future__ import annotations

from typing import Protocol

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion

ASK_AGAIN = "the worker had yet to learn what has come in: ask again"

_CHANGES_NOTHING = frozenset({"query_workflow", "remove_from_cache"})


class Activate(Protocol):
    """Hands a workflow what has happened, and takes its commands."""

    def __call__(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        """One activation."""
        ...


def changed_by_workflow_tasks_only(activate: Activate) -> Activate:
    """The same, but an activation that changes the workflow without being part of a workflow task is refused.

    Each workflow task has a time of its own. What comes at the time of the one before, though history has grown, is
    part of none.
    """
    seen: tuple[int, int] | None = None

    def guarded(act: WorkflowActivation) -> WorkflowActivationCompletion:
        nonlocal seen
        if not _CHANGES_NOTHING.issuperset(job.WhichOneof("variant") or "" for job in act.jobs):
            time, length = act.timestamp.ToNanoseconds(), act.history_length
            if seen is not None and seen[0] == time and seen[1] != length:
                refused = WorkflowActivationCompletion()
                refused.failed.failure.message = ASK_AGAIN
                return refused
            seen = time, length
        return activate(act)

    return guarded
