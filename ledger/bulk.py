"""Many rows at once, by each engine's fastest way within the transaction.

Through SQLAlchemy's typed parameters this would cost several times what the engine takes.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, LargeBinary, Table
from sqlalchemy.types import TypeEngine

from ledger.store import driver_faults_told, driver_of, execute, fetch

Row = tuple[int | str | bytes | None, ...]
Rows = Sequence[Row]
_CHUNK = 500
"""Rows asked for in one query; SQLite takes some thousand parameters at least."""
_FEW = 50
"""Rows up to which one statement costs PostgreSQL less than COPY, which is three exchanges."""


def insert_rows(
    connection: Connection, table: Table, rows: Sequence[Row], *, unless_there: bool = False
) -> None:
    """Insert `rows`, each in the order of the table's columns, into `table`.

    With `unless_there` a row whose key is taken is left out.
    """
    columns = [column.name for column in table.columns]
    rest = " ON CONFLICT DO NOTHING" if unless_there else ""
    insert = f"INSERT INTO {table.name} ({', '.join(columns)})"
    if connection.dialect.name == "postgresql":
        types = [_copy_type(column.type) for column in table.columns]
        if unless_there or len(rows) <= _FEW:
            arrays = ", ".join(f"%b::{kind}[]" for kind in types)
            values = [list(column) for column in zip(*rows, strict=True)]
            # %b, in binary: as text the driver puts lists together element by element.
            execute(connection, f"{insert} SELECT * FROM unnest({arrays}){rest}", values)
        else:
            _copy(connection, table.name, columns, types, rows)
        return
    marks = ", ".join("?" * len(columns))
    with driver_faults_told(connection):
        driver_of(connection).cursor().executemany(f"{insert} VALUES ({marks}){rest}", rows)


def select_rows(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    key: Sequence[str],
    wanted: Rows,
    *,
    hold: bool = False,
) -> Iterator[Any]:
    """The `columns`, by name, of the rows of `table` whose `key` is one of `wanted`.

    With `hold` nobody else deletes them before this transaction, which writes, ends.
    """
    if not wanted:
        return
    made = _named(tuple(columns))
    names = [f"w{number}" for number in range(len(key))]
    found = ", ".join(f"{table.name}.{name}" for name in columns)
    on = " AND ".join(f"{table.name}.{name} = {w}" for name, w in zip(key, names, strict=True))
    if connection.dialect.name == "postgresql":
        arrays = ", ".join(f"%b::{_copy_type(table.c[name].type)}[]" for name in key)
        source = f"unnest({arrays}) AS wanted ({', '.join(names)}) JOIN {table.name} ON {on}"
        values = [list(column) for column in zip(*wanted, strict=True)]
        lock = f" FOR KEY SHARE OF {table.name}" if hold else ""
        yield from map(made, fetch(connection, f"SELECT {found} FROM {source}{lock}", values))
        return
    marks = f"({', '.join('?' * len(key))})"
    for first in range(0, len(wanted), _CHUNK):
        chunk = wanted[first : first + _CHUNK]
        # A cross join is taken in the order written: each row wanted is looked up by the index.
        # With IN and several columns SQLite would go over the whole table.
        query = (
            f"WITH wanted ({', '.join(names)}) AS (VALUES {', '.join([marks] * len(chunk))}) "
            f"SELECT {found} FROM wanted CROSS JOIN {table.name} ON {on}"
        )
        yield from map(made, fetch(connection, query, list(chain.from_iterable(chunk))))


@cache
def _named(columns: tuple[str, ...]) -> Callable[[Iterable[object]], Any]:
    made: Any = namedtuple("Found", columns)  # type: ignore[misc]
    make: Callable[[Iterable[object]], Any] = made._make
    return make


def _copy_type(kind: TypeEngine[object]) -> str:
    if isinstance(kind, BigInteger):
        return "int8"
    if isinstance(kind, Integer):
        return "int4"
    return "bytea" if isinstance(kind, LargeBinary) else "text"


def _copy(
    connection: Connection, table: str, columns: list[str], types: list[str], rows: Sequence[Row]
) -> None:
    with (
        driver_faults_told(connection),
        driver_of(connection).cursor() as cursor,
        cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)
