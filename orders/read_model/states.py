"""States for people and other systems, derived from facts: TMF622's words for orders and items.

`docs/concepts.md` has the tables. Nothing decides by these states; they only tell. What was told leads to what is told
next by legal moves alone: `passed` names the states between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Final, TypeAlias

from orders.reconcile.reconciler import Reconciler
from orders.reconcile.target import TaskStatus


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
    TRIED_AGAIN = "triedAgain"
    DONE = "done"
    COMPENSATING = "compensating"
    COMPENSATED = "compensated"


Moves: TypeAlias = Mapping[LifecycleState | None, tuple[LifecycleState, ...]]
"""Where each state may lead; None is where an order or item begins."""

ORDER_MOVES: Final[Moves] = MappingProxyType(
    {
        None: (LifecycleState.ACKNOWLEDGED, LifecycleState.REJECTED),
        LifecycleState.ACKNOWLEDGED: (
            LifecycleState.REJECTED,
            LifecycleState.IN_PROGRESS,
            LifecycleState.PENDING,
            LifecycleState.HELD,
            LifecycleState.ASSESSING_CANCELLATION,
        ),
        LifecycleState.IN_PROGRESS: (
            LifecycleState.PENDING,
            LifecycleState.HELD,
            LifecycleState.ASSESSING_CANCELLATION,
            LifecycleState.COMPLETED,
        ),
        LifecycleState.PENDING: (
            LifecycleState.ACKNOWLEDGED,
            LifecycleState.IN_PROGRESS,
            LifecycleState.HELD,
            LifecycleState.ASSESSING_CANCELLATION,
        ),
        LifecycleState.HELD: (
            LifecycleState.ACKNOWLEDGED,
            LifecycleState.IN_PROGRESS,
            LifecycleState.PENDING,
            LifecycleState.ASSESSING_CANCELLATION,
            LifecycleState.PENDING_CANCELLATION,
        ),
        LifecycleState.ASSESSING_CANCELLATION: (
            LifecycleState.ACKNOWLEDGED,
            LifecycleState.IN_PROGRESS,
            LifecycleState.PENDING,
            LifecycleState.HELD,
            LifecycleState.PENDING_CANCELLATION,
        ),
        LifecycleState.PENDING_CANCELLATION: (LifecycleState.CANCELLED, LifecycleState.HELD),
        # The ends are ends once the register knows. What comes while it cannot be written opens the order again.
        LifecycleState.COMPLETED: (LifecycleState.IN_PROGRESS, LifecycleState.ASSESSING_CANCELLATION),
        LifecycleState.CANCELLED: (LifecycleState.PENDING_CANCELLATION,),
        LifecycleState.REJECTED: (),
    }
)
"""TMF622's moves of an order. It returns from an assessment, or from being held, to where it was."""

ITEM_MOVES: Final[Moves] = MappingProxyType(
    {
        **ORDER_MOVES,
        # An item that was removed can be asked for again, while it is undone or later.
        LifecycleState.PENDING_CANCELLATION: (
            LifecycleState.CANCELLED,
            LifecycleState.HELD,
            LifecycleState.IN_PROGRESS,
        ),
        LifecycleState.CANCELLED: (LifecycleState.ACKNOWLEDGED, LifecycleState.PENDING_CANCELLATION),
    }
)
"""An item's moves. While its order is in flight a change may lead on from where it had ended."""


def passed(
    before: LifecycleState | None, after: LifecycleState, *, of_item: bool = False
) -> tuple[LifecycleState, ...]:
    """The states that lead from one to another by legal moves: the fewest, `after` the last. Empty if equal."""
    return _shortest(before, after, of_item)


_NEVER_PASSED = (LifecycleState.HELD, LifecycleState.PENDING)
"""An order is held, or waits for an assessment, for a reason of its own, and not on the way to something else."""


@cache
def _shortest(before: LifecycleState | None, after: LifecycleState, of_item: bool) -> tuple[LifecycleState, ...]:
    if before is after:
        return ()
    moves = ITEM_MOVES if of_item else ORDER_MOVES
    ways: list[tuple[LifecycleState, ...]] = [(state,) for state in moves[before]]
    for way in ways:  # It grows while it is gone through: the shorter ways come first.
        if way[-1] is after:
            return way
        if way[-1] not in _NEVER_PASSED:
            ways += [(*way, state) for state in moves[way[-1]] if state not in way]
    raise ValueError(f"nothing leads from {before} to {after}")


