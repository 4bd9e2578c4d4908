"""Keep timelines of orders that have ended, and milestones in their history."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the timelines. `orderpipe register rebuild` fills in those that Temporal's histories still tell."""
    op.create_table(
        "timelines",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_timelines")),
    )
    with op.batch_alter_table("transitions") as transitions:
        transitions.add_column(sa.Column("milestone", sa.String(), nullable=True))
