"""Who may sign in to the pages and how; results uploaded there, and how their columns are read."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "people",
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("login", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False, index=True),
        sa.Column("password", sa.Text, nullable=False),
        sa.Column("totp", sa.LargeBinary),
        sa.Column("totp_step", _NUMBER, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("locked_until", sa.Text, nullable=False),
        sa.Column("made", sa.Text, nullable=False),
        sa.Column("ended", sa.Text, nullable=False),
    )
    op.create_table(
        "passkeys",
        sa.Column("credential", sa.LargeBinary, primary_key=True),
        sa.Column("person", sa.Text, nullable=False, index=True),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("count", _NUMBER, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("added", sa.Text, nullable=False),
    )
    op.create_table(
        "identities",
        sa.Column("issuer", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, nullable=False, index=True),
    )
    op.create_table(
        "sessions",
        sa.Column("session", sa.LargeBinary, primary_key=True),
        sa.Column("person", sa.Text, nullable=False, index=True),
        sa.Column("made", sa.Text, nullable=False),
        sa.Column("seen", sa.Text, nullable=False),
    )
    op.create_table(
        "invitations",
        sa.Column("code", sa.LargeBinary, primary_key=True),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False, index=True),
        sa.Column("expires", sa.Text, nullable=False),
    )
    op.create_table(
        "challenges",
        sa.Column("challenge", sa.LargeBinary, primary_key=True),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("expires", sa.Text, nullable=False),
    )
    op.create_table(
        "uploads",
        sa.Column("upload", sa.Text, primary_key=True),
        sa.Column("institution", sa.Text, nullable=False, index=True),
        sa.Column("made", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("key", sa.LargeBinary),
        sa.Column("sealed", sa.LargeBinary),
    )
    op.create_table(
        "column_mappings",
        sa.Column("institution", sa.Text, primary_key=True),
        sa.Column("header", sa.LargeBinary, primary_key=True),
        sa.Column("mapping", sa.Text, nullable=False),
    )
    op.create_table(
        "approvals",
        sa.Column("approval", sa.Text, primary_key=True),
        sa.Column("institution", sa.Text, nullable=False, index=True),
        sa.Column("made", sa.Text, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("signed", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_lots_institution", "lots", ["institution", "award_index"])
    op.create_index("ix_lots_commitment", "lots", ["commitment"])
