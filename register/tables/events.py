"""What others may want to hear of orders, and on its way to whom it is."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, Table, UniqueConstraint, text

from register.tables.columns import SCHEMA, instant_column, json_column, key_column, number_column, text_column

EVENTS: Final = Table(
    "events",
    SCHEMA,
    key_column("order_id"),
    number_column("number"),
    instant_column("at"),
    text_column("kind"),
    json_column("data"),
)
"""What others may want to hear of: an `OrderEvent`. Written once, and told to those who had subscribed by then."""

SUBSCRIPTIONS: Final = Table(
    "subscriptions",
    SCHEMA,
    key_column("id"),
    text_column("callback"),
    text_column("query"),
    json_column("filter"),
    text_column("owner"),
    text_column("channel", nullable=True),
    text_column("customer_id", nullable=True),
    text_column("secret"),
    instant_column("created_at"),
    instant_column("ended_at", nullable=True),
    text_column("note", nullable=True),
    text_column("lease", nullable=True),
    instant_column("leased_until"),
    Column("failures", Integer, nullable=False),
    instant_column("failing_since", nullable=True),
    instant_column("retry_at", nullable=True),
    text_column("last_error", nullable=True),
    Index(None, "owner"),
)
"""Who wants to hear of events: `filter` is an `EventFilter`, `channel` and `customer_id` bound what its owner may see.
One process at a time delivers to a subscription: `lease` names it, `leased_until` is when it may be taken, or was last
given back. `failures` in a row since `failing_since` make it wait until `retry_at`. `note` says why it has ended, where
its owner did not ask for that."""

DELIVERED: Final = text("state = 'delivered'")
"""The condition of an index of deliveries; in words, as a query has to repeat it so that it is served by that."""

DELIVERIES: Final = Table(
    "deliveries",
    SCHEMA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    text_column("subscription_id"),
    text_column("order_id"),
    Column("event_number", Integer, nullable=False),
    text_column("state"),
    Column("attempts", Integer, nullable=False),
    instant_column("queued_at"),
    instant_column("settled_at", nullable=True),
    text_column("error", nullable=True),
    UniqueConstraint("subscription_id", "order_id", "event_number"),
    Index(None, "subscription_id", "state", "id"),
    Index(None, "settled_at", sqlite_where=DELIVERED, postgresql_where=DELIVERED),
    sqlite_autoincrement=True,
)
"""One event on its way to one subscriber: pending, and once it is settled, delivered or parked. Its `id` goes up with
time: pending events are delivered in that order. Delivered ones are forgotten after a time."""
