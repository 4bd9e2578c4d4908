"""Who wants to hear of events, and what is on its way to them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import Connection, select

from activities.register.engine import Database
from activities.register.schema import DELIVERIES, SUBSCRIPTIONS


class DeliveryState(StrEnum):
    """What became of telling a subscriber of an event."""

    PENDING = "pending"
    DELIVERED = "delivered"
    PARKED = "parked"
    """Given up, until a person asks for it again."""


def fan_out(database: Database, connection: Connection, order_id: str, events: Iterable[int]) -> None:
    """Put new events of an order on their way to every live subscription, in the transaction that wrote them.

    No reader has to find out what is new, and none can miss what was written at the same time as something else.
    """
    numbers = list(events)
    if not numbers:
        return
    live = connection.scalars(select(SUBSCRIPTIONS.c.id).where(SUBSCRIPTIONS.c.ended_at.is_(None)))
    now = datetime.now(UTC)
    deliveries = [
        {
            "subscription_id": subscription,
            "order_id": order_id,
            "event_number": number,
            "state": DeliveryState.PENDING,
            "attempts": 0,
            "next_at": now,
        }
        for subscription in live
        for number in numbers
    ]
    if deliveries:
        connection.execute(database.insert(DELIVERIES).values(deliveries).on_conflict_do_nothing())
