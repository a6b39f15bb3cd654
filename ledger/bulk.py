"""Many rows at once, by each engine's fastest way within the transaction.

Through SQLAlchemy's typed parameters this would cost several times what the engine takes.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, LargeBinary, Table
from sqlalchemy import Row as Found
from sqlalchemy.types import TypeEngine

from ledger.errors import StoreFault
from ledger.store import store_fault

Row = tuple[int | str | bytes | None, ...]
Rows = Sequence[Row]
_CHUNK = 500
"""Rows asked for in one query; SQLite takes some thousand parameters at least."""


def insert_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert `rows`, each in the order of the table's columns, into `table`."""
    columns = [column.name for column in table.columns]
    if connection.dialect.name == "postgresql":
        types = [_copy_type(column.type) for column in table.columns]
        _copy(connection, table.name, columns, types, rows)
        return
    marks = ", ".join("?" * len(columns))
    connection.exec_driver_sql(
        f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})", list(rows)
    )


def select_rows(
    connection: Connection, table: Table, columns: Sequence[str], key: Sequence[str], wanted: Rows
) -> Iterator[Found[Any]]:
    """The `columns` of those rows of `table` whose `key` columns are one of `wanted`."""
    if not wanted:
        return
    asked = ", ".join(f"w{number}" for number in range(len(key)))
    found = ", ".join(f"{table.name}.{name}" for name in columns)
    on = " AND ".join(f"{table.name}.{name} = w{number}" for number, name in enumerate(key))
    if connection.dialect.name == "postgresql":
        arrays = ", ".join(f"%s::{_copy_type(table.c[name].type)}[]" for name in key)
        query = (
            f"SELECT {found} FROM unnest({arrays}) AS wanted ({asked}) JOIN {table.name} ON {on}"
        )
        values = tuple(list(column) for column in zip(*wanted, strict=True))
        yield from connection.exec_driver_sql(query, values)
        return
    marks = f"({', '.join('?' * len(key))})"
    for first in range(0, len(wanted), _CHUNK):
        chunk = wanted[first : first + _CHUNK]
        # A cross join is taken in the order written: each row wanted is looked up by the index.
        # With IN and several columns SQLite would read the whole table.
        query = (
            f"WITH wanted ({asked}) AS (VALUES {', '.join([marks] * len(chunk))}) "
            f"SELECT {found} FROM wanted CROSS JOIN {table.name} ON {on}"
        )
        yield from connection.exec_driver_sql(query, tuple(chain.from_iterable(chunk)))


def _copy_type(kind: TypeEngine[object]) -> str:
    if isinstance(kind, BigInteger):
        return "int8"
    if isinstance(kind, Integer):
        return "int4"
    return "bytea" if isinstance(kind, LargeBinary) else "text"


def _copy(
    connection: Connection, table: str, columns: list[str], types: list[str], rows: Sequence[Row]
) -> None:
    from psycopg import Error

    driver = connection.connection.driver_connection
    if driver is None:
        raise StoreFault("the database connection is gone; try again")
    try:
        with (
            driver.cursor() as cursor,
            cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)") as copy,
        ):
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)
    except Error as error:
        raise store_fault(error) from error
