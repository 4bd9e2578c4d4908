"""How far an order in flight is, when it should be done, and how it goes on in another run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pydantic import TypeAdapter

from orders.change.request import ChangeState, ItemUpdate
from orders.fulfilment.order_in_flight import Fulfilment
from orders.fulfilment.snapshot import OrderStart, Snapshot
from orders.model.order import Appointment, OrderRequest, RequestedItem, Site
from orders.model.plan import Takes
from orders.planning.capture import baseline_of, capture
from orders.planning.decompose import decompose
from orders.promising.forecast import promised_at
from orders.read_model.records import EventKind
from orders.read_model.states import LifecycleState
from orders.reconcile.target import TaskStatus
from orders.tracking.observation import expected_at, in_jeopardy
from tests.orders.support.driver import NOW, Driver, household, key, shipped_catalog

SELF = {"installation": "self", "equipment": "own"}


def mobiles(quantity: int, start: datetime | None = None, completion: datetime | None = None) -> OrderRequest:
    """Mobile subscriptions with an eSIM: nothing is shipped."""
    return OrderRequest(
        external_id="x",
        channel="web",
        customer_id="cust-1",
        items=(RequestedItem(id="m", offering="mobile-s", quantity=quantity, characteristics={"sim_type": "esim"}),),
        requested_start=start,
        requested_completion=completion,
    )


# How far it is


def test_the_tally_counts_every_task_of_the_target_where_it_stands() -> None:
    driver = Driver(household(), waiting=["field-service"])
    order = driver.order
    assert {status for counts in order.tally().values() for status in +counts} == {TaskStatus.BLOCKED}
    driver.run()
    tally = order.tally()
    assert +tally["field-service"] == {TaskStatus.AWAITING: 1}
    assert sum(sum(counts.values()) for counts in tally.values()) == len(order.plan.tasks)
    driver.complete("field-service")
    driver.run()
    assert {status for counts in order.tally().values() for status in +counts} == {TaskStatus.IN_PLACE}


def test_the_silos_in_fallout_are_named() -> None:
    driver = Driver(household(**SELF))
    driver.refuse = {"tv.provision": "no_coverage", "voice.provision": "no_number"}
    driver.run()
    assert driver.order.fallout_silos() == ["tv", "voice"]


def test_a_task_of_a_former_target_still_has_its_silo() -> None:
    driver = Driver(household(**SELF))
    driver.run()
    tv = key(driver, "tv/activate-tv")
    driver.refuse["tv.compensate"] = "busy"
    driver.change("amend", remove=("tv",))
    driver.run()
    assert tv not in driver.order.plan.tasks
    assert driver.order.silo_of(tv) == "tv"
    assert driver.order.fallout_silos() == ["tv"]


# Dates


def test_nothing_is_to_begin_before_the_start_asked_for_unless_the_order_is_cancelled() -> None:
    start = NOW + timedelta(days=30)
    driver = Driver(mobiles(1, start=start))
    assert driver.order.not_before == start
    driver.change("amend", "1", requested_start=start + timedelta(days=1))
    assert driver.order.not_before == start + timedelta(days=1)
    driver.change("cancel", "2")
    assert driver.order.not_before is None


def test_what_is_promised_is_the_usual_time_from_the_start_or_the_later_date_asked_for() -> None:
    catalog = shipped_catalog()
    request = household()
    revision = capture(catalog, request)
    plan = decompose(catalog, "o", revision)
    usual = promised_at(revision, plan, NOW)
    assert timedelta(days=5) < usual - NOW < timedelta(days=6)
    later = NOW + timedelta(days=30)
    assert promised_at(revision.model_copy(update={"requested_start": later}), plan, NOW) - later == usual - NOW
    assert promised_at(revision.model_copy(update={"requested_completion": later}), plan, NOW) == later
    sooner = NOW + timedelta(hours=1)
    assert promised_at(revision.model_copy(update={"requested_completion": sooner}), plan, NOW) == usual
    past = NOW - timedelta(days=30)
    assert promised_at(revision.model_copy(update={"requested_start": past}), plan, NOW) == usual


def test_an_order_of_seconds_is_promised_for_a_quarter_of_an_hour_and_is_not_late_by_seconds() -> None:
    catalog = shipped_catalog()
    revision = capture(catalog, mobiles(1))
    plan = decompose(catalog, "o", revision)
    quick = replace(plan, durations={name: Takes(0.1, 0.3) for name in plan.operations})
    assert promised_at(revision, quick, NOW) == NOW + timedelta(minutes=15)
    later = NOW + timedelta(days=3)
    asked = revision.model_copy(update={"requested_start": later})
    assert promised_at(asked, quick, NOW) == later + timedelta(minutes=15)


def test_an_order_is_expected_when_its_longest_chain_of_work_is_done() -> None:
    driver = Driver(household(), waiting=["field-service"])
    expected = expected_at(driver.order, NOW)
    assert expected is not None
    driver.run()
    waiting = expected_at(driver.order, NOW)
    assert waiting is not None
    assert timedelta(days=5) <= waiting - NOW < expected - NOW
    assert expected_at(driver.order, NOW + timedelta(days=4)) == waiting
    assert expected_at(driver.order, waiting) == waiting + (waiting - NOW - timedelta(days=5))
    driver.complete("field-service")
    driver.run()
    assert expected_at(driver.order, NOW) is None


def visited() -> Driver:
    """A household that waits for its technician, with what it was promised."""
    driver = Driver(household(), waiting=["field-service"])
    start = driver.order.start
    driver.order.start = start.model_copy(update={"promised_at": promised_at(start.revision, start.plan, NOW)})
    driver.run()
    return driver


def appointment(when: datetime) -> Appointment:
    return Appointment(site="home", start=when, end=when + timedelta(hours=2), time_zone="UTC")


def test_a_later_appointment_moves_the_promise_along_and_is_no_jeopardy() -> None:
    driver, before = visited(), visited().promised_at
    later = NOW + timedelta(days=20)
    assert driver.change("reschedule", appointments=(appointment(later),)).state is ChangeState.ACCEPTED
    driver.run()
    promised = driver.promised_at
    assert timedelta() < promised - (later + timedelta(hours=2)) < timedelta(days=1)
    assert promised > before
    for day in (0, 6, 19):
        assert not in_jeopardy(driver.order, NOW + timedelta(days=day))
        assert expected_at(driver.order, NOW + timedelta(days=day)) == expected_at(driver.order, NOW)
    assert in_jeopardy(driver.order, later + timedelta(days=1))
    [event] = [
        event.data for event in driver.order.carried.journal.events if event.kind is EventKind.ATTRIBUTES_CHANGED
    ]
    assert event["order"] == ["appointments", "promised_at"]


def test_an_order_that_is_late_by_itself_stays_late_when_a_sooner_appointment_is_made() -> None:
    driver = visited()
    ordered_at = NOW - timedelta(days=10)
    promised = driver.promised_at - timedelta(days=10)
    driver.order.start = driver.order.start.model_copy(update={"ordered_at": ordered_at, "promised_at": promised})
    driver.change("reschedule", appointments=(appointment(NOW - timedelta(days=7)),))
    assert driver.promised_at == promised
    assert in_jeopardy(driver.order, NOW)


def test_an_appointment_within_the_usual_time_leaves_the_promise_as_it_is() -> None:
    driver, before = visited(), visited().promised_at
    driver.change("reschedule", appointments=(appointment(NOW + timedelta(days=3)),))
    assert driver.promised_at == before
    [event] = [
        event.data for event in driver.order.carried.journal.events if event.kind is EventKind.ATTRIBUTES_CHANGED
    ]
    assert event["order"] == ["appointments"]


def test_what_is_promised_is_not_sooner_than_an_appointment() -> None:
    catalog, later = shipped_catalog(), NOW + timedelta(days=20)
    revision = capture(catalog, household()).model_copy(update={"appointments": (appointment(later),)})
    assert promised_at(revision, decompose(catalog, "o", revision), NOW) > later


def test_another_start_or_a_later_completion_moves_the_promise_either_way() -> None:
    driver = Driver(mobiles(1, start=NOW + timedelta(days=30)))
    driver.order.carried.started = False
    for days in (40, 20):
        start = NOW + timedelta(days=days)
        driver.change("reschedule", str(days), requested_start=start)
        assert start < driver.promised_at < start + timedelta(days=1)
    wish = NOW + timedelta(days=60)
    driver.change("reschedule", "wish", requested_completion=wish)
    assert driver.promised_at == wish


def test_what_has_nothing_to_do_with_dates_leaves_the_promise_as_it_is_however_long_it_takes() -> None:
    driver, before = visited(), visited().promised_at
    driver.change("amend", update=(ItemUpdate(id="net", site=Site(id="elsewhere")),))
    assert driver.promised_at == before


def test_an_order_that_will_be_later_than_promised_is_in_jeopardy_until_it_is_done_or_cancelled() -> None:
    driver = Driver(household(), waiting=["field-service", "shipping"])
    start = driver.order.start
    promised = promised_at(start.revision, start.plan, NOW)
    driver.order.start = start.model_copy(update={"promised_at": promised})
    assert not in_jeopardy(driver.order, NOW + timedelta(hours=12))
    assert in_jeopardy(driver.order, NOW + timedelta(hours=13))
    driver.run()
    assert not in_jeopardy(driver.order, NOW + timedelta(days=5))
    assert in_jeopardy(driver.order, NOW + timedelta(days=6))
    for silo in ("field-service", "shipping"):
        driver.complete(silo)
    driver.run()
    assert not in_jeopardy(driver.order, NOW + timedelta(days=365))


def test_a_cancelled_order_is_never_in_jeopardy() -> None:
    driver = Driver(household(), waiting=["field-service", "shipping"])
    driver.run()
    driver.waiting.clear()
    driver.refuse["crm.compensate"] = "locked"
    driver.change("cancel")
    driver.run()
    assert not driver.order.settled
    assert not in_jeopardy(driver.order, NOW + timedelta(days=365))


# From one run to the next


def test_an_order_goes_on_from_what_was_carried_over_as_if_nothing_had_been() -> None:
    snapshots = TypeAdapter(Snapshot)
    driver = Driver(household(), waiting=["field-service"])
    driver.change("amend", update=(ItemUpdate(id="tv", offering="tv-sport"),))
    driver.run()
    before = driver.order
    carried = snapshots.validate_json(snapshots.dump_json(before.carried))
    assert carried == before.carried
    after = Fulfilment(before.start.model_copy(update={"carried": carried}))
    after.reconciler.next_steps()
    assert after.reconciler.status == before.reconciler.status
    assert after.reconciler.waiting == before.reconciler.waiting
    assert (after.state, after.revision, after.verdicts) == (before.state, before.revision, before.verdicts)
    driver.order = after
    driver.complete("field-service")
    driver.run()
    assert after.state is LifecycleState.COMPLETED


def test_a_start_holds_everything_that_an_order_needs() -> None:
    request = OrderRequest(
        external_id="x",
        channel="web",
        customer_id="cust-1",
        items=(RequestedItem(id="1", offering="fibre-100", site=Site(id="home")),),
    )
    catalog = shipped_catalog()
    revision = capture(catalog, request)
    start = OrderStart(
        order_id=request.order_id,
        external_id="x",
        ordered_at=datetime(2026, 1, 1, tzinfo=UTC),
        catalog=catalog.digest,
        revision=revision,
        plan=decompose(catalog, request.order_id, revision),
        promised_at=NOW,
        baseline=baseline_of(catalog, request).revision,
    )
    order = Fulfilment(OrderStart.model_validate_json(start.model_dump_json()))
    assert order.plan == start.plan
    assert order.state is LifecycleState.ACKNOWLEDGED
    assert len(order.reconciler.next_steps()) == 1
