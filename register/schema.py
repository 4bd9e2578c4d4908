"""The register's tables. What alters them needs a migration too: `alembic revision --autogenerate` writes one.

No table refers to another by a foreign key: records arrive twice, late and in any order, and what can be rebuilt is
rebuilt around the records in their own right: documents, subscriptions, deliveries, charges, cancellations, products,
claims of products, request ids, and sessions of the console.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite

SCHEMA: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """An instant: any time zone goes in, UTC comes out. SQLite keeps text that sorts by time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """The database's own type."""
        return sqlite.DATETIME() if dialect.name == "sqlite" else postgresql.TIMESTAMP(timezone=True)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC."""
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC: SQLite gives back no time zone, PostgreSQL the connection's."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _instant(name: str, *, nullable: bool = False) -> Column[datetime]:
    return Column(name, Instant, nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, String, nullable=nullable)


def _key(name: str) -> Column[str]:
    return Column(name, String, primary_key=True)


def _number(name: str) -> Column[int]:
    return Column(name, Integer, primary_key=True, autoincrement=False)


def _json(name: str, *, nullable: bool = False) -> Column[Any]:
    # Not JSONB, which knows no \u0000 and does not keep what came as it came.
    return Column(name, JSON(none_as_null=True), nullable=nullable)


def _by_code_point() -> String:
    """Text whose beginnings are looked for: it is sorted as SQLite does, whatever the database's own language."""
    return String().with_variant(String(collation="C"), "postgresql")


def _index_of_the_listed(*columns: str) -> Index:
    """An index of the orders that are not deleted, so that to leave those out costs a list nothing."""
    listed = text("deleted_at IS NULL")
    return Index(None, *columns, sqlite_where=listed, postgresql_where=listed)


_ENDANGERED = text("jeopardy IS NOT NULL")

ORDERS: Final = Table(
    "orders",
    SCHEMA,
    _key("id"),
    Column("version", Integer, nullable=False),
    _text("state"),
    _text("customer_id"),
    _text("channel"),
    _text("external_id"),
    Column("revision", Integer, nullable=False),
    _text("catalog"),
    Column("priority", Integer, nullable=False),
    _instant("ordered_at"),
    _instant("requested_start", nullable=True),
    _instant("requested_completion", nullable=True),
    _instant("promised_at", nullable=True),
    _instant("expected_at", nullable=True),
    _instant("completed_at", nullable=True),
    Column("in_jeopardy", Boolean, nullable=False),
    _instant("safe_at", nullable=True),
    _text("jeopardy", nullable=True),
    _text("jeopardy_cause", nullable=True),
    _text("jeopardy_silo", nullable=True),
    _instant("deleted_at", nullable=True),
    _text("document"),
    _text("telling"),
    _text("told_as", nullable=True),
    _json("told", nullable=True),
    _text("found_as", nullable=True),
    Column("heard", Integer, nullable=False, server_default="0"),
    _text("waits_for", nullable=True),
    _instant("written_at", nullable=True),
    _json("view"),
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
    _key("order_id"),
    _key("digest"),
    _json("content"),
    _instant("unused_since", nullable=True),
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
    _key("order_id"),
    _key("offering"),
    Index(None, "offering", "order_id"),
)
"""The offerings of an order's items: bundles, and what is in them."""

ORDER_FALLOUT: Final = Table(
    "order_fallout",
    SCHEMA,
    _key("order_id"),
    _key("silo"),
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
    _key("id"),
    Column("version", Integer, nullable=False),
    _text("order_id"),
    _text("customer_id"),
    _text("channel"),
    _text("silo"),
    _text("operation"),
    _text("code"),
    _text("reason"),
    _text("state"),
    Column("attempts", Integer, nullable=False),
    _instant("since"),
    _instant("over_at", nullable=True),
    _text("ended", nullable=True),
    _json("content"),
    _text("claimed_by", nullable=True),
    _instant("claimed_at", nullable=True),
    _text("group_name", nullable=True),
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
    _key("fallout_id"),
    _number("number"),
    _text("order_id"),
    _instant("at"),
    _text("kind"),
    _text("by"),
    _text("given_to", nullable=True),
    _text("note"),
    Index(None, "order_id"),
)
"""What people did with a fallout, and said about it. It is nowhere else."""

