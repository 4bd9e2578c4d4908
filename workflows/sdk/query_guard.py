"""Rejects queries that would change workflow state.

A worker that does not have an order in its cache gets its history with a query, and in it maybe what no workflow task
has taken in that is completed. The SDK (1.35) applies that too, keeps the order in its cache, and sends the commands
that come of it with the next workflow task. There are two such cases:

- What has come in since the last workflow task. It is applied at the time of that one.
- A workflow task that somebody has begun, by the last event of the history, and may never complete: a worker that was
  killed, or one whose completion is refused. It is applied at the time of that one.

A replay applies both in the workflow task that is completed, together with whatever else is in that, and at its time:
it makes other commands, or the same in another order, and the order stands still for good (TMPRL1100). So queries that
have brought something like it are refused here. Such a query may be asked again. The order is dropped from the cache:
the workflow task brings everything.

What cannot be told apart is the second case where the order is in the cache already, and the query comes with a history
all the same: the worker has answered too late before, and another has begun the workflow task meanwhile.

No upstream issue is known, in `temporalio/sdk-python` or `temporalio/sdk-rust` (once `sdk-core`).
`tests/workflows/sdk/test_sdk_faults.py` reproduces both without this guard, and says so once the SDK has mended them.
"""

from __future__ import annotations

from typing import Protocol

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion

ASK_AGAIN = "the worker had yet to learn what has come in: ask again"

_CHANGES_NOTHING = frozenset({"query_workflow", "remove_from_cache"})
_WITHOUT_WORKFLOW_TASK = "legacy_query"
"""What the SDK calls a query that came by itself, and not along with a workflow task."""


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
    seen = _Seen()

    def guarded(act: WorkflowActivation) -> WorkflowActivationCompletion:
        if seen.brought_by_a_query(act):
            refused = WorkflowActivationCompletion()
            refused.failed.failure.message = ASK_AGAIN
            return refused
        return activate(act)

    return guarded


class _Seen:
    """What an order in the cache has seen. Whether a workflow task was completed nobody tells it."""

    def __init__(self) -> None:
        self._last: tuple[int, int] | None = None
        self._by_replay = False
        """True from a replay on, until it is sure that all that came with it was told: the rest comes by itself."""
        self._new = 0

    def brought_by_a_query(self, act: WorkflowActivation) -> bool:
        """True where something was brought by a query, or may have been by this one. Else takes note."""
        if not _CHANGES_NOTHING.issuperset(job.WhichOneof("variant") or "" for job in act.jobs):
            return not self._takes_note(act.timestamp.ToNanoseconds(), act.history_length, replayed=act.is_replaying)
        if not any(job.query_workflow.query_id == _WITHOUT_WORKFLOW_TASK for job in act.jobs):
            return False
        # The first that is new after a replay came with a workflow task, or with a query, which is asked right then.
        if self._by_replay and self._new == 1:
            return True
        self._by_replay = False
        return False

    def _takes_note(self, time: int, length: int, *, replayed: bool) -> bool:
        """False where it is part of no workflow task: at the time of the last one, though history has grown."""
        if self._last is None:
            self._by_replay = replayed
        elif self._last[0] == time and self._last[1] != length:
            return False
        if not replayed and (self._last is None or self._last[0] != time):
            self._new += 1
        self._last = time, length
        return True
