"""Registers for tests, and orders to write there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from orders.model.values import ProductStatus
from orders.planning.installed import InstalledProduct
from orders.read_model.records import OrderRecord
from orders.read_model.states import LifecycleState
from orders.read_model.views import ItemView, OrderView
from register import Register
from register.schema import SCHEMA

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)


def emptied(register: Register) -> Register:
    """The same register, its tables empty."""
    with register.database.writing() as connection:
        for table in SCHEMA.sorted_tables:
            connection.execute(table.delete())
    return register


def a_view(order_id: str = "O1", **changes: Any) -> OrderView:
    """An order that has ended."""
    view = OrderView(
        id=order_id,
        external_id="shop-1",
        customer_id="C1",
        channel="shop",
        state=LifecycleState.COMPLETED,
        revision=1,
        catalog="0123456789abcdef",
        ordered_at=NOON,
        requested_start=None,
        requested_completion=None,
        promised_at=NOON + timedelta(days=3),
        expected_at=None,
        completed_at=NOON + timedelta(days=2),
        in_jeopardy=False,
        items=(an_item("1"),),
        silos=(),
        fallout=(),
        changes=(),
        document="d1",
        submitted="d1",
        body={"note": "Grüße \u0000 🛰", "productOrderItem": [{"id": "1"}]},
    )
    return view.model_copy(update=changes)


def a_product(product_id: str = "O1.1.1", **changes: Any) -> InstalledProduct:
    """A product that a customer has."""
    product = InstalledProduct(
        id=product_id,
        version=1,
        customer_id="C1",
        status=ProductStatus.ACTIVE,
        offering="mobile-s",
        specification="mobile",
        characteristics={"data_gb": 5, "sim_type": "esim"},
        order_id="O1",
        item_id="1",
        catalog="0123456789abcdef",
        started_at=NOON,
    )
    return product.model_copy(update=changes)


def an_item(item_id: str, offering: str = "mobile-s", **changes: Any) -> ItemView:
    """An item that is done."""
    item = ItemView(
        id=item_id,
        offering=offering,
        action="add",
        state=LifecycleState.COMPLETED,
        quantity=1,
        products=(f"O1.{item_id}.1",),
        characteristics={},
    )
    return item.model_copy(update=changes)


def a_record(version: int = 1, order_id: str = "O1", **changes: Any) -> OrderRecord:
    """What an order writes down at its end."""
    return OrderRecord(version=version, view=a_view(order_id, **changes))
