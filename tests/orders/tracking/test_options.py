"""What may still be changed, until when and at what fee: told for each item, and true."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from orders.change.request import ChangeKind, ChangeRequest, ItemUpdate, Subject
from orders.fulfilment.messages import PlanAnswer
from orders.fulfilment.order_in_flight import Fulfilment
from orders.model.order import OrderRequest, RequestedItem
from orders.model.values import Money
from orders.planning.amend import amended
from orders.tracking.what_if import options as tried
from orders.tracking.what_if.options import Option, OptionsPage, options_of
from orders.tracking.what_if.preview import preview
from tests.orders.support.catalogs import catalog_of
from tests.orders.support.driver import NOW, Driver, household, key

FEE = Money(amount=Decimal("9.90"), currency="EUR")
VISIT_DONE = datetime(2026, 3, 7, 9, tzinfo=UTC)
PARCEL_HANDED_OVER = datetime(2026, 3, 3, 9, tzinfo=UTC)
ONE_TASK = """
silos:
  warehouse: {protocol: tmf640, address: /warehouse}
specifications:
  box:
    role: box
    characteristics:
      colour: {}
    tasks:
      stock: {silo: warehouse, operation: stock, title: Stock, inputs: {colour: "${char.colour}"}, outputs: [serial]}
offerings:
  box: {specification: box}
