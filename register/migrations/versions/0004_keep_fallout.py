"""Keep fallout, with its story."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables. What has fallen out before stands there once its order tells something again."""
    op.create_table(
        "fallout",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("silo", sa.String(), nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("over_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended", sa.String(), nullable=True),
        sa.Column("content", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("claimed_by", sa.String(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("group_name", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fallout")),
    )
    for column in ("order_id", "customer_id"):
        op.create_index(op.f(f"ix_fallout_{column}"), "fallout", [column])
    over, still_open = sa.text("over_at IS NOT NULL"), sa.text("over_at IS NULL")
    op.create_index(
        op.f("ix_fallout_over_at_id"), "fallout", ["over_at", "id"], sqlite_where=over, postgresql_where=over
    )
    for columns in (
        ("since", "id"),
        ("silo", "operation", "code", "since"),
        ("channel", "since"),
        ("claimed_by", "since"),
        ("group_name", "since"),
    ):
        op.create_index(
            op.f(f"ix_fallout_{'_'.join(columns)}"),
            "fallout",
            [*columns],
            sqlite_where=still_open,
            postgresql_where=still_open,
        )
    op.create_table(
        "fallout_story",
        sa.Column("fallout_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("given_to", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("fallout_id", "number", name=op.f("pk_fallout_story")),
    )
    op.create_index(op.f("ix_fallout_story_order_id"), "fallout_story", ["order_id"])
