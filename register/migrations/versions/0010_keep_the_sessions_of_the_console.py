"""Keep who is logged in to the console, what orders wait for, and when each was written."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_LISTED = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    """Create them. Orders of before have the new columns once they are written again."""
    op.create_table(
        "console_sessions",
        sa.Column("id_hash", sa.String(), nullable=False),
        sa.Column("principal", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id_hash", name=op.f("pk_console_sessions")),
    )
    op.create_index(op.f("ix_console_sessions_ends_at"), "console_sessions", ["ends_at"])
    op.add_column("orders", sa.Column("waits_for", sa.String(), nullable=True))
    op.add_column("orders", sa.Column("written_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        op.f("ix_orders_waits_for_ordered_at_id"),
        "orders",
        ["waits_for", "ordered_at", "id"],
        sqlite_where=_LISTED,
        postgresql_where=_LISTED,
    )
    op.create_index(op.f("ix_orders_written_at"), "orders", ["written_at"])
