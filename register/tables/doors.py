"""Who came in: order ids ever taken, who is logged in, and what people have saved for themselves."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Index, Table

from register.tables.columns import SCHEMA, instant_column, json_column, key_column, text_column

REQUEST_IDS: Final = Table(
    "request_ids",
    SCHEMA,
    key_column("order_id"),
    text_column("channel"),
    text_column("external_id"),
    text_column("body_digest"),
    instant_column("created_at"),
)
"""The order ids ever taken, each with the digest of the body that took it. Never deleted."""

CONSOLE_SESSIONS: Final = Table(
    "console_sessions",
    SCHEMA,
    key_column("id_hash"),
    json_column("principal"),
    instant_column("created_at"),
    instant_column("seen_at"),
    instant_column("ends_at"),
    Index(None, "ends_at"),
)
"""Who is logged in to the console. Only the browser knows the id itself: whoever reads this cannot take its place."""

SAVED_VIEWS: Final = Table(
    "saved_views",
    SCHEMA,
    key_column("subject"),
    key_column("name"),
    json_column("filters"),
    instant_column("saved_at"),
)
"""The views of lists that people have saved, by the `sub` of their tokens."""
