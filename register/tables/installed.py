"""What customers have, and who waits for it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table

from register.tables.columns import SCHEMA, instant_column, json_column, key_column, text_column

PRODUCTS: Final = Table(
    "products",
    SCHEMA,
    key_column("id"),
    Column("version", Integer, nullable=False),
    text_column("customer_id"),
    text_column("status"),
    text_column("offering"),
    text_column("specification", nullable=True),
    text_column("order_id"),
    text_column("item_id"),
    instant_column("started_at", nullable=True),
    instant_column("ended_at", nullable=True),
    json_column("content"),
    Index(None, "customer_id", "id"),
    Index(None, "order_id"),
    Index(None, "status", "id"),
)
"""The installed base: an `InstalledProduct` each, with its ledger. Kept for life."""

PRODUCT_RELATIONS: Final = Table(
    "product_relations",
    SCHEMA,
    key_column("product_id"),
    key_column("other_id"),
    Index(None, "other_id"),
)
"""Which product is held by a bundle, or stands on another."""

PRODUCT_VALUES: Final = Table(
    "product_values",
    SCHEMA,
    key_column("product_id"),
    key_column("kind"),
    key_column("name"),
    key_column("value"),
    Index(None, "value", "name", "kind"),
)
"""What a product is found by that has a name: a characteristic, or a resource that was drawn, such as its number.
Values are as they are written in words; long ones are left out."""

PRODUCT_CLAIMS: Final = Table(
    "product_claims",
    SCHEMA,
    key_column("product_id"),
    key_column("order_id"),
    Column("place", BigInteger, nullable=False),
    instant_column("since"),
    Column("has_turn", Boolean, nullable=False),
    Index(None, "order_id"),
    Index(None, "place"),
)
"""The line for each installed product: who has the lowest `place` is first. An order has one place, with all that it
claims. One that `has_turn` is first everywhere: it may touch its products, or was the last that did."""
