"""A retry that names a silo: all that it refused of the order is tried again, in one change."""

from __future__ import annotations

from decimal import Decimal

from orders.change.request import ChangeKind, ChangeRequest, ChangeState, Subject
from orders.fulfilment.messages import PlanAnswer
from orders.fulfilment.order_in_flight import Fulfilment
from orders.model.order import OrderRequest, RequestedItem
from orders.model.values import Money
from orders.tracking.what_if.options import OptionsPage, options_of
from orders.tracking.what_if.preview import preview
from tests.orders.support.driver import NOW, Driver, household, key


def refused_by_two() -> Driver:
    """Three SIM cards and a TV, of which two silos refused everything."""
    sim = RequestedItem(id="sim", offering="mobile-s", quantity=3)
    request = household(installation="self")
    driver = Driver(OrderRequest.model_validate({**dict(request), "items": (*request.items, sim)}))
    driver.refuse = {"tv.provision": "closed", "mobile-core.provision": "full"}
    driver.run()
    return driver


def silos(driver: Driver) -> list[str]:
    return [driver.order.silo_of(task) for task in sorted(driver.order.reconciler.fallout)]


def test_all_that_it_refused_is_tried_again_and_nothing_of_another() -> None:
    driver = refused_by_two()
    assert sorted(set(silos(driver))) == ["mobile-core", "tv"]
    number = silos(driver).count("mobile-core")
    assert number > 1
    driver.refuse.pop("mobile-core.provision")
    verdict = driver.change("retry", silo="mobile-core")
    assert verdict.state is ChangeState.ACCEPTED
    again = [call for call in driver.run() if call.startswith("mobile-core.provision") and call.endswith("/0/1")]
    assert len(again) == number
    assert set(silos(driver)) == {"tv"}


def test_one_that_has_refused_nothing_has_nothing_to_be_tried_again() -> None:
    driver = refused_by_two()
    verdict = driver.change("retry", silo="billing")
    [reason] = verdict.reasons
    assert (verdict.state, reason.code, reason.task) == ("rejected", "nothing_to_retry", None)
    assert "billing" in reason.message


def test_what_it_does_not_let_go_of_is_tried_again_too() -> None:
    driver = Driver(household(installation="self"))
    driver.refuse = {"tv.provision": "closed", "shipping.compensate": "delivered"}
    driver.run()
    driver.change("cancel", "off", accept_fee=Money(amount=Decimal("9.90"), currency="EUR"))
    driver.run()
    assert silos(driver) == ["shipping"]
    driver.refuse.clear()
    assert driver.change("retry", silo="shipping").state is ChangeState.ACCEPTED
    driver.run()
    assert driver.order.settled


def test_options_offer_it_for_each_silo_and_for_each_task_of_an_item() -> None:
    driver = refused_by_two()
    told = options_of(driver.order, driver.catalog, NOW, OptionsPage(limit=50))
    offered = [option for option in told.order if option.subject is Subject.FALLOUT]
    assert [(option.kind, option.name, option.possible) for option in offered] == [
        (ChangeKind.RETRY, "mobile-core", True),
        (ChangeKind.RETRY, "tv", True),
    ]
    [tv] = [item for item in told.items if item.item == "tv"]
    tasks = {option.name for option in tv.options if option.subject is Subject.FALLOUT}
    assert tasks == {key(driver, "tv/activate-tv")}


def test_options_offer_none_where_nothing_was_refused() -> None:
    driver = Driver(household(), waiting=["field-service"])
    driver.run()
    told = options_of(driver.order, driver.catalog, NOW)
    assert not [option for option in told.order if option.subject is Subject.FALLOUT]


def test_a_preview_and_options_tell_it_on_a_copy_of_the_order() -> None:
    driver = refused_by_two()
    copied = Fulfilment.of(driver.order.fork())
    told = options_of(copied, driver.catalog, NOW)
    assert [option.name for option in told.order if option.subject is Subject.FALLOUT] == ["mobile-core", "tv"]
    change = ChangeRequest(request_id="r", kind=ChangeKind.RETRY, silo="mobile-core")
    assert preview(copied, change, PlanAnswer(), NOW).state is ChangeState.ACCEPTED
    assert len(set(silos(driver))) == 2
