"""Many rows at once: found by an index whatever the table's size, on both engines alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

import ledger.bulk
from ledger import StoreFault
from ledger.bulk import insert_rows, select_rows
from ledger.store import create_tables, entries, fetch, open_store, tiles, writing

COLUMNS = ("list", "statement", "idx")
KEY = ("list", "statement")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_store(f"sqlite:///{tmp_path / 'log.db'}")
    create_tables(engine)
    yield engine
    engine.dispose()


def rows(start: int, count: int) -> list[tuple[int, bytes, int, bytes, str, bytes]]:
    numbers = range(start, start + count)
    return [(n, bytes(32), n % 3, n.to_bytes(32, "big"), "award", b"{}") for n in numbers]


def test_the_rows_wanted_are_found(engine: Engine) -> None:
    with writing(engine) as connection:
        insert_rows(connection, entries, rows(0, 1200))
        wanted = [(n % 3, n.to_bytes(32, "big")) for n in range(100, 1300)]
        found = {row.idx: row for row in select_rows(connection, entries, COLUMNS, KEY, wanted)}
        assert sorted(found) == list(range(100, 1200))
        assert all(row.statement == index.to_bytes(32, "big") for index, row in found.items())
        elsewhere = [(1 + n % 3, name) for n, (_, name) in enumerate(wanted, 100)]
        assert list(select_rows(connection, entries, COLUMNS, KEY, elsewhere)) == []
        assert list(select_rows(connection, entries, COLUMNS, KEY, [])) == []


def test_sqlite_looks_them_up_by_the_index(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, Sequence[object]]] = []

    def note(connection: Connection, query: str, values: Sequence[object]) -> list[Any]:
        asked.append((query, values))
        return []

    monkeypatch.setattr(ledger.bulk, "fetch", note)
    with writing(engine) as connection:
        list(select_rows(connection, entries, COLUMNS, KEY, [(1, b"a"), (1, b"b")]))
        ((query, values),) = asked
        assert reads_all(connection, query, values) is False
        # The control: the same question as one would first ask it.
        asked_first = "SELECT idx FROM entries WHERE (list, statement) IN (VALUES (?, ?), (?, ?))"
        assert reads_all(connection, asked_first, values) is True


def reads_all(connection: Connection, query: str, values: Sequence[object]) -> bool:
    plan = [row[3] for row in fetch(connection, f"EXPLAIN QUERY PLAN {query}", values)]
    return any(step.startswith("SCAN entries") for step in plan)


def test_what_the_driver_raises_is_told_in_one_sentence(engine: Engine) -> None:
    with pytest.raises(StoreFault, match="the database failed"), writing(engine) as connection:
        insert_rows(connection, tiles, [(0, 0, b"root")])
