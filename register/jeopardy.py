"""Orders whose promise is in danger, as they wrote themselves down last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Row, and_, case, func, select

from orders.read_model.jeopardy import JeopardyLevel, JeopardyView
from register.engine import Database
from register.searching.query import Visibility
from register.searching.search import seen_by
from register.tables.orders import ENDANGERED, LISTED, ORDERS

_WORST_FIRST: Final = (JeopardyLevel.MISSED, JeopardyLevel.IN_JEOPARDY, JeopardyLevel.AT_RISK)


@dataclass(frozen=True, slots=True)
class JeopardyQuery:
    """A page of those that fit; what is None does not matter."""

    level: tuple[str, ...] = ()
    cause: str | None = None
    silo: str | None = None
    channel: str | None = None
    customer: str | None = None
    promised_before: datetime | None = None
    visible_to: Visibility | None = None
    offset: int = 0
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Endangered:
    """An order, and the danger that its promise is in."""

    id: str
    external_id: str
    customer_id: str
    channel: str
    promised_at: datetime | None
    expected_at: datetime | None
    safe_at: datetime | None
    jeopardy: JeopardyView


@dataclass(frozen=True, slots=True)
class JeopardyCount:
    """How many there are of one level and cause, at one silo."""

    level: str
    cause: str
    silo: str | None
    orders: int


@dataclass(frozen=True, slots=True)
class JeopardyPage:
    """The orders asked for, worst and soonest first, and how many fit in all, by level, cause and silo."""

    orders: tuple[Endangered, ...]
    counts: tuple[JeopardyCount, ...]
    total: int


class Jeopardies:
    """Promises in danger. Every method may raise `sqlalchemy.exc.DBAPIError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, query: JeopardyQuery) -> JeopardyPage:
        """Those that fit, with their numbers."""
        level, cause, silo = ORDERS.c.jeopardy, ORDERS.c.jeopardy_cause, ORDERS.c.jeopardy_silo
        fitting = _fitting(query)
        worst = case(*((level == each.value, place) for place, each in enumerate(_WORST_FIRST)), else_=9)
        page = select(ORDERS).where(fitting).order_by(worst, ORDERS.c.promised_at, ORDERS.c.id)
        number = func.count().label("orders")
        counted = select(level, cause, silo, number).where(fitting).group_by(level, cause, silo)
        with self._database.reading() as connection:
            found = connection.execute(page.offset(query.offset).limit(query.limit)).all()
            rows = connection.execute(counted.order_by(number.desc(), level, cause, silo)).all()
        counts = tuple(
            JeopardyCount(row.jeopardy, row.jeopardy_cause or "", row.jeopardy_silo, row.orders) for row in rows
        )
        return JeopardyPage(tuple(map(_read, found)), counts, sum(each.orders for each in counts))


def _fitting(query: JeopardyQuery) -> ColumnElement[bool]:
    asked = {
        ORDERS.c.jeopardy_cause: query.cause,
        ORDERS.c.jeopardy_silo: query.silo,
        ORDERS.c.channel: query.channel,
        ORDERS.c.customer_id: query.customer,
    }
    conditions = [ENDANGERED, LISTED, *(column == value for column, value in asked.items() if value is not None)]
    if query.level:
        conditions.append(ORDERS.c.jeopardy.in_(query.level))
    if query.promised_before is not None:
        conditions.append(ORDERS.c.promised_at < query.promised_before)
    if query.visible_to is not None:
        conditions.append(seen_by(query.visible_to))
    return and_(*conditions)


def _read(row: Row[tuple[object, ...]]) -> Endangered:
    return Endangered(
        id=row.id,
        external_id=row.external_id,
        customer_id=row.customer_id,
        channel=row.channel,
        promised_at=row.promised_at,
        expected_at=row.expected_at,
        safe_at=row.safe_at,
        jeopardy=JeopardyView.model_validate(row.view["jeopardy"]),
    )
