"""What customers have, by TMF637."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from api.tmf.tmf637 import BASE_PATH, product_resource
from orders.model.order import Site
from orders.model.values import ProductStatus
from orders.planning.installed import InstalledProduct
from register import Register
from tests.api.conftest import Door, ShutDoor
from tests.api.tmf.tmf_specs import TMF637, spec_problems
from tests.registers import NOON, a_product, a_record, a_view

HOME = Site(id="home", address={"city": "Musterstadt", "streetNr": "7"})
BUNDLE = a_product("I1.1.1", offering="triple-play-500", specification=None, characteristics={})
NET = a_product("I1.net.1", offering="fibre-500", specification="fibre-internet", site=HOME, bundle="I1.1.1")
TV = a_product("I1.tv.1", status=ProductStatus.TERMINATED, ended_at=NOON, bundle="I1.1.1", relies_on=("I1.net.1",))


@pytest.fixture
def household(door: Door) -> Iterator[list[InstalledProduct]]:
    """What customer CI has, by an order of channel `shop`."""
    products = [product.model_copy(update={"customer_id": "CI", "order_id": "I1"}) for product in (BUNDLE, NET, TV)]
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


@pytest.mark.parametrize("product", [BUNDLE, NET, TV], ids=lambda product: product.id)
def test_a_product_is_one_by_the_standard(product: InstalledProduct) -> None:
    assert spec_problems(TMF637, "Product", product_resource(product, "http://api")) == []


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
    assert await listed(door, **customer) == ["I1.1.1", "I1.net.1", "I1.tv.1"]
    assert await listed(door, **customer, status="terminated") == ["I1.tv.1"]
    assert await listed(door, **customer, **{"productOffering.id": "fibre-500,mobile-s"}) == ["I1.net.1", "I1.tv.1"]
    assert await listed(door, **customer, **{"place.id": "home"}) == ["I1.net.1"]
    assert await listed(door, **customer, **{"terminationDate.gte": "2026-03-29"}) == ["I1.tv.1"]
    assert await listed(door, **customer, sort="-id", limit=2) == ["I1.tv.1", "I1.net.1"]


async def test_a_page_of_products_says_how_many_there_are(door: Door, household: list[InstalledProduct]) -> None:
    params = {"relatedParty.id": "CI", "limit": 1, "fields": "status"}
    response = await door.http.get(f"{BASE_PATH}/product", params=params)
    assert (response.status_code, response.headers["X-Total-Count"]) == (206, "3")
    assert [set(product) for product in response.json()] == [{"id", "href", "status"}]


async def test_what_products_are_not_found_by_is_named(door: Door) -> None:
    response = await door.http.get(f"{BASE_PATH}/product", params={"productSerialNumber": "7"})
    assert response.status_code == 400
    assert response.json()["details"][0]["path"] == "query.productSerialNumber"
    assert "relatedParty.id" in response.json()["details"][0]["message"]


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
