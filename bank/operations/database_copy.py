"""The whole database as one file, taken while the bank goes on, and put back into an empty one.

SQLite's is a database of its own, made by the online backup. PostgreSQL's is a ZIP with the rows
of each table as COPY writes them (binary), all of one moment: a REPEATABLE READ transaction.
"""

import os
import sqlite3
import zipfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, Table, delete, inspect, select

from bank.errors import BadBackup
from bank.schema import bring_to, version
from bank.tables import derived, private
from ledger.log import read_head
from ledger.store import metadata, open_store, reading, unprotected, writing

_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy holds: the engine it is of, its step, and where the log ended."""

    engine: str
    step: str
    entries: int
    root: bytes


def copy_out(engine: Engine, path: Path) -> Copied:
    """Write the database to `path`, which must not exist yet."""
    step = version(engine)
    if step is None:
        raise BadBackup("the database is empty: there is nothing to back up")
    if engine.dialect.name == "sqlite":
        return _sqlite_out(engine, path, step)
    with reading(engine) as connection, zipfile.ZipFile(path, "x", zipfile.ZIP_DEFLATED) as archive:
        head = read_head(connection)
        for table in _tables():
            with archive.open(table.name, "w", force_zip64=True) as file:
                _copy(connection, f"COPY {_columns(table)} TO STDOUT (FORMAT binary)", file)
    return Copied("postgresql", step, head.size, head.root)


def copy_in(url: str, path: Path, step: str) -> None:
    """Put a copy of PostgreSQL's into the empty database at `url`; all of it or nothing."""
    engine = open_store(url)
    try:
        with writing(engine) as connection:
            if inspect(connection).get_table_names():
                raise BadBackup("the database is not empty; restore into one that is")
            bring_to(connection, step)
            with zipfile.ZipFile(path) as archive, unprotected(connection):
                for table in _tables():
                    # What a new database begins with; the operator's log has nothing, and lets
                    # nothing be deleted.
                    if connection.execute(select(table).limit(1)).first() is not None:
                        connection.execute(delete(table))
                    with archive.open(table.name) as file:
                        _fill(connection, table, file)
    finally:
        engine.dispose()


def _sqlite_out(engine: Engine, path: Path, step: str) -> Copied:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with (
        closing(engine.raw_connection()) as source,
        closing(sqlite3.connect(path)) as copy,
    ):
        driver = source.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it
        size, root = copy.execute("SELECT size, root FROM head").fetchone()
        if copy.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise BadBackup("the copy of the database is damaged, as may be the database itself")
    return Copied("sqlite", step, int(size), bytes(root))


def _tables() -> list[Table]:
    """Every table, with what others refer to first."""
    together = MetaData()
    for one in (metadata, derived, private):
        for table in one.tables.values():
            table.to_metadata(together)
    return together.sorted_tables


def _columns(table: Table) -> str:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    return f'"{table.name}" ({names})'


def _copy(connection: Connection, command: str, file: Any) -> None:
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(command) as rows:
        for piece in rows:
            file.write(piece)


def _fill(connection: Connection, table: Table, file: Any) -> None:
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        with cursor.copy(f"COPY {_columns(table)} FROM STDIN (FORMAT binary)") as rows:
            while piece := file.read(_PIECE):
                rows.write(piece)
        for column in table.primary_key.columns:
            # Numbers that the database gives out go on behind those that it has.
            cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", (table.name, column.name))
            (sequence,) = cursor.fetchone()
            if sequence is not None:
                cursor.execute(
                    f'SELECT setval(%s, (SELECT max("{column.name}") FROM "{table.name}"))',
                    (sequence,),
                )
