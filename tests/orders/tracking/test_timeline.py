"""The timeline: what was done when and how it ended, what is still to come, and what decides when all is done."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from orders.fulfilment.deciding import assess
from orders.fulfilment.order_in_flight import Fulfilment
from orders.fulfilment.whole import whole_for
from orders.model.budget import MILESTONES_TOLD, TASKS
from orders.model.instants import instant
from orders.model.order import OrderRequest, RequestedItem
from orders.model.values import Action
from orders.read_model.answer import WaitsFor
from orders.read_model.course import MOST_STINTS, Course, End, Stint
from orders.read_model.states import TaskState
from orders.read_model.timeline import TimelineEntry
from orders.reconcile.ledger import Step
from orders.reconcile.outcome import Outcome, OutcomeKind
from orders.tracking.observation import observe
from orders.tracking.reporting import order_record, order_view
from orders.tracking.timelining import timeline_page
from tests.orders.support.builders import AT as EARLY
from tests.orders.support.driver import NOW, Driver, household, key
from workflows.sdk.connection import data_converter

VISIT, PARCEL, LINE = "installation/visit-site", "delivery/ship-parcel", "fibre-internet/activate-line"
PORT = "fibre-internet/reserve-port"


def entries(order: Fulfilment, at: datetime = NOW) -> dict[str, TimelineEntry]:
    """The whole timeline, by the names of its tasks."""
    page = timeline_page(order, at, 0, 10_000)
    assert (page.total, page.next_offset) == (len(page.tasks), None)
    return {entry.task.split("/", 1)[1]: entry for entry in page.tasks}


def later(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def run_at(driver: Driver, at: datetime, tried: int = 1) -> None:
    """Carry out everything that can be, each round of calls a minute after the one before."""
    while True:
        assess(driver.order, instant(at))
        if not (steps := driver.order.reconciler.next_steps()):
            break
        observe(driver.order, at)
        at += timedelta(minutes=1)
        for step in steps:
            outcome = driver.answer(step)
            driver.order.record(step, replace(outcome, tried=tried), instant(at))
    observe(driver.order, at)


def complete_at(driver: Driver, silo: str, at: datetime) -> None:
    """What a silo has acknowledged is done then, and what follows is carried out."""
    reconciler = driver.order.reconciler
    for fact_id in sorted(reconciler.waiting):
        fact = reconciler.ledger.fact(fact_id)
        if fact is not None and fact.waiting is not None and driver.order.silo_of(fact.task) == silo:
            done = Outcome(OutcomeKind.DONE, {"report_id": "r", "tracking_id": "t"})
            driver.order.answer(fact_id, fact.waiting.n, done, instant(at))
    run_at(driver, at)


def test_in_flight_it_tells_what_decides_how_much_the_rest_may_be_late_and_when_what_follows_begins() -> None:
    driver = Driver(household(), waiting=["field-service", "shipping"])
    run_at(driver, NOW)
    told = entries(driver.order, later(30))
    visit, parcel, line, port = (told[name] for name in (VISIT, PARCEL, LINE, PORT))
    assert (port.state, port.end, port.begun, port.ended) == (TaskState.DONE, End.DONE, later(2), later(3))
    assert (visit.state, visit.waits_for, visit.ended, visit.critical) == (
        TaskState.AWAITING,
        WaitsFor.VISIT,
        None,
        True,
    )
    assert visit.expected_end == order_view(driver.order, later(30)).answer.now[0].expected
    assert visit.no_return is not None
    assert (visit.no_return.kind, visit.no_return.passed, visit.no_return.expected) == (
        "hard",
        False,
        visit.expected_end,
    )
    assert parcel.slack_s is not None
    assert parcel.slack_s > 0
    assert not parcel.critical
    assert (line.state, line.begun, line.expected_begin) == (TaskState.PENDING, None, visit.expected_end)
    assert line.after == (key(driver, VISIT), key(driver, PARCEL))[: len(line.after)]
    assert line.critical


def test_what_was_done_is_told_with_when_it_usually_would_have_been() -> None:
    driver = Driver(household(), waiting=["field-service"])
    run_at(driver, NOW)
    complete_at(driver, "field-service", later(3000))
    assert driver.order.settled
    told = entries(driver.order, later(9000))
    visit = told[VISIT]
    assert visit.begun is not None
    assert visit.begun < later(10)
    assert (visit.ended, visit.expected_end) == (later(3000), visit.begun + timedelta(days=5))
    assert visit.no_return is not None
    assert (visit.no_return.passed, visit.no_return.passed_at) == (True, later(3000))
    assert {entry.end for entry in told.values()} == {End.DONE}
    assert [entry.slack_s for entry in told.values() if entry.critical] == [0] * len(
        [entry for entry in told.values() if entry.slack_s == 0]
    )
    assert visit.critical
    assert not told[PARCEL].critical


def test_it_is_told_by_when_things_began_and_in_pages() -> None:
    driver = Driver(household(), waiting=["field-service"])
    run_at(driver, NOW)
    whole = timeline_page(driver.order, NOW, 0, 1000)
    begun = [entry.begun or entry.expected_begin for entry in whole.tasks]
    assert begun == sorted(begun, key=lambda at: at or later(10**6))
    pages = [timeline_page(driver.order, NOW, offset, 3) for offset in range(0, whole.total, 3)]
    assert tuple(entry for page in pages for entry in page.tasks) == whole.tasks
    assert [page.next_offset for page in pages][-2:] == [3 * (len(pages) - 1), None]


def test_what_was_undone_is_told_though_no_silo_holds_it_any_more() -> None:
    driver = Driver(household(), waiting=["field-service", "shipping"])
    run_at(driver, NOW)
    driver.change("cancel")
    run_at(driver, later(60))
    assert driver.order.settled
    assert driver.order.reconciler.ledger.facts == {}
    told = entries(driver.order, later(120))
    port = told[PORT]
    assert (port.state, port.end) == (TaskState.COMPENSATED, End.UNDONE)
    assert (port.begun, port.ended) == (later(2), later(3))
    assert port.undo_begun is not None
    assert port.undo_ended is not None
    assert later(60) <= port.undo_begun < port.undo_ended
    assert (told[VISIT].end, told[VISIT].ended) == (End.UNDONE, None)
    assert not any(entry.critical or entry.expected_end for entry in told.values())


def test_a_visit_that_took_place_stays_done_when_the_rest_is_undone() -> None:
    driver = Driver(household())
    driver.refuse["billing.provision"] = "closed"
    run_at(driver, NOW)
    driver.change("amend", remove=("voice", "tv"), add=(RequestedItem(id="sim", offering="mobile-s"),))
    before = entries(driver.order)[VISIT]
    assert before.end is End.DONE
    driver.change("cancelItems", "c-2", items=("net",), cascade=True)
    run_at(driver, later(60))
    after = entries(driver.order)[VISIT]
    assert (after.state, after.end, after.ended) == (TaskState.DONE, End.DONE, before.ended)


def test_what_waits_for_a_person_and_what_comes_after_it_expects_nothing() -> None:
    driver = Driver(household(), waiting=["field-service", "shipping"])
    driver.refuse["field-service.provision"] = "no_capacity"
    run_at(driver, NOW)
    told = entries(driver.order)
    visit = told[VISIT]
    assert (visit.state, visit.end, visit.refused, visit.waits_for) == (
        TaskState.FALLOUT,
        End.REFUSED,
        1,
        WaitsFor.PERSON,
    )
    assert visit.last_error == "field-service refused: said the silo"
    assert (visit.expected_end, told[LINE].expected_begin, told[LINE].expected_end) == (None, None, None)
    assert told[PARCEL].expected_end is not None
    assert (visit.critical, told[LINE].critical) == (True, True)
    del driver.refuse["field-service.provision"]
    driver.change("retry", task=key(driver, VISIT))
    run_at(driver, later(60))
    again = entries(driver.order, later(60))[VISIT]
    assert (again.begun, again.end, again.refused, again.state) == (visit.begun, None, 1, TaskState.AWAITING)


def test_attempts_are_counted_over_all_calls() -> None:
    driver = Driver(household(), waiting=["field-service"])
    driver.refuse["field-service.provision"] = "no_capacity"
    run_at(driver, NOW, tried=3)
    assert {entry.tried for entry in entries(driver.order).values() if entry.begun} == {3}
    driver.refuse.clear()
    driver.change("retry", task=key(driver, VISIT))
    run_at(driver, later(60), tried=2)
    assert (entries(driver.order)[VISIT].tried, entries(driver.order)[PARCEL].tried) == (5, 3)


def test_an_order_on_hold_expects_nothing_that_has_yet_to_begin() -> None:
    driver = Driver(household(), waiting=["field-service"])
    run_at(driver, NOW)
    driver.change("hold")
    told = entries(driver.order)
    assert told[VISIT].expected_end is not None
    assert (told[LINE].expected_begin, told[LINE].expected_end) == (None, None)


def test_what_was_found_installed_and_left_as_it_is_takes_no_time() -> None:
    first = Driver(household())
    first.run()
    item = RequestedItem(id="tv", action=Action.MODIFY, product=product_of(first, "tv"), offering="tv-sport")
    request = OrderRequest(external_id="y", channel="web", customer_id="cust-1", items=(item,))
    driver = Driver(request, installed=first.leaves())
    run_at(driver, NOW)
    told = timeline_page(driver.order, NOW, 0, 1000).tasks
    found = [entry for entry in told if entry.found]
    assert found
    assert not any(entry.critical or entry.slack_s is not None or entry.begun for entry in found)
    assert [entry for entry in told if entry.begun and not entry.found]


def product_of(driver: Driver, item: str) -> str:
    return next(each.products[0] for each in driver.order.revision.items if each.id == item)


def test_a_milestone_stands_in_the_timeline_and_in_the_history_with_its_time() -> None:
    driver = Driver(household(), waiting=["shipping", "field-service"])
    run_at(driver, NOW)
    parcel = key(driver, PARCEL)
    at = instant(later(40))
    driver.order.answer((parcel, 0), 0, Outcome(OutcomeKind.ACKNOWLEDGED, milestones={"handed-over": at}), at)
    observe(driver.order, later(41))
    told = entries(driver.order)[PARCEL]
    assert told.milestones == {"handed-over": at}
    assert told.no_return is not None
    assert (told.no_return.passed, told.no_return.passed_at) == (True, later(40))
    last = driver.order.journal.carried.transitions[-1]
    assert (last.milestone, last.cause, last.at, last.item) == ("handed-over", parcel, later(41), None)
    assert last.before is last.after is driver.order.state
    assert driver.order.journal.unrecorded().transitions[-1] == last


def test_only_the_record_of_the_end_has_the_timeline() -> None:
    driver = Driver(household(), waiting=["field-service"])
    run_at(driver, NOW)
    record = order_record(driver.order, NOW)
    assert record.timeline == ()
    driver.order.recorded(record)
    complete_at(driver, "field-service", later(60))
    driver.order.close(later(70))
    told = order_record(driver.order, later(70)).timeline
    assert told == timeline_page(driver.order, later(70), 0, 1000).tasks


def test_of_very_many_milestones_the_record_tells_the_first() -> None:
    driver = Driver(household())
    run_at(driver, NOW)
    facts = driver.order.reconciler.ledger.all_facts()
    for fact in facts:
        fact.milestones = {"x" * (MILESTONES_TOLD // 3): ""}
    driver.order.close(NOW)
    told = order_record(driver.order, NOW).timeline
    assert len([entry for entry in told if entry.milestones]) == 2
    assert len(told) == len(facts)


def test_what_breaks_leaves_the_course_as_it_was() -> None:
    driver = Driver(household())
    step, *_ = driver.order.reconciler.next_steps()
    observe(driver.order, NOW)
    before = dict(driver.order.carried.course)
    with pytest.raises(ZeroDivisionError), whole_for(driver.order, step.task):
        driver.order.record(step, driver.answer(step), instant(later(1)))
        raise ZeroDivisionError
    assert driver.order.carried.course == before
    driver.order.record(step, driver.answer(step), instant(later(2)))
    assert driver.order.carried.course[step.task].ended == instant(later(2))


def test_of_very_many_tasks_the_course_forgets_the_oldest() -> None:
    stints: dict[str, Stint] = {}
    course = Course(stints)
    step = next(iter(Driver(household()).order.reconciler.next_steps()))
    for number in range(MOST_STINTS + 10):
        course.begins(Step(step.verb, f"o.{number}/s/t", 0, 0, step.operation, {}, {}), EARLY)
    assert len(stints) == MOST_STINTS
    assert "o.0/s/t" not in stints


async def test_the_last_record_of_an_order_of_very_many_tasks_fits_into_a_payload_of_temporal() -> None:
    lines = (RequestedItem(id=f"net-{n}", offering="mobile-m", quantity=80) for n in range(10))
    driver = Driver(OrderRequest(external_id="x", channel="web", customer_id="cust-1", items=tuple(lines)))
    run_at(driver, NOW)
    driver.order.close(later(5))
    record = order_record(driver.order, later(5))
    assert TASKS.most * 0.8 < len(record.timeline) <= TASKS.most
    [bare, full] = await data_converter().encode([record.model_copy(update={"timeline": ()}), record])
    assert full.ByteSize() - bare.ByteSize() < 300_000
    assert full.ByteSize() < 1_500_000
