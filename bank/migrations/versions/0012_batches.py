"""Awards in bulk, which two persons approve by one statement."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "batches",
        sa.Column("batch", sa.LargeBinary, primary_key=True),
        sa.Column("institution", sa.Text, nullable=False, index=True),
        sa.Column("approved", sa.Boolean, nullable=False),
    )
    op.create_table(
        "batch_awards",
        sa.Column("award", sa.LargeBinary, primary_key=True),
        sa.Column("batch", sa.LargeBinary, primary_key=True, index=True),
    )
    op.create_table(
        "alone",
        sa.Column("institution", sa.Text, primary_key=True),
        sa.Column("day", sa.Text, nullable=False),
        sa.Column("awards", sa.Integer, nullable=False),
    )
