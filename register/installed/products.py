"""The installed base in the register, and the line of orders for each product: who may touch it, and who is next.

An order claims all its products in one transaction and has one place in all of their lines. So no two wait for each
other, and nobody overtakes for ever. It has its turn when it is first everywhere. It keeps its claims to its end and
beyond: who is next frees them once its workflow has closed, when nothing can change there any more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final

from sqlalchemy import ColumnElement, Connection, Delete, Table, bindparam, delete, func, or_, select, update

from orders.planning.installed import InstalledProduct
from orders.read_model.records import OrderRecord
from register.engine import Database
from register.recording import rows
from register.searching.product_search import ProductPage, ProductQuery, product_page
from register.tables.installed import PRODUCT_CLAIMS, PRODUCT_RELATIONS, PRODUCT_VALUES, PRODUCTS

_ADVISORY_LOCK: Final = 7_301_922

_COLUMNS: Final = PRODUCT_CLAIMS.c
_IN_LINE: Final = select(_COLUMNS.product_id, _COLUMNS.order_id, _COLUMNS.since, _COLUMNS.has_turn).order_by(
    _COLUMNS.product_id, _COLUMNS.has_turn.desc(), _COLUMNS.place
)
_LINES: Final = _IN_LINE.where(
    _COLUMNS.product_id.in_(select(_COLUMNS.product_id).where(_COLUMNS.order_id == bindparam("of_order")))
)
_LAST: Final = select(func.max(_COLUMNS.place))
_TAKEN: Final = select(_COLUMNS.product_id).where(_COLUMNS.product_id.in_(bindparam("products", expanding=True)))
_MADE: Final = select(PRODUCTS.c.id).where(PRODUCTS.c.order_id == bindparam("of_order"), PRODUCTS.c.version == 1)
# Built once: that takes SQLAlchemy longer than to execute them.


@dataclass(frozen=True, slots=True)
class Claim:
    """An order's place in the line for a product. One that `has_turn` may touch it, or was the last that did."""

    product_id: str
    order_id: str
    since: datetime
    has_turn: bool = True


class _OthersFirst(Exception):
    """Others come first, and the order does not wait: nothing of the transaction is kept."""

    def __init__(self, claims: list[Claim]) -> None:
        super().__init__(claims)
        self.claims = claims


