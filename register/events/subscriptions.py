"""Who subscribed to events, how each subscription fares, and which events concern it.

An event that is written down is at once put before every subscription that it fits, in the same transaction. So nothing
is missed, and nothing needs a place to go on from: what is pending is what is left to deliver.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final

from pydantic import SecretStr
from sqlalchemy import ColumnElement, Connection, ScalarSelect, String, bindparam, delete, func, or_, select, update

from orders.read_model.records import OrderEvent
from orders.read_model.subscription import EventFilter
from orders.read_model.views import OrderView
from register.engine import Database
from register.events.deliveries import DeliveryState
from register.searching.search import has_customer
from register.tables.events import DELIVERIES, SUBSCRIPTIONS

MOST_OF_AN_OWNER: Final = 100
"""Each one costs a little whenever an order has news."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who hears of what, where. `query` is the filter as it was written.

    With a `channel` it hears of that channel's orders, and of its customers' others where the filter lets those pass:
    those who have an order from there that was not rejected. With a `customer_id`, of that one.
    """

    id: str
    callback: str
    query: str
    filter: EventFilter
    owner: str
    channel: str | None
    customer_id: str | None
    secret: SecretStr
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SubscriptionStatus:
    """How a subscription fares. `failing_since` and `retry_at` are there while it does not take what it is sent.

    `note` says why it has ended, where its owner did not ask for that.
    """

    id: str
    callback: str
    query: str
    owner: str
    created_at: datetime
    ended_at: datetime | None
    note: str | None
    pending: int
    parked: int
    failing_since: datetime | None
    retry_at: datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class ParkedEvent:
    """An event that did not get through."""

    event: str
    attempts: int
    queued_at: datetime
    settled_at: datetime
    error: str


class AlreadySubscribed(Exception):
    """The owner has a subscription with this callback and query: the argument is its id."""


class TooManySubscriptions(Exception):
    """The owner has as many subscriptions as one may have."""


class SubscriptionEnded(Exception):
    """Nothing is delivered to the subscription any more: the argument says why."""


class Subscriptions:
    """Subscriptions with what is on its way to each.

    Every method may raise `sqlalchemy.exc.DBAPIError`, if the database is locked or cannot be reached.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, subscription: Subscription) -> None:
        """Begin to put events before it.

        Raises:
            AlreadySubscribed: if its owner has the same already.
            TooManySubscriptions: if its owner has too many.
        """
        live = select(SUBSCRIPTIONS.c.id, SUBSCRIPTIONS.c.callback, SUBSCRIPTIONS.c.query).where(
            SUBSCRIPTIONS.c.owner == subscription.owner, SUBSCRIPTIONS.c.ended_at.is_(None)
        )
        with self._database.writing() as connection:
            others = connection.execute(live).all()
            for other in others:
                if (other.callback, other.query) == (subscription.callback, subscription.query):
                    raise AlreadySubscribed(other.id)
            if len(others) >= MOST_OF_AN_OWNER:
                raise TooManySubscriptions
            connection.execute(
                SUBSCRIPTIONS.insert().values(
                    id=subscription.id,
                    callback=subscription.callback,
                    query=subscription.query,
                    filter=subscription.filter.model_dump(mode="json", exclude_defaults=True),
                    owner=subscription.owner,
                    channel=subscription.channel,
                    customer_id=subscription.customer_id,
                    secret=subscription.secret.get_secret_value(),
                    created_at=subscription.created_at,
                    leased_until=subscription.created_at,
                    failures=0,
                )
            )

    def end(self, subscription_id: str, now: datetime) -> None:
        """End it because its owner wants that, and forget what it did not get."""
        with self._database.writing() as connection:
            connection.execute(
                update(SUBSCRIPTIONS)
                .where(SUBSCRIPTIONS.c.id == subscription_id)
                .values(ended_at=func.coalesce(SUBSCRIPTIONS.c.ended_at, now), note=None, lease=None)
            )
            connection.execute(
                delete(DELIVERIES).where(
                    DELIVERIES.c.subscription_id == subscription_id, DELIVERIES.c.state != DeliveryState.DELIVERED
                )
            )

    def find(self, subscription_id: str) -> SubscriptionStatus | None:
        """How it fares; None if there is none, or its owner has ended it."""
        with self._database.reading() as connection:
            found = _statuses(connection, SUBSCRIPTIONS.c.id == subscription_id)
        return found[0] if found else None

    def listed(self, owner: str | None = None) -> list[SubscriptionStatus]:
        """How those of an owner fare, or all, oldest first; not those that their owner has ended."""
        with self._database.reading() as connection:
            return _statuses(connection, *((SUBSCRIPTIONS.c.owner == owner,) if owner is not None else ()))

    def parked(self, subscription_id: str, offset: int, limit: int) -> list[ParkedEvent]:
        """A page of what did not get through to it, oldest first."""
        page = (
            select(DELIVERIES)
            .where(DELIVERIES.c.subscription_id == subscription_id, DELIVERIES.c.state == DeliveryState.PARKED)
            .order_by(DELIVERIES.c.id)
            .offset(offset)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [
                ParkedEvent(
                    event=f"{row.order_id}-{row.event_number}",
                    attempts=row.attempts,
                    queued_at=row.queued_at,
                    settled_at=row.settled_at,
                    error=row.error,
                )
                for row in connection.execute(page)
            ]

    def retry(self, subscription_id: str, now: datetime) -> int:
        """Put what was parked before it again, and try it now. Returns how many events wait for it then.

        Raises:
            SubscriptionEnded: if it hears of nothing any more.
        """
        of_it = DELIVERIES.c.subscription_id == subscription_id
        with self._database.writing() as connection:
            ended = connection.execute(
                select(SUBSCRIPTIONS.c.note).where(
                    SUBSCRIPTIONS.c.id == subscription_id, SUBSCRIPTIONS.c.ended_at.is_not(None)
                )
            ).first()
            if ended is not None:
                raise SubscriptionEnded(ended.note or "")
            connection.execute(
                update(DELIVERIES)
                .where(of_it, DELIVERIES.c.state == DeliveryState.PARKED)
                .values(state=DeliveryState.PENDING, attempts=0, queued_at=now, settled_at=None)
            )
            connection.execute(
                update(SUBSCRIPTIONS)
                .where(SUBSCRIPTIONS.c.id == subscription_id)
                .values(failures=0, failing_since=None, retry_at=None)
            )
            waiting = select(func.count()).where(of_it, DELIVERIES.c.state == DeliveryState.PENDING)
            return connection.execute(waiting).scalar_one()


_CUSTOMER: Final = bindparam("of_customer", type_=String)
_LIVE: Final = select(SUBSCRIPTIONS.c.id, SUBSCRIPTIONS.c.filter).where(
    SUBSCRIPTIONS.c.ended_at.is_(None),
    or_(SUBSCRIPTIONS.c.customer_id.is_(None), SUBSCRIPTIONS.c.customer_id == _CUSTOMER),
    or_(
        SUBSCRIPTIONS.c.channel.is_(None),
        SUBSCRIPTIONS.c.customer_id.is_not(None),
        SUBSCRIPTIONS.c.channel == bindparam("of_channel"),
        has_customer(SUBSCRIPTIONS.c.channel, _CUSTOMER),
    ),
)
"""Whom an order may concern. Built once: that takes SQLAlchemy longer than to execute it."""


def fan_out(
    database: Database, connection: Connection, order: OrderView, events: Sequence[OrderEvent], now: datetime
) -> None:
    """Put events that were just written down before everyone whom they concern, within the same transaction.

    A channel hears of its own orders, and of the customers who have an order from there by now.
    """
    if not events:
        return
    live = connection.execute(_LIVE, {"of_customer": order.customer_id, "of_channel": order.channel}).all()
    filters = [(row.id, EventFilter.model_validate(row.filter)) for row in live]
    rows = [
        {
            "subscription_id": subscription_id,
            "order_id": order.id,
            "event_number": event.number,
            "state": DeliveryState.PENDING,
            "attempts": 0,
            "queued_at": now,
        }
        for event in events
        for subscription_id, wanted in filters
        if wanted.fits(event, order)
    ]
    if rows:
        connection.execute(database.adding(DELIVERIES), rows)


def _statuses(connection: Connection, *conditions: ColumnElement[bool]) -> list[SubscriptionStatus]:
    """Those that their owner has not ended."""
    wanted = (
        select(
            SUBSCRIPTIONS,
            _count(DeliveryState.PENDING).label("pending"),
            _count(DeliveryState.PARKED).label("parked"),
        )
        .where(or_(SUBSCRIPTIONS.c.ended_at.is_(None), SUBSCRIPTIONS.c.note.is_not(None)), *conditions)
        .order_by(SUBSCRIPTIONS.c.created_at, SUBSCRIPTIONS.c.id)
    )
    return [SubscriptionStatus(**{name: getattr(row, name) for name in _TOLD}) for row in connection.execute(wanted)]


_TOLD: Final = tuple(field.name for field in fields(SubscriptionStatus))


def _count(state: DeliveryState) -> ScalarSelect[int]:
    return (
        select(func.count())
        .select_from(DELIVERIES)
        .where(DELIVERIES.c.subscription_id == SUBSCRIPTIONS.c.id, DELIVERIES.c.state == state)
        .scalar_subquery()
    )
