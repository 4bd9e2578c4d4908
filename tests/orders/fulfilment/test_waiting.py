"""An order that waits for its turn with installed products: what it tells, what may be asked of it, and how it ends."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orders.change.request import ChangeKind, ChangeRequest, ChangeState
from orders.fulfilment.deciding import consider, first_verdict
from orders.fulfilment.order_in_flight import Fulfilment
from orders.fulfilment.starting import as_asked, prepare
from orders.model.order import Reason
from orders.read_model.states import LifecycleState
from orders.tracking.observation import observe
from orders.tracking.reporting import order_record, order_view
from tests.orders.support.driver import AT, NOW, household, shipped_catalog
from tests.orders.tracking.test_details import told

OTHERS = (Reason(code="product_in_flight", message="product a is being changed by order first"),)
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def order() -> Fulfilment:
    """An order that waits."""
    start = as_asked(shipped_catalog(), household(), NOW, [], OTHERS)
    return Fulfilment(start.model_copy(update={"document": "as submitted"}))


def asked(kind: ChangeKind, request_id: str = "r1") -> ChangeRequest:
    return ChangeRequest(request_id=request_id, kind=kind)


def step(order: Fulfilment) -> None:
    order.reconciler.next_steps(500)
    observe(order, LATER)


def states(order: Fulfilment) -> set[LifecycleState]:
    return {item.state for item in order_view(order, LATER).items}


def test_it_is_pending_says_for_what_it_waits_and_is_promised_for_nothing(order: Fulfilment) -> None:
    step(order)
    view = order_view(order, NOW)
    assert (view.state, view.reasons, view.promised_at, view.expected_at) == (
        LifecycleState.PENDING,
        OTHERS,
        None,
        None,
    )
    assert not order.settled
    assert states(order) == {LifecycleState.ACKNOWLEDGED}
    assert "order first" in told(order)


def test_all_but_a_cancellation_is_refused(order: Fulfilment) -> None:
    for kind in (ChangeKind.HOLD, ChangeKind.RELEASE):
        verdict = first_verdict(order, asked(kind, kind), AT)
        assert verdict is not None
        assert [reason.code for reason in verdict.reasons] == ["order_waits"]


def test_a_cancellation_ends_it(order: Fulfilment) -> None:
    change = asked(ChangeKind.CANCEL)
    assert first_verdict(order, change, AT) is None
    assert consider(order, change, None, order.start.baseline_plan, AT).state is ChangeState.ACCEPTED
    step(order)
    assert order.settled
    assert (order.state, order.reasons) == (LifecycleState.CANCELLED, ())
    assert states(order) == {LifecycleState.CANCELLED}


def test_with_its_turn_it_goes_on_as_captured_and_keeps_what_it_told_and_decided(order: Fulfilment) -> None:
    step(order)
    first_verdict(order, asked(ChangeKind.HOLD), AT)
    order.recorded(order_record(order, NOW))
    order.take_turn(prepare(shipped_catalog(), household(), LATER), LATER)
    step(order)
    assert not order.waits
    assert (order.start.ordered_at, order.document) == (NOW, "as submitted")
    assert list(order.verdicts) == ["r1"]
    assert order.plan.tasks
    assert order.promised_at is not None
    record = order_record(order, LATER)
    assert [revision.number for revision in record.revisions] == [0, 1]
    assert record.events[0].number == 3


def test_it_is_rejected_at_its_turn_and_takes_no_change_any_more(order: Fulfilment) -> None:
    reasons = (Reason(code="product_not_active", message="product a is terminated"),)
    step(order)
    order.turn_down(reasons)
    step(order)
    assert order.settled
    assert (order.state, order.told_state) == (LifecycleState.REJECTED, LifecycleState.PENDING)
    assert (order.reasons, states(order)) == (reasons, {LifecycleState.ACKNOWLEDGED})
    order.close(LATER)
    record = order_record(order, LATER)
    assert (record.view.state, {item.state for item in record.view.items}) == ("rejected", {"rejected"})
    order.recorded(record)
    assert (order.told_state, states(order)) == (LifecycleState.REJECTED, {LifecycleState.REJECTED})
    verdict = first_verdict(order, asked(ChangeKind.CANCEL), AT)
    assert verdict is not None
    assert [reason.code for reason in verdict.reasons] == ["order_rejected"]
    assert record.transitions[-1].cause == "rejected: product_not_active"


def test_the_next_run_of_its_workflow_still_waits(order: Fulfilment) -> None:
    order.wait_on((*OTHERS, *OTHERS), LATER)
    start = order.start.model_copy(update={"carried": order.carried})
    again = Fulfilment(type(start).model_validate_json(start.model_dump_json()))
    assert (again.state, again.reasons) == (LifecycleState.PENDING, (*OTHERS, *OTHERS))
