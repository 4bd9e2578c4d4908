"""The tables of messages to customers. They are records in their own right: nothing else knows what was sent."""

from __future__ import annotations

from typing import Final

from sqlalchemy import JSON, Column, Index, Integer, String, Table, UniqueConstraint, text

from register.schema import SCHEMA
from register.tables.columns import Instant

UNDER_WAY: Final = text("state IN ('waiting', 'sending')")
"""The condition of an index of messages; in words, as a query has to repeat it so that it is served by that."""
TO_SEE_TO: Final = text("state = 'failed'")

MESSAGES: Final = Table(
    "messages",
    SCHEMA,
    Column("id", String, primary_key=True),
    Column("order_id", String, nullable=False),
    Column("place", Integer, nullable=False),
    Column("customer_id", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("topic", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("content", JSON(none_as_null=True), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("settled_at", Instant, nullable=True),
    Column("lease", String, nullable=True),
    Column("attempts", Integer, nullable=False),
    Column("medium", String, nullable=True),
    Column("recipient", String, nullable=True),
    Column("language", String, nullable=True),
    Column("title", String, nullable=True),
    Column("text", String, nullable=True),
    Column("calendars", JSON(none_as_null=True), nullable=True),
    Column("fate", String, nullable=False),
    UniqueConstraint("order_id", "topic", "subject", "number"),
    Index(None, "order_id", "place"),
    Index(None, "customer_id", "created_at"),
    Index(None, "next_at", sqlite_where=UNDER_WAY, postgresql_where=UNDER_WAY),
    Index("ix_messages_failed", "settled_at", sqlite_where=TO_SEE_TO, postgresql_where=TO_SEE_TO),
)
"""What the customer of an order was told, or is to be. `id` is the key by which it goes out, and `place` counts those
of the order. One process at a time sends a message: `lease` names it, and `next_at` is when another may take it: when
it is due, tried again, or its lease has run out. `medium` to `calendars` are what was sent, word for word; `fate` is
what became of it, in words."""

PREFERENCES: Final = Table(
    "message_preferences",
    SCHEMA,
    Column("customer_id", String, primary_key=True),
    Column("content", JSON(none_as_null=True), nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", String, nullable=False),
)
"""How customers want to be told: `Preferences`. It is nowhere else."""
