"""Events on their way to subscribers, for the process that delivers them.

Delivering to a subscription is for one process at a time, which holds its lease. One that was cut off loses it when its
time is up, and another begins with what was not settled: an event may come twice, and never not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import uuid4

from pydantic import SecretStr, ValidationError
from sqlalchemy import Connection, and_, delete, exists, or_, select, update

from orders.read_model.records import EventKind, OrderEvent
from orders.read_model.views import OrderView
from register.engine import Database
from register.recording.documents import OF_ORDER, found_in
from register.tables.events import DELIVERED, DELIVERIES, EVENTS, SUBSCRIPTIONS
from register.tables.orders import DOCUMENTS, ORDERS

PATIENCE: Final = timedelta(days=1)
"""How long an event that a subscriber does not take is tried, from when the subscriber began to fail."""

FIRST_PAUSE: Final = timedelta(seconds=1)
LONGEST_PAUSE: Final = timedelta(minutes=15)
"""How long a subscriber that fails is left alone: twice as long each time."""


class DeliveryState(StrEnum):
    """Where one event for one subscription stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    PARKED = "parked"
    """Refused, or in vain for a day. It is kept until somebody asks for it to be tried again."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to deliver to a subscription, for as long as nobody else has got it."""

    subscription_id: str
    token: str
    callback: str
    secret: SecretStr


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event to deliver, with its order as it is now; either may have been lost, or be in no form that can be read.

    Then it is for its subscription alone to do without it: the events behind it are delivered all the same.
    """

    id: int
    event: OrderEvent | None
    order: OrderView | None


class Deliveries:
    """What is on its way to each subscription.

    Every method may raise `sqlalchemy.exc.DBAPIError`, if the database is locked or cannot be reached.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def lease(self, now: datetime, until: datetime, most: int) -> list[Lease]:
        """Take subscriptions that something is due for and nobody else delivers to: first who has waited longest."""
        due = and_(
            SUBSCRIPTIONS.c.ended_at.is_(None),
            SUBSCRIPTIONS.c.leased_until <= now,
            or_(SUBSCRIPTIONS.c.retry_at.is_(None), SUBSCRIPTIONS.c.retry_at <= now),
            exists().where(
                DELIVERIES.c.subscription_id == SUBSCRIPTIONS.c.id, DELIVERIES.c.state == DeliveryState.PENDING
            ),
        )
        wanted = select(SUBSCRIPTIONS).where(due).order_by(SUBSCRIPTIONS.c.leased_until).limit(most)
        with self._database.reading() as connection:  # While nothing is due, nobody is kept from writing.
            candidates = connection.execute(wanted).all()
        if not candidates:
            return []
        taken: list[Lease] = []
        with self._database.writing() as connection:
            for row in candidates:
                token = uuid4().hex
                won = connection.execute(
                    update(SUBSCRIPTIONS)
                    .where(SUBSCRIPTIONS.c.id == row.id, due)
                    .values(lease=token, leased_until=until)
                )
                if won.rowcount:
                    taken.append(Lease(row.id, token, row.callback, SecretStr(row.secret)))
        return taken

    def batch(self, lease: Lease, most: int) -> list[Delivery]:
        """What is next for a subscription, in order, and never more than `most`."""
        pending = (
            select(DELIVERIES.c.id, DELIVERIES.c.order_id, EVENTS.c.number, EVENTS.c.at, EVENTS.c.kind, EVENTS.c.data)
            .outerjoin_from(
                DELIVERIES,
                EVENTS,
                and_(EVENTS.c.order_id == DELIVERIES.c.order_id, EVENTS.c.number == DELIVERIES.c.event_number),
            )
            .where(DELIVERIES.c.subscription_id == lease.subscription_id, DELIVERIES.c.state == DeliveryState.PENDING)
            .order_by(DELIVERIES.c.id)
            .limit(most)
        )
        with self._database.reading() as connection:
            rows = connection.execute(pending).all()
            orders = _orders(connection, {row.order_id for row in rows})
            submitted = _as_submitted(
                connection, orders, {row.order_id for row in rows if row.kind == EventKind.CREATED}
            )
        return [
            Delivery(
                id=row.id,
                event=_event(row.number, row.at, row.kind, row.data),
                order=(submitted if row.kind == EventKind.CREATED else orders).get(row.order_id),
            )
            for row in rows
        ]

    def delivered(self, lease: Lease, delivery: Delivery, now: datetime, until: datetime) -> bool:
        """Note that the subscriber has it, and keep the lease. False if that was lost: somebody else goes on."""
        with self._database.writing() as connection:
            _settle(connection, delivery, DeliveryState.DELIVERED, now)
            return _keep(connection, lease, until)

    def park(self, lease: Lease, delivery: Delivery, now: datetime, until: datetime, error: str) -> bool:
        """Set it aside, since it would be refused again, and keep the lease. False if that was lost."""
        with self._database.writing() as connection:
            _settle(connection, delivery, DeliveryState.PARKED, now, error)
            return _keep(connection, lease, until)

    def failed(self, lease: Lease, delivery: Delivery, now: datetime, error: str) -> int:
        """Note that the subscriber could not take it now, and give the lease back for a pause.

        Once it has failed for a day, what has waited for a day is parked. Returns how much was.
        """
        of_it = SUBSCRIPTIONS.c.id == lease.subscription_id, SUBSCRIPTIONS.c.lease == lease.token
        with self._database.writing() as connection:
            before = connection.execute(select(SUBSCRIPTIONS).where(*of_it).with_for_update()).first()
            if before is None:
                return 0
            since = before.failing_since or now
            connection.execute(
                update(SUBSCRIPTIONS)
                .where(*of_it)
                .values(
                    lease=None,
                    leased_until=now,
                    failures=before.failures + 1,
                    failing_since=since,
                    retry_at=now + pause_after(before.failures + 1),
                    last_error=error,
                )
            )
            connection.execute(
                update(DELIVERIES)
                .where(DELIVERIES.c.id == delivery.id)
                .values(attempts=DELIVERIES.c.attempts + 1, error=error)
            )
            if since > now - PATIENCE:
                return 0
            return _park_all(connection, lease.subscription_id, now, error, before=now - PATIENCE)

    def gone(self, lease: Lease, now: datetime, error: str) -> None:
        """End a subscription whose subscriber is gone for good; what it did not get is parked."""
        with self._database.writing() as connection:
            connection.execute(
                update(SUBSCRIPTIONS)
                .where(SUBSCRIPTIONS.c.id == lease.subscription_id, SUBSCRIPTIONS.c.ended_at.is_(None))
                .values(ended_at=now, note=f"The subscriber {error}", lease=None, last_error=error)
            )
            _park_all(connection, lease.subscription_id, now, error)

    def release(self, lease: Lease, now: datetime) -> None:
        """Give a lease back, if it is still held."""
        with self._database.writing() as connection:
            connection.execute(
                update(SUBSCRIPTIONS)
                .where(SUBSCRIPTIONS.c.id == lease.subscription_id, SUBSCRIPTIONS.c.lease == lease.token)
                .values(lease=None, leased_until=now)
            )

    def forget(self, before: datetime, most: int) -> int:
        """Delete what was delivered before an instant: some of it, never more than `most`. Returns how much that was.

        What is parked stays until somebody sees to it.
        """
        old = (
            select(DELIVERIES.c.id)
            .where(DELIVERED, DELIVERIES.c.settled_at < before)
            .order_by(DELIVERIES.c.settled_at)
            .limit(most)
        )
        with self._database.reading() as connection:  # While nothing is old, nobody is kept from writing.
            if connection.execute(old.limit(1)).first() is None:
                return 0
        with self._database.writing() as connection:
            # What another process is about to delete is left to that one.
            doomed = old.with_for_update(skip_locked=True)
            return connection.execute(delete(DELIVERIES).where(DELIVERIES.c.id.in_(doomed))).rowcount


