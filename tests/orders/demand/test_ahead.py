"""What orders will still ask of silos, worked out of their last record."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from orders.change.request import ItemUpdate
from orders.demand.ahead import Need, done_tasks, needs_in_flight, needs_of_ended
from orders.model.order import Appointment, OrderRequest, RequestedItem, Site
from orders.model.plan import Takes
from orders.model.values import Action, Verb
from orders.planning.installed import InstalledProduct
from orders.promising.figures import USUAL, Figures, Work
from orders.read_model.views import OrderView
from orders.tracking.reporting import order_view
from orders.tracking.timelining import recorded_timeline
from tests.orders.support.driver import NOW, Driver, household

TODAY = NOW.date()
HOME = Site(id="home", address={"city": "Ulm"})


def in_ulm() -> OrderRequest:
    """Internet, voice and TV in Ulm, with a technician and a shipped router."""
    items = tuple(item.model_copy(update={"site": HOME}) if item.site else item for item in household().items)
    return household().model_copy(update={"items": items})


def view_of(driver: Driver) -> OrderView:
    return order_view(driver.order, NOW)


def needs(driver: Driver, *installed: InstalledProduct, figures: Figures = USUAL) -> dict[str, Need]:
    """By silo and operation, what an order asks for. Of several only one is told."""
    revision, view = driver.order.revision, view_of(driver)
    found = needs_in_flight(driver.catalog, driver.catalog, view, revision, installed, figures, NOW)
    return {f"{need.silo}.{need.operation}": need for need in found}


@pytest.mark.parametrize("calls", range(26))
def test_a_record_tells_how_much_is_done_of_each_silo_however_far_the_order_is(calls: int) -> None:
    driver = Driver(in_ulm(), waiting={"field-service", "shipping"})
    driver.run_some(calls)
    order = driver.order
    done = done_tasks(order.plan, view_of(driver))
    really = {key for key in order.plan.tasks if order.is_in_place(key)}
    silo_of = {key: order.plan.operation(task).silo for key, task in order.plan.tasks.items()}
    assert Counter(silo_of[key] for key in done) == Counter(silo_of[key] for key in really)
    # Which of them is told apart by items and dependencies: here all but what stands beside each other.
    assert len(done ^ really) <= 2


def test_an_order_that_has_yet_to_begin_asks_for_everything_on_its_days() -> None:
    found = needs(Driver(in_ulm()))
    assert all(need.asked is None for need in found.values())
    visit, router = found["field-service.visit"], found["warehouse.stock"]
    assert (visit.place, visit.likely) == ("Ulm", TODAY + timedelta(days=5))
    assert visit.likely <= visit.safe <= TODAY + timedelta(days=6)
    assert (router.kind, router.likely) == ("router-gpon", TODAY)
    assert (found["resource-inventory.port"].place, found["resource-inventory.port"].kind) == ("Ulm", "gpon")
    assert found["tv.subscription"].likely == TODAY + timedelta(days=5)


def test_days_go_by_what_was_learned_as_promises_do() -> None:
    day_s = 86_400.0
    slow = Figures({Work("field-service", "installation/visit-site", Verb.PROVISION): Takes(9 * day_s, 20 * day_s)})
    visit, line = (needs(Driver(in_ulm()), figures=slow)[name] for name in ("field-service.visit", "tv.subscription"))
    assert (visit.likely, line.likely) == (TODAY + timedelta(days=9), TODAY + timedelta(days=9))
    assert (visit.safe, line.safe) == (TODAY + timedelta(days=20), TODAY + timedelta(days=20))


def test_a_visit_that_takes_longer_than_usual_is_to_come_all_the_same() -> None:
    day_s = 86_400.0
    quick = Figures({Work("field-service", "installation/visit-site", Verb.PROVISION): Takes(day_s, 2 * day_s)})
    driver = Driver(in_ulm(), waiting={"field-service"})
    driver.run()
    found = needs_in_flight(
        driver.catalog,
        driver.catalog,
        view_of(driver),
        driver.order.revision,
        (),
        quick,
        NOW + timedelta(days=10),
    )
    visit = next(need for need in found if need.operation == "visit")
    assert visit.asked == TODAY
    assert visit.likely > TODAY + timedelta(days=10)


def test_a_future_dated_order_asks_from_its_start_on() -> None:
    start = NOW + timedelta(days=30)
    found = needs(Driver(in_ulm().model_copy(update={"requested_start": start})))
    assert found["warehouse.stock"].likely == start.date()
    assert found["field-service.visit"].likely == start.date() + timedelta(days=5)


def test_what_was_asked_for_is_no_more_to_come_but_an_awaited_visit_is_still_had_on_its_day() -> None:
    driver = Driver(in_ulm(), waiting={"field-service", "shipping"})
    driver.run()
    found = needs(driver)
    assert {name for name, need in found.items() if need.asked is None} >= {"access-network.line", "tv.subscription"}
    visit = found["field-service.visit"]
    assert (visit.asked, visit.likely, visit.starts) == (TODAY, TODAY + timedelta(days=5), None)
    assert found["warehouse.stock"].asked == TODAY


def test_a_visit_by_appointment_is_had_on_its_day() -> None:
    for days in (2, 20):
        driver = Driver(in_ulm(), waiting={"field-service"})
        start = NOW + timedelta(days=days)
        driver.change("reschedule", appointments=(Appointment(site="home", start=start, time_zone="UTC"),))
        visit = needs(driver)["field-service.visit"]
        assert (visit.likely, visit.safe, visit.starts) == (start.date(), start.date(), start)


def test_what_is_changed_in_place_draws_nothing_and_what_is_made_anew_does() -> None:
    first = Driver(in_ulm())
    first.run()
    installed = first.leaves()
    net = next(each for each in installed if each.offering == "fibre-flex")

    def later(**values: str | int) -> dict[str, Need]:
        changed = RequestedItem(id="1", action=Action.MODIFY, product=net.id, characteristics=dict(values))
        request = OrderRequest(external_id="y", channel="web", customer_id="cust-1", items=(changed,))
        return needs(Driver(request, installed=installed), *installed)

    assert "resource-inventory.port" not in later(down_mbps=100)
    assert later(technology="xgs-pon")["resource-inventory.port"].kind == "xgs-pon"


def test_a_cancelled_order_has_asked_for_what_its_timeline_tells() -> None:
    driver = Driver(in_ulm())
    before = needs(driver)
    driver.run()
    timeline = list(recorded_timeline(driver.order, NOW))
    known = {need.task: need for need in before.values()}
    found = {
        f"{need.silo}.{need.operation}": need
        for need in needs_of_ended(driver.catalog, driver.catalog, view_of(driver), timeline, known)
    }
    assert all(need.asked == TODAY for need in found.values())
    assert (found["field-service.visit"].place, found["warehouse.stock"].kind) == ("Ulm", "router-gpon")
    assert set(before) == set(found)


def test_stock_that_an_order_does_not_need_any_more_is_given_back_at_once() -> None:
    driver = Driver(in_ulm(), waiting={"field-service", "shipping"})
    driver.run()
    assert needs(driver)["warehouse.stock"].asked == TODAY
    own = ItemUpdate(id="net", characteristics={"equipment": "own"})
    driver.change("amend", update=(own,))
    driver.run()
    driver.complete("shipping")  # The carrier lets go of the parcel.
    driver.run()
    # Not at the end of the order, which waits for its technician for days.
    given_back = [call for call in driver.calls if call.startswith("warehouse.compensate")]
    assert given_back == ["warehouse.compensate fibre-internet/allocate-router/0/1"]
    assert not driver.order.settled
    assert "warehouse.stock" not in needs(driver)
