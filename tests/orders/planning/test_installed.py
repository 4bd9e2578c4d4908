"""What an order leaves installed, and orders that change it: the same loop, from the facts that were left."""

import json
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest

from api.tmf.tmf622.request import to_request
from orders.change.impact import has_passed
from orders.model.catalog import Catalog, InputTemplate, PointOfNoReturn, ProductSpecification
from orders.model.order import OrderRequest, Rejection, RequestedItem, Site
from orders.model.values import Action, ProductStatus
from orders.planning.installed import InstalledProduct
from orders.read_model.states import LifecycleState
from orders.tracking.reporting import order_view
from settings import ROOT
from tests.orders.support.driver import AT, NOW, Driver, household, shipped_catalog

ORDER = household().order_id
NET, VOICE, TV = (f"{ORDER}.{item}.1" for item in ("net", "voice", "tv"))


def left_by(request: OrderRequest, installed: Collection[InstalledProduct] = ()) -> dict[str, InstalledProduct]:
    """What an order leaves, together with what was installed before."""
    driver = Driver(request, installed=installed)
    driver.run()
    return {product.id: product for product in (*installed, *driver.leaves())}


@pytest.fixture(scope="module")
def home() -> tuple[InstalledProduct, ...]:
    """Internet, voice and TV as an order left them."""
    return tuple(left_by(household()).values())


def example(name: str) -> OrderRequest:
    """An order from the examples."""
    return to_request(json.loads((ROOT / "examples" / f"{name}.json").read_text()))


def later(*items: RequestedItem, external_id: str = "y") -> OrderRequest:
    """A follow-on order of the same customer."""
    return OrderRequest(external_id=external_id, channel="shop", customer_id="cust-1", items=items)


def modify(product: str, item: str = "1", **asked: Any) -> RequestedItem:
    return RequestedItem(id=item, action=Action.MODIFY, product=product, **asked)


def cease(product: str, item: str = "1") -> RequestedItem:
    return RequestedItem(id=item, action=Action.DELETE, product=product)


# What is left


def test_an_order_leaves_its_products_with_what_the_silos_hold_for_them(home: tuple[InstalledProduct, ...]) -> None:
    assert [(product.id, product.version, product.status) for product in home] == [
        (product, 1, ProductStatus.ACTIVE) for product in (NET, VOICE, TV)
    ]
    tv = home[2]
    assert (tv.offering, tv.characteristics["pack"], tv.relies_on) == ("tv-basic", "basic", (NET,))
    assert (tv.order_id, tv.item_id) == (ORDER, "tv")
    assert tv.site == Site(id="home")
    assert set(tv.holding.tasks) == set(tv.holding.ledger.facts) == {f"{TV}/tv/activate-tv", f"{TV}/tv/start-billing"}


def test_what_products_shared_is_no_part_of_them(home: tuple[InstalledProduct, ...]) -> None:
    line = home[0].holding.tasks[f"{NET}/fibre-internet/activate-line"]
    assert line.builds_on == (f"{NET}/fibre-internet/reserve-port", f"{NET}/fibre-internet/assign-vlan")
    assert line.after == ()
    contract = home[0].holding.ledger.facts[f"{NET}/fibre-internet/sign-contract"][0]
    assert contract.built_on == {}


def test_what_an_order_added_and_gave_up_again_is_not_told() -> None:
    driver = Driver(household(), waiting={"field-service"})
    driver.run()
    driver.change("amend", remove=("tv",))
    driver.run()
    driver.complete("field-service")
    driver.run()
    assert [product.id for product in driver.leaves()] == [NET, VOICE]


def test_a_cancelled_order_for_new_products_leaves_none() -> None:
    driver = Driver(household(), waiting={"field-service"})
    driver.run()
    driver.change("cancel", accept_fee={"amount": "9.90", "currency": "EUR"})
    driver.run()
    assert driver.leaves() == ()


# Changing what is installed


def test_a_speed_change_amends(home: tuple[InstalledProduct, ...]) -> None:
    driver = Driver(later(modify(NET, characteristics={"down_mbps": 400})), installed=home)
    assert driver.run() == [
        "access-network.amend fibre-internet/activate-line/0/1",
        "billing.amend fibre-internet/start-billing/0/1",
    ]
    assert driver.order.state is LifecycleState.COMPLETED
    [net] = driver.leaves()
    assert (net.id, net.version, net.characteristics["down_mbps"], net.item_id) == (NET, 2, 400, "1")
    assert net.started_at == home[0].started_at


