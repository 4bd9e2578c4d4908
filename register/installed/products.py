"""The installed base in the register, and the locks by which one order at a time touches a product.

A lock is never given back: it names the last order that touched a product. Once that order's workflow has closed
nothing can change there any more, and the next order takes the lock over.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, delete, select

from orders.planning.installed import InstalledProduct
from orders.read_model.records import OrderRecord
from register.engine import Database
from register.installed.line import claim_made
from register.recording import rows
from register.searching.product_search import ProductPage, ProductQuery, product_page
from register.tables.installed import PRODUCT_RELATIONS, PRODUCT_VALUES, PRODUCTS


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

    def page(self, query: ProductQuery) -> ProductPage:
        """A page of the products that fit, and how many there are."""
        with self._database.reading() as connection:
            return product_page(connection, query)


def write_products(database: Database, connection: Connection, record: OrderRecord, *, newest: bool) -> None:
    """Write the products as an order leaves them. A lower version never replaces a higher one.

    They are claimed by it, so that nobody else touches what it has just made before it has closed. An order that went
    on after all, since a change came in while its end was written down, may leave less than it wrote before.
    """
    if newest and record.view.completed_at is not None:
        _forget_others(connection, record.view.id, record.products)
    if not record.products:
        return
    written = _replace_older(database, connection, record.products)
    for table, rows_of in ((PRODUCT_RELATIONS, rows.relation_rows), (PRODUCT_VALUES, rows.value_rows)):
        connection.execute(delete(table).where(table.c.product_id.in_(written)))
        of_written = [row for product in record.products if product.id in written for row in rows_of(product)]
        if of_written:
            connection.execute(table.insert(), of_written)
    made = [product.id for product in record.products]
    claim_made(database, connection, record.view.id, made, record.view.ordered_at)


def _replace_older(database: Database, connection: Connection, products: Iterable[InstalledProduct]) -> set[str]:
    """Write products but for those of which a higher version is there. Gives the ids of those that were written."""
    insert = database.replacing(PRODUCTS).returning(PRODUCTS.c.id)
    return set(connection.scalars(insert, [rows.product_row(each) for each in products]))


def _forget_others(connection: Connection, order_id: str, left: Iterable[InstalledProduct]) -> None:
    """Forget products that an earlier end of the order made, and the last one did not."""
    of_order = select(PRODUCTS.c.id).where(PRODUCTS.c.order_id == order_id, PRODUCTS.c.version == 1)
    gone = set(connection.scalars(of_order)) - {product.id for product in left}
    if gone:
        connection.execute(delete(PRODUCTS).where(PRODUCTS.c.id.in_(gone)))
        for table in (PRODUCT_RELATIONS, PRODUCT_VALUES):
            connection.execute(delete(table).where(table.c.product_id.in_(gone)))
