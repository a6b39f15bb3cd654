"""The log's tables on SQLite and PostgreSQL, and what both must promise before use.

A commit here means: on the disk. That is checked when the store is opened, not assumed.
Rows of the log cannot be updated or deleted: triggers refuse it on both engines.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    func,
    select,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ledger.errors import StoreFault
from ledger.tree import EMPTY_ROOT

_IDLE = 0
"""What libpq says of a connection on which no transaction is open (PQTRANS_IDLE)."""
NUMBER = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit whole number on both engines."""
_BEGIN_WRITING = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "BEGIN"}
"""SQLite's lock on writing is taken at once, not at the first change."""
_BEGIN_READING = {
    "sqlite": "BEGIN",
    "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
}

metadata = MetaData()

entries = Table(
    "entries",
    metadata,
    Column("idx", NUMBER, primary_key=True, autoincrement=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("list", Integer, nullable=False),
    Column("statement", LargeBinary, nullable=False),
    Column("kind", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
    UniqueConstraint("list", "statement"),
)
"""`list` and `statement` are the identity of the entry's statement (see `ledger.lots`)."""
Index(
    "entries_other_kinds",
    entries.c.idx,
    sqlite_where=entries.c.kind != "award",
    postgresql_where=entries.c.kind != "award",
)

tiles = Table(
    "tiles",
    metadata,
    Column("level", Integer, primary_key=True),
    Column("idx", NUMBER, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("hashes", LargeBinary, nullable=False),
)

head = Table(
    "head",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("size", NUMBER, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("time", Text, nullable=False),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("size", NUMBER, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
)

published = Table(
    "published",
    metadata,
    Column("size", NUMBER, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
)
"""Checkpoints with the cosignatures of a quorum of witnesses: what is shown to the world."""

journal = Table(
    "journal",
    metadata,
    Column("idx", NUMBER, primary_key=True, autoincrement=False),
    Column("act", Text, nullable=False, index=True),
    Column("data", LargeBinary, nullable=False),
)

journal_head = Table(
    "journal_head",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("size", NUMBER, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("time", Text, nullable=False),
    Column("peaks", LargeBinary, nullable=False),
)
"""Where the journal ends: its size, last leaf hash and time, and its complete subtrees."""

journal_checkpoints = Table(
    "journal_checkpoints",
    metadata,
    Column("size", NUMBER, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
)

_APPEND_ONLY = ("entries", "tiles", "checkpoints", "published")
_JOURNAL = ("journal", "journal_checkpoints")


def open_store(url: str) -> Engine:
    """An engine on the database `url`, with its promises of durability checked.

    StoreFault if the database cannot be reached or does not promise that a commit is on disk.
    """
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
        if backend not in ("sqlite", "postgresql"):
            raise StoreFault(f"database {backend!r} is not supported; use sqlite or postgresql")
        if backend == "postgresql" and parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        # PostgreSQL need not be told once more of what has ended; see _end_postgres.
        reset = None if backend == "postgresql" else "rollback"
        engine = create_engine(
            parsed,
            pool_size=20,
            max_overflow=20,
            pool_timeout=60,
            # The one used last knows the pages that were written last.
            pool_use_lifo=True,
            pool_reset_on_return=reset,
        )
    except (ArgumentError, ImportError, TypeError) as error:
        raise StoreFault(f"the database address is not usable: {error}") from error
    if backend == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    else:
        event.listen(engine, "connect", _prepare_postgres)
        event.listen(engine, "reset", _end_postgres)
    try:
        with engine.connect() as connection:
            _check_durable(connection, backend)
    except SQLAlchemyError as error:
        advice = _advice(error.orig) if isinstance(error, DBAPIError) else ""
        raise StoreFault(advice or f"the database cannot be opened: {_reason(error)}") from error
    return engine


def create_tables(engine: Engine, *more: MetaData) -> None:
    """Make the log's tables and those of `more`, where they do not exist yet."""
    with writing(engine) as connection:
        for tables in (metadata, *more):
            tables.create_all(connection)
        for table in (*_APPEND_ONLY, *_JOURNAL):
            _protect(connection, table)
        begin_journal(connection)
        if connection.execute(select(func.count()).select_from(head)).scalar_one() == 0:
            connection.execute(
                head.insert().values(id=1, size=0, root=EMPTY_ROOT, leaf=bytes(32), time="")
            )


def begin_journal(connection: Connection) -> None:
    """Write the head of an empty journal, where there is none."""
    if connection.execute(select(func.count()).select_from(journal_head)).scalar_one() == 0:
        connection.execute(
            journal_head.insert().values(id=1, size=0, leaf=bytes(32), time="", peaks=b"")
        )


@contextmanager
def unprotected(connection: Connection) -> Iterator[None]:
    """Let this transaction alone change rows of the log; only recovery does."""
    for table in _APPEND_ONLY:
        _unprotect(connection, table)
    yield
    for table in _APPEND_ONLY:
        _protect(connection, table)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection with one consistent view, for reads; StoreFault where the database fails."""
    with _transaction(engine, _BEGIN_READING) as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: committed at the end, or rolled back as a whole.

    StoreFault where the database fails; if its commit failed, only a read can tell what it did.
    """
    with _transaction(engine, _BEGIN_WRITING) as connection:
        yield connection


def glance(engine: Engine, query: str, values: Sequence[object] = ()) -> list[Any]:
    """The rows that one query finds, which is a consistent view by itself, as `fetch` has them.

    A third of what `reading` costs on PostgreSQL, which is asked once and not three times.
    """
    with _faults_told():
        connection, cursor = _first(engine, query, values)
        with closing(connection), driver_faults_told(connection):
            return list(cursor.fetchall())


@contextmanager
def _transaction(engine: Engine, begin: Mapping[str, str]) -> Iterator[Connection]:
    with _faults_told():
        connection, _ = _first(engine, begin[engine.dialect.name])
        with closing(connection), connection.begin():
            yield connection


def _first(engine: Engine, query: str, values: Sequence[object] = ()) -> tuple[Connection, Any]:
    """A connection, and what came of its first statement.

    Where the database has closed the one that was kept, as after its restart, a new one is taken:
    so nobody has to ask before each use whether it is still good.
    """
    connection = engine.connect()
    try:
        return connection, _run(connection, query, values)
    except engine.dialect.loaded_dbapi.Error as error:
        gone = engine.dialect.is_disconnect(error, connection.connection.driver_connection, None)
        if gone:
            connection.invalidate()
        connection.close()
        if not gone:
            raise store_fault(error) from error
    # The others that are kept are of the same age.
    engine.dispose()
    connection = engine.connect()
    try:
        return connection, _run(connection, query, values)
    except engine.dialect.loaded_dbapi.Error as error:
        connection.close()
        raise store_fault(error) from error


def execute(connection: Connection, query: str, values: Sequence[object] = ()) -> int:
    """Run one statement, its parameters marked `?`, on the driver itself; how many rows it changed.

    For the few statements of every commit: through SQLAlchemy each would cost ten times as much.
    IntegrityError as SQLAlchemy has it, StoreFault for whatever else the driver raises.
    """
    with driver_faults_told(connection):
        return int(_run(connection, query, values).rowcount)


def fetch(connection: Connection, query: str, values: Sequence[object] = ()) -> list[Any]:
    """The rows that a statement finds, run as `execute` does."""
    with driver_faults_told(connection):
        return list(_run(connection, query, values).fetchall())


def _run(connection: Connection, query: str, values: Sequence[object]) -> Any:
    if connection.dialect.name == "postgresql":
        query = query.replace("?", "%s")
    cursor = driver_of(connection).cursor()
    cursor.execute(query, values)
    return cursor


def driver_of(connection: Connection) -> Any:
    """The driver's own connection; StoreFault where it is gone."""
    driver = connection.connection.driver_connection
    if driver is None:
        raise StoreFault("the database connection is gone; try again")
    return driver


@contextmanager
def driver_faults_told(connection: Connection) -> Iterator[None]:
    """What the driver raised, as `execute` has it."""
    driver = connection.dialect.loaded_dbapi
    try:
        yield
    except driver.IntegrityError as error:
        raise IntegrityError(None, None, error) from error
    except driver.Error as error:
        raise store_fault(error) from error


def scrub(engine: Engine) -> bool:
    """Have SQLite's write-ahead log emptied, which holds what was deleted; whether it could be.

    It cannot while another reads; then the log is overwritten by what is written next. Nothing
    on PostgreSQL, where VACUUM and the archive of its log are the operator's.
    """
    if engine.dialect.name != "sqlite":
        return True
    with _faults_told(), closing(engine.raw_connection()) as connection:
        cursor = connection.cursor()
        # While it waits for readers nobody can write.
        cursor.execute("PRAGMA busy_timeout = 1000")
        busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        cursor.execute("PRAGMA busy_timeout = 30000")
        cursor.close()
    return not busy


@contextmanager
def _faults_told() -> Iterator[None]:
    """One clear sentence in place of what the database's driver raised."""
    try:
        yield
    except (IntegrityError, ProgrammingError):
        raise
    except DBAPIError as error:
        raise store_fault(error.orig or error) from error
    except PoolTimeout as error:
        raise StoreFault("every connection to the database is busy; try again") from error


def store_fault(error: BaseException) -> StoreFault:
    """What the database's driver raised, in one clear sentence."""
    reason = str(error).strip().split("\n")[0]
    said = f"the database failed ({reason}); try again, nothing is stored twice"
    return StoreFault(_advice(error) or said)


def _advice(error: BaseException | None) -> str:
    """What to do about a fault that needs more than another try, or nothing."""
    code, state = getattr(error, "sqlite_errorcode", 0), getattr(error, "sqlstate", "")
    if code == sqlite3.SQLITE_FULL or state == "53100":
        return "the disk is full, so the database stored nothing of this; make room and try again"
    # Its lowest byte says what it is about (SQLITE_READONLY_DIRECTORY and others are of one kind).
    if code & 0xFF == sqlite3.SQLITE_READONLY:
        return (
            "the database may not be written here, and SQLite writes beside it even to read; run "
            "this as the user whose database it is, or on a copy"
        )
    return ""


def _prepare_sqlite(connection: Any, record: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout = 30000")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    # Else a REPLACE deletes the row it replaces without asking the triggers.
    cursor.execute("PRAGMA recursive_triggers = ON")
    cursor.execute("PRAGMA cache_size = -65536")
    # Pages, 16 MiB: a page that changed in many commits is copied into the file but once, and yet
    # no commit waits long for that. What is durable when does not depend on it: that is the log's
    # sync at each commit.
    cursor.execute("PRAGMA wal_autocheckpoint = 4096")
    # Else a deleted row, or its copy from when a page was split, stays in the file. It must be on
    # while rows are inserted too: splitting a page is what leaves copies.
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.close()


def _end_postgres(connection: Any, record: object, state: object) -> None:
    """End what a caller that failed on its way to the end has left open."""
    if connection.info.transaction_status != _IDLE:
        connection.rollback()


def _prepare_postgres(connection: Any, record: object) -> None:
    # Each transaction says for itself when and how it begins.
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")
        # A server that hangs while it holds the head row is cut off, and another takes over.
        cursor.execute("SET idle_in_transaction_session_timeout = '10s'")
        cursor.execute("SET lock_timeout = '60s'")
    connection.commit()


def _check_durable(connection: Connection, backend: str) -> None:
    if backend == "sqlite":
        mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
        level = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
        if mode != "wal" or level != 2:
            raise StoreFault(
                f"SQLite does not keep its promise here: journal mode {mode!r}, synchronous "
                f"{level}; the ledger needs a file on a local disk, with WAL and FULL"
            )
        return
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        value = connection.exec_driver_sql(f"SHOW {setting}").scalar_one()
        if value != "on":
            raise StoreFault(f"PostgreSQL runs with {setting} = {value}; the ledger needs it on")


def _protect(connection: Connection, table: str) -> None:
    if connection.dialect.name == "sqlite":
        for action in ("UPDATE", "DELETE"):
            connection.exec_driver_sql(
                f"CREATE TRIGGER IF NOT EXISTS {table}_no_{action.lower()} BEFORE {action} ON "
                f"{table} BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END"
            )
        return
    connection.exec_driver_sql(
        "CREATE OR REPLACE FUNCTION creditbank_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the log is append-only'; END $$"
    )
    connection.exec_driver_sql(
        f"CREATE OR REPLACE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "
        f"{table} FOR EACH STATEMENT EXECUTE FUNCTION creditbank_append_only()"
    )


def _unprotect(connection: Connection, table: str) -> None:
    if connection.dialect.name == "sqlite":
        for action in ("update", "delete"):
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {table}_no_{action}")
        return
    connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}")


def _reason(error: SQLAlchemyError) -> str:
    if isinstance(error, DBAPIError) and error.orig is not None:
        return str(error.orig).strip().split("\n")[0]
    return str(error).split("\n")[0]
