"""Create the register."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "cancellations",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cancellations")),
        sa.UniqueConstraint("order_id", "request_id", name=op.f("uq_cancellations_order_id_request_id")),
    )
    op.create_index(op.f("ix_cancellations_created_at_id"), "cancellations", ["created_at", "id"])
    op.create_table(
        "changes",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("requester", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "request_id", name=op.f("pk_changes")),
    )
    op.create_index(op.f("ix_changes_state_order_id"), "changes", ["state", "order_id"])
    op.create_table(
        "charges",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("change", sa.String(), nullable=False),
        sa.Column("amount", sa.String(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("billed", sa.Boolean(), nullable=False),
        sa.Column("forgone", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "task", name=op.f("pk_charges")),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subscription_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("event_number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint(
            "subscription_id",
            "order_id",
            "event_number",
            name=op.f("uq_deliveries_subscription_id_order_id_event_number"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_deliveries_subscription_id_state_id"), "deliveries", ["subscription_id", "state", "id"], unique=False
    )
    delivered = sa.text("state = 'delivered'")
    name = op.f("ix_deliveries_settled_at")
    op.create_index(name, "deliveries", ["settled_at"], sqlite_where=delivered, postgresql_where=delivered)
    op.create_table(
        "documents",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("unused_since", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("order_id", "digest", name=op.f("pk_documents")),
    )
    unused = sa.text("unused_since IS NOT NULL")
    name = op.f("ix_documents_unused_since")
    op.create_index(name, "documents", ["unused_since"], sqlite_where=unused, postgresql_where=unused)
    op.create_table(
        "events",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "number", name=op.f("pk_events")),
    )
    op.create_table(
        "items",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("offering", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("parent", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("order_id", "item_id", name=op.f("pk_items")),
    )
    op.create_table(
        "order_fallout",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("silo", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "silo", name=op.f("pk_order_fallout")),
    )
    op.create_index(op.f("ix_order_fallout_silo_order_id"), "order_fallout", ["silo", "order_id"])
    op.create_table(
        "order_offerings",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("offering", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "offering", name=op.f("pk_order_offerings")),
    )
    op.create_index(
        op.f("ix_order_offerings_offering_order_id"), "order_offerings", ["offering", "order_id"], unique=False
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("catalog", sa.String(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requested_start", sa.DateTime(timezone=True), nullable=True),
        sa.Column("requested_completion", sa.DateTime(timezone=True), nullable=True),
        sa.Column("promised_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("in_jeopardy", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("document", sa.String(), nullable=False),
        sa.Column("telling", sa.String(), nullable=False),
        sa.Column("told_as", sa.String(), nullable=True),
        sa.Column("told", sa.JSON(), nullable=True),
        sa.Column("view", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
    )
    listed = sa.text("deleted_at IS NULL")
    for first in ([], ["customer_id"], ["state"], ["channel"]):
        columns = [*first, "ordered_at", "id"]
        name = op.f(f"ix_orders_{'_'.join(columns)}")
        op.create_index(name, "orders", columns, sqlite_where=listed, postgresql_where=listed)
    op.create_index(op.f("ix_orders_channel_customer_id"), "orders", ["channel", "customer_id"])
    op.create_index(op.f("ix_orders_external_id"), "orders", ["external_id"])
    op.create_table(
        "product_claims",
        sa.Column("product_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("has_turn", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("product_id", "order_id", name=op.f("pk_product_claims")),
    )
    op.create_index(op.f("ix_product_claims_order_id"), "product_claims", ["order_id"])
    op.create_index(op.f("ix_product_claims_place"), "product_claims", ["place"])
    op.create_table(
        "product_relations",
        sa.Column("product_id", sa.String(), nullable=False),
        sa.Column("other_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("product_id", "other_id", name=op.f("pk_product_relations")),
    )
    op.create_index(op.f("ix_product_relations_other_id"), "product_relations", ["other_id"])
    op.create_table(
        "product_values",
        sa.Column("product_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("product_id", "kind", "name", "value", name=op.f("pk_product_values")),
    )
    op.create_index(op.f("ix_product_values_value_name_kind"), "product_values", ["value", "name", "kind"])
    op.create_table(
        "products",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("offering", sa.String(), nullable=False),
        sa.Column("specification", sa.String(), nullable=True),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_products")),
    )
    op.create_index(op.f("ix_products_customer_id_id"), "products", ["customer_id", "id"])
    op.create_index(op.f("ix_products_order_id"), "products", ["order_id"])
    op.create_index(op.f("ix_products_status_id"), "products", ["status", "id"])
    op.create_table(
        "request_ids",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("body_digest", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_request_ids")),
    )
    op.create_table(
        "revisions",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "number", name=op.f("pk_revisions")),
    )
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("callback", sa.String(), nullable=False),
        sa.Column("query", sa.String(), nullable=False),
        sa.Column("filter", sa.JSON(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=True),
        sa.Column("customer_id", sa.String(), nullable=True),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("lease", sa.String(), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
    )
    op.create_index(op.f("ix_subscriptions_owner"), "subscriptions", ["owner"])
    op.create_table(
        "transitions",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("item", sa.String(), nullable=True),
        sa.Column("before", sa.String(), nullable=True),
        sa.Column("after", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "number", name=op.f("pk_transitions")),
    )
