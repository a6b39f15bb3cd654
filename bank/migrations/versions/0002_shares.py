"""Links under which learners share what they choose, and when each was opened."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the two tables."""
    op.create_table(
        "shares",
        sa.Column("share", sa.Text, primary_key=True),
        sa.Column("token", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("credentials", sa.Text, nullable=False),
        sa.Column("made", sa.Text, nullable=False),
        sa.Column("expires", sa.Text, nullable=False),
        sa.Column("withdrawn", sa.Text, nullable=False),
    )
    op.create_index("ix_shares_account", "shares", ["account"])
    op.create_table(
        "share_openings",
        sa.Column("number", _NUMBER, primary_key=True),
        sa.Column("share", sa.Text, nullable=False),
        sa.Column("time", sa.Text, nullable=False),
    )
    op.create_index("ix_share_openings_share", "share_openings", ["share"])
