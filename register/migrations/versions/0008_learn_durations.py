"""Learn how long work takes, and keep in what danger promises are."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, and have workers learn from the timelines that there are."""
    op.create_table(
        "durations",
        sa.Column("silo", sa.String(), nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("verb", sa.String(), nullable=False),
        sa.Column("of", sa.String(), nullable=False),
        sa.Column("content", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("silo", "operation", "verb", "of", name=op.f("pk_durations")),
    )
    op.add_column("orders", sa.Column("safe_at", sa.DateTime(timezone=True), nullable=True))
    for name in ("jeopardy", "jeopardy_cause", "jeopardy_silo"):
        op.add_column("orders", sa.Column(name, sa.String(), nullable=True))
    op.create_index(
        op.f("ix_orders_jeopardy_promised_at"),
        "orders",
        ["jeopardy", "promised_at"],
        sqlite_where=sa.text("jeopardy IS NOT NULL"),
        postgresql_where=sa.text("jeopardy IS NOT NULL"),
    )
    op.add_column("timelines", sa.Column("learned_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        op.f("ix_timelines_learned_at_order_id"),
        "timelines",
        ["learned_at", "order_id"],
        sqlite_where=sa.text("learned_at IS NULL"),
        postgresql_where=sa.text("learned_at IS NULL"),
    )
