"""What needs people: fallout, work items, and what many orders were asked for at once."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, Index, Integer, Table, text

from register.tables.columns import SCHEMA, instant_column, json_column, key_column, number_column, text_column

ORDER_FALLOUT: Final = Table(
    "order_fallout",
    SCHEMA,
    key_column("order_id"),
    key_column("silo"),
    Index(None, "silo", "order_id"),
)
"""The silos with a call of the order that waits for a person."""

_STILL_OPEN, _OVER = text("over_at IS NULL"), text("over_at IS NOT NULL")


def _index_of_the_open(*columns: str) -> Index:
    """An index of work for people that is not over: that stays small, however much there ever was."""
    return Index(None, *columns, sqlite_where=_STILL_OPEN, postgresql_where=_STILL_OPEN)


FALLOUT: Final = Table(
    "fallout",
    SCHEMA,
    key_column("id"),
    Column("version", Integer, nullable=False),
    text_column("order_id"),
    text_column("customer_id"),
    text_column("channel"),
    text_column("silo"),
    text_column("operation"),
    text_column("code"),
    text_column("reason"),
    text_column("state"),
    Column("attempts", Integer, nullable=False),
    instant_column("since"),
    instant_column("over_at", nullable=True),
    text_column("ended", nullable=True),
    json_column("content"),
    text_column("claimed_by", nullable=True),
    instant_column("claimed_at", nullable=True),
    text_column("group_name", nullable=True),
    Index(None, "order_id"),
    Index(None, "customer_id"),
    Index(None, "over_at", "id", sqlite_where=_OVER, postgresql_where=_OVER),
    _index_of_the_open("since", "id"),
    _index_of_the_open("silo", "operation", "code", "since"),
    _index_of_the_open("channel", "since"),
    _index_of_the_open("claimed_by", "since"),
    _index_of_the_open("group_name", "since"),
)
"""Each call that a person was ever needed for: a `FalloutRecord`, by the `version` of the order's record that told it
last. Who has it is written by people, and no record replaces that. Unlike `order_fallout` it outlives its reason."""

FALLOUT_STORY: Final = Table(
    "fallout_story",
    SCHEMA,
    key_column("fallout_id"),
    number_column("number"),
    text_column("order_id"),
    instant_column("at"),
    text_column("kind"),
    text_column("by"),
    text_column("given_to", nullable=True),
    text_column("note"),
    Index(None, "order_id"),
)
"""What people did with a fallout, and said about it. It is nowhere else."""

WORK_ITEMS: Final = Table(
    "work_items",
    SCHEMA,
    key_column("id"),
    text_column("service"),
    text_column("order_id"),
    text_column("silo"),
    text_column("operation"),
    text_column("state"),
    text_column("verb"),
    Column("number", Integer, nullable=False),
    json_column("older"),
    Column("established", Boolean, nullable=False),
    text_column("title"),
    text_column("instructions"),
    json_column("inputs"),
    json_column("form"),
    json_column("outputs"),
    text_column("code"),
    text_column("reason"),
    instant_column("opened_at"),
    instant_column("due_at", nullable=True),
    instant_column("begun_at", nullable=True),
    instant_column("over_at", nullable=True),
    text_column("claimed_by", nullable=True),
    instant_column("claimed_at", nullable=True),
    text_column("group_name", nullable=True),
    Index(None, "order_id"),
    Index(None, "over_at", "id", sqlite_where=_OVER, postgresql_where=_OVER),
    _index_of_the_open("opened_at", "id"),
    _index_of_the_open("group_name", "opened_at"),
    _index_of_the_open("claimed_by", "opened_at"),
)
"""What people are asked to do: one row for each thing of a silo whose work people do, for as long as it is known.
`number` is that of the call that counts, and `older` are those that it has taken over. `established`: it was done
before, so that something is there. It is nowhere else."""

WORK_STORY: Final = Table(
    "work_story",
    SCHEMA,
    key_column("item_id"),
    number_column("number"),
    text_column("order_id"),
    instant_column("at"),
    text_column("kind"),
    text_column("by"),
    text_column("given_to", nullable=True),
    text_column("note"),
    Index(None, "order_id"),
)
"""What people did with a work item and said about it, and why it was opened again. It is nowhere else."""

BULK_JOBS: Final = Table(
    "bulk_jobs",
    SCHEMA,
    key_column("id"),
    text_column("digest"),
    text_column("state"),
    json_column("content"),
    instant_column("created_at"),
    text_column("stopped_by"),
    text_column("why"),
    instant_column("asked_until", nullable=True),
    instant_column("settled_at", nullable=True),
    Index(None, "created_at", "id"),
)
"""What many orders were asked for at once: a `BulkJob`, and where it is with asking. `digest` names the request that it
was made by, so that the same one makes no other job."""

BULK_ORDERS: Final = Table(
    "bulk_orders",
    SCHEMA,
    key_column("job_id"),
    key_column("order_id"),
    Column("position", Integer, nullable=False),
    text_column("state"),
    text_column("code"),
    text_column("message"),
    instant_column("asked_at", nullable=True),
    instant_column("decided_at", nullable=True),
    instant_column("settled_at", nullable=True),
    Index(None, "job_id", "position"),
    Index(None, "job_id", "state", "position"),
)
"""The orders of a job, frozen as it begins, by `position`: where each is, a `BulkOrder`."""
