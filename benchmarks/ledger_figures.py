"""The ledger: durable appends against the raw loop, proofs against pymerkle, audit, the API."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

import httpx
from nacl import bindings
from sqlalchemy.engine import make_url

from benchmarks.measure import Figure, compare, count, rate
from benchmarks.samples import LOG_KEY, NOW, ORIGIN, REPO, award_statements, folder, opening
from keys import encode, parse
from ledger import Entry, SignedStatement, audit, leaf_hash
from ledger.checkpointer import Checkpointer
from ledger.log import Log
from ledger.sequencer import Placed, Sequencer
from ledger.store import create_tables, open_store


class NoTables:
    """A projection that derives nothing: the log alone is measured."""

    def begin(self, connection: object, batch: object) -> NoTables:
        return self

    def take(self, entry: Entry) -> None:
        pass

    def flush(self) -> None:
        pass


@contextmanager
def log_at(url: str) -> Iterator[tuple[Sequencer, Checkpointer, Log]]:
    engine = open_store(url)
    try:
        create_tables(engine)
        sequencer = Sequencer(engine, NoTables(), lambda: datetime.now(UTC))
        yield sequencer, Checkpointer(engine, ORIGIN, LOG_KEY, clock=lambda: NOW), Log(engine)
    finally:
        engine.dispose()


def append_sqlite_100() -> Figure:
    return _append_sqlite(100)


def append_sqlite_1000() -> Figure:
    return _append_sqlite(1000)


def _batches(items: Sequence[SignedStatement], size: int) -> list[Sequence[SignedStatement]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def _rows(statements: Sequence[SignedStatement]) -> list[tuple[int, bytes, bytes, str, bytes]]:
    """The very rows that the log stores for `statements`."""
    rows, prev = [], bytes(32)
    for index, signed in enumerate(statements):
        entry = Entry.make(index, prev, "2026-11-23T12:00:00Z", signed)
        prev = leaf_hash(entry.data)
        rows.append((index, prev, signed.statement.hash, "award", entry.data))
    return rows


_TABLE = (
    "CREATE TABLE entries (idx INTEGER PRIMARY KEY, leaf BLOB NOT NULL, "
    "statement BLOB NOT NULL UNIQUE, kind TEXT NOT NULL, data BLOB NOT NULL)"
)


def _append_sqlite(size: int) -> Figure:
    statements = award_statements(count(6000))
    rows = _rows(statements)

    def ours() -> float:
        with folder() as path, log_at(f"sqlite:///{path / 'log.db'}") as (sequencer, _, _log):
            sequencer.append(opening())
            # What is measured is appending; signatures are checked at the door (audit_signed).
            sequencer.verify = lambda signed: None
            return rate(
                len(statements), lambda: [sequencer.append(b) for b in _batches(statements, size)]
            )

    return compare(
        ours, lambda: _raw_sqlite(rows, size), "sqlite3, WAL and FULL, same rows", "entries/s"
    )


def _raw_sqlite(rows: Sequence[tuple[int, bytes, bytes, str, bytes]], size: int) -> float:
    with folder() as path:
        database = sqlite3.connect(path / "raw.db", isolation_level=None)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute(_TABLE)

        def work() -> None:
            for start in range(0, len(rows), size):
                database.execute("BEGIN IMMEDIATE")
                database.executemany(
                    "INSERT INTO entries VALUES (?, ?, ?, ?, ?)", rows[start : start + size]
                )
                database.execute("COMMIT")

        found = rate(len(rows), work)
        database.close()
        return found


def append_postgres_1000() -> Figure:
    statements = award_statements(count(6000))
    rows = _rows(statements)
    with ExitStack() as stack:
        url = stack.enter_context(_postgres())

        def fresh(name: str) -> str:
            import psycopg

            with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
                connection.execute(f"DROP DATABASE IF EXISTS {name}")
                connection.execute(f"CREATE DATABASE {name}")
            return make_url(url).set(database=name).render_as_string(hide_password=False)

        def ours() -> float:
            with log_at(fresh("ours")) as (sequencer, _, _log):
                sequencer.append(opening())
                sequencer.verify = lambda signed: None
                return rate(
                    len(statements),
                    lambda: [sequencer.append(b) for b in _batches(statements, 1000)],
                )

        def raw() -> float:
            import psycopg

            with psycopg.connect(fresh("raw").replace("+psycopg", "")) as connection:
                connection.execute(_TABLE.replace("BLOB", "BYTEA").replace("INTEGER", "BIGINT"))
                connection.commit()

                def work() -> None:
                    for start in range(0, len(rows), 1000):
                        with (
                            connection.cursor() as cursor,
                            cursor.copy("COPY entries FROM STDIN (FORMAT BINARY)") as copy,
                        ):
                            copy.set_types(["int8", "bytea", "bytea", "text", "bytea"])
                            for row in rows[start : start + 1000]:
                                copy.write_row(row)
                        connection.commit()

                return rate(len(rows), work)

        return compare(ours, raw, "PostgreSQL COPY, same rows", "entries/s")


@contextmanager
def _postgres() -> Iterator[str]:
    path = REPO / "tests" / "postgres_server.py"
    spec = importlib.util.spec_from_file_location("postgres_server", path)
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with module.running() as url:
        yield url


def append_single_100k() -> Figure:
    """One durable append at a time, onto a log of nearly 100,000."""
    number, before = count(2000), count(95_000)
    statements = award_statements(count(6000))[:number]
    with ExitStack() as stack:
        path = stack.enter_context(folder())
        sequencer, _, _log = stack.enter_context(log_at(f"sqlite:///{path / 'log.db'}"))
        sequencer.append(opening())
        _fill(path / "log.db", sequencer, before)
        tree = _pymerkle(path / "tree.db", before)
        turns = iter(range(1, 1_000_000))

        def ours() -> float:
            share = statements[:: max(1, len(statements) // (number // 5 or 1))]
            mine = [_again(signed, next(turns)) for signed in share]
            sequencer.verify = lambda signed: None
            return rate(len(mine), lambda: [sequencer.append([signed]) for signed in mine])

        def peer() -> float:
            data = [os.urandom(700) for _ in range(max(1, number // 5))]
            return rate(len(data), lambda: [tree.append_entry(entry) for entry in data])

        return compare(ours, peer, "pymerkle 7, SqliteTree", "entries/s")


def _again(signed: SignedStatement, turn: int) -> SignedStatement:
    """The same statement with another lot: new to the log, as large as before."""
    from keys import b64u_encode
    from ledger import Statement

    statement = signed.statement
    lot = b64u_encode(sha256(statement.data + turn.to_bytes(4, "big")).digest()[:16])
    body = {**statement.body, "lot": lot}
    return SignedStatement(
        Statement.make(statement.author, statement.kind, body), signed.signatures
    )


def _fill(path: Path, sequencer: Sequencer, number: int) -> None:
    base = award_statements(1)[0]
    sequencer.verify = lambda signed: None
    for start in range(0, number, 5000):
        batch = [
            _again(base, turn) for turn in range(start + 10_000, min(number, start + 5000) + 10_000)
        ]
        for outcome in sequencer.append(batch):
            assert isinstance(outcome, Placed), outcome


def _pymerkle(path: Path, number: int) -> object:
    from pymerkle import SqliteTree

    tree = SqliteTree(str(path))
    tree.append_entries([os.urandom(700) for _ in range(number)], chunksize=10_000)
    return tree


def prove_100k() -> Figure:
    """Inclusion proofs from the store, in a log of 100,000."""
    size, number = count(100_000), count(500)
    with ExitStack() as stack:
        path = stack.enter_context(folder())
        sequencer, checkpointer, log = stack.enter_context(log_at(f"sqlite:///{path / 'log.db'}"))
        sequencer.append(opening())
        _fill(path / "log.db", sequencer, size)
        checkpointer.sign()
        tree = _pymerkle(path / "tree.db", size)
        places = [(n * 7919) % size for n in range(number)]

        def ours() -> float:
            return rate(number, lambda: [log.inclusion(place, size) for place in places])

        def peer() -> float:
            some = places[: max(1, number // 5)]
            return rate(len(some), lambda: [tree.prove_inclusion(p + 1, size) for p in some])

        ours()
        return compare(ours, peer, "pymerkle 7, SqliteTree", "proofs/s")


def audit_signed() -> Figure:
    """Audit with every signature, on every core, against that many bare verifications a core."""
    number = count(6000)
    with folder() as path, log_at(f"sqlite:///{path / 'log.db'}") as (sequencer, checkpointer, log):
        sequencer.append(opening())
        for batch in _batches(award_statements(number), 1000):
            sequencer.append(batch)
        note = checkpointer.sign()
        entries = list(log.entries())
        messages = [
            (value + b"creditbank statement v1\n" + signed.statement.data, key)
            for signed in award_statements(number)
            for key, value in [(_raw(signed.signatures[0][0]), signed.signatures[0][1])]
            for key, value in [(key, value)]
        ]

        def ours() -> float:
            def work() -> None:
                assert audit(entries, [note]).passed

            return rate(len(entries), work)

        def bare() -> float:
            def work() -> None:
                for message, key in messages:
                    bindings.crypto_sign_open(message, key)

            return rate(len(messages), work)

        cores = os.cpu_count() or 1
        return compare(ours, bare, f"bare libsodium on one core (here are {cores})", "entries/s")


def _raw(multikey: str) -> bytes:
    from keys import PublicKey

    return PublicKey.from_multikey(multikey).raw


def api_append_64() -> Figure:
    """64 clients, each waiting for its own award to be durable and under a signed checkpoint."""
    clients, each = 64, count(30)
    bodies = [
        encode({"statements": [{"signed": parse(signed.data)}]})
        for signed in award_statements(count(6000))[: clients * each]
    ]
    rows = _rows(award_statements(len(bodies)))
    note = ""

    def ours() -> float:
        nonlocal note
        with folder() as path, _server(path) as url:
            found, slowest = _load(url, bodies, clients)
            note = f"99 of 100 answered within {slowest * 1000:.0f} ms"
            return found

    raw = rows[: len(bodies)]
    figure = compare(ours, lambda: _raw_sqlite(raw, 1), "sqlite3, one a commit", "awards/s")
    return replace(figure, note=note)


_SERVE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
import uvicorn
from bank.api.app import make_app
from bank.opening import create_bank, open_bank
from benchmarks.samples import DOMAIN, GOVERNANCE, opening
folder = Path(sys.argv[1])
create_bank(folder, DOMAIN, {"en": "B", "zh": "B"}, [GOVERNANCE.public_key.multikey], 1, "p")
bank = open_bank(folder, "p")
bank.append(opening())
uvicorn.run(make_app(bank), fd=int(sys.argv[2]), log_level="error", access_log=False)
"""


@contextmanager
def _server(path: Path) -> Iterator[str]:
    import socket

    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    listener.listen(256)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(path), str(listener.fileno())],
        pass_fds=[listener.fileno()],
        cwd=REPO,
    )
    try:
        with httpx.Client(base_url=url, timeout=60) as http:
            http.get("/health").raise_for_status()
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)
        listener.close()


def _load(url: str, bodies: list[bytes], clients: int) -> tuple[float, float]:
    """Acknowledged awards a second, and the 99th percentile of waiting, in seconds."""
    address = urlsplit(url)
    times: list[float] = []

    async def client(share: list[bytes]) -> None:
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        for body in share:
            start = time.perf_counter()
            head = f"POST /statements HTTP/1.1\r\nHost: bank\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            answer = await reader.readuntil(b"]}")
            times.append(time.perf_counter() - start)
            assert b'"outcome":"appended"' in answer, answer
        writer.close()

    async def crowd() -> None:
        await asyncio.gather(*(client(bodies[n::clients]) for n in range(clients)))

    found = rate(len(bodies), lambda: asyncio.run(crowd()))
    return found, sorted(times)[max(0, len(times) * 99 // 100 - 1)]
