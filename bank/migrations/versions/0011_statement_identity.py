"""Statements are told apart by their status list and hash: an index that grows at few places."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0008"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_PLACES = {"award": "", "confer": "", "supersede": "successor,", "convert": "derived,"}
"""Where in the body of its statement an entry names the status list, by kind."""


def upgrade() -> None:
    """Put the list beside the hash of each entry's statement, and make the two unique."""
    if op.get_bind().dialect.name == "sqlite":
        _make_anew()
    else:
        _widen()


def _make_anew() -> None:
    """SQLite cannot drop a column's UNIQUE: the table is written again."""
    op.create_table(
        "entries_wide",
        sa.Column("idx", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sa.Column("list", sa.Integer, nullable=False),
        sa.Column("statement", sa.LargeBinary, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("list", "statement"),
    )
    cases = " ".join(
        f"WHEN '{kind}' THEN json_extract(CAST(data AS TEXT), '$.statement.body."
        f"{place.replace(',', '.')}status.list')"
        for kind, place in _PLACES.items()
    )
    op.execute(
        "INSERT INTO entries_wide SELECT idx, leaf, "
        f"CASE kind {cases} ELSE 0 END, statement, kind, data FROM entries ORDER BY idx"
    )
    op.drop_table("entries")
    op.rename_table("entries_wide", "entries")
    other = sa.text("kind != 'award'")
    op.create_index("entries_other_kinds", "entries", ["idx"], sqlite_where=other)
    for action in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER entries_no_{action.lower()} BEFORE {action} ON entries "
            "BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END"
        )


def _widen() -> None:
    cases = " ".join(
        f"WHEN '{kind}' THEN (convert_from(data, 'UTF8')::json #>> "
        f"'{{statement,body,{place}status,list}}')::int"
        for kind, place in _PLACES.items()
    )
    op.execute("DROP TRIGGER entries_append_only ON entries")
    op.add_column("entries", sa.Column("list", sa.Integer, nullable=False, server_default="0"))
    op.execute(f"UPDATE entries SET list = CASE kind {cases} END WHERE kind IN {tuple(_PLACES)}")
    op.alter_column("entries", "list", server_default=None)
    op.drop_constraint("entries_statement_key", "entries")
    op.create_unique_constraint("entries_list_statement_key", "entries", ["list", "statement"])
    op.execute(
        "CREATE TRIGGER entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entries "
        "FOR EACH STATEMENT EXECUTE FUNCTION creditbank_append_only()"
    )
