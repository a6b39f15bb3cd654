"""Bringing a database to the shape this program expects, in one transaction."""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from ledger import StoreFault
from ledger.store import reading, writing

NEWEST = "0012"
"""The last of the steps in `bank/migrations/versions`."""
_REFOLDED = "0004"
"""The last step that made derived tables anew."""
_LOCK = 7_161_514_000_000_001


def migrate(engine: Engine) -> bool:
    """Apply the steps the database lacks; whether derived tables are to be folded anew.

    StoreFault if the database was made by a newer program.
    """
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            # Several servers may start at once; the others find the work done.
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        version = _version(connection)
        if version == NEWEST:
            return False
        if version is not None and version > NEWEST:
            raise StoreFault(
                f"the database has the shape {version}, this program knows shapes up to {NEWEST}: "
                "it was opened by a newer program; use that one"
            )
        _upgrade(connection)
        return version is not None and version < _REFOLDED


def version(engine: Engine) -> str | None:
    """The last step applied to a database, or None where there is none; nothing is changed."""
    with reading(engine) as connection:
        return _version(connection)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    query = text("SELECT version_num FROM alembic_version")
    return connection.execute(query).scalar_one_or_none()


def bring_to(connection: Connection, step: str) -> None:
    """Give an empty database the shape of `step`, in the caller's transaction."""
    _upgrade(connection, step)


def _upgrade(connection: Connection, step: str = "head") -> None:
    # Imported only when there is something to do: it takes as long as opening a bank.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, step)
