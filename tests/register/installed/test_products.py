"""The installed base in the register: products as orders leave them."""

from __future__ import annotations

import pytest

from orders.model.order import Site
from orders.model.values import ProductStatus
from orders.planning.installed import InstalledProduct
from orders.read_model.states import LifecycleState
from register import Register
from register.searching import pages
from register.searching.product_search import ProductField, ProductPredicate, ProductQuery, ProductSort
from register.searching.query import Comparison, Visibility
from tests.given.registers import NOON, a_product, a_record, a_view


def leave(register: Register, *products: InstalledProduct, order_id: str = "O1", version: int = 1) -> None:
    """An order ends, and leaves some products."""
    record = a_record(version).model_copy(update={"view": a_view(order_id), "products": products})
    register.records.record(record)


def found(register: Register, *where: ProductPredicate, **query: object) -> list[str]:
    page = register.products.page(ProductQuery(where=where, **query))  # pyright: ignore[reportArgumentType]
    assert page.total >= len(page.products)
    return [product.id for product in page.products]


# What customers have


def test_a_product_is_found_as_an_order_left_it(register: Register) -> None:
    product = a_product(site=Site(id="home", address={"city": "Musterstadt"}), relies_on=("O1.2.1",))
    leave(register, product)
    assert register.products.find(product.id) == product
    assert register.products.of_customer("C1") == [product]
    assert register.products.of_customer("C2") == []


def test_a_lower_version_that_arrives_late_replaces_no_product(register: Register) -> None:
    leave(register, a_product(version=2, status=ProductStatus.TERMINATED), order_id="O2")
    leave(register, a_product(version=1))
    kept = register.products.find("O1.1.1")
    assert kept is not None
    assert (kept.version, kept.status) == (2, ProductStatus.TERMINATED)


def test_an_order_that_went_on_after_its_end_was_written_takes_back_what_it_does_not_leave(register: Register) -> None:
    leave(register, a_product("O1.1.1"), a_product("O1.2.1"))
    leave(register, a_product("O1.1.1"), version=2)
    assert [product.id for product in register.products.of_customer("C1")] == ["O1.1.1"]


def test_an_older_end_of_an_order_takes_nothing_back(register: Register) -> None:
    leave(register, a_product("O1.1.1"), a_product("O1.2.1"), version=2)
    leave(register, a_product("O1.1.1"), version=1)
    assert [product.id for product in register.products.of_customer("C1")] == ["O1.1.1", "O1.2.1"]


# Lists


def test_products_are_found_by_what_is_known_of_them(register: Register) -> None:
    home = Site(id="home")
    leave(register, a_product("a", site=home), a_product("b", status=ProductStatus.TERMINATED, ended_at=NOON))
    leave(register, a_product("c", customer_id="C2", offering="mobile-m", order_id="O2"), order_id="O2")
    assert found(register) == ["a", "b", "c"]
    for field, value, ids in (
        (ProductField.CUSTOMER_ID, "C1", ["a", "b"]),
        (ProductField.STATUS, "active", ["a", "c"]),
        (ProductField.OFFERING, "mobile-m", ["c"]),
        (ProductField.SITE_ID, "home", ["a"]),
        (ProductField.ORDER_ID, "O2", ["c"]),
    ):
        assert found(register, ProductPredicate(field, Comparison.EQ, value)) == ids
    assert found(register, ProductPredicate(ProductField.ENDED_AT, Comparison.GTE, NOON)) == ["b"]
    assert found(register, sort=(ProductSort(ProductField.ENDED_AT, descending=True),)) == ["b", "a", "c"]


def test_products_come_by_the_page_with_the_number_of_all(register: Register) -> None:
    leave(register, *(a_product(f"p{n}") for n in range(5)))
    page = register.products.page(ProductQuery(offset=1, limit=2))
    assert ([product.id for product in page.products], page.total) == (["p1", "p2"], 5)


def test_a_channel_sees_what_its_orders_left_and_all_of_its_customers_where_it_may(register: Register) -> None:
    leave(register, a_product("a"))
    leave(register, a_product("b", customer_id="C2", order_id="O2"), order_id="O2")
    register.records.record(a_record(order_id="O3", channel="web"))
    register.records.record(a_record(order_id="O4", channel="kiosk", state=LifecycleState.REJECTED))
    assert found(register, visible_to=Visibility(channel="shop")) == ["a", "b"]
    for channel, all_of_customers in (("web", ["a"]), ("kiosk", []), ("shop", ["a", "b"])):
        if channel != "shop":
            assert found(register, visible_to=Visibility(channel=channel)) == []
        assert found(register, visible_to=Visibility(channel=channel, all_of_customers=True)) == all_of_customers
    assert found(register, visible_to=Visibility(customer="C2")) == ["b"]
    assert found(register, visible_to=Visibility()) == []


def test_a_page_ends_where_it_would_be_too_long_but_has_one_product(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(register, a_product("O1.1.1"), a_product("O1.2.1"))
    monkeypatch.setattr(pages, "PAGE_BYTES", 1)
    page = register.products.page(ProductQuery())
    assert ([product.id for product in page.products], page.total) == (["O1.1.1"], 2)
