"""Keep what orders ask of silos, and what silos have."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables. They fill when somebody asks: nothing is in them that orders and timelines do not tell."""
    op.create_table(
        "demands",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("silo", sa.String(), nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("likely", sa.String(), nullable=False),
        sa.Column("safe", sa.String(), nullable=False),
        sa.Column("asked", sa.String(), nullable=True),
        sa.Column("starts", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("order_id", "task", name=op.f("pk_demands")),
    )
    op.create_index(op.f("ix_demands_silo_operation_place_likely"), "demands", ["silo", "operation", "place", "likely"])
    op.create_table(
        "demand_orders",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rules", sa.String(), nullable=False),
        sa.Column("in_flight", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_demand_orders")),
    )
    op.create_index(op.f("ix_demand_orders_in_flight"), "demand_orders", ["in_flight"])
    op.create_table(
        "capacities",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("content", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_capacities")),
    )
    ended = sa.text("completed_at IS NOT NULL")
    op.create_index(
        op.f("ix_orders_completed_at"), "orders", ["completed_at"], sqlite_where=ended, postgresql_where=ended
    )