class Line:
    """Who may touch which product, and who is next. Every method may raise `sqlalchemy.exc.DBAPIError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, order_id: str, products: Collection[str], since: datetime, *, waits: bool = False) -> list[Claim]:
        """Claim products for an order, which keeps the place that it has. Without claims of others it has its turn.

        Those that come first are told, for each product in the order of its line. Then an order that `waits` stands
        behind them and may touch nothing. Any other has claimed no more than before.
        """
        try:
            with self._database.writing() as connection:
                self._one_at_a_time(connection)
                own = PRODUCT_CLAIMS.c.order_id == order_id
                place = connection.scalar(select(func.min(PRODUCT_CLAIMS.c.place)).where(own)) or _end(connection)
                not_needed = PRODUCT_CLAIMS.c.product_id.not_in(products), ~PRODUCT_CLAIMS.c.has_turn
                connection.execute(delete(PRODUCT_CLAIMS).where(own, *not_needed))
                if products:
                    rows = [_row(product, order_id, place, since, has_turn=False) for product in sorted(products)]
                    connection.execute(self._database.insert(PRODUCT_CLAIMS).on_conflict_do_nothing(), rows)
                # One before it may link what it needs with what another behind it has its turn with by now.
                first = _claims(connection, products, or_(PRODUCT_CLAIMS.c.has_turn, PRODUCT_CLAIMS.c.place < place))
                others = [claim for claim in first if claim.order_id != order_id]
                if others and not waits:
                    raise _OthersFirst(others)
                connection.execute(update(PRODUCT_CLAIMS).where(own).values(has_turn=not others))
        except _OthersFirst as refused:
            return refused.claims
        return others

    def claim_again(self, order_id: str, products: Collection[str], since: datetime) -> None:
        """Claim products as an order did when it began, should that have been lost. Who touched one later keeps it."""
        with self._database.writing() as connection:
            self._one_at_a_time(connection)
            known = {claim.product_id: claim for claim in _claims(connection, products, PRODUCT_CLAIMS.c.has_turn)}
            lost = [product for product in sorted(products) if product not in known or known[product].since < since]
            earlier = or_(PRODUCT_CLAIMS.c.has_turn, PRODUCT_CLAIMS.c.order_id == order_id)
            connection.execute(delete(PRODUCT_CLAIMS).where(PRODUCT_CLAIMS.c.product_id.in_(lost), earlier))
            place = _end(connection)
            rows = [_row(product, order_id, place, since, has_turn=True) for product in lost]
            if rows:
                connection.execute(PRODUCT_CLAIMS.insert(), rows)

    def free(self, orders: Collection[str]) -> int:
        """Take away the claims of orders that have ended, or never began. Returns how many."""
        with self._database.writing() as connection:
            return connection.execute(delete(PRODUCT_CLAIMS).where(PRODUCT_CLAIMS.c.order_id.in_(orders))).rowcount

    def behind(self, order_id: str) -> list[str]:
        """The orders that come next: for each product that an order has claimed, the one right behind it."""
        with self._database.reading() as connection:
            return next_behind(connection, order_id)

    def _one_at_a_time(self, connection: Connection) -> None:
        """Whoever comes to a line sees all who came before. With SQLite that is so in any transaction that writes."""
        if not self._database.is_sqlite:
            connection.execute(select(func.pg_advisory_xact_lock(_ADVISORY_LOCK)))


def next_behind(connection: Connection, order_id: str) -> list[str]:
    """The same within a transaction."""
    found: dict[str, str] = {}
    passed = set[str]()
    for claim in (Claim(*row) for row in connection.execute(_LINES, {"of_order": order_id})):
        if claim.order_id == order_id:
            passed.add(claim.product_id)
        elif claim.product_id in passed:
            found.setdefault(claim.product_id, claim.order_id)
    return sorted(set(found.values()))


def claim_made(
    database: Database, connection: Connection, order_id: str, products: Collection[str], since: datetime
) -> None:
    """Claim what an order has just made, within a transaction, where nobody has: others wait until it has closed."""
    taken = set(connection.scalars(_TAKEN, {"products": list(products)}))
    place = _end(connection)
    rows = [_row(product, order_id, place, since, has_turn=True) for product in sorted(set(products) - taken)]
    if rows:
        connection.execute(database.adding(PRODUCT_CLAIMS), rows)


def _claims(connection: Connection, products: Collection[str], which: ColumnElement[bool]) -> list[Claim]:
    """Claims on some products, each product's in the order of its line."""
    wanted = _IN_LINE.where(PRODUCT_CLAIMS.c.product_id.in_(products), which)
    return [Claim(*row) for row in connection.execute(wanted)]


def _end(connection: Connection) -> int:
    return (connection.scalar(_LAST) or 0) + 1


def _row(product: str, order_id: str, place: int, since: datetime, *, has_turn: bool) -> dict[str, object]:
    return {"product_id": product, "order_id": order_id, "place": place, "since": since, "has_turn": has_turn}


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
        connection.execute(_deleting(table), {"products": list(written)})
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
    gone = set(connection.scalars(_MADE, {"of_order": order_id})) - {product.id for product in left}
    if gone:
        connection.execute(delete(PRODUCTS).where(PRODUCTS.c.id.in_(gone)))
        for table in (PRODUCT_RELATIONS, PRODUCT_VALUES):
            connection.execute(_deleting(table), {"products": list(gone)})


@cache
def _deleting(table: Table) -> Delete:
    """What is kept of some products beside them."""
    return delete(table).where(table.c.product_id.in_(bindparam("products", expanding=True)))
