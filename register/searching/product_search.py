"""Lists of installed products, from a typed query to SQL."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, nulls_last, or_, select

from orders.planning.installed import InstalledProduct
from register.searching.pages import length, read_page
from register.searching.query import Comparison, Pair, Value, Visibility
from register.searching.search import compared, has_customer
from register.tables.installed import PRODUCT_VALUES, PRODUCTS
from register.tables.orders import ORDERS


class ProductField(StrEnum):
    """What products are found and sorted by."""

    ID = "id"
    CUSTOMER_ID = "customer_id"
    STATUS = "status"
    OFFERING = "offering"
    SPECIFICATION = "specification"
    BILLING_ACCOUNT = "billing_account"
    SITE_ID = "site_id"
    ORDER_ID = "order_id"
    STARTED_AT = "started_at"
    ENDED_AT = "ended_at"


@dataclass(frozen=True, slots=True)
class ProductHaving:
    """One condition: the product has a pair with one of the names and one of the values; any, where none is given."""

    pair: Pair
    names: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProductPredicate:
    """One condition. All conditions must hold."""

    field: ProductField
    operator: Comparison
    value: Value | tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class ProductSort:
    """Ascending, or `descending`. Products that lack the field come last."""

    field: ProductField
    descending: bool = False


@dataclass(frozen=True, slots=True)
class ProductQuery:
    """A page of the products that fit. Equals are told apart by their ids, and so are all without `sort`."""

    where: tuple[ProductPredicate, ...] = ()
    visible_to: Visibility | None = None
    sort: tuple[ProductSort, ...] = ()
    offset: int = 0
    limit: int = 100
    having: tuple[ProductHaving, ...] = ()


@dataclass(frozen=True, slots=True)
class ProductPage:
    """The products asked for, as many as fit into a page's bytes, and how many fit in all."""

    products: tuple[InstalledProduct, ...]
    total: int


def product_page(connection: Connection, query: ProductQuery) -> ProductPage:
    """A page of the products that fit, and how many there are."""
    conditions = [compared(_column(each.field), each.operator, each.value) for each in query.where]
    conditions += [_has(each) for each in query.having]
    if query.visible_to is not None:
        conditions.append(_visible_to(query.visible_to))
    fitting = and_(PRODUCTS.c.id.is_not(None), *conditions)
    order = [
        nulls_last(by.desc() if each.descending else by.asc()) for each in query.sort for by in [_column(each.field)]
    ]
    page = select(PRODUCTS.c.content).where(fitting).order_by(*order, PRODUCTS.c.id)
    total = connection.scalar(select(func.count()).select_from(PRODUCTS).where(fitting)) or 0
    found = read_page(connection, page, length(PRODUCTS.c.content), query.offset, query.limit)
    return ProductPage(tuple(InstalledProduct.model_validate(row.content) for row in found), total)


def _has(wanted: ProductHaving) -> ColumnElement[bool]:
    held = PRODUCT_VALUES.c
    of_it = [held.kind == wanted.pair.value]
    of_it += [column.in_(those) for column, those in ((held.name, wanted.names), (held.value, wanted.values)) if those]
    return PRODUCTS.c.id.in_(select(held.product_id).where(*of_it))  # So few that it should begin with them.


def _column(field: ProductField) -> ColumnElement[Any]:
    if field is ProductField.SITE_ID:
        return PRODUCTS.c.content["site"]["id"].as_string()
    if field is ProductField.BILLING_ACCOUNT:
        return PRODUCTS.c.content["billing_account"].as_string()
    return PRODUCTS.c[field.value]


def _sorted_by(sort: ProductSort) -> ColumnElement[Any]:
    column = _column(sort.field)
    return nulls_last(column.desc() if sort.descending else column.asc())


def _visible_to(sight: Visibility) -> ColumnElement[bool]:
    """The products as orders left them that one sees."""
    conditions: list[ColumnElement[bool]] = []
    if sight.customer is not None:
        conditions.append(PRODUCTS.c.customer_id == sight.customer)
    if sight.channel is not None:
        own = select(ORDERS.c.id).where(ORDERS.c.id == PRODUCTS.c.order_id, ORDERS.c.channel == sight.channel).exists()
        theirs = has_customer(sight.channel, PRODUCTS.c.customer_id)
        conditions.append(or_(own, theirs) if sight.all_of_customers else own)
    return and_(*conditions) if conditions else PRODUCTS.c.id.is_(None)
