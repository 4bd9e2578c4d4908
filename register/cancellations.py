"""Cancellations, each a TMF622 task resource: kept as asked for, told by what became of their order.

Those submitted to that resource are kept before their order hears of them. Those that the care API, a signal or
Temporal's Web UI asked for are kept with their order's record, as they would have been submitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import JsonValue
from sqlalchemy import ColumnElement, Connection, Row, and_, case, func, literal, select

from orders.change.request import ChangeKind, ChangeState, Verdict
from orders.read_model.journal import CancellationState
from orders.read_model.states import LifecycleState
from orders.read_model.views import OrderView
from register.engine import Database
from register.searching.pages import length, read_page
from register.searching.query import Visibility
from register.searching.search import seen_by
from register.tables.charges import CANCELLATIONS
from register.tables.orders import CHANGES, LISTED, ORDERS


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A cancellation as it was asked for, by a request to change its order."""

    order_id: str
    request_id: str
    body: dict[str, JsonValue]
    created_at: datetime

    @property
    def id(self) -> str:
        """The same wherever it was asked for: `<order id>.<request id>`."""
        return cancellation_id(self.order_id, self.request_id)


def cancellation_id(order_id: str, request_id: str) -> str:
    """The id of a cancellation. Request ids are unique within their order alone."""
    return f"{order_id}.{request_id}"


def asked_of(order: OrderView) -> list[Cancellation]:
    """The cancellations among an order's changes, wherever they were asked for, as TMF622 would have them submitted."""
    return [_as_submitted(order.id, verdict) for verdict in order.changes if verdict.kind is ChangeKind.CANCEL]


def _as_submitted(order_id: str, verdict: Verdict) -> Cancellation:
    body: dict[str, JsonValue] = {"productOrder": {"id": order_id}}
    if verdict.reason:
        body["cancellationReason"] = verdict.reason
    return Cancellation(order_id, verdict.request_id, body, datetime.fromisoformat(verdict.asked_at))


def write_cancellations(database: Database, connection: Connection, order: OrderView) -> None:
    """Keep the cancellations that were asked of an order, within a transaction. Those kept already stay as they are."""
    asked = [_row(cancellation) for cancellation in asked_of(order)]
    if asked:
        connection.execute(database.insert(CANCELLATIONS).on_conflict_do_nothing(), asked)


@dataclass(frozen=True, slots=True)
class CancellationStatus:
    """What became of a cancellation. `effective_at` is when the order was cancelled."""

    cancellation: Cancellation
    state: CancellationState
    verdict: Verdict | None = None
    effective_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CancellationQuery:
    """A page of cancellations, the latest first. Each condition holds if any of its values fits; all must hold."""

    ids: tuple[str, ...] | None = None
    orders: tuple[str, ...] | None = None
    states: tuple[str, ...] | None = None
    visible_to: Visibility | None = None
    offset: int = 0
    limit: int = 100


def state_of(verdict: ChangeState | None, order: LifecycleState | None) -> CancellationState:
    """The state of a cancellation from its verdict and the state of its order, either of them if known."""
    for (verdicts, orders), state in _RULES:
        if (verdicts is None or verdict in verdicts) and (orders is None or order in orders):
            return state
    return CancellationState.ACKNOWLEDGED


_Rule = tuple[tuple[ChangeState, ...] | None, tuple[LifecycleState, ...] | None]
_RULES: Final[tuple[tuple[_Rule, CancellationState], ...]] = (
    (((ChangeState.REJECTED, ChangeState.SUPERSEDED), None), CancellationState.TERMINATED_WITH_ERROR),
    ((None, (LifecycleState.CANCELLED,)), CancellationState.DONE),
    ((None, (LifecycleState.COMPLETED, LifecycleState.REJECTED)), CancellationState.TERMINATED_WITH_ERROR),
    (((ChangeState.ASSESSING, ChangeState.ACCEPTED, ChangeState.APPLIED), None), CancellationState.IN_PROGRESS),
)
"""The first rule that fits: (verdict is one of, order is one of), None where that does not matter."""


