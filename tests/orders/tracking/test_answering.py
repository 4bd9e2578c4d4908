"""The answer: what goes on, what decides, what follows, and when. It is bounded, and holds still."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orders.change.request import ChangeKind, ChangeRequest, ChangeState
from orders.fulfilment.messages import PlanAnswer
from orders.fulfilment.order_in_flight import Fulfilment
from orders.model.order import OrderRequest, RequestedItem, Site
from orders.promising.forecast import promised_at
from orders.read_model.answer import Answer, WaitsFor
from orders.reconcile.outcome import Outcome, OutcomeKind
from orders.reconcile.target import TaskStatus
from orders.tracking.answering import MOST_NEXT, MOST_NOW, answer
from orders.tracking.details import details
from orders.tracking.observation import ahead, observe
from orders.tracking.reporting import order_record, order_view
from orders.tracking.what_if.preview import preview
from tests.orders.fulfilment.test_on_hold import held
from tests.orders.support.driver import AT, NOW, Driver, household, key
from tests.orders.tracking.test_preview import copy

VISIT = "installation/visit-site"


def told(order: Fulfilment) -> Answer:
    return order_view(order, NOW).answer


def awaiting(*silos: str) -> Driver:
    driver = Driver(household(), waiting=silos or ["field-service"])
    driver.order.start = driver.order.start.model_copy(
        update={"promised_at": promised_at(driver.order.start.revision, driver.order.start.plan, NOW)}
    )
    driver.run()
    return driver


def test_what_is_awaited_longest_decides_and_what_follows_is_named_with_when() -> None:
    driver = awaiting("field-service", "shipping")
    found = told(driver.order)
    assert found.decides == key(driver, VISIT)
    assert found.waits_for is not None
    assert (found.waits_for.kind, found.waits_for.until) == (WaitsFor.VISIT, NOW + timedelta(days=5))
    assert [(line.title, line.waits_for) for line in found.now] == [
        ("Technician's visit", WaitsFor.VISIT),
        ("Parcel", WaitsFor.PARCEL),
    ]
    assert found.now[1].numbers.keys() == {"serial"}
    assert [(line.title, line.after) for line in found.next] == [("Activation of the line", ("Technician's visit",))]
    assert found.next[0].expected == NOW + timedelta(days=5, minutes=2)


def test_what_needs_a_person_comes_first_and_nothing_is_expected_until_somebody_acts() -> None:
    driver = Driver(household(), waiting=["field-service"])
    driver.refuse["number-inventory.provision"] = "none_left"
    driver.run()
    view = order_view(driver.order, NOW)
    assert view.expected_at is None
    assert view.answer.waits_for is not None
    assert view.answer.waits_for.kind is WaitsFor.PERSON
    assert view.answer.now[0].last_error == "number-inventory refused: said the silo"
    assert view.answer.now[0].expected is None


def test_an_expectation_holds_still_until_something_comes_about() -> None:
    driver = awaiting()
    order_record(driver.order, NOW)
    first = order_view(driver.order, NOW).expected_at
    for hours in (1, 50, 500):
        assert order_view(driver.order, NOW + timedelta(hours=hours)).expected_at == first


def test_why_and_since_when_an_order_is_late_is_kept_until_it_is_in_time_again() -> None:
    driver = awaiting()
    late = NOW + timedelta(days=6)
    observe(driver.order, late)
    found = told(driver.order)
    assert (found.late_since, found.late_because) == (
        late,
        "Waits for: Technician's visit at home, expected by 2026-03-07 09:00 UTC",
    )
    driver.complete("field-service")
    driver.run()
    driver.order.reconciler.look()
    assert driver.order.settled


def test_a_preview_counts_what_is_awaited_from_when_it_began() -> None:
    driver = awaiting()
    later = NOW + timedelta(days=4)
    change = ChangeRequest(request_id="p", kind=ChangeKind.REPLACE, task=key(driver, "voice-line/reserve-number"))
    for order in (driver.order, copy(driver.order)):
        found = preview(order, change, PlanAnswer(), later)
        assert found.state is ChangeState.ACCEPTED
        assert found.expected_at is not None
        assert timedelta(days=5) < found.expected_at - NOW < timedelta(days=5, hours=1)


def test_the_answer_is_bounded_and_says_how_much_it_leaves_out() -> None:
    sites = tuple(RequestedItem(id=f"n{n}", offering="fibre-100", site=Site(id=f"s{n}")) for n in range(50))
    driver = Driver(
        OrderRequest(external_id="x", channel="web", customer_id="c", items=sites), waiting=["field-service"]
    )
    driver.run()
    found = told(driver.order)
    assert (len(found.now), found.more_now) == (MOST_NOW, 50 - MOST_NOW)
    blocked = sum(counts[TaskStatus.BLOCKED] for counts in driver.order.tally().values())
    assert (len(found.next), found.more_next) == (MOST_NEXT, blocked - MOST_NEXT)
    assert found.summary.endswith("(and 49 more)")
    assert len(details(driver.order, found).splitlines()) < 80


def test_a_call_under_way_is_told_with_since_when() -> None:
    driver = Driver(household())
    driver.order.reconciler.next_steps()
    observe(driver.order, NOW)
    observe(driver.order, NOW + timedelta(minutes=3))
    [line] = told(driver.order).now
    assert (line.title, line.silo, line.since) == ("Customer account", "crm", NOW)


def test_what_is_undone_is_told_as_that_with_the_fee_that_follows() -> None:
    driver = awaiting("field-service", "shipping")
    driver.order.answer(*_awaited(driver, "ship-parcel"), _handed_over(), AT)
    verdict = driver.change("cancel", accept_fee={"amount": "9.90", "currency": "EUR"})
    assert verdict.state is ChangeState.ASSESSING
    for _ in range(6):
        driver.run_some(1)
    [fee] = [line for line in told(driver.order).next if line.title == "Billing of a fee of 9.90 EUR"]
    assert (fee.title_wording.template, fee.after) == ("Billing of a fee of {fee}", ("Parcel",))


def _awaited(driver: Driver, task: str) -> tuple[tuple[str, int], int]:
    fact_id = next(fact for fact in driver.order.reconciler.waiting if fact[0].endswith(task))
    fact = driver.order.reconciler.ledger.fact(fact_id)
    assert fact is not None and fact.waiting is not None
    return fact_id, fact.waiting.n


def _handed_over() -> Outcome:
    return Outcome(OutcomeKind.ACKNOWLEDGED, milestones={"handed-over": AT})


def test_on_hold_what_is_awaited_is_told_and_what_follows_has_no_date() -> None:
    driver = awaiting()
    driver.change("hold", "h", requester="Ada", reason="moves")
    found = told(driver.order)
    assert found.summary.startswith("On hold since 2026-03-02 09:00 UTC by Ada: moves")
    assert [line.title for line in found.now] == ["Technician's visit"]
    assert [line.expected for line in found.next] == [None]


@pytest.mark.parametrize("refused", ["reserve-number"])
def test_on_hold_comes_before_what_needs_a_person(refused: str) -> None:
    driver, _ = held(refused)
    found = told(driver.order)
    assert found.waits_for is not None
    assert (found.waits_for.kind, found.now[0].waits_for) == (WaitsFor.HOLD, WaitsFor.PERSON)


def test_what_decides_is_worked_out_by_the_plan() -> None:
    driver = awaiting("shipping")
    assert ahead(driver.order, NOW).decides == key(driver, "delivery/ship-parcel")
    assert answer(driver.order, "", ended=False).decides == key(driver, "delivery/ship-parcel")
