"""Awards in bulk, which two persons approve by one statement; the operator's log."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables, and have the engine refuse changes to the operator's log."""
    _make_journal()
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


def _make_journal() -> None:
    op.create_table(
        "journal",
        sa.Column("idx", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("act", sa.Text, nullable=False, index=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    head = op.create_table(
        "journal_head",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("size", _NUMBER, nullable=False),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sa.Column("time", sa.Text, nullable=False),
        sa.Column("peaks", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "journal_checkpoints",
        sa.Column("size", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    row = {"id": 1, "size": 0, "leaf": bytes(32), "time": "", "peaks": b""}
    op.bulk_insert(head, [row])
    for table in ("journal", "journal_checkpoints"):
        _protect(table)


def _protect(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END"
            )
        return
    # The function is there since the first step.
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION creditbank_append_only()"
    )
