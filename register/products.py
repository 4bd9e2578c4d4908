"""The installed base in the register, and the locks by which one order at a time touches a product.

A lock is never given back: it names the last order that touched a product. Once that order's workflow has closed
nothing can change there any more, and the next order takes the lock over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, select

from orders.planning.installed import InstalledProduct
from orders.read_model.records import OrderRecord
from register import queue, rows
from register.engine import Database
from register.product_search import ProductPage, ProductQuery, product_page
from register.schema import PRODUCT_LOCKS, PRODUCT_RELATIONS, PRODUCTS


@dataclass(frozen=True, slots=True)
class Lock:
    """Who touched a product last, and since when. One that `waits` has not touched it yet, but is to come first."""

    product_id: str
    order_id: str
    since: datetime
    waits: bool = False


class Locked(Exception):
    """Products cannot be locked: their `locks` are those of other orders."""

    def __init__(self, locks: list[Lock]) -> None:
        super().__init__(locks)
        self.locks = locks


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

    def lock(self, order_id: str, products: Collection[str], since: datetime) -> list[Lock]:
        """Lock products for an order, and keep what it has locked already.

        Where other orders hold some, or wait for them, no more is locked, and those locks come back.
        """
        try:
            with self._database.writing() as connection:
                lock_products(self._database, connection, order_id, products, since)
        except Locked as locked:
            return locked.locks
        return []

    def lock_again(self, order_id: str, products: Collection[str], since: datetime) -> None:
        """Lock products as an order did when it began, should that have been lost. Who touched one later keeps it."""
        rows = [{"product_id": each, "order_id": order_id, "since": since} for each in sorted(products)]
        if not rows:
            return
        lock = self._database.insert(PRODUCT_LOCKS)
        later = lock.on_conflict_do_update(
            index_elements=[PRODUCT_LOCKS.c.product_id],
            set_={"order_id": lock.excluded.order_id, "since": lock.excluded.since},
            where=PRODUCT_LOCKS.c.since < lock.excluded.since,
        )
        with self._database.writing() as connection:
            connection.execute(later, rows)

    def unlock(self, orders: Collection[str], products: Collection[str] | None = None) -> int:
        """Take away locks of orders that have ended or never began: on some products, or all of them. Returns how many.

        Who waits for them is to be looked at again.
        """
        theirs = PRODUCT_LOCKS.c.order_id.in_(orders)
        on_those = (
            PRODUCT_LOCKS.c.product_id.in_(products) if products is not None else PRODUCT_LOCKS.c.product_id != ""
        )
        with self._database.writing() as connection:
            queue.wake(connection, select(PRODUCT_LOCKS.c.product_id).where(theirs, on_those), datetime.now(UTC))
            return connection.execute(delete(PRODUCT_LOCKS).where(theirs, on_those)).rowcount


def lock_products(
    database: Database, connection: Connection, order_id: str, products: Collection[str], since: datetime
) -> None:
    """Lock products for an order within a transaction, and keep what it has locked already.

    Raises:
        Locked: where other orders hold some, or wait for them and were there first. The transaction must be given up.
    """
    wanted = [{"product_id": each, "order_id": order_id, "since": since} for each in sorted(products)]
    if not wanted:
        return
    locking = database.insert(PRODUCT_LOCKS).values(wanted).on_conflict_do_nothing()
    new = list(connection.scalars(locking.returning(PRODUCT_LOCKS.c.product_id)))
    others = _locks_of_others(connection, order_id, products)
    others += [Lock(*row, waits=True) for row in queue.ahead_of(connection, order_id, new)]
    if others:
        raise Locked(others)


def _locks_of_others(connection: Connection, order_id: str, products: Collection[str]) -> list[Lock]:
    table = PRODUCT_LOCKS.c
    wanted = select(table.product_id, table.order_id, table.since).where(
        table.product_id.in_(products), table.order_id != order_id
    )
    return [Lock(*row) for row in connection.execute(wanted.order_by(table.product_id))]


def write_products(database: Database, connection: Connection, record: OrderRecord, *, newest: bool) -> None:
    """Write the products as an order leaves them. A lower version never replaces a higher one.

    They are locked by it, so that nobody else touches what it has just made before it has closed. An order that went on
    after all, since a change came in while its end was written down, may leave less than it wrote before.
    """
    if newest and record.view.completed_at is not None:
        _forget_others(connection, record.view.id, record.products)
    if not record.products:
        return
    written = _replace_older(database, connection, record.products)
    connection.execute(delete(PRODUCT_RELATIONS).where(PRODUCT_RELATIONS.c.product_id.in_(written)))
    relations = [row for product in record.products if product.id in written for row in rows.relation_rows(product)]
    if relations:
        connection.execute(PRODUCT_RELATIONS.insert(), relations)
    made = [
        {"product_id": product.id, "order_id": record.view.id, "since": record.view.ordered_at}
        for product in record.products
    ]
    connection.execute(database.insert(PRODUCT_LOCKS).on_conflict_do_nothing(), made)


def _replace_older(database: Database, connection: Connection, products: Iterable[InstalledProduct]) -> set[str]:
    """Write products but for those of which a higher version is there. Gives the ids of those that were written."""
    row = database.insert(PRODUCTS)
    upsert = row.on_conflict_do_update(
        index_elements=[PRODUCTS.c.id],
        set_={column.name: row.excluded[column.name] for column in PRODUCTS.c if column is not PRODUCTS.c.id},
        where=PRODUCTS.c.version <= row.excluded.version,
    )
    return set(connection.scalars(upsert.returning(PRODUCTS.c.id), [rows.product_row(each) for each in products]))


def _forget_others(connection: Connection, order_id: str, left: Iterable[InstalledProduct]) -> None:
    """Forget products that an earlier end of the order made, and the last one did not."""
    of_order = select(PRODUCTS.c.id).where(PRODUCTS.c.order_id == order_id, PRODUCTS.c.version == 1)
    gone = set(connection.scalars(of_order)) - {product.id for product in left}
    if gone:
        connection.execute(delete(PRODUCTS).where(PRODUCTS.c.id.in_(gone)))
        connection.execute(delete(PRODUCT_RELATIONS).where(PRODUCT_RELATIONS.c.product_id.in_(gone)))
