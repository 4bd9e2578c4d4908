"""Lists of orders, from a typed query to SQL that the indexes serve."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import accumulate
from operator import eq, ge, gt, le, lt
from typing import Any, Final, cast

from pydantic import JsonValue
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    func,
    null,
    nulls_last,
    or_,
    select,
    update,
)
from sqlalchemy import cast as cast_to

from orders.read_model.states import LifecycleState
from orders.read_model.views import OrderView
from register.body_paths import on_postgresql, on_sqlite
from register.documents import OF_ORDER
from register.engine import Database
from register.query import (
    BodyPath,
    Comparison,
    OrderField,
    OrderPage,
    OrderQuery,
    Predicate,
    Sort,
    Value,
    Visibility,
)
from register.schema import DOCUMENTS, ITEMS, LISTED, ORDER_FALLOUT, ORDER_OFFERINGS, ORDERS

_COMPARE: Final[dict[Comparison, Callable[[Any, Any], ColumnElement[bool]]]] = {
    Comparison.EQ: eq,
    Comparison.GT: gt,
    Comparison.GTE: ge,
    Comparison.LT: lt,
    Comparison.LTE: le,
    Comparison.IN: lambda column, values: column.in_(values),
}

_ELSEWHERE: Final[dict[OrderField, tuple[Table, Column[Any]]]] = {
    OrderField.OFFERING: (ORDER_OFFERINGS, ORDER_OFFERINGS.c.offering),
    OrderField.FALLOUT_SILO: (ORDER_FALLOUT, ORDER_FALLOUT.c.silo),
    OrderField.ITEM_ID: (ITEMS, ITEMS.c.item_id),
    OrderField.ITEM_STATE: (ITEMS, ITEMS.c.state),
    OrderField.ITEM_ACTION: (ITEMS, ITEMS.c.action),
    OrderField.ITEM_QUANTITY: (ITEMS, ITEMS.c.quantity),
}


PAGE_BYTES: Final = 4 * 2**20
"""What a page holds at most, but for an order that is larger alone: it ends early, and the next one goes on."""


@dataclass(frozen=True, slots=True)
class Outdated:
    """An order with its document, and what decides how it is shown."""

    view: OrderView
    telling: str


@dataclass(frozen=True, slots=True)
class Told:
    """What of an order is shown otherwise than it stands in its document, while its `telling` is that."""

    order_id: str
    telling: str
    content: dict[str, JsonValue]


class Search:
    """Orders by what is known of them. Every method may raise `sqlalchemy.exc.DBAPIError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def orders(self, query: OrderQuery) -> OrderPage:
        """A page of the orders that fit, and how many there are."""
        fitting = and_(*self._conditions(query))
        body = DOCUMENTS.c.content if query.with_body else null().label("content")
        page = self._joined(select(ORDERS.c.view, body), query).where(fitting).order_by(*_sorted_by(query.sort))
        with self._database.reading() as connection:
            total = connection.scalar(self._joined(select(func.count()), query).where(fitting)) or 0
            bounded = self._within_a_page(connection, fitting, query)
            found = connection.execute(page.offset(query.offset).limit(bounded)).all() if bounded else []
        views = (OrderView.model_validate({**row.view, "body": row.content}) for row in found)
        return OrderPage(tuple(views), total)

    def outdated(self, query: OrderQuery, most: int) -> list[Outdated]:
        """Some of the orders that fit, their attributes apart, of which is not known how they are shown by now."""
        known = tuple(predicate for predicate in query.where if not isinstance(predicate.field, BodyPath))
        conditions = self._conditions(replace(query, where=known))
        old = or_(ORDERS.c.told_as.is_(None), ORDERS.c.told_as != ORDERS.c.telling)
        columns = (ORDERS.c.view, ORDERS.c.telling, DOCUMENTS.c.content)
        wanted = select(*columns).select_from(ORDERS.outerjoin(DOCUMENTS, OF_ORDER)).where(*conditions, old).limit(most)
        with self._database.reading() as connection:
            rows = connection.execute(wanted).all()
        return [Outdated(OrderView.model_validate({**row.view, "body": row.content}), row.telling) for row in rows]

    def tell(self, told: Iterable[Told]) -> None:
        """Note how orders are shown beside their documents, unless they have changed meanwhile."""
        listed = list(told)
        if listed:
            with self._database.writing() as connection:
                note_told(connection, listed)

    def _within_a_page(self, connection: Connection, fitting: ColumnElement[bool], query: OrderQuery) -> int:
        """How many orders are answered at once: as many as asked for, but for one, no more than `PAGE_BYTES`."""
        size = _length(ORDERS.c.view) + _length(DOCUMENTS.c.content) if query.with_body else _length(ORDERS.c.view)
        asked = self._joined(select(size), query).where(fitting).order_by(*_sorted_by(query.sort))
        asked = asked.offset(query.offset).limit(query.limit)
        sizes = connection.scalars(asked).all() if query.limit else []
        within = sum(total <= PAGE_BYTES for total in accumulate(sizes))
        return max(within, min(1, len(sizes)))

    def count(self, query: OrderQuery) -> int:
        """How many orders fit."""
        fitting = and_(*self._conditions(query))
        with self._database.reading() as connection:
            return connection.scalar(self._joined(select(func.count()), query).where(fitting)) or 0

    def _joined(self, wanted: Select[*tuple[Any, ...]], query: OrderQuery) -> Select[*tuple[Any, ...]]:
        """From orders, with their documents where those are told or looked into."""
        if query.with_body or query.looks_into_documents:
            return wanted.select_from(ORDERS.outerjoin(DOCUMENTS, OF_ORDER))
        return wanted.select_from(ORDERS)

    def _conditions(self, query: OrderQuery) -> list[ColumnElement[bool]]:
        conditions = [self._condition(predicate) for predicate in query.where]
        if query.visible_to is not None:
            conditions.append(seen_by(query.visible_to))
        return [LISTED, *conditions]

    def _condition(self, predicate: Predicate) -> ColumnElement[bool]:
        field = predicate.field
        if isinstance(field, BodyPath):
            values = predicate.value if isinstance(predicate.value, tuple) else (predicate.value,)
            words = cast("tuple[str, ...]", values)
            matches = on_sqlite if self._database.is_sqlite else on_postgresql
            return matches(field.names, predicate.operator, words)
        if field in _ELSEWHERE:
            table, column = _ELSEWHERE[field]
            having = select(table.c.order_id).where(compared(column, predicate.operator, predicate.value))
            if field is OrderField.FALLOUT_SILO:
                return ORDERS.c.id.in_(having)  # So few that SQLite should begin with them.
            return having.where(table.c.order_id == ORDERS.c.id).exists()
        return compared(ORDERS.c[field.value], predicate.operator, predicate.value)


def note_told(connection: Connection, told: Iterable[Told]) -> None:
    """The same within a transaction."""
    noting = (
        update(ORDERS)
        .where(ORDERS.c.id == bindparam("of_order"), ORDERS.c.telling == bindparam("as_of"))
        .values(told_as=bindparam("as_of"), told=bindparam("content"))
    )
    rows = [{"of_order": each.order_id, "as_of": each.telling, "content": each.content} for each in told]
    connection.execute(noting, rows)


def _length(column: Column[Any]) -> ColumnElement[int]:
    return func.coalesce(func.length(cast_to(column, Text)), 0)


def compared(column: ColumnElement[Any], operator: Comparison, value: Value | tuple[Value, ...]) -> ColumnElement[bool]:
    """A column's value, compared."""
    return _COMPARE[operator](column, value)


def seen_by(sight: Visibility) -> ColumnElement[bool]:
    """The condition that an order may be seen."""
    conditions: list[ColumnElement[bool]] = []
    if sight.customer is not None:
        conditions.append(ORDERS.c.customer_id == sight.customer)
    if sight.channel is not None:
        own = ORDERS.c.channel == sight.channel
        theirs = has_customer(sight.channel, ORDERS.c.customer_id)
        conditions.append(or_(own, theirs) if sight.all_of_customers else own)
    return and_(*conditions) if conditions else ORDERS.c.id.is_(None)


def has_customer(channel: ColumnElement[str] | str, customer: ColumnElement[str] | str) -> ColumnElement[bool]:
    """The condition that a channel has an order of a customer. One that was rejected makes nobody its customer."""
    theirs = ORDERS.alias("theirs")
    return (
        select(theirs.c.id)
        .where(
            theirs.c.channel == channel,
            theirs.c.customer_id == customer,
            theirs.c.state != LifecycleState.REJECTED,
        )
        .exists()
    )


def _sorted_by(sort: tuple[Sort, ...]) -> list[ColumnElement[Any]]:
    columns: list[ColumnElement[Any]] = []
    for each in sort:
        column = ORDERS.c[each.field.value]
        directed = column.desc() if each.descending else column.asc()
        columns.append(nulls_last(directed) if column.nullable else directed)
    # In the same direction as what it follows, so that one index serves both.
    last_descends = bool(sort) and sort[-1].descending
    return [*columns, ORDERS.c.id.desc() if last_descends else ORDERS.c.id]
