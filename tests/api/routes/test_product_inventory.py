"""What customers have, by TMF637."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from typing import Any

import pytest

from api.tmf.tmf637 import BASE_PATH, product_resource
from catalog_loader.catalog_files import read_catalog
from orders.model.catalog import OnChange, Price, Replacement, Undo
from orders.model.order import Site
from orders.model.plan import Operation
from orders.model.values import ProductStatus
from orders.planning.installed import Holding, InstalledProduct
from orders.reconcile.ledger import Fact, Ledger
from register import Register
from settings import ROOT
from tests.api.conftest import Door, ShutDoor
from tests.api.tmf.tmf_specs import TMF637, spec_problems
from tests.given.registers import NOON, a_product, a_record, a_view

PRICES = {"mobile-s.1": Price(amount=Decimal("9.90"), currency="EUR")}
HOME = Site(id="home", address={"city": "Musterstadt", "streetNr": "7"})
DRAWING = Operation(
    name="mobile/reserve-number",
    silo="number-inventory",
    operation="number",
    on_change={"number": OnChange.REPLACE, "customer": OnChange.KEEP},
    replacement=Replacement.MAKE_BEFORE_BREAK,
    undo=Undo.ALWAYS,
    amend_while_waiting=False,
    duration_s=30,
    outputs=("number", "pool"),
)
NUMBER = Fact(
    task="I1.sim.1/mobile/reserve-number",
    generation=2,
    operation=DRAWING.name,
    items=(),
    inputs={},
    outputs={"number": "+4915112345678", "pool": "P7"},
    established=True,
)
BUNDLE = a_product("I1.1.1", offering="triple-play-500", specification=None, characteristics={})
NET = a_product("I1.net.1", offering="fibre-500", specification="fibre-internet", site=HOME, bundle="I1.1.1")
SIM = a_product(
    "I1.sim.1",
    billing_account="acc-7",
    characteristics={"data_gb": 5, "sim_type": "esim", "puk_printed": True},
    holding=Holding(ledger=Ledger(facts={NUMBER.task: {2: NUMBER}}, operations={DRAWING.name: DRAWING})),
)
TV = a_product("I1.tv.1", status=ProductStatus.TERMINATED, ended_at=NOON, bundle="I1.1.1", relies_on=("I1.net.1",))


@pytest.fixture
def household(door: Door) -> Iterator[list[InstalledProduct]]:
    """What customer CI has, by an order of channel `shop`."""
    products = [
        product.model_copy(update={"customer_id": "CI", "order_id": "I1"}) for product in (BUNDLE, NET, SIM, TV)
    ]
    install(door, *products)
    yield products


def install(door: Door, *products: InstalledProduct) -> None:
    order, customer = products[0].order_id, products[0].customer_id
    with closing(Register(door.settings.register_address)) as register:
        view = a_view(order, customer_id=customer)
        register.records.record(a_record().model_copy(update={"view": view, "products": products}))


async def listed(door: Door, **params: Any) -> list[str]:
    query = "&".join(f"{name}={value}" for name, value in params.items())  # A comma that is encoded is part of a value.
    response = await door.http.get(f"{BASE_PATH}/product?{query}")
    assert response.status_code in (200, 206), response.text
    return [product["id"] for product in response.json()]


@pytest.mark.parametrize("product", [BUNDLE, NET, SIM, TV], ids=lambda product: product.id)
def test_a_product_is_one_by_the_standard(product: InstalledProduct) -> None:
    assert spec_problems(TMF637, "Product", product_resource(product, PRICES, "http://api")) == []


async def test_a_product_tells_what_it_is_where_and_by_which_order(
    door: Door, household: list[InstalledProduct]
) -> None:
    response = await door.http.get(f"{BASE_PATH}/product/I1.net.1")
    net = response.json()
    assert (net["status"], net["productOffering"]["id"], net["isBundle"]) == ("active", "fibre-500", False)
    assert net["href"] == f"{door.settings.api_address}{BASE_PATH}/product/I1.net.1"
    assert net["place"] == [
        {
            "@type": "GeographicAddress",
            "city": "Musterstadt",
            "streetNr": "7",
            "id": "home",
            "role": "installationAddress",
        }
    ]
    assert net["productOrderItem"][0]["productOrderId"] == "I1"
    assert [(each["relationshipType"], each["product"]["id"]) for each in net["productRelationship"]] == [
        ("bundledBy", "I1.1.1")
    ]
    assert net["startDate"] == "2026-03-29T12:00:00.000Z"


async def test_products_are_listed_by_customer_status_offering_and_place(
    door: Door, household: list[InstalledProduct]
) -> None:
    customer = {"relatedParty.id": "CI"}
    assert await listed(door, **customer) == ["I1.1.1", "I1.net.1", "I1.sim.1", "I1.tv.1"]
    assert await listed(door, **customer, status="terminated") == ["I1.tv.1"]
    assert await listed(door, **customer, **{"productOffering.id": "fibre-500,mobile-s"}) == [
        "I1.net.1",
        "I1.sim.1",
        "I1.tv.1",
    ]
    assert await listed(door, **customer, **{"place.id": "home"}) == ["I1.net.1"]
    assert await listed(door, **customer, **{"terminationDate.gte": "2026-03-29"}) == ["I1.tv.1"]
    assert await listed(door, **customer, sort="-id", limit=2) == ["I1.tv.1", "I1.sim.1"]


async def test_a_page_of_products_says_how_many_there_are(door: Door, household: list[InstalledProduct]) -> None:
    params = {"relatedParty.id": "CI", "limit": 1, "fields": "status"}
    response = await door.http.get(f"{BASE_PATH}/product", params=params)
    assert (response.status_code, response.headers["X-Total-Count"]) == (206, "4")
    assert [set(product) for product in response.json()] == [{"id", "href", "status"}]


@pytest.mark.parametrize(
    ("query", "products"),
    [
        ("productCharacteristic.value=esim", ["I1.net.1", "I1.sim.1", "I1.tv.1"]),
        ("productCharacteristic.name=puk_printed", ["I1.sim.1"]),
        ("productCharacteristic.name=puk_printed&productCharacteristic.value=true", ["I1.sim.1"]),
        ("productCharacteristic.name=puk_printed&productCharacteristic.value=esim", []),
        ("productCharacteristic.name=sim_type,data_gb&productCharacteristic.value=5,50&status=terminated", ["I1.tv.1"]),
        ("productCharacteristic.value=%2B4915112345678", []),
        ("realizingResource.value=%2B4915112345678", ["I1.sim.1"]),
        ("realizingResource.name=number&realizingResource.value=%2B4915112345678", ["I1.sim.1"]),
        ("realizingResource.value=P7", []),
        ("realizingResource.value=esim", []),
        ("billingAccount.id=acc-7", ["I1.sim.1"]),
    ],
)
async def test_products_are_found_by_what_they_are_like_and_by_the_number_that_was_drawn(
    door: Door, household: list[InstalledProduct], query: str, products: list[str]
) -> None:
    response = await door.http.get(f"{BASE_PATH}/product?relatedParty.id=CI&{query}")
    assert (response.status_code, [product["id"] for product in response.json()]) == (200, products)


async def test_what_is_not_so_any_more_finds_no_product(door: Door, household: list[InstalledProduct]) -> None:
    later = {"version": 2, "characteristics": {"data_gb": 20}, "customer_id": "CI", "order_id": "I1"}
    install(door, SIM.model_copy(update=later))
    assert await listed(door, **{"relatedParty.id": "CI", "productCharacteristic.value": "20"}) == ["I1.sim.1"]
    assert await listed(door, **{"relatedParty.id": "CI", "productCharacteristic.name": "puk_printed"}) == []


async def test_a_product_tells_its_account_and_its_number(door: Door, household: list[InstalledProduct]) -> None:
    sim = (await door.http.get(f"{BASE_PATH}/product/I1.sim.1")).json()
    assert sim["billingAccount"] == {"id": "acc-7", "@referredType": "BillingAccount"}
    assert sim["realizingResource"] == [
        {"id": "I1.sim.1/mobile/reserve-number/2", "name": "number", "value": "+4915112345678"}
    ]
    net = (await door.http.get(f"{BASE_PATH}/product/I1.net.1")).json()
    assert "billingAccount" not in net


async def test_a_product_tells_what_its_offering_cost_in_the_catalog_that_it_was_sold_from(door: Door) -> None:
    sold = read_catalog(ROOT / "catalog").digest
    product = a_product("I3.1.1", customer_id="CP", order_id="I3", offering="fibre-100", catalog=sold)
    install(door, product, a_product("I3.2.1", customer_id="CP", order_id="I3", catalog="0" * 16))
    monthly, once = (await door.http.get(f"{BASE_PATH}/product/I3.1.1")).json()["productPrice"]
    assert (monthly["priceType"], monthly["recurringChargePeriod"], monthly["price"]["taxIncludedAmount"]) == (
        "recurring",
        "month",
        {"unit": "EUR", "value": 29.9},
    )
    assert (once["priceType"], once["price"]["taxIncludedAmount"]["value"]) == ("oneTime", 49.9)
    resource = (
        await door.http.get(monthly["productOfferingPrice"]["href"].removeprefix("http://127.0.0.1:8000"))
    ).json()
    assert resource["price"] == {"unit": "EUR", "value": 29.9}
    unknown = (await door.http.get(f"{BASE_PATH}/product/I3.2.1")).json()
    assert unknown["productPrice"] == []


async def test_what_products_are_not_found_by_is_named(door: Door) -> None:
    response = await door.http.get(f"{BASE_PATH}/product", params={"productSerialNumber": "7"})
    assert response.status_code == 400
    assert response.json()["details"][0]["path"] == "query.productSerialNumber"
    assert "relatedParty.id" in response.json()["details"][0]["message"]


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("status.ne=active", "query.status.ne"),
        ("productCharacteristic.value.gt=5", "query.productCharacteristic.value"),
        ("productCharacteristic.value.regex=e.*", "query.productCharacteristic.value.regex"),
        ("productCharacteristic.valueType=string", "query.productCharacteristic.valueType"),
    ],
)
async def test_an_operator_that_there_is_not_is_named(door: Door, query: str, path: str) -> None:
    response = await door.http.get(f"{BASE_PATH}/product?{query}")
    assert response.status_code == 400, response.text
    [detail] = response.json()["details"]
    assert detail["path"] == path
    assert ".eq" in detail["message"]


async def test_of_a_single_product_only_fields_can_be_asked(door: Door, household: list[InstalledProduct]) -> None:
    response = await door.http.get(f"{BASE_PATH}/product/I1.sim.1?fields=status&status=active")
    assert (response.status_code, response.json()["details"][0]["path"]) == (400, "query.status")


async def test_a_product_that_is_not_there_is_not_found(door: Door) -> None:
    response = await door.http.get(f"{BASE_PATH}/product/none")
    assert (response.status_code, response.json()["code"]) == (404, "unknown_product")


async def test_a_channel_sees_the_products_of_its_own_customers(shut_door: ShutDoor) -> None:
    install(shut_door, a_product("I2.1.1", customer_id="CS", order_id="I2"))
    path = f"{BASE_PATH}/product"
    for channel, seen in (("shop", True), ("kiosk", False)):
        headers = shut_door.as_channel(channel)
        one = await shut_door.http.get(f"{path}/I2.1.1", headers=headers)
        assert one.status_code == (200 if seen else 404)
        several = await shut_door.http.get(path, params={"relatedParty.id": "CS"}, headers=headers)
        assert bool(several.json()) is seen
