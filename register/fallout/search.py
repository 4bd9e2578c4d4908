"""Lists and sums of fallout, from a typed query to SQL that the indexes serve."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, func, nulls_last, select

from orders.model.instants import instant
from orders.model.silos.rules import Severity
from orders.read_model.fallout import FalloutEnd, FalloutRecord, FalloutSort, FalloutState
from register.fallout.query import (
    OPEN,
    Fallout,
    FalloutGroup,
    FalloutPage,
    FalloutQuery,
    FalloutSummary,
)
from register.searching.pages import length, read_page
from register.searching.query import Visibility
from register.searching.search import seen_by
from register.tables.orders import LISTED, ORDER_OFFERINGS, ORDERS
from register.tables.people import FALLOUT

MOST_GROUPS: Final = 1000

OF_ORDER: Final = ORDERS.c.id == FALLOUT.c.order_id
_TOLD_OF_ORDER: Final = (
    ORDERS.c.external_id,
    ORDERS.c.state.label("order_state"),
    ORDERS.c.promised_at,
    ORDERS.c.expected_at,
    ORDERS.c.in_jeopardy,
)
# Of the catalog's rules, and of few rows: what is open of a silo is found by its index.
_SEVERITY: Final = FALLOUT.c.content["severity"].as_string()
_BY_GRAVITY: Final = tuple(Severity)
_SORTED_BY: Final[dict[FalloutSort, ColumnElement[Any]]] = {
    FalloutSort.SINCE: FALLOUT.c.since,
    FalloutSort.OVER_AT: FALLOUT.c.over_at,
    FalloutSort.PROMISED_AT: ORDERS.c.promised_at,
    FalloutSort.ATTEMPTS: FALLOUT.c.attempts,
    FalloutSort.SILO: FALLOUT.c.silo,
    FalloutSort.OPERATION: FALLOUT.c.operation,
    FalloutSort.CODE: FALLOUT.c.code,
    FalloutSort.CUSTOMER: FALLOUT.c.customer_id,
    FalloutSort.ORDER: FALLOUT.c.order_id,
}


def fallout_page(connection: Connection, query: FalloutQuery) -> FalloutPage:
    """A page of the fallout that fits, and how much there is."""
    fitting = _fitting(query)
    sort = query.sort or ((FalloutSort.SINCE, False),)
    order = [nulls_last(column.desc() if down else column.asc()) for by, down in sort for column in [_SORTED_BY[by]]]
    # In the same direction as what it follows, so that one index serves both.
    last = FALLOUT.c.id.desc() if sort[-1][1] else FALLOUT.c.id.asc()
    page = select(FALLOUT, *_TOLD_OF_ORDER).join(ORDERS, OF_ORDER).where(fitting).order_by(*order, last)
    total = connection.scalar(select(func.count()).select_from(FALLOUT).join(ORDERS, OF_ORDER).where(fitting)) or 0
    found = read_page(connection, page, length(FALLOUT.c.content, FALLOUT.c.reason), query.offset, query.limit)
    return FalloutPage(tuple(map(_read, found)), total)


def fallout_summary(connection: Connection, query: FalloutQuery) -> FalloutSummary:
    """The fallout that fits by silo, operation and code."""
    fallout, by = FALLOUT.c, (FALLOUT.c.silo, FALLOUT.c.operation, FALLOUT.c.code)
    grouped = (
        select(
            *by,
            func.count().label("number"),
            func.count(fallout.order_id.distinct()).label("orders"),
            func.count(case((ORDERS.c.in_jeopardy, fallout.order_id)).distinct()).label("at_risk"),
            func.count(fallout.claimed_by).label("claimed"),
            func.min(fallout.since).label("oldest"),
            func.min(case({each.value: n for n, each in enumerate(_BY_GRAVITY)}, value=_SEVERITY)).label("gravest"),
        )
        .join(ORDERS, OF_ORDER)
        .where(_fitting(query))
        .group_by(*by)
    )
    all_groups = grouped.subquery("grouped")
    sums = select(func.count(), func.coalesce(func.sum(all_groups.c.number), 0))
    total_groups, total = connection.execute(sums.select_from(all_groups)).one()
    largest = grouped.order_by(func.count().desc(), *by).limit(MOST_GROUPS)
    groups = tuple(
        FalloutGroup(
            silo=row.silo,
            operation=row.operation,
            code=row.code,
            count=row.number,
            orders=row.orders,
            at_risk=row.at_risk,
            claimed=row.claimed,
            severity=None if row.gravest is None else _BY_GRAVITY[row.gravest],
            oldest=row.oldest,
        )
        for row in connection.execute(largest)
    )
    return FalloutSummary(groups, int(total), total_groups)


def find_fallout(connection: Connection, fallout_id: str, visible_to: Visibility | None) -> Fallout | None:
    """One fallout, if it may be seen."""
    conditions = [FALLOUT.c.id == fallout_id, LISTED]
    if visible_to is not None:
        conditions.append(seen_by(visible_to))
    row = connection.execute(select(FALLOUT, *_TOLD_OF_ORDER).join(ORDERS, OF_ORDER).where(*conditions)).first()
    return None if row is None else _read(row)


def orders_with_fallout(query: FalloutQuery) -> Select[str, datetime]:
    """Every order with fallout that fits, once, and since when: in whatever order, and not one page."""
    since = func.min(FALLOUT.c.since).label("place")
    theirs = select(FALLOUT.c.order_id.label("order_id"), since).join(ORDERS, OF_ORDER).where(_fitting(query))
    return theirs.group_by(FALLOUT.c.order_id)


def _read(row: Row[*tuple[Any, ...]]) -> Fallout:
    state = {"state": row.state, "code": row.code, "reason": row.reason, "ended": row.ended}
    over_at = None if row.over_at is None else instant(row.over_at)
    return Fallout(
        record=FalloutRecord.model_validate({**row.content, **state, "over_at": over_at}),
        order_id=row.order_id,
        external_id=row.external_id,
        customer_id=row.customer_id,
        channel=row.channel,
        claimed_by=row.claimed_by,
        claimed_at=row.claimed_at,
        group=row.group_name,
        order_state=row.order_state,
        promised_at=row.promised_at,
        expected_at=row.expected_at,
        in_jeopardy=row.in_jeopardy,
        ended=None if row.ended is None else FalloutEnd(row.ended),
        over_at=row.over_at,
    )


def _fitting(query: FalloutQuery) -> ColumnElement[bool]:
    fallout = FALLOUT.c
    equal = {
        fallout.silo: query.silo,
        fallout.operation: query.operation,
        fallout.code: query.code,
        fallout.channel: query.channel,
        fallout.customer_id: query.customer,
        fallout.order_id: query.order,
        fallout.group_name: query.group,
        fallout.claimed_by: query.claimed_by,
        ORDERS.c.in_jeopardy: query.in_jeopardy,
    }
    conditions: list[ColumnElement[bool]] = [LISTED]
    conditions += [column == value for column, value in equal.items() if value is not None]
    conditions += _by_state(frozenset(query.state))
    if query.severity:
        conditions.append(_SEVERITY.in_([each.value for each in query.severity]))
    if query.claimed is not None:
        conditions.append(fallout.claimed_by.is_not(None) if query.claimed else fallout.claimed_by.is_(None))
    if query.since_from is not None:
        conditions.append(fallout.since >= query.since_from)
    if query.since_before is not None:
        conditions.append(fallout.since < query.since_before)
    if query.offering is not None:
        theirs = ORDER_OFFERINGS.c.order_id == fallout.order_id, ORDER_OFFERINGS.c.offering == query.offering
        conditions.append(select(ORDER_OFFERINGS.c.order_id).where(*theirs).exists())
    if query.visible_to is not None:
        conditions.append(seen_by(query.visible_to))
    return and_(*conditions)


def _by_state(states: frozenset[FalloutState]) -> list[ColumnElement[bool]]:
    """What is open is told by the condition that the indexes of it have."""
    is_open, is_over = FALLOUT.c.over_at.is_(None), FALLOUT.c.over_at.is_not(None)
    if states == set(FalloutState):
        return []
    if states == {FalloutState.OVER}:
        return [is_over]
    named = FALLOUT.c.state.in_(sorted(states))
    if FalloutState.OVER in states:
        return [named]
    return [is_open] if states == set(OPEN) else [is_open, named]