_OF_STATUS = {
    TaskStatus.BLOCKED: TaskState.PENDING,
    TaskStatus.UNDER_WAY: TaskState.IN_PROGRESS,
    TaskStatus.AWAITING: TaskState.AWAITING,
    TaskStatus.FALLOUT: TaskState.FALLOUT,
    TaskStatus.TRIED_AGAIN: TaskState.TRIED_AGAIN,
    TaskStatus.IN_PLACE: TaskState.DONE,
}


def task_state(reconciler: Reconciler, key: str) -> TaskState:
    """The state of a task that is in the target, or that the ledger still has facts of, or had."""
    facts = reconciler.ledger.facts.get(key, {})
    if any(fact.id in reconciler.refused_compensations for fact in facts.values()):
        return TaskState.FALLOUT
    if any(fact.compensation_refused for fact in facts.values()):
        return TaskState.TRIED_AGAIN
    leaving = facts or reconciler.is_called(key)
    if key in reconciler.status and not (leaving and reconciler.is_suspended(key)):
        return _OF_STATUS[reconciler.status[key]]
    return TaskState.COMPENSATING if leaving else TaskState.COMPENSATED


def item_state(states: Iterable[TaskState], *, wanted: bool, begun: bool = False) -> LifecycleState:
    """The state of an item from those of its tasks.

    `wanted` is False once it was removed or the order cancelled; one that has `begun` is never again as if it had not.
    """
    found = set(states)
    if TaskState.FALLOUT in found:
        return LifecycleState.HELD
    if not wanted:
        gone = found <= {TaskState.COMPENSATED, TaskState.DONE}
        return LifecycleState.CANCELLED if gone else LifecycleState.PENDING_CANCELLATION
    if found <= {TaskState.DONE}:
        return LifecycleState.COMPLETED
    if found <= {TaskState.PENDING} and not begun:
        return LifecycleState.ACKNOWLEDGED
    return LifecycleState.IN_PROGRESS


def bundle_state(states: Iterable[LifecycleState], *, begun: bool = False) -> LifecycleState:
    """The state of a bundle's item from those of its components."""
    found = set(states)
    for state in (LifecycleState.HELD, LifecycleState.PENDING_CANCELLATION):
        if state in found:
            return state
    if begun and found == {LifecycleState.ACKNOWLEDGED}:
        return LifecycleState.IN_PROGRESS
    if len(found) == 1:
        return found.pop()
    if found <= {LifecycleState.COMPLETED, LifecycleState.CANCELLED}:
        return LifecycleState.COMPLETED
    return LifecycleState.IN_PROGRESS


ENDS: Final = (LifecycleState.COMPLETED, LifecycleState.CANCELLED, LifecycleState.REJECTED)
"""The states in which an order has come to its end."""


def short_of_the_end(state: LifecycleState, *, started: bool) -> LifecycleState:
    """What an order is told as that has come to an end, until the register knows of it: the state right before."""
    match state:
        case LifecycleState.COMPLETED:
            return LifecycleState.IN_PROGRESS if started else LifecycleState.ACKNOWLEDGED
        case LifecycleState.CANCELLED:
            return LifecycleState.PENDING_CANCELLATION
        case LifecycleState.REJECTED:
            return LifecycleState.PENDING
        case _:
            return state


def order_state(reconciler: Reconciler, *, started: bool, cancelled: bool) -> LifecycleState:
    """The order's state. It is held when nothing moves any more, not when one of its items is."""
    if reconciler.settled:
        return LifecycleState.CANCELLED if cancelled else LifecycleState.COMPLETED
    moving = reconciler.calls or reconciler.waiting or reconciler.tried_again()
    if not moving and reconciler.fallout:
        return LifecycleState.HELD
    if cancelled:
        return LifecycleState.PENDING_CANCELLATION
    return LifecycleState.IN_PROGRESS if started else LifecycleState.ACKNOWLEDGED
