"""What is done to an order is done whole or not at all, wherever an exception comes up on the way."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from inspect import CO_GENERATOR
from types import FrameType

import pytest
from pydantic import TypeAdapter

from orders.change.request import ChangeKind, ChangeRequest, ChangeState
from orders.fulfilment.deciding import assess, consider, first_verdict
from orders.fulfilment.order_in_flight import Fulfilment
from orders.fulfilment.snapshot import Fork, Snapshot
from orders.fulfilment.whole import whole_for
from orders.planning.amend import amended
from orders.reconcile.ledger import FactId
from orders.reconcile.outcome import Outcome, OutcomeKind
from tests.orders.support.driver import AT, Driver, household, key

SNAPSHOT, FORK = TypeAdapter(Snapshot), TypeAdapter(Fork)
FIRST_AND_LAST = 15
"""So many calls at either end of something done are tried one by one, and as many between."""


class DefectError(Exception):
    """What no rule foresees."""


@contextmanager
def defect_at(call: int) -> Generator[list[int]]:
    """That call of a function of the core, counted from 1, raises. Gives, in a list, how many were made."""
    made = [0]

    def look(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        is_ours = "/orders/" in code.co_filename and "/tests/" not in code.co_filename
        # A generator that nobody needs any more is closed by a call, which hears of no exception.
        if event == "call" and is_ours and not code.co_flags & CO_GENERATOR:
            made[0] += 1
            if made[0] == call:
                sys.setprofile(None)
                raise DefectError

    sys.setprofile(look)
    try:
        yield made
    finally:
        sys.setprofile(None)


def state(order: Fulfilment) -> tuple[object, ...]:
    """All that can be known of an order."""
    return (
        SNAPSHOT.dump_python(order.carried),
        FORK.dump_python(order.fork()),
        order.state,
        order.log,
        {task: list(answers) for task, answers in order.reconciler.early.items()},
        order.journal.news_since,
    )


Done = Callable[[Driver], object]


def awaiting() -> Driver:
    """An order for which a parcel and a technician are awaited."""
    driver = Driver(household(), waiting=["field-service", "shipping"])
    driver.run()
    return driver


def asked_to_let_go() -> Driver:
    """One whose technician was asked to stay away, and will."""
    driver = awaiting()
    assert driver.change("cancelItems", items=("tv",), cascade=True).state is ChangeState.ACCEPTED
    assert driver.change("cancel", "c2").state is ChangeState.ASSESSING
    for step in driver.order.reconciler.next_steps():
        driver.order.record(step, Outcome(OutcomeKind.DONE), AT)
    return driver


def cancelled(driver: Driver) -> object:
    """A cancellation is decided."""
    change = ChangeRequest(request_id="c", kind=ChangeKind.CANCEL)
    return consider(driver.order, change, None, driver.order.start.baseline_plan, AT)


def without_voice(driver: Driver) -> object:
    """An amendment is decided."""
    order, start = driver.order, driver.order.start
    change = ChangeRequest(request_id="c", kind=ChangeKind.AMEND, remove=("voice",))
    revision, plan = amended(
        driver.catalog, start.order_id, order.revision, change, {}, start.baseline, start.baseline_plan
    )
    return consider(order, change, revision, plan, AT)


def held(driver: Driver) -> object:
    """A change is decided that needs no planning."""
    return first_verdict(driver.order, ChangeRequest(request_id="c", kind=ChangeKind.HOLD), AT)


def concluded(driver: Driver) -> object:
    """The silos that were asked have let go."""
    return assess(driver.order, AT)


def _visit(driver: Driver) -> FactId:
    return key(driver, "visit-site"), 0


def visited(driver: Driver) -> object:
    """A silo reports that it is done."""
    fact = driver.order.reconciler.ledger.fact(_visit(driver))
    assert fact is not None
    assert fact.waiting is not None
    with whole_for(driver.order, fact.task):
        return driver.order.answer(
            fact.id, fact.waiting.n, Outcome(OutcomeKind.DONE, {"report_id": "r"}, milestones={"done": AT}), AT
        )


def lost(driver: Driver) -> object:
    """A silo reports a loss."""
    with whole_for(driver.order, _visit(driver)[0]):
        return driver.order.answer(_visit(driver), 0, Outcome(OutcomeKind.LOST), AT)


def ended(driver: Driver) -> object:
    """A call has ended."""
    step = next(iter(driver.order.reconciler.calls.values()))
    with whole_for(driver.order, step.task):
        return driver.order.record(step, driver.answer(step), AT)


def calling() -> Driver:
    """An order with calls under way."""
    driver = Driver(household())
    driver.order.reconciler.next_steps()
    return driver


@pytest.mark.parametrize(
    ("given", "done"),
    [
        (awaiting, cancelled),
        (awaiting, without_voice),
        (awaiting, held),
        (asked_to_let_go, concluded),
        (awaiting, visited),
        (awaiting, lost),
        (calling, ended),
    ],
)
def test_an_exception_anywhere_leaves_the_order_as_it_was(given: Callable[[], Driver], done: Done) -> None:
    done(given())  # What is worked out once only does not count.
    control = given()
    with defect_at(0) as made:
        expected = done(control)
    after = state(control.order)
    calls = made[0]
    control.run()
    ends = {*range(1, FIRST_AND_LAST), *range(max(1, calls - FIRST_AND_LAST), calls + 1)}
    for call in sorted({*ends, *range(1, calls, max(1, calls // FIRST_AND_LAST))}):
        driver = given()
        before = state(driver.order)
        with defect_at(call), pytest.raises(DefectError):
            done(driver)
        assert state(driver.order) == before, call
        assert (done(driver), state(driver.order)) == (expected, after), call
        driver.run()
        assert driver.calls == control.calls
        assert state(driver.order) == state(control.order)
