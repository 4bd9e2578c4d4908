"""The index by which orders are found: one row for each word of each order. It is made of what else is here.

Whose customer was erased is found by its ids alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from pydantic import JsonValue
from sqlalchemy import Connection, Row, bindparam, delete, select, update

from orders.read_model.views import OrderView
from register.engine import Database
from register.fallout.telling import erase_words_of_fallout
from register.messages.news import erase_words_of_messages
from register.messages.preferences import forget_preferences
from register.recording.documents import OF_ORDER, found_in
from register.searching.found_by import RULES, ids_of, terms_of_document, terms_of_order
from register.tables.finding import ERASED_CUSTOMERS, TERMS
from register.tables.orders import DOCUMENTS, LISTED, ORDERS
from register.work_items.register import erase_words_of_work

_AT_ONCE = 200
"""Orders that are indexed in one transaction."""

_OF_ORDER: Final = select(TERMS.c.term, TERMS.c.of_document).where(TERMS.c.order_id == bindparam("of_order"))
_FORGETTING: Final = delete(TERMS).where(TERMS.c.order_id == bindparam("of_order"))
_ERASED: Final = select(ERASED_CUSTOMERS.c.erased_at).where(ERASED_CUSTOMERS.c.customer_id == bindparam("of_customer"))
_FOUND: Final = (
    update(ORDERS).where(ORDERS.c.id == bindparam("of_order")).values({ORDERS.c.found_as: bindparam("by_document")})
)
# Built once: that takes SQLAlchemy longer than to execute them.


class Terms:
    """The index of words. Every method may raise `sqlalchemy.exc.DBAPIError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def erase_customer(self, customer_id: str, at: datetime) -> int:
        """Find the orders that a customer has made so far by their ids alone, for good. Gives how many they are.

        What silos and people said about their fallout is forgotten, too.
        """
        erasing = self._database.insert(ERASED_CUSTOMERS).values(customer_id=customer_id, erased_at=at)
        theirs = select(ORDERS.c.version, ORDERS.c.view).where(ORDERS.c.customer_id == customer_id, LISTED)
        with self._database.writing() as connection:
            again = erasing.on_conflict_do_update(
                index_elements=[ERASED_CUSTOMERS.c.customer_id], set_={"erased_at": at}
            )
            connection.execute(again)
            erase_words_of_fallout(connection, customer_id)
            erase_words_of_work(connection, customer_id)
            erase_words_of_messages(connection, customer_id)
            forget_preferences(connection, customer_id)
            orders = [OrderView.model_validate(row.view) for row in connection.execute(theirs)]
            for order in orders:
                write_terms(self._database, connection, order, None)
        return len(orders)

    def fill(self) -> int:
        """Index the orders that are not, or by other rules, some at a time. Gives how many they were."""
        last, filled = "", 0
        while rows := self._next(last):
            last = rows[-1].id
            missing = [row for row in rows if not _is_indexed(row.found_as, row.document)]
            if missing:
                with self._database.writing() as connection:
                    for row in missing:
                        self._index_again(connection, row.id)
            filled += len(missing)
        return filled

    def _next(self, last: str) -> Sequence[Row[str, str, str]]:
        columns = (ORDERS.c.id, ORDERS.c.document, ORDERS.c.found_as)
        following = select(*columns).where(ORDERS.c.id > last, LISTED).order_by(ORDERS.c.id).limit(_AT_ONCE)
        with self._database.reading() as connection:
            return connection.execute(following).all()

    def _index_again(self, connection: Connection, order_id: str) -> None:
        wanted = (
            select(ORDERS.c.view, DOCUMENTS.c.content)
            .outerjoin_from(ORDERS, DOCUMENTS, OF_ORDER)
            .where(ORDERS.c.id == order_id, LISTED)
            .with_for_update(of=ORDERS)
        )
        row = connection.execute(wanted).first()
        if row is not None:
            order = OrderView.model_validate({**row.view, "body": row.content})
            write_terms(self._database, connection, order, None)


def write_terms(database: Database, connection: Connection, order: OrderView, found_as: str | None) -> None:
    """Have an order found by what it says now, within a transaction. `found_as` is by which document it is found yet.

    That is read only where it is another one: it can be long.
    """
    known = _is_indexed(found_as, order.document)
    there = _written(connection, order.id) if known else {}
    if known:
        of_document = {term for term, is_of_document in there.items() if is_of_document}
        document: dict[str, JsonValue] | None = {}
    else:
        connection.execute(_FORGETTING, {"of_order": order.id})
        named = (order.id, order.document)
        document = order.body if order.body is not None else found_in(connection, [named]).get(named)
        of_document = terms_of_document(document or {})
    wanted = dict.fromkeys(terms_of_order(order), False) | dict.fromkeys(of_document, True)
    if wanted.items() - there.items() and is_erased(connection, order):
        wanted = dict.fromkeys(ids_of(order), False)
    _bring(database, connection, order, there, wanted)
    if not known and document is not None:
        connection.execute(_FOUND, {"of_order": order.id, "by_document": _found_as(order.document)})


def erase_terms(connection: Connection, order_id: str) -> None:
    """Have an order found by nothing any more, within a transaction."""
    connection.execute(_FORGETTING, {"of_order": order_id})


def _bring(
    database: Database, connection: Connection, order: OrderView, there: dict[str, bool], wanted: dict[str, bool]
) -> None:
    gone = [term for term, is_of_document in there.items() if wanted.get(term) is not is_of_document]
    if gone:
        connection.execute(delete(TERMS).where(TERMS.c.order_id == order.id, TERMS.c.term.in_(gone)))
    added = _rows(order, (term for term in wanted if there.get(term) is not wanted[term]), wanted)
    if added:
        connection.execute(database.adding(TERMS), added)


def _rows(order: OrderView, terms: Iterable[str], of_document: dict[str, bool]) -> list[dict[str, Any]]:
    return [
        {"order_id": order.id, "term": term, "ordered_at": order.ordered_at, "of_document": of_document[term]}
        for term in sorted(terms)
    ]


def _written(connection: Connection, order_id: str) -> dict[str, bool]:
    return {row.term: row.of_document for row in connection.execute(_OF_ORDER, {"of_order": order_id})}


def is_erased(connection: Connection, order: OrderView) -> bool:
    """True if the customer of an order was erased after it was made."""
    at = connection.scalar(_ERASED, {"of_customer": order.customer_id})
    return at is not None and order.ordered_at <= at


def _found_as(document: str) -> str:
    return f"{RULES}:{document}"


def _is_indexed(found_as: str | None, document: str) -> bool:
    return found_as == _found_as(document)