SILOS: Final = Table(
    "silos",
    SCHEMA,
    _key("name"),
    Column("version", Integer, nullable=False),
    _json("content"),
)
"""The `Condition` of each silo that something was the matter with, or that somebody had to do with, as its workflow
told it last."""

SILO_FIGURES: Final = Table(
    "silo_figures",
    SCHEMA,
    _key("silo"),
    _key("worker"),
    _instant("at"),
    _json("content"),
)
"""What each worker's calls on a silo came to lately: `Figures`. What is old is forgotten."""

DEMANDS: Final = Table(
    "demands",
    SCHEMA,
    _key("order_id"),
    _key("task"),
    _text("silo"),
    _text("operation"),
    _text("place"),
    _text("kind"),
    _text("likely"),
    _text("safe"),
    _text("asked", nullable=True),
    _instant("starts", nullable=True),
    Index(None, "silo", "operation", "place", "likely"),
)
"""What orders have asked of silos, and will still ask: a `Need` each, its days as in ISO 8601. Worked out of what else
stands here, when somebody asks."""

DEMAND_ORDERS: Final = Table(
    "demand_orders",
    SCHEMA,
    _key("order_id"),
    Column("version", Integer, nullable=False),
    _text("rules"),
    Column("in_flight", Boolean, nullable=False, index=True),
)
"""The version of each order by which its demands were worked out, and by which rules."""

CAPACITIES: Final = Table(
    "capacities",
    SCHEMA,
    _key("name"),
    _json("content"),
)
"""What was told of capacities since the catalog was written: a `StatedCapacity` each."""

WORK_ITEMS: Final = Table(
    "work_items",
    SCHEMA,
    _key("id"),
    _text("service"),
    _text("order_id"),
    _text("silo"),
    _text("operation"),
    _text("state"),
    _text("verb"),
    Column("number", Integer, nullable=False),
    _json("older"),
    Column("established", Boolean, nullable=False),
    _text("title"),
    _text("instructions"),
    _json("inputs"),
    _json("form"),
    _json("outputs"),
    _text("code"),
    _text("reason"),
    _instant("opened_at"),
    _instant("due_at", nullable=True),
    _instant("begun_at", nullable=True),
    _instant("over_at", nullable=True),
    _text("claimed_by", nullable=True),
    _instant("claimed_at", nullable=True),
    _text("group_name", nullable=True),
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
    _key("item_id"),
    _number("number"),
    _text("order_id"),
    _instant("at"),
    _text("kind"),
    _text("by"),
    _text("given_to", nullable=True),
    _text("note"),
    Index(None, "order_id"),
)
"""What people did with a work item and said about it, and why it was opened again. It is nowhere else."""

BULK_JOBS: Final = Table(
    "bulk_jobs",
    SCHEMA,
    _key("id"),
    _text("digest"),
    _text("state"),
    _json("content"),
    _instant("created_at"),
    _text("stopped_by"),
    _text("why"),
    _instant("asked_until", nullable=True),
    _instant("settled_at", nullable=True),
    Index(None, "created_at", "id"),
)
"""What many orders were asked for at once: a `BulkJob`, and where it is with asking. `digest` names the request that it
was made by, so that the same one makes no other job."""

BULK_ORDERS: Final = Table(
    "bulk_orders",
    SCHEMA,
    _key("job_id"),
    _key("order_id"),
    Column("position", Integer, nullable=False),
    _text("state"),
    _text("code"),
    _text("message"),
    _instant("asked_at", nullable=True),
    _instant("decided_at", nullable=True),
    _instant("settled_at", nullable=True),
    Index(None, "job_id", "position"),
    Index(None, "job_id", "state", "position"),
)
"""The orders of a job, frozen as it begins, by `position`: where each is, a `BulkOrder`."""