"""


def options(driver: Driver, item: str) -> dict[tuple[str, object], Option]:
    """The options of an item by what they are about: its subject, or a characteristic, with the value."""
    told = options_of(driver.order, driver.catalog, NOW)
    [found] = [one.options for one in told.items if one.item == item]
    return {(option.name or option.subject.value, option.value): option for option in found}


def in_flight(*waiting: str) -> Driver:
    driver = Driver(household(), waiting=waiting)
    driver.run()
    return driver


def test_what_is_free_now_says_until_when() -> None:
    driver = in_flight("field-service", "shipping")
    net = options(driver, "net")
    place, speed, router = net["place", None], net["down_mbps", None], net["technology", "xgs-pon"]
    assert (place.possible, place.fees, place.until) == (True, (), VISIT_DONE)
    assert [task.rsplit("/", 1)[1] for task in place.asks] == ["visit-site"]
    assert (router.possible, router.fees, router.until) == (True, (), PARCEL_HANDED_OVER)
    assert (speed.possible, speed.until) == (True, None)
    assert net["home", None].kind is ChangeKind.RESCHEDULE
    assert net["home", None].until == VISIT_DONE


def test_past_a_soft_point_there_is_a_fee_and_past_a_hard_one_a_reason_naming_task_and_since_when() -> None:
    driver = Driver(household())
    driver.refuse["billing.provision"] = "closed"
    driver.run()
    net, tv = options(driver, "net"), options(driver, "tv")
    assert (net["technology", "xgs-pon"].possible, net["technology", "xgs-pon"].fees) == (True, (FEE,))
    place = net["place", None]
    assert (place.possible, place.until) == (False, None)
    assert [(reason.code, reason.item, reason.task) for reason in place.reasons] == [
        ("past_no_return", "net", key(driver, "installation/visit-site"))
    ]
    assert "since 2026-03-02T09:00" in place.reasons[0].message
    assert (tv["offering", "tv-sport"].possible, tv["offering", "tv-sport"].fees) == (True, ())
    assert tv["offering", "tv-sport"].until is None


def test_a_removal_says_what_goes_along() -> None:
    request = household()
    request = request.model_copy(update={"items": (*request.items, RequestedItem(id="sim", offering="mobile-s"))})
    driver = Driver(request, waiting=["shipping", "field-service"])
    driver.run()
    assert options(driver, "net")["removal", None].along == ("voice", "tv")
    assert options(driver, "tv")["removal", None].along == ()


def test_what_can_not_be_planned_says_why() -> None:
    driver = in_flight("shipping")
    removal = options(driver, "net")["removal", None]
    assert [reason.code for reason in removal.reasons] == ["nothing_left"]
    assert not removal.possible


def test_only_what_is_held_can_be_replaced() -> None:
    driver = Driver(household())
    assert not [name for name, _ in options(driver, "net") if "/" in str(name)]
    driver = in_flight("shipping")
    parcel = options(driver, "net")[key(driver, "delivery/ship-parcel"), None]
    assert (parcel.kind, parcel.possible, parcel.until) == (ChangeKind.REPLACE, True, PARCEL_HANDED_OVER)


def test_a_cancelled_order_has_no_options_and_says_so() -> None:
    driver = in_flight("shipping", "field-service")
    driver.change("cancel")
    driver.run()
    told = options_of(driver.order, driver.catalog, NOW)
    everything = [option for item in told.items for option in item.options if option.kind is not ChangeKind.REPLACE]
    assert {reason.code for option in everything for reason in option.reasons} == {"order_cancelled"}
    assert not any(option.possible for option in (*everything, *told.order))


def test_items_come_in_pages() -> None:
    driver = in_flight("shipping")
    first = options_of(driver.order, driver.catalog, NOW, OptionsPage(limit=2))
    assert ([one.item for one in first.items], first.next_offset) == (["net", "voice"], 2)
    last = options_of(driver.order, driver.catalog, NOW, OptionsPage(2, 2))
    assert ([one.item for one in last.items], last.next_offset) == (["tv"], None)


def test_once_it_is_enough_the_rest_comes_on_the_next_pages() -> None:
    driver = in_flight("shipping")
    whole = options_of(driver.order, driver.catalog, NOW)
    found: dict[str, tuple[Option, ...]] = {}
    pages = [options_of(driver.order, driver.catalog, NOW, is_enough=lambda: True)]
    while (told := pages[-1]).next_offset is not None:
        page = OptionsPage(told.next_offset, skip=told.next_skip)
        pages.append(options_of(driver.order, driver.catalog, NOW, page, lambda: True))
    for told in pages:
        assert sum(len(item.options) for item in told.items) == 1
        for item in told.items:
            found[item.item] = (*found.get(item.item, ()), *item.options)
    assert found == {item.item: item.options for item in whole.items}
    assert [told.order for told in pages] == [whole.order, *[()] * (len(pages) - 1)]


def test_looking_at_options_touches_nothing() -> None:
    driver = in_flight("field-service", "shipping")
    before = repr(driver.order.reconciler.ledger)
    options_of(driver.order, driver.catalog, NOW)
    assert repr(driver.order.reconciler.ledger) == before
    assert driver.run() == []


def test_a_copy_of_the_order_has_the_same_options() -> None:
    driver = in_flight("field-service", "shipping")
    fork = driver.order.fork()
    copied = type(fork).model_validate_json(fork.model_dump_json())
    assert options_of(Fulfilment.of(copied), driver.catalog, NOW) == options_of(driver.order, driver.catalog, NOW)


@pytest.mark.parametrize("waiting", [(), ("shipping",), ("field-service",), ("field-service", "shipping")])
def test_an_option_is_what_a_request_for_it_would_get(waiting: tuple[str, ...]) -> None:
    driver = Driver(household(), waiting=waiting)
    driver.refuse["billing.provision"] = "closed"
    driver.run()
    told = options_of(driver.order, driver.catalog, NOW)
    tried = 0
    for item in told.items:
        for option in item.options:
            change = _request(item.item, option)
            if change is None:
                continue
            tried += 1
            fork = Driver(household(), waiting=waiting)
            fork.refuse["billing.provision"] = "closed"
            fork.run()
            fee = option.fees[0] if option.fees else None
            verdict = fork.change(
                change.kind,
                update=change.update,
                items=change.items,
                task=change.task,
                cascade=change.cascade,
                accept_fee=fee,
            )
            assert (verdict.state != "rejected") == option.possible, option
            assert tuple(reason.code for reason in verdict.reasons) == tuple(r.code for r in option.reasons)
    assert tried > 10


def _request(item: str, option: Option) -> ChangeRequest | None:
    match option.subject:
        case Subject.OFFERING if option.value not in ("fibre-100", "fibre-500", "fibre-1000"):
            update = ItemUpdate(id=item, offering=str(option.value))
        case Subject.CHARACTERISTIC if option.value is not None:
            update = ItemUpdate(id=item, characteristics={str(option.name): option.value})
        case Subject.QUANTITY:
            update = ItemUpdate(id=item, quantity=int(str(option.value)))
        case Subject.REPLACEMENT:
            return ChangeRequest(request_id="r", kind=option.kind, task=option.name)
        case _:
            return None
    return ChangeRequest(request_id="r", kind=option.kind, update=(update,))


def test_a_preview_tells_for_each_item_that_it_touches_whether_until_when_and_at_what_fee() -> None:
    driver = in_flight("field-service", "shipping")
    change = ChangeRequest(
        request_id="r",
        kind=ChangeKind.AMEND,
        update=(
            ItemUpdate(id="net", characteristics={"technology": "xgs-pon"}),
            ItemUpdate(id="tv", offering="tv-sport"),
        ),
    )
    order = driver.order
    revision, plan = amended(driver.catalog, order.start.order_id, order.revision, change, order.advancement())
    told = preview(order, change, PlanAnswer(revision=revision, plan=plan), NOW)
    assert [(one.item, one.possible, one.until) for one in told.items] == [
        ("net", True, PARCEL_HANDED_OVER),
        ("tv", True, None),
    ]


def test_no_more_is_offered_than_an_item_can_have(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = in_flight()
    assert ("quantity", 2) in options(driver, "net")
    monkeypatch.setattr(tried, "MOST_PRODUCTS", 1)
    assert ("quantity", 2) not in options(driver, "net")


def test_an_item_of_a_thousand_products_has_options(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, ONE_TASK)
    many = OrderRequest(
        external_id="x",
        channel="web",
        customer_id="cust-1",
        items=(RequestedItem(id="1", offering="box", quantity=1000),),
    )
    told = options(Driver(many, catalog=catalog), "1")
    assert told["quantity", 999].possible
    assert ("quantity", 1001) not in told
    assert told["colour", None].possible
