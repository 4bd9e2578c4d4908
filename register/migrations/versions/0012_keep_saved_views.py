"""Keep the views of lists that people have saved, and find late orders among many."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_LISTED = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    """Create their table, and an index."""
    op.create_table(
        "saved_views",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("filters", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", "name", name=op.f("pk_saved_views")),
    )
    op.create_index(
        op.f("ix_orders_in_jeopardy_promised_at_id"),
        "orders",
        ["in_jeopardy", "promised_at", "id"],
        sqlite_where=_LISTED,
        postgresql_where=_LISTED,
    )