TERMS: Final = Table(
    "terms",
    SCHEMA,
    _key("order_id"),
    Column("term", _by_code_point(), primary_key=True),
    _instant("ordered_at"),
    Column("of_document", Boolean, nullable=False),
    Index(None, "term", "ordered_at", "order_id"),
    sqlite_with_rowid=False,
)
"""The words by which an order is found, as `orders/model/words.py` writes them: those of its document, and others.
Those of deleted orders are gone."""

ERASED_CUSTOMERS: Final = Table(
    "erased_customers",
    SCHEMA,
    _key("customer_id"),
    _instant("erased_at"),
)
"""Whose orders, those of before that instant, have no words but their ids."""

ITEMS: Final = Table(
    "items",
    SCHEMA,
    _key("order_id"),
    _key("item_id"),
    Column("position", Integer, nullable=False),
    _text("state"),
    _text("offering"),
    _text("action"),
    Column("quantity", Integer, nullable=False),
    _text("parent", nullable=True),
)
"""The items that an order ever had, in order of `position`. `parent` is the item of the bundle around it."""

REVISIONS: Final = Table(
    "revisions",
    SCHEMA,
    _key("order_id"),
    _number("number"),
    _json("content"),
)
"""Every content that an order had: a `Revision`."""

CHANGES: Final = Table(
    "changes",
    SCHEMA,
    _key("order_id"),
    _key("request_id"),
    Column("position", Integer, nullable=False),
    _text("kind", nullable=True),
    _text("state"),
    _text("requester"),
    _text("channel"),
    _instant("requested_at", nullable=True),
    _instant("decided_at", nullable=True),
    _json("content"),
    Index(None, "state", "order_id"),
)
"""What was asked of an order in flight, and what was said to it: a `Verdict`. `position` is the order of decision."""

TRANSITIONS: Final = Table(
    "transitions",
    SCHEMA,
    _key("order_id"),
    _number("number"),
    _instant("at"),
    _text("item", nullable=True),
    _text("before", nullable=True),
    _text("after"),
    _text("cause"),
    _text("milestone", nullable=True),
)
"""Each step from state to state, of an item or (without `item`) of the order; and each milestone that was reached."""

_NOT_LEARNED = text("learned_at IS NULL")

TIMELINES: Final = Table(
    "timelines",
    SCHEMA,
    _key("order_id"),
    Column("content", LargeBinary, nullable=False),
    _instant("learned_at", nullable=True),
    Index(None, "learned_at", "order_id", sqlite_where=_NOT_LEARNED, postgresql_where=_NOT_LEARNED),
)
"""When what was done for orders that have ended, for longer than Temporal knows them: their `TimelineEntry`s, as JSON
without what is empty, compressed. Written with the last record of an order. `learned_at` is when it was learned from
how long work takes."""

DURATIONS: Final = Table(
    "durations",
    SCHEMA,
    _key("silo"),
    _key("operation"),
    _key("verb"),
    _key("of"),
    _json("content"),
)
"""How long each kind of work really took: a `Sketch`. `of` is a place or an offering, or empty: of all of them."""

EVENTS: Final = Table(
    "events",
    SCHEMA,
    _key("order_id"),
    _number("number"),
    _instant("at"),
    _text("kind"),
    _json("data"),
)
"""What others may want to hear of: an `OrderEvent`. Written once, and told to those who had subscribed by then."""

