"""What happens to a lot, its facts, who holds it, what consumed it; folded anew from the log."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Put a wider table of lots in place of the old one."""
    op.drop_table("lots")
    texts = ("kind", "institution", "unit", "credits", "scheme", "level", "awarded", "expires")
    op.create_table(
        "lots",
        sa.Column("lot", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in texts),
        sa.Column("depth", sa.Integer, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("commitment", sa.Text, nullable=False),
        sa.Column("list", sa.Integer),
        sa.Column("slot", sa.Integer),
        sa.Column("award_index", _NUMBER, nullable=False),
        sa.Column("changed", _NUMBER, nullable=False),
        sa.Column("keeper", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False, index=True),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("holder", "since", "until", "claim")
        ),
        sa.Column("consumed", _NUMBER, nullable=False),
        sa.Column("review", sa.Integer, nullable=False),
        sa.UniqueConstraint("award_index"),
        sa.UniqueConstraint("list", "slot"),
    )
