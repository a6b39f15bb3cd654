"""Who learners are, sealed; their accounts, consents and journal; which accounts were erased."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the five tables."""
    op.create_table(
        "learners",
        sa.Column("learner", sa.Text, primary_key=True),
        sa.Column("key", sa.LargeBinary),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("document", sa.LargeBinary),
        sa.Column("merged_into", sa.Text, index=True),
        sa.Column("erased", sa.Text, nullable=False),
        sa.UniqueConstraint("document"),
    )
    op.create_table(
        "learner_accounts",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("learner", sa.Text, nullable=False, index=True),
    )
    op.create_table(
        "consents",
        sa.Column("consent", sa.Text, primary_key=True),
        sa.Column("learner", sa.Text, nullable=False, index=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "learner_events",
        sa.Column("number", _NUMBER, primary_key=True),
        sa.Column("learner", sa.Text, nullable=False, index=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "erased_accounts",
        sa.Column("tombstone", sa.LargeBinary, primary_key=True),
    )