def test_a_later_order_goes_on_counting_where_the_one_before_stopped(home: tuple[InstalledProduct, ...]) -> None:
    faster = left_by(later(modify(NET, characteristics={"down_mbps": 400})), home)
    driver = Driver(
        later(modify(NET, characteristics={"technology": "xgs-pon"}), external_id="z"), installed=[*faster.values()]
    )
    assert driver.run() == [
        "warehouse.provision fibre-internet/allocate-router/1/0",
        "resource-inventory.provision fibre-internet/reserve-port/1/0",
        "shipping.provision delivery/ship-parcel/0/0",
        "resource-inventory.amend fibre-internet/assign-vlan/0/1",
        "field-service.provision installation/visit-site/0/0",
        "access-network.amend fibre-internet/activate-line/0/2",
        "warehouse.compensate fibre-internet/allocate-router/0/1",
        "resource-inventory.compensate fibre-internet/reserve-port/0/1",
    ]
    [net] = driver.leaves()
    assert net.version == 3
    assert net.holding.ledger.next_generation[f"{NET}/fibre-internet/reserve-port"] == 2


def test_a_cease_compensates(home: tuple[InstalledProduct, ...]) -> None:
    driver = Driver(later(cease(TV)), installed=home)
    assert driver.run() == ["tv.compensate tv/activate-tv/0/1", "billing.compensate tv/start-billing/0/1"]
    [tv] = driver.leaves()
    assert (tv.status, tv.version, tv.holding.tasks) == (ProductStatus.TERMINATED, 2, {})
    assert tv.ended_at is not None


def test_what_something_else_builds_on_is_not_ceased(home: tuple[InstalledProduct, ...]) -> None:
    with pytest.raises(Rejection) as caught:
        Driver(later(cease(NET)), installed=home)
    assert [(reason.code, reason.item) for reason in caught.value.reasons] == [
        ("missing_reliance", TV),
        ("missing_reliance", VOICE),
    ]
    assert "tv-basic" in caught.value.reasons[0].message


@pytest.mark.parametrize(
    ("items", "code"),
    [
        ([modify("web-1.1.1")], "unknown_product"),
        ([modify(NET, "1"), cease(NET, "2")], "duplicate_product"),
        ([modify(NET, "1"), cease(TV, "1")], "duplicate_item"),
        ([modify(NET, quantity=2)], "installed_quantity"),
        ([modify(TV, offering="mobile-s")], "other_product"),
        ([modify(NET, characteristics={"down_mbps": 5000})], "bad_characteristic"),
        ([modify(NET, offering="fibre-9000")], "unknown_offering"),
        (
            [RequestedItem(id="1", action=Action.NO_CHANGE, product=TV, characteristics={"pack": "sport"})],
            "no_change",
        ),
        ([RequestedItem(id="1", offering="voice-line", relies_on_products=("web-1.1.1",))], "unknown_product"),
    ],
)
def test_what_can_not_be_had_is_refused(
    home: tuple[InstalledProduct, ...], items: list[RequestedItem], code: str
) -> None:
    with pytest.raises(Rejection) as caught:
        Driver(later(*items), installed=home)
    assert [reason.code for reason in caught.value.reasons] == [code]


def test_what_was_ceased_can_not_be_changed(home: tuple[InstalledProduct, ...]) -> None:
    installed = left_by(later(cease(TV)), home)
    with pytest.raises(Rejection) as caught:
        Driver(later(modify(TV, offering="tv-sport"), external_id="z"), installed=installed.values())
    assert [reason.code for reason in caught.value.reasons] == ["product_not_active"]


def test_all_of_it_can_be_ceased_at_once(home: tuple[InstalledProduct, ...]) -> None:
    driver = Driver(later(cease(NET, "1"), cease(VOICE, "2"), cease(TV, "3")), installed=home)
    driver.run()
    assert driver.order.reconciler.ledger.facts == {}
    assert {product.status for product in driver.leaves()} == {ProductStatus.TERMINATED}


def test_a_move_amends_and_replaces(home: tuple[InstalledProduct, ...]) -> None:
    new = Site(id="new-home")
    driver = Driver(later(modify(NET, "1", site=new), modify(TV, "2", site=new)), installed=home)
    assert driver.run() == [
        "resource-inventory.provision fibre-internet/reserve-port/1/0",
        "resource-inventory.amend fibre-internet/assign-vlan/0/1",
        "field-service.provision installation/visit-site/0/0",
        "access-network.amend fibre-internet/activate-line/0/1",
        "resource-inventory.compensate fibre-internet/reserve-port/0/1",
    ]
    assert {product.id: product.site for product in driver.leaves()} == {NET: new, TV: new}