class Cancellations:
    """Cancellations in the register. Every method may raise `sqlalchemy.exc.DBAPIError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, cancellation: Cancellation) -> Cancellation:
        """Keep a cancellation. If there is one of that id already, it is returned instead, and stays as it is."""
        adding = self._database.insert(CANCELLATIONS).values(_row(cancellation))
        with self._database.writing() as connection:
            connection.execute(adding.on_conflict_do_nothing())
            kept = connection.execute(select(CANCELLATIONS).where(CANCELLATIONS.c.id == cancellation.id)).one()
        return _cancellation(kept)

    def find(self, cancellation_id: str) -> Cancellation | None:
        """A cancellation by its id."""
        with self._database.reading() as connection:
            row = connection.execute(select(CANCELLATIONS).where(CANCELLATIONS.c.id == cancellation_id)).first()
        return None if row is None else _cancellation(row)

    def page(self, query: CancellationQuery) -> tuple[list[CancellationStatus], int]:
        """The cancellations asked for, as far as their orders have written that down, and how many fit in all.

        Those of deleted orders are not told any more.
        """
        state = case(
            *((_holds(rule), literal(state.value)) for rule, state in _RULES),
            else_=literal(CancellationState.ACKNOWLEDGED.value),
        )
        joined = CANCELLATIONS.outerjoin(ORDERS, ORDERS.c.id == CANCELLATIONS.c.order_id).outerjoin(
            CHANGES,
            and_(CHANGES.c.order_id == CANCELLATIONS.c.order_id, CHANGES.c.request_id == CANCELLATIONS.c.request_id),
        )
        chosen: dict[Any, tuple[str, ...] | None] = {
            CANCELLATIONS.c.id: query.ids,
            CANCELLATIONS.c.order_id: query.orders,
            state: query.states,
        }
        fits = [LISTED, *(column.in_(values) for column, values in chosen.items() if values is not None)]
        if query.visible_to is not None:
            fits.append(seen_by(query.visible_to))
        columns = (*CANCELLATIONS.c, ORDERS.c.completed_at, CHANGES.c.content.label("verdict"), state.label("state"))
        latest = (CANCELLATIONS.c.created_at.desc(), CANCELLATIONS.c.id)
        page = select(*columns).select_from(joined).where(*fits).order_by(*latest)
        size = length(CANCELLATIONS.c.body, CHANGES.c.content)
        with self._database.reading() as connection:
            total = connection.scalar(select(func.count()).select_from(joined).where(*fits)) or 0
            rows = read_page(connection, page, size, query.offset, query.limit)
        return [_standing(row) for row in rows], total


def _holds(rule: _Rule) -> ColumnElement[bool]:
    verdicts, orders = rule
    conditions: list[ColumnElement[bool]] = []
    if verdicts is not None:
        conditions.append(CHANGES.c.state.in_([str(verdict) for verdict in verdicts]))
    if orders is not None:
        conditions.append(ORDERS.c.state.in_([str(order) for order in orders]))
    return and_(*conditions)


def _row(cancellation: Cancellation) -> Mapping[str, Any]:
    return {
        "id": cancellation.id,
        "order_id": cancellation.order_id,
        "request_id": cancellation.request_id,
        "body": cancellation.body,
        "created_at": cancellation.created_at,
    }


def _cancellation(row: Row[Any]) -> Cancellation:
    return Cancellation(row.order_id, row.request_id, row.body, row.created_at)


def _standing(row: Row[Any]) -> CancellationStatus:
    state = CancellationState(row.state)
    return CancellationStatus(
        cancellation=_cancellation(row),
        state=state,
        verdict=Verdict.model_validate(row.verdict) if row.verdict is not None else None,
        effective_at=row.completed_at if state is CancellationState.DONE else None,
    )
