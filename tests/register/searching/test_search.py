"""Lists of orders by what is known of them, the same on either database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from orders.read_model.states import LifecycleState
from orders.read_model.views import FalloutView
from register import Register
from register.searching import pages
from register.searching.query import BodyPath, Comparison, OrderField, OrderQuery, Predicate, Sort, Value, Visibility
from tests.given.registers import NOON, a_record, an_item, emptied

HELD = FalloutView(task="O2.1.1/tv/activate", silo="tv", verb="provision", code="E1", reason="no", since="")

ORDERS: list[dict[str, Any]] = [
    {"order_id": "O1", "customer_id": "C1", "channel": "web", "body": {"note": [{"text": "ring"}], "n": 7, "ok": True}},
    {
        "order_id": "O2",
        "customer_id": "C1",
        "channel": "shop",
        "state": LifecycleState.HELD,
        "completed_at": None,
        "ordered_at": NOON + timedelta(hours=1),
        "items": (an_item("1", "tv-basic", state=LifecycleState.HELD), an_item("2", "fibre-100", quantity=3)),
        "fallout": (HELD, HELD),
        "body": {
            "note": [{"text": "knock"}, {"text": "loud\u0000"}],
            "n": "7",
            "deep": {"er": [[1], {"at": "2026-01-01"}]},
        },
    },
    {
        "order_id": "O3",
        "customer_id": "C2",
        "channel": "shop",
        "ordered_at": NOON + timedelta(hours=2),
        "completed_at": NOON + timedelta(hours=3),
        "priority": 1,
        "body": {"n": 12.5, "a\\u0000": 1, "tags": ["x", "y"], "ok": False, "note": {"text": "plain"}},
    },
]


@pytest.fixture(scope="module")
def orders(shared_register: Register) -> Register:
    emptied(shared_register)
    for order in ORDERS:
        shared_register.records.record(a_record(**order))
    return shared_register


def found(register: Register, *where: Predicate, **query: Any) -> list[str]:
    return [view.id for view in register.search.orders(OrderQuery(where=where, **query)).orders]


@pytest.mark.parametrize(
    ("field", "operator", "value", "fitting"),
    [
        (OrderField.ID, Comparison.EQ, "O2", "O2"),
        (OrderField.CUSTOMER_ID, Comparison.EQ, "C1", "O2 O1"),
        (OrderField.CHANNEL, Comparison.EQ, "shop", "O3 O2"),
        (OrderField.STATE, Comparison.IN, ("held", "completed"), "O3 O2 O1"),
        (OrderField.STATE, Comparison.IN, (), ""),
        (OrderField.ORDERED_AT, Comparison.GT, NOON, "O3 O2"),
        (OrderField.ORDERED_AT, Comparison.GTE, NOON, "O3 O2 O1"),
        (OrderField.ORDERED_AT, Comparison.LT, NOON + timedelta(hours=1), "O1"),
        (OrderField.COMPLETED_AT, Comparison.LTE, NOON + timedelta(days=9), "O3 O1"),
        (OrderField.PRIORITY, Comparison.LT, 4, "O3"),
        (OrderField.IN_JEOPARDY, Comparison.EQ, False, "O3 O2 O1"),
        (OrderField.OFFERING, Comparison.EQ, "fibre-100", "O2"),
        (OrderField.OFFERING, Comparison.IN, ("fibre-100", "tv-basic", "mobile-s"), "O3 O2 O1"),
        (OrderField.FALLOUT_SILO, Comparison.EQ, "tv", "O2"),
        (OrderField.ITEM_STATE, Comparison.EQ, "held", "O2"),
        (OrderField.ITEM_QUANTITY, Comparison.GTE, 3, "O2"),
        (BodyPath(("note", "text")), Comparison.EQ, "ring", "O1"),
        (BodyPath(("note", "text")), Comparison.IN, ("knock", "plain"), "O3 O2"),
        (BodyPath(("note", "text")), Comparison.GT, "m", "O3 O1"),
        (BodyPath(("note",)), Comparison.EQ, "plain", ""),
        (BodyPath(("n",)), Comparison.EQ, "7", "O2 O1"),
        (BodyPath(("n",)), Comparison.EQ, "12.50", "O3"),
        (BodyPath(("n",)), Comparison.GT, "8", "O3"),
        (BodyPath(("ok",)), Comparison.EQ, "true", "O1"),
        (BodyPath(("tags",)), Comparison.EQ, "y", "O3"),
        (BodyPath(("tags", "y")), Comparison.EQ, "y", ""),
        (BodyPath(("deep", "er", "at")), Comparison.LTE, "2026-06-01", "O2"),
        (BodyPath(("a\u00e4 b.c",)), Comparison.EQ, "y", ""),
    ],
)
def test_orders_are_found_by(
    orders: Register, field: OrderField | BodyPath, operator: Comparison, value: Value | tuple[Value, ...], fitting: str
) -> None:
    assert found(orders, Predicate(field, operator, value)) == fitting.split()


def test_all_conditions_must_hold(orders: Register) -> None:
    shop = Predicate(OrderField.CHANNEL, Comparison.EQ, "shop")
    knock = Predicate(BodyPath(("note", "text")), Comparison.EQ, "knock")
    plain = Predicate(BodyPath(("note", "text")), Comparison.EQ, "plain")
    assert found(orders, shop, knock) == ["O2"]
    assert found(orders, shop, knock, plain) == []


def test_a_page_says_how_many_fit_in_all(orders: Register) -> None:
    page = orders.search.orders(OrderQuery(offset=1, limit=1))
    assert ([view.id for view in page.orders], page.total) == (["O2"], 3)
    assert orders.search.orders(OrderQuery(limit=0)).total == orders.search.count(OrderQuery()) == 3


def test_an_order_is_listed_whole(orders: Register) -> None:
    [view] = orders.search.orders(
        OrderQuery(where=(Predicate(OrderField.ID, Comparison.EQ, "O2"),), with_body=True)
    ).orders
    assert view == a_record(**ORDERS[1]).view


def test_what_lacks_a_value_comes_last_whichever_way_it_is_sorted(orders: Register) -> None:
    for descending, sorted_ids in ((False, ["O3", "O1", "O2"]), (True, ["O1", "O3", "O2"])):
        assert found(orders, sort=(Sort(OrderField.COMPLETED_AT, descending),)) == sorted_ids


def test_equals_are_sorted_by_the_next_field_and_then_by_id(orders: Register) -> None:
    by_customer = Sort(OrderField.CUSTOMER_ID)
    assert found(orders, sort=(by_customer,)) == ["O1", "O2", "O3"]
    assert found(orders, sort=(by_customer, Sort(OrderField.ORDERED_AT, descending=True))) == ["O2", "O1", "O3"]


@pytest.mark.parametrize(
    ("sight", "seen"),
    [
        (Visibility(channel="web"), "O1"),
        (Visibility(channel="shop"), "O3 O2"),
        (Visibility(channel="partner"), "O4"),
        (Visibility(channel="web", all_of_customers=True), "O2 O1"),
        (Visibility(channel="shop", all_of_customers=True), "O3 O2 O4 O1"),
        (Visibility(channel="partner", all_of_customers=True), "O4"),
        (Visibility(customer="C2"), "O3 O4"),
        (Visibility(channel="web", customer="C2"), ""),
        (Visibility(), ""),
    ],
)
def test_a_channel_sees_its_own_orders_and_all_of_its_customers_where_it_may(
    register: Register, sight: Visibility, seen: str
) -> None:
    rejected = {"customer_id": "C2", "channel": "partner", "state": LifecycleState.REJECTED}
    for order in (*ORDERS, {"order_id": "O4", **rejected}):
        register.records.record(a_record(**order))
    assert found(register, visible_to=sight) == seen.split()
    assert register.search.count(OrderQuery(visible_to=sight)) == len(seen.split())


@pytest.mark.parametrize("names", [(), ("",), ('a"b',), ("a\\b",), ("a\0b",)])
def test_a_path_that_no_attribute_can_have_is_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="no path"):
        BodyPath(names)


def test_bodies_come_only_where_they_are_asked_for(orders: Register) -> None:
    with_body, without = (orders.search.orders(OrderQuery(with_body=each)).orders for each in (True, False))
    assert all(view.body is not None for view in with_body)
    assert without == tuple(view.model_copy(update={"body": None}) for view in with_body)


def test_a_page_ends_where_it_would_be_too_long_but_has_one_order(
    orders: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE_BYTES", 1)
    page = orders.search.orders(OrderQuery(with_body=True))
    assert (len(page.orders), page.total) == (1, orders.search.count(OrderQuery()))
