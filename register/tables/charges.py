"""What orders cost beside what is sold, and how they were called off."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, Index, String, Table, UniqueConstraint

from register.tables.columns import SCHEMA, instant_column, json_column, key_column, text_column

CHARGES: Final = Table(
    "charges",
    SCHEMA,
    key_column("order_id"),
    key_column("task"),
    text_column("change"),
    text_column("amount"),
    Column("currency", String(3), nullable=False),
    Column("billed", Boolean, nullable=False),
    Column("forgone", Boolean, nullable=False),
)
"""Fees of accepted changes. `amount` is a decimal in words: SQLite has no number that keeps one exactly."""

CANCELLATIONS: Final = Table(
    "cancellations",
    SCHEMA,
    key_column("id"),
    text_column("order_id"),
    text_column("request_id"),
    json_column("body"),
    instant_column("created_at"),
    UniqueConstraint("order_id", "request_id"),
    Index(None, "created_at", "id"),
)
"""TMF622 `CancelProductOrder` resources as asked for, by that or in another way. What became of one stands in
`changes`."""