def test_a_new_product_can_rely_on_an_installed_one(home: tuple[InstalledProduct, ...]) -> None:
    second = RequestedItem(id="1", offering="voice-line", relies_on_products=(NET,))
    driver = Driver(later(second), installed=home)
    driver.run()
    [voice] = driver.leaves()
    line = next(task for key, task in voice.holding.tasks.items() if key.endswith("/activate-line"))
    assert f"{NET}/fibre-internet/activate-line" in line.builds_on
    assert voice.relies_on == (NET,)


def test_what_stands_on_a_changed_product_follows_it(home: tuple[InstalledProduct, ...]) -> None:
    """The TV is not named by the order. Its box is: once the line is another, so is what the TV is told."""
    driver = Driver(later(modify(NET, characteristics={"down_mbps": 400})), installed=home)
    line = driver.order.reconciler.ledger.facts[f"{NET}/fibre-internet/activate-line"][0]
    driver.order.reconciler.mark_for_replacement(line.task)
    driver.run()
    assert "tv.amend tv/activate-tv/0/1" in driver.calls
    left = {product.id: product for product in driver.leaves()}
    assert set(left) == {NET, VOICE, TV}
    assert (left[TV].version, left[TV].order_id, left[TV].item_id) == (2, ORDER, "tv")


def test_a_bundle_moves_and_ends_with_its_components() -> None:
    """The examples, in the order in which the README tells of them."""
    installed = left_by(example("orders/triple-play"))
    calls: dict[str, list[str]] = {}
    for name in ("speed-change", "move", "cease"):
        driver = Driver(example(f"follow-on-orders/{name}"), installed=installed.values())
        calls[name] = driver.run()
        installed |= {product.id: product for product in driver.leaves()}
        if name == "move":
            active = [product for product in installed.values() if product.specification != "voice-line"]
            assert {product.site.id for product in active if product.site} == {"site-ahornallee-3"}
    assert calls["speed-change"] == [
        "access-network.amend fibre-internet/activate-line/0/1",
        "billing.amend fibre-internet/start-billing/0/1",
    ]
    assert [call for call in calls["move"] if "visit" in call] == [
        "field-service.provision installation/visit-site/0/0"
    ]
    assert {call.split()[0].split(".")[1] for call in calls["cease"]} == {"compensate"}
    assert {product.status for product in installed.values()} == {ProductStatus.TERMINATED}


def test_what_stands_on_another_product_is_linked_with_it_though_nothing_else_relates_them_any_more(
    home: tuple[InstalledProduct, ...],
) -> None:
    net, voice, tv = home
    driver = Driver(later(cease(TV)), installed=(net, voice, tv.model_copy(update={"relies_on": ()})))
    assert {product.id for product in driver.order.start.installed} == {NET, VOICE, TV}
    driver.run()
    assert driver.order.state is LifecycleState.COMPLETED


def test_a_component_that_its_bundle_needs_is_not_ceased() -> None:
    installed = left_by(example("orders/triple-play"))
    tv = next(product for product in installed.values() if product.specification == "tv")
    request = later(cease(tv.id)).model_copy(update={"customer_id": tv.customer_id})
    with pytest.raises(Rejection) as caught:
        Driver(request, installed=installed.values())
    assert [reason.code for reason in caught.value.reasons] == ["bundle_incomplete"]


# Under another catalog than what was sold


def today(**specifications: ProductSpecification | None) -> Catalog:
    """The shipped catalog, some of its specifications changed or, for None, withdrawn with their offerings."""
    shipped = shipped_catalog()
    names = {name.replace("_", "-"): specification for name, specification in specifications.items()}
    known = {**shipped.specifications, **names}
    gone = {name for name, specification in known.items() if specification is None}
    return shipped.model_copy(
        update={
            "specifications": {name: each for name, each in known.items() if each is not None},
            "offerings": {name: each for name, each in shipped.offerings.items() if each.specification not in gone},
        }
    )


def with_inputs(specification: str, task: str, **inputs: str) -> ProductSpecification:
    """A specification of which one task is told something else."""
    sold = shipped_catalog().specifications[specification]
    template = sold.tasks[task]
    told = {name: InputTemplate(value=value) for name, value in inputs.items()}
    changed = template.model_copy(update={"inputs": {**template.inputs, **told}})
    return sold.model_copy(update={"tasks": {**sold.tasks, task: changed}})


