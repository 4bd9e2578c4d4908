"""Has queries leave nothing behind in a worker's cache that no workflow task has brought.

A worker that is asked through the queue of all workers gets the order's whole history with a query. There may be events
in it that no completed workflow task has taken in yet. The SDK (1.35) applies these too, keeps the order in its cache,
and sends the commands that come of it with the next workflow task. There are two such cases:

- What has come in since the last workflow task. It is applied at the time of that one.
- A workflow task that somebody has begun and not completed: a worker that was killed, or whose completion was refused.
  It is applied at the time at which it was begun.

A later replay applies both along with the next task that is completed, at the time of that one: it makes other
commands, or the same in another order, and the order stands still for good (TMPRL1100). So an order is dropped from the
cache once such a query is answered, and the next workflow task brings its whole history.

Nobody tells a workflow whether its task was completed. So an order may be dropped for nothing: when the first workflow
task after a replay was a real one, and a query comes next. And one case cannot be told: the order is in the cache, no
other worker has completed a task of it meanwhile, and yet it is asked through the queue of all workers, since this one
did not fetch its last task in time.

No upstream issue is known, in `temporalio/sdk-python` or `temporalio/sdk-rust` (once `sdk-core`).
`tests/workflows/sdk/test_sdk_faults.py` reproduces both without this guard, and says so once the SDK has mended them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.worker import Worker

_CHANGES_NOTHING: Final = frozenset({"query_workflow", "remove_from_cache"})
_WITHOUT_WORKFLOW_TASK: Final = "legacy_query"
"""What the SDK calls a query that came by itself, and not along with a workflow task."""


class Activate(Protocol):
    """Hands a workflow what has happened, and takes its commands."""

    def __call__(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        """One activation."""
        ...


class Cache:
    """What a worker keeps of runs. Before it is known whose it is, and in a replay, nothing is dropped."""

    def __init__(self) -> None:
        self._drop: Callable[[str], None] | None = None

    def is_of(self, worker: Worker) -> None:
        """It is that worker's."""
        self._drop = worker._bridge_worker.request_workflow_eviction  # pyright: ignore[reportPrivateUsage]

    def drop(self, run_id: str) -> None:
        """Drop a run, once it has done what it is at. The answer to a query is still given."""
        if self._drop is not None:
            self._drop(run_id)


def dropped_after_queries(activate: Activate, drop: Callable[[], None]) -> Activate:
    """The same, but the run is dropped with a query that has brought it something, or may have."""
    seen = _Seen()

    def guarded(act: WorkflowActivation) -> WorkflowActivationCompletion:
        if seen.may_come_of_a_query(act):
            drop()
        return activate(act)

    return guarded


class _Seen:
    """What a run in the cache has seen. Each workflow task has a time of its own."""

    def __init__(self) -> None:
        self._last: tuple[int, int] | None = None
        self._replayed = False
        self._new = 0
        """Workflow tasks since the last replay."""
        self._part_of_none = False

    def may_come_of_a_query(self, act: WorkflowActivation) -> bool:
        """True of a query where the run may hold what that has brought. Of all else, take note."""
        if not _CHANGES_NOTHING.issuperset(job.WhichOneof("variant") or "" for job in act.jobs):
            self._take_note(act.timestamp.ToNanoseconds(), act.history_length, replayed=act.is_replaying)
            return False
        asked = any(job.query_workflow.query_id == _WITHOUT_WORKFLOW_TASK for job in act.jobs)
        # What a query brings comes right before it, and right after a replay if there is one.
        return asked and (self._part_of_none or (self._replayed and self._new == 1))

    def _take_note(self, time: int, length: int, *, replayed: bool) -> None:
        last, self._last = self._last, (time, length)
        if replayed:
            self._replayed, self._new = True, 0
        elif last is None or last[0] != time:
            self._new += 1
        elif last[1] != length:  # At the time of the last workflow task, though history has grown.
            self._part_of_none = True