SUBSCRIPTIONS: Final = Table(
    "subscriptions",
    SCHEMA,
    _key("id"),
    _text("callback"),
    _text("query"),
    _json("filter"),
    _text("owner"),
    _text("channel", nullable=True),
    _text("customer_id", nullable=True),
    _text("secret"),
    _instant("created_at"),
    _instant("ended_at", nullable=True),
    _text("note", nullable=True),
    _text("lease", nullable=True),
    _instant("leased_until"),
    Column("failures", Integer, nullable=False),
    _instant("failing_since", nullable=True),
    _instant("retry_at", nullable=True),
    _text("last_error", nullable=True),
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
    _text("subscription_id"),
    _text("order_id"),
    Column("event_number", Integer, nullable=False),
    _text("state"),
    Column("attempts", Integer, nullable=False),
    _instant("queued_at"),
    _instant("settled_at", nullable=True),
    _text("error", nullable=True),
    UniqueConstraint("subscription_id", "order_id", "event_number"),
    Index(None, "subscription_id", "state", "id"),
    Index(None, "settled_at", sqlite_where=DELIVERED, postgresql_where=DELIVERED),
    sqlite_autoincrement=True,
)
"""One event on its way to one subscriber: pending, and once it is settled, delivered or parked. Its `id` goes up with
time: pending events are delivered in that order. Delivered ones are forgotten after a time."""

CHARGES: Final = Table(
    "charges",
    SCHEMA,
    _key("order_id"),
    _key("task"),
    _text("change"),
    _text("amount"),
    Column("currency", String(3), nullable=False),
    Column("billed", Boolean, nullable=False),
    Column("forgone", Boolean, nullable=False),
)
"""Fees of accepted changes. `amount` is a decimal in words: SQLite has no number that keeps one exactly."""

CANCELLATIONS: Final = Table(
    "cancellations",
    SCHEMA,
    _key("id"),
    _text("order_id"),
    _text("request_id"),
    _json("body"),
    _instant("created_at"),
    UniqueConstraint("order_id", "request_id"),
    Index(None, "created_at", "id"),
)
"""TMF622 `CancelProductOrder` resources as asked for, by that or in another way. What became of one stands in
`changes`."""

PRODUCTS: Final = Table(
    "products",
    SCHEMA,
    _key("id"),
    Column("version", Integer, nullable=False),
    _text("customer_id"),
    _text("status"),
    _text("offering"),
    _text("specification", nullable=True),
    _text("order_id"),
    _text("item_id"),
    _instant("started_at", nullable=True),
    _instant("ended_at", nullable=True),
    _json("content"),
    Index(None, "customer_id", "id"),
    Index(None, "order_id"),
    Index(None, "status", "id"),
)
"""The installed base: an `InstalledProduct` each, with its ledger. Kept for life."""

PRODUCT_RELATIONS: Final = Table(
    "product_relations",
    SCHEMA,
    _key("product_id"),
    _key("other_id"),
    Index(None, "other_id"),
)
"""Which product is held by a bundle, or stands on another."""

PRODUCT_VALUES: Final = Table(
    "product_values",
    SCHEMA,
    _key("product_id"),
    _key("kind"),
    _key("name"),
    _key("value"),
    Index(None, "value", "name", "kind"),
)
"""What a product is found by that has a name: a characteristic, or a resource that was drawn, such as its number.
Values are as they are written in words; long ones are left out."""

PRODUCT_CLAIMS: Final = Table(
    "product_claims",
    SCHEMA,
    _key("product_id"),
    _key("order_id"),
    Column("place", BigInteger, nullable=False),
    _instant("since"),
    Column("has_turn", Boolean, nullable=False),
    Index(None, "order_id"),
    Index(None, "place"),
)
"""The line for each installed product: who has the lowest `place` is first. An order has one place, with all that it
claims. One that `has_turn` is first everywhere: it may touch its products, or was the last that did."""

REQUEST_IDS: Final = Table(
    "request_ids",
    SCHEMA,
    _key("order_id"),
    _text("channel"),
    _text("external_id"),
    _text("body_digest"),
    _instant("created_at"),
)
"""The order ids ever taken, each with the digest of the body that took it. Never deleted."""

CONSOLE_SESSIONS: Final = Table(
    "console_sessions",
    SCHEMA,
    _key("id_hash"),
    _json("principal"),
    _instant("created_at"),
    _instant("seen_at"),
    _instant("ends_at"),
    Index(None, "ends_at"),
)
"""Who is logged in to the console. Only the browser knows the id itself: whoever reads this cannot take its place."""
