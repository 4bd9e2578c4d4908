"""The end of an order: told by nobody before the register knows of it, and final from then on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orders.change.request import ChangeState
from orders.tracking.observation import observe
from orders.tracking.reporting import END_UNRECORDED, order_record, order_view
from tests.orders.support.driver import NOW, Driver, household
from tests.orders.tracking.test_details import told

SELF = {"installation": "self", "equipment": "own"}


def at_its_end(*, cancelled: bool = False) -> Driver:
    """An order that is done, and the register does not know."""
    driver = Driver(household(**SELF), waiting=["tv"] if cancelled else [])
    driver.run()
    if cancelled:
        driver.change("cancel")
        driver.run()
    assert driver.order.settled
    driver.order.close(NOW)
    return driver


@pytest.mark.parametrize(
    ("cancelled", "before", "end"), [(False, "inProgress", "completed"), (True, "pendingCancellation", "cancelled")]
)
def test_an_end_is_told_once_the_register_knows_and_until_then_why_it_is_not(
    cancelled: bool, before: str, end: str
) -> None:
    order = at_its_end(cancelled=cancelled).order
    view = order_view(order, NOW)
    assert (view.state, view.completed_at, view.ending) == (before, None, True)
    assert [problem.code for problem in view.problems] == [END_UNRECORDED]
    assert told(order).startswith(f"**{before}**")
    moves = order.journal.unrecorded().transitions
    assert [move.after for move in moves if move.item is None][-1] == before
    assert {item.state for item in view.items} == {end}

    record = order_record(order, NOW)
    assert (record.view.state, record.view.completed_at, record.view.problems) == (end, NOW, ())
    assert [move.after for move in record.transitions if move.item is None][-1] == end
    assert order_view(order, NOW).state == before
    order.recorded(record)
    view = order_view(order, NOW)
    assert (view.state, view.completed_at, view.ending, view.problems) == (end, NOW, False, ())
    assert told(order).startswith(f"**{end}**")


@pytest.mark.parametrize("kind", ["cancel", "hold", "changePriority"])
@pytest.mark.parametrize("cancelled", [False, True])
def test_an_end_that_the_register_knows_is_final(kind: str, cancelled: bool) -> None:
    driver = at_its_end(cancelled=cancelled)
    driver.order.recorded(order_record(driver.order, NOW))
    verdict = driver.change(kind, "late", **({"priority": 0} if kind == "changePriority" else {}))
    assert verdict.state is ChangeState.REJECTED
    expected = ("order_cancelled", "already_cancelled") if cancelled else ("order_completed",)
    assert verdict.reasons[0].code in expected
    assert driver.order.told_state == ("cancelled" if cancelled else "completed")


def test_an_order_that_has_gone_on_since_is_not_ended_by_the_record_of_its_former_end() -> None:
    driver = at_its_end()
    record = order_record(driver.order, NOW)
    driver.change("amend", update=({"id": "tv", "offering": "tv-sport"},))
    driver.order.reopen()
    driver.order.recorded(record)
    assert not driver.order.carried.end_recorded
    driver.run()
    later = NOW + timedelta(seconds=1)
    driver.order.close(later)
    observe(driver.order, later)
    assert order_view(driver.order, later).state == "inProgress"
    driver.order.recorded(order_record(driver.order, later))
    assert order_view(driver.order, later).state == "completed"
