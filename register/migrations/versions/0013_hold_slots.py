"""Hold slots for visits that were just chosen."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table. What is in it counts for some minutes."""
    op.create_table(
        "slot_holds",
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("silo", sa.String(), nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("starts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("task", name=op.f("pk_slot_holds")),
    )
