"""The log's tables, those derived from it, and the bank's private ones."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_APPEND_ONLY = ("entries", "tiles", "checkpoints", "published")


def upgrade() -> None:
    """Make all tables, and have the engine refuse changes to the log's rows."""
    _make_log()
    _make_derived()
    _make_private()
    for table in _APPEND_ONLY:
        _protect(table)
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    head = sa.table(
        "head",
        sa.column("id", sa.Integer),
        sa.column("size", sa.Integer),
        sa.column("root", sa.LargeBinary),
        sa.column("leaf", sa.LargeBinary),
        sa.column("time", sa.Text),
    )
    row = {"id": 1, "size": 0, "root": bytes.fromhex(empty), "leaf": bytes(32), "time": ""}
    op.bulk_insert(head, [row])


def _make_log() -> None:
    op.create_table(
        "entries",
        sa.Column("idx", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sa.Column("statement", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    other = sa.text("kind != 'award'")
    op.create_index(
        "entries_other_kinds", "entries", ["idx"], sqlite_where=other, postgresql_where=other
    )
    op.create_table(
        "tiles",
        sa.Column("level", sa.Integer, primary_key=True),
        sa.Column("idx", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "head",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("size", _NUMBER, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sa.Column("time", sa.Text, nullable=False),
    )
    op.create_table(
        "checkpoints",
        sa.Column("size", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_table(
        "published",
        sa.Column("size", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("note", sa.Text, nullable=False),
    )


def _make_derived() -> None:
    texts = ("institution", "unit", "credits", "scheme", "level", "expires", "commitment")
    op.create_table(
        "lots",
        sa.Column("lot", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in texts),
        sa.Column("list", sa.Integer, nullable=False),
        sa.Column("slot", sa.Integer, nullable=False),
        sa.Column("award_index", _NUMBER, nullable=False, unique=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.UniqueConstraint("list", "slot"),
    )
    op.create_index("ix_lots_state", "lots", ["state"])


def _make_private() -> None:
    op.create_table(
        "slots",
        sa.Column("lot", sa.Text, primary_key=True),
        sa.Column("institution", sa.Text, nullable=False),
        sa.Column("list", sa.Integer, nullable=False),
        sa.Column("slot", sa.Integer, nullable=False),
        sa.UniqueConstraint("list", "slot"),
    )
    op.create_table(
        "accounts",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("key", sa.LargeBinary),
        sa.Column("token", sa.LargeBinary, nullable=False, unique=True),
    )
    op.create_table(
        "credentials",
        sa.Column("identifier", sa.Text, primary_key=True),
        sa.Column("lot", sa.Text, nullable=False, unique=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_credentials_account", "credentials", ["account"])
    op.create_table(
        "trust_bundles",
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )


def _protect(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END"
            )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION creditbank_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the log is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION creditbank_append_only()"
    )
