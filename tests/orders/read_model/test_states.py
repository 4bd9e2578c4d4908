"""The states told to people, row by row: of a task, of an item, of a bundle, of an order."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from orders.read_model.states import (
    ITEM_MOVES,
    LifecycleState,
    TaskState,
    bundle_state,
    item_state,
    order_state,
    passed,
    task_state,
)
from tests.orders.support.builders import Bench, held, key_of, ledger_of, plan, task

DONE, PENDING, AWAITING = TaskState.DONE, TaskState.PENDING, TaskState.AWAITING
BUSY, FALLOUT = TaskState.IN_PROGRESS, TaskState.FALLOUT
LEAVING, GONE = TaskState.COMPENSATING, TaskState.COMPENSATED


def begun(*, after: str = "", target_gone: bool = False) -> Bench:
    """A line on a port; the port's call has left, and ended as `after` says."""
    order = Bench(plan(task("port"), task("line", on=["port"])))
    order.next()
    if after:
        getattr(order, after)("provision port/0/0")
    if target_gone:
        order.target(plan())
    return order


def residue() -> Bench:
    order = begun(after="done", target_gone=True)
    order.done("provision line/0/0")
    order.done("compensate line/0/1")
    order.refused("compensate port/0/1")
    return order


@pytest.mark.parametrize(
    ("order", "name", "state"),
    [
        (begun(), "port", TaskState.IN_PROGRESS),
        (begun(), "line", TaskState.PENDING),
        (begun(after="acknowledged"), "port", TaskState.AWAITING),
        (begun(after="acknowledged"), "line", TaskState.PENDING),
        (begun(after="refused"), "port", TaskState.FALLOUT),
        (begun(after="unknown"), "port", TaskState.FALLOUT),
        (begun(after="done"), "port", TaskState.DONE),
        (begun(after="done"), "line", TaskState.IN_PROGRESS),
        (begun(target_gone=True), "port", TaskState.COMPENSATING),
        (begun(after="done", target_gone=True), "port", TaskState.COMPENSATING),
        (begun(after="acknowledged", target_gone=True), "port", TaskState.COMPENSATING),
        (begun(after="refused", target_gone=True), "port", TaskState.COMPENSATED),
        (residue(), "port", TaskState.FALLOUT),
        (residue(), "line", TaskState.COMPENSATED),
    ],
)
def test_a_task_is_in_this_state(order: Bench, name: str, state: TaskState) -> None:
    assert task_state(order.reconciler, key_of(name)) is state


@pytest.mark.parametrize(
    ("tasks", "wanted", "state"),
    [
        ([], True, LifecycleState.COMPLETED),
        ([DONE, DONE], True, LifecycleState.COMPLETED),
        ([PENDING, PENDING], True, LifecycleState.ACKNOWLEDGED),
        ([DONE, PENDING], True, LifecycleState.IN_PROGRESS),
        ([BUSY], True, LifecycleState.IN_PROGRESS),
        ([AWAITING, DONE], True, LifecycleState.IN_PROGRESS),
        ([DONE, LEAVING], True, LifecycleState.IN_PROGRESS),
        ([DONE, FALLOUT, BUSY], True, LifecycleState.HELD),
        ([], False, LifecycleState.CANCELLED),
        ([GONE], False, LifecycleState.CANCELLED),
        ([GONE, DONE], False, LifecycleState.CANCELLED),
        ([GONE, LEAVING], False, LifecycleState.PENDING_CANCELLATION),
        ([BUSY], False, LifecycleState.PENDING_CANCELLATION),
        ([LEAVING, FALLOUT], False, LifecycleState.HELD),
    ],
)
def test_an_item_is_in_this_state(tasks: list[TaskState], wanted: bool, state: LifecycleState) -> None:
    assert item_state(tasks, wanted=wanted) is state


ITEM_STATES = [state for state in LifecycleState if state is not LifecycleState.REJECTED]


@pytest.mark.parametrize("before", ITEM_STATES)
@pytest.mark.parametrize("after", ITEM_STATES)
def test_an_item_comes_from_any_state_to_any_other_by_legal_moves(
    before: LifecycleState, after: LifecycleState
) -> None:
    way = [before, *passed(before, after, of_item=True)]
    assert way[-1] is after
    assert all(there in ITEM_MOVES[here] for here, there in pairwise(way))
    assert len(set(way)) == len(way)


