"""The installed base in the register, and the locks by which one order at a time touches a product."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, select

from activities.register import rows
from activities.register.engine import Database
from activities.register.schema import PRODUCT_LOCKS, PRODUCT_RELATIONS, PRODUCTS
from orders.base import Action
from orders.installed import InstalledProduct
from orders.states import LifecycleState
from orders.views import OrderView

ENDED = (LifecycleState.COMPLETED, LifecycleState.CANCELLED, LifecycleState.REJECTED)


class Products:
    """What customers have. Every method may raise `sqlalchemy.exc.DBAPIError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, product_id: str) -> InstalledProduct | None:
        """An installed product as the last order left it."""
        wanted = select(PRODUCTS.c.content).where(PRODUCTS.c.id == product_id)
        with self._database.reading() as connection:
            content = connection.scalar(wanted)
        return InstalledProduct.model_validate(content) if content is not None else None

    def of_customer(self, customer_id: str) -> list[InstalledProduct]:
        """All that a customer has or had, by id."""
        wanted = select(PRODUCTS.c.content).where(PRODUCTS.c.customer_id == customer_id).order_by(PRODUCTS.c.id)
        with self._database.reading() as connection:
            return [InstalledProduct.model_validate(content) for content in connection.scalars(wanted)]


def write_product(database: Database, connection: Connection, product: InstalledProduct) -> None:
    """Write a product as an order leaves it. A lower version never replaces a higher one."""
    row = database.insert(PRODUCTS).values(rows.product_row(product))
    written = connection.scalar(
        row.on_conflict_do_update(
            index_elements=[PRODUCTS.c.id],
            set_={column.name: row.excluded[column.name] for column in PRODUCTS.c if column is not PRODUCTS.c.id},
            where=PRODUCTS.c.version <= row.excluded.version,
        ).returning(PRODUCTS.c.id)
    )
    if written is None:
        return
    connection.execute(delete(PRODUCT_RELATIONS).where(PRODUCT_RELATIONS.c.product_id == product.id))
    relations = rows.relation_rows(product)
    if relations:
        connection.execute(PRODUCT_RELATIONS.insert(), relations)


def take_locks(database: Database, connection: Connection, order_id: str, products: set[str], since: datetime) -> None:
    """Lock products for an order, those that no other order has locked."""
    if not products:
        return
    taken = [{"product_id": product, "order_id": order_id, "since": since} for product in sorted(products)]
    connection.execute(database.insert(PRODUCT_LOCKS).values(taken).on_conflict_do_nothing())


def follow_order(database: Database, connection: Connection, view: OrderView) -> None:
    """Release an order's locks once it has ended.

    One that goes on after all, since a change came while its end was written down, takes them again.
    """
    if view.state in ENDED:
        connection.execute(delete(PRODUCT_LOCKS).where(PRODUCT_LOCKS.c.order_id == view.id))
    else:
        take_locks(database, connection, view.id, installed_products(view), view.ordered_at)


def installed_products(view: OrderView) -> set[str]:
    """The installed products that an order touches."""
    touching = (Action.MODIFY, Action.DELETE)
    return {product for item in view.items if item.action in touching for product in item.products}