def test_what_is_not_touched_stays_as_it_was_sold(home: tuple[InstalledProduct, ...]) -> None:
    catalog = today(tv=with_inputs("tv", "activate-tv", quality="uhd"))
    driver = Driver(later(modify(NET, characteristics={"down_mbps": 400})), installed=home, catalog=catalog)
    assert not any(call.startswith("tv.") for call in driver.run())
    assert (
        driver.order.plan.tasks[f"{TV}/tv/activate-tv"].inputs.keys()
        == home[2].holding.tasks[f"{TV}/tv/activate-tv"].inputs.keys()
    )


def test_what_is_touched_is_planned_as_it_is_sold_today(home: tuple[InstalledProduct, ...]) -> None:
    catalog = today(tv=with_inputs("tv", "activate-tv", quality="uhd"))
    driver = Driver(later(modify(TV, offering="tv-sport")), installed=home, catalog=catalog)
    driver.run()
    assert driver.order.reconciler.ledger.facts[f"{TV}/tv/activate-tv"][0].inputs["quality"] == "uhd"


def test_what_is_not_sold_any_more_stays_until_it_is_ceased(home: tuple[InstalledProduct, ...]) -> None:
    catalog = today(tv=None)
    faster = Driver(later(modify(NET, characteristics={"down_mbps": 400})), installed=home, catalog=catalog)
    assert not any("tv" in call for call in faster.run())
    ceased = Driver(later(cease(TV)), installed=home, catalog=catalog)
    assert ceased.run() == ["tv.compensate tv/activate-tv/0/1", "billing.compensate tv/start-billing/0/1"]


def test_what_is_not_sold_any_more_is_not_left_without_what_it_stands_on(home: tuple[InstalledProduct, ...]) -> None:
    with pytest.raises(Rejection) as caught:
        Driver(later(cease(NET, "1"), cease(VOICE, "2")), installed=home, catalog=today(tv=None))
    assert [(reason.code, reason.item) for reason in caught.value.reasons] == [("withdrawn", TV)]


# While such an order runs


def test_cancelling_a_modification_puts_back_what_was_there(home: tuple[InstalledProduct, ...]) -> None:
    driver = Driver(later(modify(NET, characteristics={"down_mbps": 400})), installed=home)
    driver.run_some(1)
    assert driver.calls == ["access-network.amend fibre-internet/activate-line/0/1"]
    assert driver.change("cancel").state == "accepted"
    assert driver.run() == ["access-network.amend fibre-internet/activate-line/0/2"]
    assert driver.order.state is LifecycleState.CANCELLED
    [net] = driver.leaves()
    assert (net.version, net.characteristics) == (2, home[0].characteristics)
    assert net.holding.ledger.facts[f"{NET}/fibre-internet/activate-line"][0].n == 2


def test_what_was_installed_stays_while_a_visit_is_asked_to_be_called_off(home: tuple[InstalledProduct, ...]) -> None:
    driver = Driver(later(modify(NET, site=Site(id="new-home"))), installed=home, waiting={"field-service"})
    driver.run()
    assert driver.change("cancel").state == "assessing"
    assert driver.run() == [
        "field-service.compensate installation/visit-site/0/1",
        "resource-inventory.amend fibre-internet/assign-vlan/0/2",
        "resource-inventory.compensate fibre-internet/reserve-port/1/1",
    ]
    assert driver.order.state is LifecycleState.CANCELLED


def test_a_cancelled_cease_that_never_began_leaves_all_as_it_was(home: tuple[InstalledProduct, ...]) -> None:
    driver = Driver(later(cease(TV)), installed=home)
    driver.change("cancel")
    assert driver.run() == []
    assert driver.leaves() == ()


def test_a_cease_is_not_cancelled_once_a_contract_was_given_back_that_cannot_be_had_again(
    home: tuple[InstalledProduct, ...],
) -> None:
    driver = Driver(later(cease(NET, "net"), cease(VOICE, "voice"), cease(TV, "tv")), installed=home)
    driver.refuse["number-inventory.compensate"] = "busy"
    assert driver.run()[-2:] == [
        "crm.compensate fibre-internet/sign-contract/0/1",
        "number-inventory.compensate voice-line/reserve-number/0/1",
    ]
    verdict = driver.change("cancel")
    assert [reason.code for reason in verdict.reasons] == ["past_no_return"]
    assert f"contract_id {NET}/fibre-internet/sign-contract/0 was given back at {AT}" in verdict.reasons[0].message
    assert verdict.impact is not None
    assert [obstacle.task for obstacle in verdict.impact.obstacles] == [f"{NET}/fibre-internet/sign-contract"]


