"""The queue of orders that wait for installed products, within a transaction: first come, first served.

An order waits for all its products at once. It comes behind who was there before for any of them, so no two wait for
each other, and nobody overtakes for ever.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, Select, delete, or_, select, update

from register.schema import AWAITED_PRODUCTS, WAITING_ORDERS


def join(connection: Connection, order_id: str, products: Collection[str], now: datetime) -> None:
    """Put an order at the end."""
    row = {"order_id": order_id, "since": now, "look_at": now, "looks": 0}
    connection.execute(WAITING_ORDERS.insert().values(row))
    await_products(connection, order_id, products)


def await_products(connection: Connection, order_id: str, products: Collection[str]) -> None:
    """Note which products an order waits for now: an order before it may link them with others."""
    connection.execute(delete(AWAITED_PRODUCTS).where(AWAITED_PRODUCTS.c.order_id == order_id))
    connection.execute(
        AWAITED_PRODUCTS.insert(), [{"product_id": product, "order_id": order_id} for product in sorted(products)]
    )


def leave(connection: Connection, order_id: str) -> None:
    """Take an order out: it has begun, or never will."""
    connection.execute(delete(WAITING_ORDERS).where(WAITING_ORDERS.c.order_id == order_id))
    connection.execute(delete(AWAITED_PRODUCTS).where(AWAITED_PRODUCTS.c.order_id == order_id))


def is_in(connection: Connection, order_id: str) -> bool:
    """True while an order waits, or is about to begin."""
    return connection.scalar(select(WAITING_ORDERS.c.id).where(WAITING_ORDERS.c.order_id == order_id)) is not None


def ahead_of(connection: Connection, order_id: str, products: Collection[str]) -> list[tuple[str, str, datetime]]:
    """(product, order, since) of each product that another order waits for and was there first."""
    own = select(WAITING_ORDERS.c.id).where(WAITING_ORDERS.c.order_id == order_id).scalar_subquery()
    wanted = (
        select(AWAITED_PRODUCTS.c.product_id, AWAITED_PRODUCTS.c.order_id, WAITING_ORDERS.c.since)
        .join_from(AWAITED_PRODUCTS, WAITING_ORDERS, WAITING_ORDERS.c.order_id == AWAITED_PRODUCTS.c.order_id)
        .where(
            AWAITED_PRODUCTS.c.product_id.in_(products),
            AWAITED_PRODUCTS.c.order_id != order_id,
            or_(own.is_(None), WAITING_ORDERS.c.id < own),
        )
        .order_by(AWAITED_PRODUCTS.c.product_id, WAITING_ORDERS.c.id)
    )
    return [(product, other, since) for product, other, since in connection.execute(wanted)]


def wake(connection: Connection, products: Select[tuple[str]], now: datetime) -> None:
    """Have those looked at soon who wait for one of these products: something has become of who was before them."""
    concerned = select(AWAITED_PRODUCTS.c.order_id).where(AWAITED_PRODUCTS.c.product_id.in_(products))
    connection.execute(
        update(WAITING_ORDERS)
        .where(WAITING_ORDERS.c.begun_at.is_(None), WAITING_ORDERS.c.order_id.in_(concerned))
        .values(look_at=now, looks=0)
    )
