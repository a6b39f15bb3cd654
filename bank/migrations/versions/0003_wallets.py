"""Deliveries to wallets (OpenID4VCI): offers, access tokens, nonces, and the keys bound."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the four tables."""
    op.create_table(
        "wallet_offers",
        sa.Column("code", sa.LargeBinary, primary_key=True),
        sa.Column("tx_code", sa.LargeBinary, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("credentials", sa.Text, nullable=False),
        sa.Column("expires", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("used", sa.Text, nullable=False),
    )
    op.create_table(
        "wallet_tokens",
        sa.Column("token", sa.LargeBinary, primary_key=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("credentials", sa.Text, nullable=False),
        sa.Column("expires", sa.Text, nullable=False),
    )
    op.create_table(
        "wallet_nonces",
        sa.Column("nonce", sa.LargeBinary, primary_key=True),
        sa.Column("expires", sa.Text, nullable=False),
    )
    op.create_table(
        "holder_keys",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("did", sa.Text, primary_key=True),
        sa.Column("added", sa.Text, nullable=False),
    )
