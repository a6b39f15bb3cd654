"""The steps lead to exactly the tables the program uses, on both engines, and may be repeated."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, MetaData, create_engine, text
from sqlalchemy.engine import make_url

from bank.schema import NEWEST, migrate
from bank.tables import derived, private
from ledger import StoreFault
from ledger.store import metadata, open_store, writing


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


def test_the_newest_step_is_the_last_file(repo: Path) -> None:
    steps = sorted((repo / "bank" / "migrations" / "versions").glob("[0-9]*.py"))
    assert steps[-1].name.startswith(NEWEST)
