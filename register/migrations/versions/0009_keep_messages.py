"""Keep what customers are told."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables. Of orders that ended, or began long ago, nobody hears a word."""
    with op.batch_alter_table("orders") as orders:
        orders.add_column(sa.Column("heard", sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE orders SET heard = version")
    unheard = sa.text("heard < version")
    op.create_index("ix_orders_unheard", "orders", ["ordered_at"], sqlite_where=unheard, postgresql_where=unheard)
    op.create_table(
        "messages",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("content", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease", sa.String(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("medium", sa.String(), nullable=True),
        sa.Column("recipient", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("title", sa.String(), nullable=True),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("calendars", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("fate", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint(
            "order_id", "topic", "subject", "number", name=op.f("uq_messages_order_id_topic_subject_number")
        ),
    )
    op.create_index(op.f("ix_messages_order_id_place"), "messages", ["order_id", "place"])
    op.create_index(op.f("ix_messages_customer_id_created_at"), "messages", ["customer_id", "created_at"])
    under_way, failed = sa.text("state IN ('waiting', 'sending')"), sa.text("state = 'failed'")
    op.create_index(
        op.f("ix_messages_next_at"), "messages", ["next_at"], sqlite_where=under_way, postgresql_where=under_way
    )
    op.create_index("ix_messages_failed", "messages", ["settled_at"], sqlite_where=failed, postgresql_where=failed)
    op.create_table(
        "message_preferences",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("content", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_message_preferences")),
    )
