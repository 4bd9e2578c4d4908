"""A promise is moved by a person who says why: the plan stays, and what the promise is in danger of is found anew."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from orders.change.request import ChangeKind, ChangeRequest, ChangeState, Subject
from orders.fulfilment.messages import PlanAnswer
from orders.fulfilment.snapshot import Snapshot
from orders.read_model.jeopardy import JeopardyLevel
from orders.read_model.records import EventKind
from orders.tracking.observation import observe
from orders.tracking.reporting import order_view
from orders.tracking.what_if.options import Option, options_of
from orders.tracking.what_if.preview import preview
from tests.orders.support.driver import NOW, Driver, household

SILOS = ("field-service", "shipping")
LATER = NOW + timedelta(days=60)
WHY = {"requester": "agent-7", "reason": "a strike of the technicians"}


def late() -> Driver:
    """An order that was promised for this very moment, and waits for its visit and its parcel."""
    driver = Driver(household(), waiting=SILOS)
    driver.run()
    assert level(driver) in (JeopardyLevel.IN_JEOPARDY, JeopardyLevel.MISSED)
    return driver


def level(driver: Driver, now: datetime = NOW) -> JeopardyLevel:
    observe(driver.order, now)
    return driver.order.carried.journal.jeopardy


def option(driver: Driver) -> Option:
    told = options_of(driver.order, driver.catalog, NOW)
    return next(each for each in told.order if each.subject is Subject.PROMISE)


def previewed(driver: Driver, promised: datetime) -> tuple[ChangeState, datetime | None, tuple[str, ...]]:
    asked = {"request_id": "p", "kind": ChangeKind.CHANGE_PROMISE, "promised_at": promised, **WHY}
    change = ChangeRequest.model_validate(asked)
    told = preview(driver.order, change, PlanAnswer(), NOW, driver.catalog)
    return told.state, told.promised_at, tuple(reason.code for reason in told.reasons)


def test_a_later_promise_ends_the_danger_and_no_silo_hears_of_it() -> None:
    driver = late()
    verdict = driver.change("changePromise", promised_at=LATER, **WHY)
    assert verdict.state is ChangeState.ACCEPTED
    assert driver.run() == []
    assert (driver.promised_at, level(driver)) == (LATER, JeopardyLevel.NONE)
    assert driver.order.revision.number == 1
    assert (verdict.requester, verdict.reason, verdict.promised_at) == (*WHY.values(), LATER)


def test_an_earlier_promise_may_be_in_danger_at_once() -> None:
    driver = late()
    driver.change("changePromise", promised_at=LATER, **WHY)
    assert level(driver) is JeopardyLevel.NONE
    driver.change("changePromise", "sooner", promised_at=NOW + timedelta(minutes=1), **WHY)
    assert level(driver) is JeopardyLevel.IN_JEOPARDY
    assert order_view(driver.order, NOW).promised_at == NOW + timedelta(minutes=1)


def test_a_moved_promise_is_an_event_and_the_same_promise_again_is_none() -> None:
    driver = late()
    for request_id in ("first", "again"):
        assert driver.change("changePromise", request_id, promised_at=LATER, **WHY).state is ChangeState.ACCEPTED
    events = driver.order.carried.journal.events
    assert [event.data for event in events if event.kind is EventKind.ATTRIBUTES_CHANGED] == [
        {"revision": 1, "change": "first", "order": ["promised_at"], "items": {}}
    ]


def test_a_moved_promise_holds_until_the_customer_chooses_another_date() -> None:
    driver = late()
    driver.change("changePromise", promised_at=LATER, **WHY)
    driver.change("changePriority", "priority", priority=1)
    assert driver.promised_at == LATER
    chosen = LATER + timedelta(days=30)
    driver.change("reschedule", "dates", requested_completion=chosen)
    assert driver.promised_at == chosen


def test_a_moved_promise_is_carried_over() -> None:
    driver = late()
    driver.change("changePromise", promised_at=LATER, **WHY)
    copied = driver.order.carried.copy()
    assert isinstance(copied, Snapshot)
    assert copied.promised_at == LATER
    assert copied.verdicts["c"].promised_at == LATER


@pytest.mark.parametrize("promised", [NOW, NOW - timedelta(days=1)])
def test_what_is_past_cannot_be_promised(promised: datetime) -> None:
    driver = late()
    verdict = driver.change("changePromise", promised_at=promised, **WHY)
    assert (verdict.state, [reason.code for reason in verdict.reasons]) == (ChangeState.REJECTED, ["past_date"])
    assert driver.promised_at == NOW
    assert previewed(driver, promised) == (ChangeState.REJECTED, NOW, ("past_date",))


def test_a_cancelled_order_promises_nothing_any_more() -> None:
    driver = late()
    driver.change("cancel", "away")
    driver.run()
    verdict = driver.change("changePromise", promised_at=LATER, **WHY)
    assert [reason.code for reason in verdict.reasons] == ["order_cancelled"]
    assert not option(driver).possible


def test_an_order_that_has_ended_promises_nothing_any_more() -> None:
    driver = Driver(household())
    driver.run()
    driver.order.close(NOW)
    driver.order.carried.end_recorded = True
    verdict = driver.change("changePromise", promised_at=LATER, **WHY)
    assert [reason.code for reason in verdict.reasons] == ["order_completed"]


def test_a_preview_tells_what_would_be_promised_and_changes_nothing() -> None:
    driver = late()
    assert previewed(driver, LATER) == (ChangeState.ACCEPTED, LATER, ())
    assert driver.promised_at == NOW


def test_it_is_among_the_options_with_what_it_takes() -> None:
    told = option(late())
    assert (told.kind, told.possible) == (ChangeKind.CHANGE_PROMISE, True)
    assert told.takes == ("promisedAt", "requester", "reason")