def pause_after(failures: int) -> timedelta:
    """How long a subscriber is left alone after that many failures in a row."""
    return min(FIRST_PAUSE * 2 ** min(failures - 1, 20), LONGEST_PAUSE)


def _settle(
    connection: Connection, delivery: Delivery, state: DeliveryState, now: datetime, error: str | None = None
) -> None:
    connection.execute(
        update(DELIVERIES)
        .where(DELIVERIES.c.id == delivery.id)
        .values(state=state, attempts=DELIVERIES.c.attempts + 1, settled_at=now, error=error)
    )


def _keep(connection: Connection, lease: Lease, until: datetime) -> bool:
    """Prolong a lease whose subscriber answers."""
    kept = connection.execute(
        update(SUBSCRIPTIONS)
        .where(SUBSCRIPTIONS.c.id == lease.subscription_id, SUBSCRIPTIONS.c.lease == lease.token)
        .values(leased_until=until, failures=0, failing_since=None, retry_at=None, last_error=None)
    )
    return bool(kept.rowcount)


def _park_all(
    connection: Connection, subscription_id: str, now: datetime, error: str, before: datetime | None = None
) -> int:
    """Park what is pending, or only what has been since before an instant."""
    parked = update(DELIVERIES).where(
        DELIVERIES.c.subscription_id == subscription_id, DELIVERIES.c.state == DeliveryState.PENDING
    )
    if before is not None:
        parked = parked.where(DELIVERIES.c.queued_at <= before)
    return connection.execute(parked.values(state=DeliveryState.PARKED, settled_at=now, error=error)).rowcount


def _orders(connection: Connection, ids: Iterable[str]) -> dict[str, OrderView]:
    columns = (ORDERS.c.id, ORDERS.c.view, DOCUMENTS.c.content)
    found = select(*columns).outerjoin_from(ORDERS, DOCUMENTS, OF_ORDER).where(ORDERS.c.id.in_(ids))
    orders: dict[str, OrderView] = {}
    for row in connection.execute(found):
        with suppress(ValidationError):
            orders[row.id] = OrderView.model_validate({**row.view, "body": row.content})
    return orders


def _as_submitted(connection: Connection, orders: Mapping[str, OrderView], ids: Iterable[str]) -> dict[str, OrderView]:
    """Some of the orders with the document that they had at first, if that is still there."""
    views = [orders[order_id] for order_id in ids if order_id in orders]
    changed = [(view.id, view.submitted) for view in views if view.submitted != view.document]
    documents = found_in(connection, changed)
    return {
        view.id: view.model_copy(update={"body": documents.get((view.id, view.submitted), view.body)}) for view in views
    }


def _event(number: int | None, at: datetime, kind: Any, data: Any) -> OrderEvent | None:
    if number is None:
        return None
    try:
        return OrderEvent(number=number, at=at, kind=kind, data=data)
    except ValidationError:
        return None