def test_a_removed_item_leaves_its_product_as_it_was_found(home: tuple[InstalledProduct, ...]) -> None:
    driver = Driver(later(modify(NET, "1", characteristics={"down_mbps": 400}), cease(TV, "2")), installed=home)
    assert driver.change("amend", remove=("2",)).state == "accepted"
    assert not any("tv" in call for call in driver.run())
    assert [product.id for product in driver.leaves()] == [NET]


def test_an_amendment_can_name_more_of_what_is_installed(home: tuple[InstalledProduct, ...]) -> None:
    driver = Driver(later(modify(NET, "1", characteristics={"down_mbps": 400})), installed=home)
    assert driver.change(
        "amend", add=(cease(TV, "2"),), update=({"id": VOICE, "characteristics": {"number": "+4930222222"}},)
    )
    driver.run()
    left = {product.id: product for product in driver.leaves()}
    assert (left[TV].status, left[TV].item_id) == (ProductStatus.TERMINATED, "2")
    assert left[VOICE].characteristics["number"] == "+4930222222"


def test_nothing_is_left_of_an_order_whose_last_item_is_removed(home: tuple[InstalledProduct, ...]) -> None:
    driver = Driver(later(modify(NET, characteristics={"down_mbps": 400})), installed=home)
    with pytest.raises(Rejection, match="cancel it instead"):
        driver.change("amend", remove=("1",))


def test_points_of_no_return_are_those_of_the_order_that_passes_them(home: tuple[InstalledProduct, ...]) -> None:
    driver = Driver(later(modify(NET, characteristics={"down_mbps": 400})), installed=home)
    ledger, line = driver.order.reconciler.ledger, f"{NET}/fibre-internet/activate-line"
    (fact,) = ledger.facts[line].values()
    hard = PointOfNoReturn(kind="hard")
    ledger.operations[fact.operation] = replace(ledger.operations[fact.operation], point_of_no_return=hard)
    for facts in (ledger, ledger.copy()):  # On a copy it is worked out what is still to come.
        assert not has_passed(facts, facts.facts[line][0])
    driver.run()
    assert has_passed(ledger, ledger.facts[line][0])


def test_ceasing_in_flight_with_cascade_takes_along_what_builds_on_it(home: tuple[InstalledProduct, ...]) -> None:
    driver = Driver(later(modify(TV, "1", offering="tv-sport")), installed=home)
    assert driver.change("amend", add=(cease(NET, "2"),), cascade=True).state == "accepted"
    driver.run()
    assert {product.status for product in driver.leaves()} == {ProductStatus.TERMINATED}


# What such an order tells


def test_an_order_tells_of_what_it_names_only(home: tuple[InstalledProduct, ...]) -> None:
    driver = Driver(later(modify(NET, "1", characteristics={"down_mbps": 400}), cease(TV, "2")), installed=home)
    before = order_view(driver.order, NOW)
    assert [(item.id, item.action, item.products) for item in before.items] == [
        ("1", "modify", (NET,)),
        ("2", "delete", (TV,)),
    ]
    driver.run()
    assert [item.state for item in order_view(driver.order, NOW).items] == [LifecycleState.COMPLETED] * 2
    assert driver.order.revision.offerings() == ["fibre-flex", "tv-basic"]


def test_an_item_that_was_removed_is_told_as_cancelled(home: tuple[InstalledProduct, ...]) -> None:
    driver = Driver(later(modify(NET, "1", characteristics={"down_mbps": 400}), cease(TV, "2")), installed=home)
    driver.change("amend", remove=("2",))
    driver.run()
    assert [(item.id, item.state) for item in order_view(driver.order, NOW).items] == [
        ("1", LifecycleState.COMPLETED),
        ("2", LifecycleState.CANCELLED),
    ]


def test_a_cancelled_modification_is_cancelled_once_all_is_put_back(home: tuple[InstalledProduct, ...]) -> None:
    driver = Driver(later(modify(NET, "1", characteristics={"down_mbps": 400})), installed=home)
    driver.run_some(1)
    driver.change("cancel")
    assert order_view(driver.order, NOW).items[0].state is LifecycleState.PENDING_CANCELLATION
    driver.run()
    assert order_view(driver.order, NOW).items[0].state is LifecycleState.CANCELLED
