"""What may still be changed about what is installed: suspended and resumed as well."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue

from orders.change.request import ChangeKind, ChangeState, ItemUpdate
from orders.model.catalog import ProductSpecification
from orders.model.order import OrderRequest, RequestedItem, Site, Wishes
from orders.model.values import Action, ProductStatus
from orders.tracking.what_if.options import Option, options_of
from tests.orders.support.driver import NOW, Driver, household

FASTER: dict[str, JsonValue] = {"down_mbps": 400}


def options(driver: Driver, item: str) -> dict[tuple[str, object], Option]:
    """The options of an item by what they are about: its subject, or a characteristic, with the value."""
    told = options_of(driver.order, driver.catalog, NOW)
    [found] = [one.options for one in told.items if one.item == item]
    return {(option.name or option.subject.value, option.value): option for option in found}


def on_installed(*items: RequestedItem, bundle: bool = False) -> Driver:
    """An order on what another one has left, before its first call."""
    site = Site(id="home")
    first = Driver(
        household().model_copy(update={"items": (RequestedItem(id="1", offering="triple-play-500", site=site),)})
        if bundle
        else household()
    )
    first.run()
    return Driver(
        OrderRequest(external_id="y", channel="web", customer_id="cust-1", items=items), installed=first.leaves()
    )


def modify(product: str, item: str = "1", **asked: Any) -> RequestedItem:
    return RequestedItem(id=item, action=Action.MODIFY, product=f"{household().order_id}.{product}.1", **asked)


def test_what_is_installed_can_be_suspended_and_what_is_suspended_resumed() -> None:
    driver = on_installed(modify("net", characteristics=FASTER))
    suspended = options(driver, "1")["status", "suspended"]
    assert (suspended.kind, suspended.possible, suspended.fees, suspended.until) == (ChangeKind.AMEND, True, (), None)
    asleep = ItemUpdate(id="1", wishes=Wishes(status="suspended"))
    assert driver.change("amend", update=(asleep,)).state is ChangeState.ACCEPTED
    told = options(driver, "1")
    assert told["status", "active"].possible
    assert ("status", "suspended") not in told


def test_a_bundle_is_suspended_by_what_it_holds() -> None:
    driver = on_installed(modify("1", wishes=Wishes(billing_account="acc-2")), bundle=True)
    assert options(driver, "1")["status", "suspended"].possible
    asleep = [item.status for item in driver.order.revision.items]
    assert set(asleep) == {ProductStatus.ACTIVE}, "it was only tried"


def test_what_would_be_left_as_it_was_is_no_option() -> None:
    driver = on_installed(modify("net", wishes=Wishes(status="suspended")))
    resumed = options(driver, "1")["status", "active"]
    assert (resumed.possible, [reason.code for reason in resumed.reasons]) == (False, ["nothing_to_change"])


def test_only_what_silos_are_told_of_can_be_suspended_and_nothing_that_is_new() -> None:
    assert not [name for name, _ in options(Driver(household()), "net") if name == "status"]
    driver = on_installed(modify("net", characteristics=FASTER))
    catalog = driver.catalog
    silent = {name: without_status(each) for name, each in catalog.specifications.items()}
    driver.catalog = catalog.model_copy(update={"specifications": silent})
    assert not [name for name, _ in options(driver, "1") if name == "status"]


def without_status(specification: ProductSpecification) -> ProductSpecification:
    """A specification that tells no silo of a product's status."""
    tasks = {
        name: template.model_copy(
            update={"inputs": {each: it for each, it in template.inputs.items() if it.value != "${product.status}"}}
        )
        for name, template in specification.tasks.items()
    }
    return specification.model_copy(update={"tasks": tasks})
