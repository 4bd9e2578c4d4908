"""Registers for tests, and orders to write there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from orders.model.instants import instant
from orders.model.values import ProductStatus
from orders.planning.installed import InstalledProduct
from orders.read_model.fallout import FalloutRecord, Hand
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


def fallen(fallout_id: str = "O1-f1", **changes: Any) -> FalloutRecord:
    """A call that waits for a person."""
    fallout = FalloutRecord.model_validate(
        {
            "id": fallout_id,
            "task": "O1.1.1/tv/activate-tv",
            "key": "O1.1.1/tv/activate-tv/0/0",
            "title": "TV activation",
            "silo": "tv",
            "operation": "subscription",
            "verb": "provision",
            "items": ("1",),
            "offerings": ("mobile-s",),
            "code": "no_coverage",
            "reason": "none here",
            "since": instant(NOON),
            "refused_at": instant(NOON),
            "revision": 1,
        }
    )
    return fallout.model_copy(update=changes)


def over(fallout: FalloutRecord, ended: str = "retried") -> FalloutRecord:
    """The same, an hour later: somebody has tried it again, and it was done."""
    hand = Hand.model_validate({"what": ended, "change": "again", "by": "Ada", "at": instant(NOON)})
    told = {"state": "over", "over_at": instant(NOON + timedelta(hours=1)), "ended": ended, "hand": hand}
    return FalloutRecord.model_validate({**dict(fallout), **told})


def told(version: int, *fallout: FalloutRecord, order_id: str = "O1", **changes: Any) -> OrderRecord:
    """A record of an order in flight, with what it tells of fallout."""
    in_flight = {"state": LifecycleState.HELD, "completed_at": None}
    return OrderRecord(version=version, view=a_view(order_id, **{**in_flight, **changes}), fallout=fallout)
