"""The steps lead to exactly the tables the program uses, on both engines, and may be repeated."""

import ast
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, MetaData, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError

from bank.schema import NEWEST, migrate
from bank.settings import database_url, read_settings
from bank.tables import derived, private
from ledger import Entry, StoreFault
from ledger.lots import identity_of
from ledger.store import metadata, open_store, reading, writing
from tests.bank_kit import small_bank


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    if request.param == "sqlite":
        return open_store(f"sqlite:///{tmp_path / 'bank.db'}")
    url = request.getfixturevalue("postgres")
    name = f"migrate_{abs(hash(str(tmp_path))) % 10**12}"
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return open_store(make_url(url).set(database=name).render_as_string(hide_password=False))


def test_the_steps_make_what_the_program_uses(engine: Engine) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    migrate(engine)
    migrate(engine)
    wanted = MetaData()
    for tables in (metadata, derived, private):
        for table in tables.tables.values():
            table.to_metadata(wanted)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, wanted) == []
        assert context.get_current_revision() == NEWEST


def test_several_servers_may_start_at_once(engine: Engine) -> None:
    faults: list[BaseException] = []

    def start() -> None:
        try:
            migrate(engine)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_a_newer_database_is_left_alone(engine: Engine) -> None:
    migrate(engine)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    with pytest.raises(StoreFault, match="opened by a newer program"):
        migrate(engine)


def test_entries_from_before_get_the_list_of_their_statement(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every kind of statement that has a credential names its status list in a place of its own."""
    with small_bank(tmp_path / "bank") as small:
        small.every_kind()
        kept = [Entry.parse(data) for data in small.bank.log.entries()]
    monkeypatch.setattr(command, "upgrade", partial(_up_to, command.upgrade, "0007"))
    migrate(engine)
    monkeypatch.undo()
    insert = text(
        "INSERT INTO entries (idx, leaf, statement, kind, data) VALUES (:i, :l, :s, :k, :d)"
    )
    with writing(engine) as connection:
        for entry in kept:
            made = entry.signed.statement
            values = {"i": entry.index, "l": entry.leaf, "s": made.hash, "k": made.kind}
            connection.execute(insert, {**values, "d": entry.data})
    migrate(engine)
    query = text("SELECT idx, leaf, list, statement, kind, data FROM entries ORDER BY idx")
    with reading(engine) as connection:
        found = [tuple(row) for row in connection.execute(query)]
    assert found == [
        (e.index, e.leaf, *identity_of(s), s.kind, e.data)
        for e in kept
        for s in [e.signed.statement]
    ]
    lists = {row[4]: row[2] for row in found}
    assert all(lists[kind] > 0 for kind in ("award", "confer", "convert", "supersede"))
    assert lists["log.open"] == 0
    for change in ("UPDATE entries SET list = 2", "DELETE FROM entries"):
        with pytest.raises(DatabaseError, match="append-only"), writing(engine) as connection:
            connection.execute(text(change))


def _up_to(upgrade: Callable[[Config, str], None], step: str, config: Config, _: str) -> None:
    upgrade(config, step)


def test_the_newest_step_is_the_last_file(repo: Path) -> None:
    steps = sorted((repo / "bank" / "migrations" / "versions").glob("[0-9]*.py"))
    assert steps[-1].name.startswith(NEWEST)


# The last step from before the rule of docs/decisions/0031: steps after it only add.
_BEFORE_THE_RULE = "0012"
_ADDS = {"create_table", "create_index", "add_column"}


def not_additive(source: str) -> list[str]:
    """What in a step's `upgrade` does more than add what an older program may ignore."""
    tree = ast.parse(source)
    upgrade = next(
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "upgrade"
    )
    found = []
    for call in (node for node in ast.walk(upgrade) if isinstance(node, ast.Call)):
        name = ast.unparse(call.func)
        if name.startswith("op.") and name.removeprefix("op.") not in _ADDS:
            found.append(name)
        if name == "op.create_index" and any(word.arg == "unique" for word in call.keywords):
            found.append("op.create_index(unique)")
        if name == "op.add_column":
            words = {
                word.arg: ast.unparse(word.value)
                for each in ast.walk(call)
                if isinstance(each, ast.Call)
                for word in each.keywords
            }
            if words.get("nullable") == "False" and "server_default" not in words:
                found.append("op.add_column(nullable=False) without server_default")
    return found


def test_steps_only_add(repo: Path) -> None:
    for step in sorted((repo / "bank" / "migrations" / "versions").glob("[0-9]*.py")):
        if step.name[:4] > _BEFORE_THE_RULE:
            assert not_additive(step.read_text(encoding="utf-8")) == [], step.name


@pytest.mark.parametrize(
    ("line", "faults"),
    [
        ('op.create_table("a", sa.Column("b", sa.Text, nullable=False))', 0),
        ('op.add_column("a", sa.Column("b", sa.Text))', 0),
        ('op.add_column("a", sa.Column("b", sa.Text, nullable=False, server_default=""))', 0),
        ('op.add_column("a", sa.Column("b", sa.Text, nullable=False))', 1),
        ('op.create_index("i", "a", ["b"], unique=True)', 1),
        ('op.drop_column("a", "b")', 1),
        ('op.alter_column("a", "b", nullable=False)', 1),
        ('op.rename_table("a", "b")', 1),
        ('op.execute("DELETE FROM a")', 1),
        ('op.get_bind().execute("x")', 2),
    ],
)
def test_control_of_what_adds(line: str, faults: int) -> None:
    assert len(not_additive(f"def upgrade():\n    {line}\n")) == faults


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_server_goes_on_while_a_newer_one_expands_the_database(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """The newer program adds a table, columns and an index under a server of this one."""
    if kind == "postgresql":
        url = make_url(request.getfixturevalue("postgres"))
        name = f"expand_{abs(hash(str(tmp_path))) % 10**12}"
        admin = create_engine(url, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        admin.dispose()
        shown = url.set(database=name).render_as_string(hide_password=False)
        monkeypatch.setenv("CREDITBANK_DATABASE_URL", shown)
    with small_bank(tmp_path / "bank") as small:
        small.award("li-1")
        newer = open_store(database_url(read_settings(tmp_path / "bank")))
        with writing(newer) as connection:
            for statement in (
                "CREATE TABLE of_tomorrow (id INTEGER PRIMARY KEY)",
                "ALTER TABLE credentials ADD COLUMN of_tomorrow TEXT",
                "ALTER TABLE lots ADD COLUMN of_tomorrow TEXT NOT NULL DEFAULT ''",
                "CREATE INDEX of_tomorrow_index ON lots (of_tomorrow)",
                "UPDATE alembic_version SET version_num = '0999'",
            ):
                connection.execute(text(statement))
        newer.dispose()
        lot, _ = small.award("li-2")
        assert small.bank.lots.get(lot.lot).state == lot.state
        assert small.bank.health.refusal() == ""
        assert small.bank.upkeep.rebuild()
        token = small.bank.vault.token(small.bank.accounts.names()[0])
        assert len(small.bank.accounts.credentials(token)) == 2
        assert small.bank.upkeep.audit().passed
