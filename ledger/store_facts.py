"""What an operator may know of the store: its kind, its size, its settings, who writes just now."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from ledger.store import reading

_SQLITE_SETTINGS = ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
_POSTGRES_SETTINGS = ("fsync", "full_page_writes", "synchronous_commit", "wal_level")
_LEVELS = {0: "OFF", 1: "NORMAL", 2: "FULL", 3: "EXTRA"}
_HOLDERS = text(
    "SELECT DISTINCT a.pid, coalesce(host(a.client_addr), 'local') AS host "
    "FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
    "WHERE l.locktype = 'relation' AND l.relation = 'head'::regclass AND l.granted "
    "AND l.mode IN ('RowShareLock', 'RowExclusiveLock') AND a.pid <> pg_backend_pid() "
    "AND NOT EXISTS (SELECT 1 FROM pg_locks w WHERE w.pid = a.pid AND NOT w.granted)"
)
"""Who has locked the head row: a lock on its table, and none that is waited for."""


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """The store as it is now. `address` has no password in it."""

    kind: str
    version: str
    address: str
    bytes: int
    settings: tuple[tuple[str, str], ...]
    holder: str
    """Who holds the writer's lock at this moment, or empty."""


def store_facts(engine: Engine) -> StoreFacts:
    """The facts; nothing is written, and nobody who appends waits for them."""
    address = engine.url.render_as_string(hide_password=True)
    if engine.dialect.name == "sqlite":
        path = Path(engine.url.database or "")
        with reading(engine) as connection:
            version = str(connection.exec_driver_sql("SELECT sqlite_version()").scalar_one())
            settings = tuple((name, _pragma(connection, name)) for name in _SQLITE_SETTINGS)
        size = sum(
            file.stat().st_size
            for file in (path, path.with_name(path.name + "-wal"))
            if file.exists()
        )
        return StoreFacts("SQLite", version, address, size, settings, _sqlite_holder(engine))
    with reading(engine) as connection:
        version = str(connection.exec_driver_sql("SHOW server_version").scalar_one())
        settings = tuple(
            (name, str(connection.exec_driver_sql(f"SHOW {name}").scalar_one()))
            for name in _POSTGRES_SETTINGS
        )
        size = int(
            connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one()
        )
        holders = [f"{row.host}, process {row.pid}" for row in connection.execute(_HOLDERS)]
    return StoreFacts("PostgreSQL", version, address, size, settings, "; ".join(holders))


def _pragma(connection: Connection, name: str) -> str:
    value = connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
    if name == "synchronous":
        return _LEVELS.get(int(value), str(value))
    return {0: "OFF", 1: "ON"}.get(value, str(value).upper())


def _sqlite_holder(engine: Engine) -> str:
    """SQLite does not name the writer: whether there is one is seen by not waiting for it."""
    with closing(engine.raw_connection()) as connection:
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout = 0")
        try:
            cursor.execute("BEGIN IMMEDIATE")
            cursor.execute("ROLLBACK")
            return ""
        except Exception as error:
            if "locked" not in str(error):
                raise
            return "a process on this machine"
        finally:
            cursor.execute("PRAGMA busy_timeout = 30000")
            cursor.close()
