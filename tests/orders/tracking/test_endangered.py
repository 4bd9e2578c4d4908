"""In what danger a promise is: found when it becomes true, told with its cause, and withdrawn when it is over."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from orders.model.plan import Takes
from orders.news.message import MessageState
from orders.promising.forecast import Forecast, forecast, promised_at
from orders.read_model.jeopardy import JeopardyCause, JeopardyLevel
from orders.read_model.records import EventKind
from orders.tracking import observation
from orders.tracking.observation import observe
from orders.tracking.reporting import order_record, order_view
from orders.tracking.timelining import timeline_page
from tests.orders.news.readers import Customer
from tests.orders.support.driver import NOW, Driver, household

DAY_S = 86_400.0
SILOS = ("field-service", "shipping")


def visited(spare: timedelta = timedelta()) -> Driver:
    """A household whose visits are known to take a day, or four; promised by that, with some time to spare."""
    driver = Driver(household(), waiting=SILOS)
    driver.order.plan.durations["installation/visit-site"] = Takes(DAY_S, 4 * DAY_S)
    start = driver.order.start
    promised = promised_at(start.revision, driver.order.plan, NOW) + spare
    driver.order.start = start.model_copy(update={"promised_at": promised})
    driver.run()
    order_record(driver.order, NOW)
    return driver


def levels(driver: Driver) -> list[str]:
    events = driver.order.carried.journal.events
    return [str(event.data["level"]) for event in events if event.kind is EventKind.JEOPARDY]


def wait(driver: Driver, until: datetime) -> None:
    """Look whenever the order asks to be looked at, and at no other time."""
    while (look := driver.order.journal.late_at) is not None and look <= until:
        observe(driver.order, look)


def test_a_promise_is_for_what_is_kept_nine_times_in_ten_and_is_in_no_danger_by_itself() -> None:
    driver = visited()
    view = order_view(driver.order, NOW)
    assert view.jeopardy is None
    assert view.expected_at is not None
    assert view.safe_at is not None
    assert view.promised_at is not None
    assert view.expected_at < view.safe_at <= view.promised_at + timedelta(minutes=1)
    assert view.slack_s is not None
    assert view.slack_s > DAY_S
    items = {item.id: item for item in view.items}
    assert max(item.safe_at for item in items.values() if item.safe_at) <= view.safe_at
    assert all(item.expected_at <= item.safe_at for item in view.items if item.expected_at and item.safe_at)


def test_danger_is_found_by_timer_and_grows_with_what_takes_ever_longer() -> None:
    driver = visited()
    wait(driver, NOW + timedelta(days=60))
    found = levels(driver)
    assert found[-1] == "missed"
    assert set(found) <= {"atRisk", "inJeopardy", "missed"}
    assert all(one != other for one, other in pairwise(found))
    assert driver.order.journal.late_at is None
    late = order_view(driver.order, NOW + timedelta(days=60)).jeopardy
    assert late is not None
    assert (late.level, late.cause, late.silo) == (JeopardyLevel.MISSED, JeopardyCause.OVERDUE, "field-service")


def test_what_takes_seconds_longer_is_not_weighed_against_a_promise_that_is_days_away() -> None:
    driver = Driver(household(), waiting=SILOS)
    driver.order.plan.durations["installation/visit-site"] = Takes(1.0, 2.0)
    driver.order.start = driver.order.start.model_copy(update={"promised_at": NOW + timedelta(days=10)})
    driver.run()
    order_record(driver.order, NOW)
    assert driver.order.journal.late_at == NOW + timedelta(hours=12)


def test_to_the_second_it_is_worked_out_once_the_look_is_due_and_not_for_each_order_that_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forecasts = 0

    def counting(*arguments: Any) -> Forecast:
        nonlocal forecasts
        forecasts += 1
        return forecast(*arguments)

    monkeypatch.setattr(observation, "forecast", counting)
    driver = visited(timedelta(hours=6))
    begun = Driver(household(), waiting=SILOS).order
    begun.start = begun.start.model_copy(update={"promised_at": NOW + timedelta(days=10)})
    forecasts = 0
    observe(begun, NOW)
    assert forecasts == 1
    guess = driver.order.journal.late_at
    assert guess is not None
    observe(driver.order, guess)
    assert forecasts > 10
    late_at = driver.order.journal.late_at
    assert late_at is not None
    before = levels(driver)
    observe(driver.order, late_at - timedelta(seconds=2))
    assert levels(driver) == before
    observe(driver.order, late_at)
    assert levels(driver) != before


def test_danger_is_known_before_the_promised_time_passes() -> None:
    driver = visited(timedelta(hours=6))
    wait(driver, driver.promised_at)
    assert levels(driver)[-1] in ("atRisk", "inJeopardy")


def test_danger_is_withdrawn_when_it_is_over() -> None:
    driver = visited(timedelta(hours=6))
    wait(driver, driver.promised_at)
    for silo in SILOS:
        driver.complete(silo)
    driver.run()
    view = order_record(driver.order, driver.promised_at).view
    assert levels(driver)[-1] == "none"
    assert view.jeopardy is None
    assert (view.percent_complete, view.in_jeopardy) == (100, False)


def test_fallout_is_the_cause_while_there_is_some() -> None:
    driver = Driver(household(), waiting=SILOS)
    driver.refuse["crm.provision"] = "locked"
    driver.run()
    view = order_view(driver.order, NOW + timedelta(days=30))
    assert view.jeopardy is not None
    assert (view.jeopardy.cause, view.jeopardy.silo) == (JeopardyCause.FALLOUT, "crm")
    assert view.expected_at is view.safe_at is None


def test_an_order_on_hold_is_in_danger_because_of_that() -> None:
    driver = visited()
    driver.change("hold")
    view = order_view(driver.order, NOW + timedelta(days=30))
    assert view.jeopardy is not None
    assert view.jeopardy.cause is JeopardyCause.HOLD


def test_each_task_tells_when_it_is_likely_and_when_it_is_safely_done() -> None:
    driver = visited()
    told = {entry.task.split("/", 1)[1]: entry for entry in timeline_page(driver.order, NOW, 0, 1000).tasks}
    visit = told["installation/visit-site"]
    assert visit.expected_end == NOW + timedelta(days=1)
    assert visit.expected_end is not None
    assert visit.safe_end is not None
    assert visit.expected_end < visit.safe_end
    assert told["fibre-internet/reserve-port"].safe_end is None


def test_how_much_is_done_is_told_by_the_time_that_it_takes() -> None:
    driver = visited()
    first = order_view(driver.order, NOW).percent_complete
    half = order_view(driver.order, NOW + timedelta(hours=12)).percent_complete
    assert first is not None
    assert half is not None
    assert first < half < 100


def test_a_delay_that_breaks_the_promise_is_told_once_and_before_the_promised_time_passes() -> None:
    driver, customer = visited(), Customer()
    customer.now = NOW
    promised = driver.promised_at
    customer.hears(order_view(driver.order, NOW))
    assert customer.topics() == ["received"]
    told: list[tuple[str, datetime]] = []
    while True:
        waiting = [each.due for each in customer.messages if each.state is MessageState.WAITING]
        at = min([driver.order.journal.late_at or promised, promised, *waiting])
        if at >= promised:
            break
        observe(driver.order, at)
        customer.hears(order_view(driver.order, at), after=at - customer.now)
        told += [(str(message.topic), at) for message in customer.gets()]
    [(topic, at)] = told
    assert (topic, at < promised) == ("date", True)
    assert levels(driver)[-1] == "inJeopardy"
