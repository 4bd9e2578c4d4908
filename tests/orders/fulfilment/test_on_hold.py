"""On hold nothing new begins, and what comes about meanwhile is seen all the same."""

from __future__ import annotations

from decimal import Decimal

from orders.model.values import Money
from orders.reconcile.outcome import Outcome, OutcomeKind
from orders.reconcile.target import TaskStatus
from tests.orders.support.driver import AT, Driver, household


def held(refused: str) -> tuple[Driver, str]:
    """A household that was put on hold while calls were under way, one of which was refused after that."""
    driver = Driver(household())
    steps = driver.order.reconciler.next_steps()
    while not any(refused in step.task for step in steps):
        for step in steps:
            driver.order.record(step, driver.answer(step), AT)
        steps = driver.order.reconciler.next_steps()
    driver.change("hold", "hold")
    for step in steps:
        kind = OutcomeKind.REFUSED if refused in step.task else OutcomeKind.DONE
        driver.order.record(step, Outcome(kind, driver.answer(step).outputs, "no", "not today"), AT)
    driver.order.reconciler.look()
    return driver, next(step.task for step in steps if refused in step.task)


def test_what_is_refused_on_hold_waits_for_a_person_and_nothing_begins() -> None:
    driver, refused = held("reserve-number")
    assert driver.order.reconciler.fallout == {refused}
    assert driver.order.fallout_silos() == ["number-inventory"]
    assert not driver.order.reconciler.calls
    assert driver.order.state == "held"


def test_a_person_may_settle_what_was_refused_and_all_else_begins_on_release() -> None:
    driver, refused = held("reserve-number")
    outputs = {"number": "+4930111111"}
    done = driver.change("resolve", task=refused, resolution="done", requester="Ada", outputs=outputs)
    assert (done.state, done.reasons) == ("accepted", ())
    driver.order.reconciler.look()
    assert driver.order.reconciler.status[refused] is TaskStatus.IN_PLACE
    driver.change("release", "release")
    driver.run()
    assert driver.order.settled


def test_a_change_of_target_on_hold_is_told_as_to_be_done_and_is_done_on_release() -> None:
    driver = Driver(household(), waiting=["field-service"])
    driver.run()
    driver.change("hold", "hold")
    driver.change("amend", "pack", update=({"id": "tv", "offering": "tv-sport"},))
    driver.order.reconciler.look()
    assert not driver.order.reconciler.calls
    driver.change("release", "release")
    driver.complete("field-service")
    driver.run()
    assert driver.order.settled


def test_what_is_undone_on_hold_is_told_as_to_be_billed_and_is_billed_on_release() -> None:
    driver = Driver(household(installation="self"))
    driver.refuse["tv.provision"] = "no_coverage"
    driver.run()
    driver.change("cancel", accept_fee=Money(amount=Decimal("9.90"), currency="EUR"))
    steps = driver.order.reconciler.next_steps()
    driver.change("hold", "hold")
    for step in steps:
        driver.order.record(step, driver.answer(step), AT)
    (fee,) = driver.order.plan.tasks
    assert fee.endswith("/charges/bill-fee")
    driver.order.reconciler.look()
    assert not driver.order.reconciler.calls
    driver.change("release", "release")
    assert "billing.provision charges/bill-fee/0/0" in driver.run()
