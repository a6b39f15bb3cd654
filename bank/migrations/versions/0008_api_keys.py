"""Who may call the API: keys, their sessions, and the nonces of requests that were signed."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "api_keys",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("institution", sa.Text, nullable=False, index=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("added", sa.Text, nullable=False),
        sa.Column("retired", sa.Text, nullable=False),
    )
    op.create_table(
        "api_sessions",
        sa.Column("token", sa.LargeBinary, primary_key=True),
        sa.Column("key", sa.Text, nullable=False, index=True),
        sa.Column("expires", sa.Text, nullable=False, index=True),
    )
    op.create_table(
        "request_nonces",
        sa.Column("nonce", sa.LargeBinary, primary_key=True),
        sa.Column("expires", sa.Text, nullable=False, index=True),
    )
