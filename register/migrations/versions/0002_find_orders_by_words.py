"""Find orders by words."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index of words. `orderpipe register rebuild` fills it for orders that were recorded before."""
    with op.batch_alter_table("orders") as orders:
        orders.add_column(sa.Column("found_as", sa.String(), nullable=True))
    op.create_table(
        "terms",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("term", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("of_document", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "term", name=op.f("pk_terms")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_terms_term_ordered_at_order_id"), "terms", ["term", "ordered_at", "order_id"])
    op.create_table(
        "erased_customers",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_erased_customers")),
    )
