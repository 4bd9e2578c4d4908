"""Lists of orders, from a typed query to SQL that the indexes serve."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
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

from orders.read_model.states import ENDS, LifecycleState
from orders.read_model.views import OrderView
from register.engine import Database
from register.recording.documents import OF_ORDER
from register.searching.body_paths import on_postgresql, on_sqlite
from register.searching.pages import length, read_page
from register.searching.query import (
    BodyPath,
    Comparison,
    OrderField,
    OrderPage,
    OrderQuery,
    Predicate,
    Sort,
    StoredOrder,
    Value,
    Visibility,
)
from register.searching.term_search import latest_matching, matching
from register.tables.orders import DOCUMENTS, ITEMS, LISTED, ORDER_OFFERINGS, ORDERS
from register.tables.people import ORDER_FALLOUT

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


_LONGEST_S: Final = 5.0
"""How long orders are looked for in their documents, where no index helps, or by words that most of them have."""


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


@dataclass(frozen=True, slots=True)
class Figures:
    """How many orders there are by state, how many of them late, and with a call that waits for a person by silo."""

    states: dict[str, int]
    late: int
    fallout: dict[str, int]


@dataclass(frozen=True, slots=True)
class CatalogInUse:
    """A catalog version, how many orders in flight were sold from it, and when the first of them was ordered."""

    digest: str
    orders: int
    oldest: datetime


class Search:
    """Orders by what is known of them. Every method may raise `sqlalchemy.exc.DBAPIError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def figures(self) -> Figures:
        """All orders in numbers."""
        states = select(ORDERS.c.state, func.count()).where(LISTED).group_by(ORDERS.c.state)
        late = (
            select(func.count())
            .select_from(ORDERS)
            .where(LISTED, ORDERS.c.in_jeopardy, ORDERS.c.completed_at.is_(None))
        )
        fallout = select(ORDER_FALLOUT.c.silo, func.count()).group_by(ORDER_FALLOUT.c.silo)
        with self._database.reading() as connection:
            return Figures(
                dict(connection.execute(states).all()),
                connection.scalar(late) or 0,
                dict(connection.execute(fallout).all()),
            )

    def catalogs_in_use(self, sight: Visibility | None) -> list[CatalogInUse]:
        """The catalog versions that orders in flight were sold from, of those that may be seen; most orders first."""
        number = func.count()
        open_ones = [ORDERS.c.state.in_([str(state) for state in LifecycleState if state not in ENDS]), LISTED]
        sold = select(ORDERS.c.catalog, number.label("number"), func.min(ORDERS.c.ordered_at).label("oldest"))
        wanted = sold.where(*open_ones, *([seen_by(sight)] if sight is not None else [])).group_by(ORDERS.c.catalog)
        with self._database.reading() as connection:
            rows = connection.execute(wanted.order_by(number.desc(), ORDERS.c.catalog)).all()
        return [CatalogInUse(row.catalog, row.number, row.oldest) for row in rows]

    def orders(self, query: OrderQuery) -> OrderPage:
        """A page of the orders that fit, and how many there are.

        Raises:
            TakesTooLong: if too many documents or words would have to be looked into for it.
        """
        body = cast_to(DOCUMENTS.c.content, Text) if query.with_body else null()
        page = self._joined(select(cast_to(ORDERS.c.view, Text).label("view"), body.label("body")), query)
        size = length(ORDERS.c.view, DOCUMENTS.c.content) if query.with_body else length(ORDERS.c.view)
        order = _sorted_by(query.sort)
        with self._database.reading(_LONGEST_S if query.may_take_long else None) as connection:
            fitting, total, offset = self._fitting(connection, query)
            if offset:  # What is skipped is skipped in the index, and not read row by row.
                ids = self._joined(select(ORDERS.c.id), query).where(fitting).order_by(*order)
                fitting = ORDERS.c.id.in_(connection.scalars(ids.offset(offset).limit(query.limit)).all())
                offset = 0
            found = read_page(connection, page.where(fitting).order_by(*order), size, offset, query.limit)
        return OrderPage(tuple(StoredOrder(row.view, row.body) for row in found), total)

    def _fitting(self, connection: Connection, query: OrderQuery) -> tuple[ColumnElement[bool], int, int]:
        """The condition that an order fits, how many do, and where among those that the condition finds the page is."""
        if query.only_words:
            ids, total = latest_matching(connection, query.words, query.offset, query.limit)
            return ORDERS.c.id.in_(ids), total, 0
        fitting = and_(*self._conditions(query), *_having(connection, query))
        if query.looks_into_documents:  # Once: to look again for how many there are, and how long, costs as much.
            found = self._joined(select(ORDERS.c.id), query).where(fitting).order_by(*_sorted_by(query.sort))
            ids = connection.scalars(found).all()
            return ORDERS.c.id.in_(ids[query.offset : query.offset + query.limit]), len(ids), 0
        return fitting, self._count(connection, query, fitting), query.offset

    def _count(self, connection: Connection, query: OrderQuery, fitting: ColumnElement[bool]) -> int:
        return connection.scalar(self._joined(select(func.count()), query).where(fitting)) or 0

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

    def count(self, query: OrderQuery) -> int:
        """How many orders fit."""
        with self._database.reading() as connection:
            return self._count(connection, query, and_(*self._conditions(query), *_having(connection, query)))

    def all_fitting(self, connection: Connection, query: OrderQuery) -> Select[str, datetime]:
        """Every order that fits, and when it was ordered: in whatever order, and not one page."""
        fitting = and_(*self._conditions(query), *_having(connection, query))
        wanted = select(ORDERS.c.id.label("order_id"), ORDERS.c.ordered_at.label("place"))
        return self._joined(wanted, query).where(fitting)

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


def _having(connection: Connection, query: OrderQuery) -> list[ColumnElement[bool]]:
    if not query.words:
        return []
    found = matching(connection, query.words).subquery("found")
    return [ORDERS.c.id.in_(select(found.c.order_id))]


_NOTING: Final = (
    update(ORDERS)
    .where(ORDERS.c.id == bindparam("of_order"), ORDERS.c.telling == bindparam("as_of"))
    .values(told_as=bindparam("as_of"), told=bindparam("content"))
)
"""Built once: that takes SQLAlchemy longer than to execute it."""


def note_told(connection: Connection, told: Iterable[Told]) -> None:
    """The same within a transaction."""
    rows = [{"of_order": each.order_id, "as_of": each.telling, "content": each.content} for each in told]
    connection.execute(_NOTING, rows)


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
