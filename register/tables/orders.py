"""Orders as they wrote themselves down, and how each came to be as it is."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, Table, text

from register.tables.columns import SCHEMA, instant_column, json_column, key_column, number_column, text_column


def _index_of_the_listed(*columns: str) -> Index:
    """An index of the orders that are not deleted, so that to leave those out costs a list nothing."""
    listed = text("deleted_at IS NULL")
    return Index(None, *columns, sqlite_where=listed, postgresql_where=listed)


_ENDANGERED = text("jeopardy IS NOT NULL")

ORDERS: Final = Table(
    "orders",
    SCHEMA,
    key_column("id"),
    Column("version", Integer, nullable=False),
    text_column("state"),
    text_column("customer_id"),
    text_column("channel"),
    text_column("external_id"),
    Column("revision", Integer, nullable=False),
    text_column("catalog"),
    Column("priority", Integer, nullable=False),
    instant_column("ordered_at"),
    instant_column("requested_start", nullable=True),
    instant_column("requested_completion", nullable=True),
    instant_column("promised_at", nullable=True),
    instant_column("expected_at", nullable=True),
    instant_column("completed_at", nullable=True),
    Column("in_jeopardy", Boolean, nullable=False),
    instant_column("safe_at", nullable=True),
    text_column("jeopardy", nullable=True),
    text_column("jeopardy_cause", nullable=True),
    text_column("jeopardy_silo", nullable=True),
    instant_column("deleted_at", nullable=True),
    text_column("document"),
    text_column("telling"),
    text_column("told_as", nullable=True),
    json_column("told", nullable=True),
    text_column("found_as", nullable=True),
    Column("heard", Integer, nullable=False, server_default="0"),
    text_column("waits_for", nullable=True),
    instant_column("written_at", nullable=True),
    json_column("view"),
    _index_of_the_listed("ordered_at", "id"),
    _index_of_the_listed("customer_id", "ordered_at", "id"),
    _index_of_the_listed("state", "ordered_at", "id"),
    Index(None, "channel", "customer_id"),
    _index_of_the_listed("channel", "ordered_at", "id"),
    Index(None, "external_id"),
    Index(
        "ix_orders_unheard",
        "ordered_at",
        sqlite_where=text("heard < version"),
        postgresql_where=text("heard < version"),
    ),
    _index_of_the_listed("waits_for", "ordered_at", "id"),
    Index(None, "written_at"),
    Index(
        None,
        "completed_at",
        sqlite_where=text("completed_at IS NOT NULL"),
        postgresql_where=text("completed_at IS NOT NULL"),
    ),
    _index_of_the_listed("in_jeopardy", "promised_at", "id"),
    Index(None, "jeopardy", "promised_at", sqlite_where=_ENDANGERED, postgresql_where=_ENDANGERED),
)
"""One row for each order, rejected ones too. `view` is all that is told of it (an `OrderView` without body) but for
what stands in its `document`, and the other columns repeat what one looks for. Version 0 is what the API wrote at
submission; the workflow's records count from 1. What has `deleted_at` is not told any more.

`told` is for those who look for orders by attributes: those that are shown otherwise than they stand in the document,
null where one is not shown. It is right while `told_as` is what `telling` is: that names everything it depends on.
`found_as` names the document, and the rules, by which the order stands in `terms`. `heard` is the version whose news
for the customer stands in `messages`. `waits_for` is what the order as a whole waits for, and by `written_at` those who
look on see what has changed."""

ENDANGERED: Final = ORDERS.c.jeopardy.is_not(None)
"""The condition that an order's promise is in danger."""

LISTED: Final = ORDERS.c.deleted_at.is_(None)
"""The condition that an order is told of."""

DOCUMENTS: Final = Table(
    "documents",
    SCHEMA,
    key_column("order_id"),
    key_column("digest"),
    json_column("content"),
    instant_column("unused_since", nullable=True),
    Index(
        None,
        "unused_since",
        sqlite_where=text("unused_since IS NOT NULL"),
        postgresql_where=text("unused_since IS NOT NULL"),
    ),
)
"""Orders in the form that they have outside, by digest: as submitted, and as each patch has left them. One is written
before its order's workflow hears of it. It is `unused_since` then, until it is the order's document, and again once
another one is: some time later it is forgotten."""

ORDER_OFFERINGS: Final = Table(
    "order_offerings",
    SCHEMA,
    key_column("order_id"),
    key_column("offering"),
    Index(None, "offering", "order_id"),
)
"""The offerings of an order's items: bundles, and what is in them."""

ITEMS: Final = Table(
    "items",
    SCHEMA,
    key_column("order_id"),
    key_column("item_id"),
    Column("position", Integer, nullable=False),
    text_column("state"),
    text_column("offering"),
    text_column("action"),
    Column("quantity", Integer, nullable=False),
    text_column("parent", nullable=True),
)
"""The items that an order ever had, in order of `position`. `parent` is the item of the bundle around it."""

REVISIONS: Final = Table(
    "revisions",
    SCHEMA,
    key_column("order_id"),
    number_column("number"),
    json_column("content"),
)
"""Every content that an order had: a `Revision`."""

CHANGES: Final = Table(
    "changes",
    SCHEMA,
    key_column("order_id"),
    key_column("request_id"),
    Column("position", Integer, nullable=False),
    text_column("kind", nullable=True),
    text_column("state"),
    text_column("requester"),
    text_column("channel"),
    instant_column("requested_at", nullable=True),
    instant_column("decided_at", nullable=True),
    json_column("content"),
    Index(None, "state", "order_id"),
)
"""What was asked of an order in flight, and what was said to it: a `Verdict`. `position` is the order of decision."""

TRANSITIONS: Final = Table(
    "transitions",
    SCHEMA,
    key_column("order_id"),
    number_column("number"),
    instant_column("at"),
    text_column("item", nullable=True),
    text_column("before", nullable=True),
    text_column("after"),
    text_column("cause"),
    text_column("milestone", nullable=True),
)
"""Each step from state to state, of an item or (without `item`) of the order; and each milestone that was reached."""

_NOT_LEARNED = text("learned_at IS NULL")

TIMELINES: Final = Table(
    "timelines",
    SCHEMA,
    key_column("order_id"),
    Column("content", LargeBinary, nullable=False),
    instant_column("learned_at", nullable=True),
    Index(None, "learned_at", "order_id", sqlite_where=_NOT_LEARNED, postgresql_where=_NOT_LEARNED),
)
"""When what was done for orders that have ended, for longer than Temporal knows them: their `TimelineEntry`s, as JSON
without what is empty, compressed. Written with the last record of an order. `learned_at` is when it was learned from
how long work takes."""