def moved(before: str | None, after: str) -> list[str]:
    """The states of an order on its way."""
    start = LifecycleState(before) if before else None
    return [state.value for state in passed(start, LifecycleState(after))]


def test_an_order_that_jumps_is_told_to_have_passed_what_lies_between() -> None:
    assert moved(None, "acknowledged") == ["acknowledged"]
    assert moved("acknowledged", "completed") == ["inProgress", "completed"]
    assert moved("inProgress", "pendingCancellation") == ["assessingCancellation", "pendingCancellation"]
    assert moved("pending", "cancelled") == ["assessingCancellation", "pendingCancellation", "cancelled"]
    assert moved("held", "held") == []


@pytest.mark.parametrize(
    ("before", "after"),
    [("rejected", "inProgress"), ("pendingCancellation", "inProgress"), ("cancelled", "completed")],
)
def test_nothing_leads_an_order_back_from_where_there_is_no_way(before: str, after: str) -> None:
    with pytest.raises(ValueError, match=f"nothing leads from {before} to {after}"):
        moved(before, after)


@pytest.mark.parametrize(
    ("components", "state"),
    [
        ([LifecycleState.COMPLETED, LifecycleState.COMPLETED], LifecycleState.COMPLETED),
        ([LifecycleState.CANCELLED, LifecycleState.CANCELLED], LifecycleState.CANCELLED),
        ([LifecycleState.ACKNOWLEDGED], LifecycleState.ACKNOWLEDGED),
        ([LifecycleState.COMPLETED, LifecycleState.CANCELLED], LifecycleState.COMPLETED),
        ([LifecycleState.COMPLETED, LifecycleState.ACKNOWLEDGED], LifecycleState.IN_PROGRESS),
        ([LifecycleState.COMPLETED, LifecycleState.IN_PROGRESS], LifecycleState.IN_PROGRESS),
        ([LifecycleState.IN_PROGRESS, LifecycleState.HELD], LifecycleState.HELD),
        ([LifecycleState.PENDING_CANCELLATION, LifecycleState.HELD], LifecycleState.HELD),
        ([LifecycleState.COMPLETED, LifecycleState.PENDING_CANCELLATION], LifecycleState.PENDING_CANCELLATION),
    ],
)
def test_a_bundle_is_in_this_state(components: list[LifecycleState], state: LifecycleState) -> None:
    assert bundle_state(components) is state


def untouched() -> Bench:
    return Bench(plan(task("port")))


def with_fallout_and_a_call() -> Bench:
    order = Bench(plan(task("port"), task("account")))
    order.next()
    order.refused("provision port/0/0")
    return order


def with_fallout_and_an_awaited_callback() -> Bench:
    order = with_fallout_and_a_call()
    order.acknowledged("provision account/0/0")
    return order


def completed() -> Bench:
    return Bench(plan(task("port")), ledger_of(held("port")))


@pytest.mark.parametrize(
    ("make", "started", "cancelled", "state"),
    [
        (untouched, False, False, LifecycleState.ACKNOWLEDGED),
        (untouched, True, False, LifecycleState.IN_PROGRESS),
        (begun, True, False, LifecycleState.IN_PROGRESS),
        (with_fallout_and_a_call, True, False, LifecycleState.IN_PROGRESS),
        (with_fallout_and_an_awaited_callback, True, False, LifecycleState.IN_PROGRESS),
        (lambda: begun(after="refused"), True, False, LifecycleState.HELD),
        (residue, True, True, LifecycleState.HELD),
        (lambda: begun(target_gone=True), True, True, LifecycleState.PENDING_CANCELLATION),
        (lambda: begun(after="refused", target_gone=True), True, True, LifecycleState.CANCELLED),
        (completed, True, False, LifecycleState.COMPLETED),
        (completed, True, True, LifecycleState.CANCELLED),
    ],
)
def test_an_order_is_in_this_state(
    make: Callable[[], Bench], started: bool, cancelled: bool, state: LifecycleState
) -> None:
    order = make()
    if make is completed:
        order.next()
    assert order_state(order.reconciler, started=started, cancelled=cancelled) is state
