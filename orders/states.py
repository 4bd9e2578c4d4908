"""States for people and other systems, derived from facts and never stored: TMF622's words for orders and items.

`docs/concepts.md` has the table. Nothing decides by these states; they only tell.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from orders.reconcile import Reconciler, TaskStatus


class LifecycleState(StrEnum):
    """TMF622 v4 states of product orders and order items, as far as orderpipe enters them."""

    ACKNOWLEDGED = "acknowledged"
    REJECTED = "rejected"
    IN_PROGRESS = "inProgress"
    HELD = "held"
    PENDING = "pending"
    ASSESSING_CANCELLATION = "assessingCancellation"
    PENDING_CANCELLATION = "pendingCancellation"
    CANCELLED = "cancelled"
    COMPLETED = "completed"


class TaskState(StrEnum):
    """Where one task stands, for people."""

    PENDING = "pending"
    IN_PROGRESS = "inProgress"
    AWAITING = "awaiting"
    FALLOUT = "fallout"
    DONE = "done"
    COMPENSATING = "compensating"
    COMPENSATED = "compensated"


_OF_STATUS = {
    TaskStatus.BLOCKED: TaskState.PENDING,
    TaskStatus.UNDER_WAY: TaskState.IN_PROGRESS,
    TaskStatus.AWAITING: TaskState.AWAITING,
    TaskStatus.FALLOUT: TaskState.FALLOUT,
    TaskStatus.IN_PLACE: TaskState.DONE,
}


def task_state(reconciler: Reconciler, key: str) -> TaskState:
    """The state of a task that is in the target, or that the ledger still has facts of, or had."""
    facts = reconciler.ledger.facts.get(key, {})
    if any(fact.residue for fact in facts.values()):
        return TaskState.FALLOUT
    if key in reconciler.status:
        return _OF_STATUS[reconciler.status[key]]
    leaving = facts or any(task == key for task, _ in reconciler.calls)
    return TaskState.COMPENSATING if leaving else TaskState.COMPENSATED


def item_state(states: Iterable[TaskState], *, wanted: bool) -> LifecycleState:
    """The state of an item from those of its tasks; `wanted` is False once it was removed or the order cancelled."""
    found = set(states)
    if TaskState.FALLOUT in found:
        return LifecycleState.HELD
    if not wanted:
        gone = found <= {TaskState.COMPENSATED, TaskState.DONE}
        return LifecycleState.CANCELLED if gone else LifecycleState.PENDING_CANCELLATION
    if found <= {TaskState.DONE}:
        return LifecycleState.COMPLETED
    if found <= {TaskState.PENDING}:
        return LifecycleState.ACKNOWLEDGED
    return LifecycleState.IN_PROGRESS


def bundle_state(states: Iterable[LifecycleState]) -> LifecycleState:
    """The state of a bundle's item from those of its components."""
    found = set(states)
    for state in (LifecycleState.HELD, LifecycleState.PENDING_CANCELLATION):
        if state in found:
            return state
    if len(found) == 1:
        return found.pop()
    if found <= {LifecycleState.COMPLETED, LifecycleState.CANCELLED}:
        return LifecycleState.COMPLETED
    return LifecycleState.IN_PROGRESS


def order_state(reconciler: Reconciler, *, started: bool, cancelled: bool) -> LifecycleState:
    """The order's state. It is held when nothing moves any more, not when one of its items is."""
    if reconciler.settled:
        return LifecycleState.CANCELLED if cancelled else LifecycleState.COMPLETED
    moving = reconciler.calls or reconciler.waiting
    if not moving and reconciler.fallout:
        return LifecycleState.HELD
    if cancelled:
        return LifecycleState.PENDING_CANCELLATION
    return LifecycleState.IN_PROGRESS if started else LifecycleState.ACKNOWLEDGED
