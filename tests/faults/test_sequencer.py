"""What goes wrong under the sequencer leaves the log as it was, or stops it being signed.

Many kills at random moments are in test_kill.py, single storage calls in test_storage_calls.py.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DatabaseError

import ledger.sequencer
import ledger.store
from bank.lot_projection import LotFold
from keys import PrivateKey
from ledger import (
    Entry,
    LedgerError,
    Refused,
    SignedStatement,
    Statement,
    StoreFault,
    leaf_hash,
    root_hash,
)
from ledger.group_commit import GroupCommit
from ledger.log import Log, read_head
from ledger.sequencer import Declined, Placed
from ledger.store import create_tables, execute, open_store, reading, unprotected, writing
from tests.log_kit import (
    BANK,
    GOVERNANCE,
    MEMBER,
    acknowledgements,
    append_and_acknowledge,
    audited,
    award,
    awards,
    checkpointer_on,
    lost,
    new_log,
    opening,
    sequencer_on,
)

FIRST = len(opening())
_databases = iter(range(10_000))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new database on the engine asked for."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'log.db'}"
    server = request.getfixturevalue("postgres")
    name = f"faults_{next(_databases)}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """A log of ten entries, under a checkpoint."""
    engine = new_log(url)
    sequencer_on(engine).append(awards(0, 5))
    checkpointer_on(engine).sign()
    yield engine
    engine.dispose()


def everything(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with reading(engine) as connection:
        return {
            name: [tuple(row) for row in connection.execute(text(f"SELECT * FROM {name}"))]
            for name in ("entries", "tiles", "head", "checkpoints", "published", "lots")
        }


class Boom(Exception):
    """A failure nobody foresaw."""


def boom(*_: object, **__: object) -> None:
    raise Boom


def in_flush(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(LotFold, "flush", boom)


def in_insert(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ledger.sequencer, "insert_rows", boom)


def in_head(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ledger.sequencer, "_move_head", boom)


def after_flush(patch: pytest.MonkeyPatch) -> None:
    original = LotFold.flush

    def flush(self: LotFold) -> None:
        original(self)
        raise Boom

    patch.setattr(LotFold, "flush", flush)


@pytest.mark.parametrize("where", [in_flush, in_insert, in_head, after_flush])
def test_a_failure_inside_the_transaction_leaves_nothing(
    engine: Engine, where: Callable[[pytest.MonkeyPatch], None]
) -> None:
    before = everything(engine)
    sequencer = sequencer_on(engine)
    # The tile that fills up in the batch that fails has to be filled again by the next.
    sequencer.append(awards(5, 240))
    checkpointer_on(engine).sign()
    before = everything(engine)
    with pytest.MonkeyPatch.context() as patch:
        where(patch)
        for _ in range(2):
            with pytest.raises(Boom):
                sequencer.append(awards(245, 20))
            assert everything(engine) == before
    outcomes = sequencer.append(awards(245, 20))
    assert [one.index for one in outcomes if isinstance(one, Placed)] == list(range(253, 273))
    assert not any(one.repeated for one in outcomes if isinstance(one, Placed))
    audited(engine)


def test_a_failed_commit_is_heard_by_every_caller_and_can_be_tried_again(engine: Engine) -> None:
    before = everything(engine)
    group = GroupCommit(sequencer_on(engine), checkpointer_on(engine))
    event.listen(engine, "commit", boom)
    try:
        futures = [group.enqueue(awards(number, 2)) for number in (10, 20, 30)]
        for future in futures:
            with pytest.raises(Boom):
                future.result(timeout=30)
    finally:
        event.remove(engine, "commit", boom)
    assert everything(engine) == before
    (outcome,) = group.append([award(10)])
    assert isinstance(outcome, Placed)
    assert not outcome.repeated
    group.close()
    audited(engine)


def killed(url: str, seed: int) -> dict[int, int]:
    """A child that appends is killed in the middle; what it had acknowledged."""
    out, into = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.close(out)
            child = open_store(url)
            sequencer, checkpointer = sequencer_on(child), checkpointer_on(child)
            start = 1000
            while True:
                append_and_acknowledge(sequencer, into, range(start, start + 7))
                start += 7
                if start % 3 == 0:
                    checkpointer.sign()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    os.close(into)
    with os.fdopen(out, "rb") as pipe:
        said = pipe.read(16 * 8)  # more than one batch, however slow the machine
        time.sleep(random.Random(seed).uniform(0.05, 0.15))
        os.kill(pid, signal.SIGKILL)
        said += pipe.read()
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), "the child failed by itself; its traceback is above"
    return acknowledgements(said)


@pytest.mark.parametrize("seed", range(3))
def test_killed_in_the_middle_of_appending(url: str, seed: int) -> None:
    new_log(url).dispose()
    told = killed(url, seed)
    assert len(told) > 7
    engine = open_store(url)
    assert lost(engine, told) == []
    size = Log(engine).size()
    audited(engine)
    # The client that heard nothing submits all of it again, and then some.
    numbers = range(1000, 1000 + len(told) + 50)
    outcomes = sequencer_on(engine).append([award(number) for number in numbers])
    indices = [one.index for one in outcomes if isinstance(one, Placed)]
    assert indices == list(range(FIRST, FIRST + len(numbers)))
    repeated = [one.repeated for one in outcomes if isinstance(one, Placed)]
    assert repeated == [index < size for index in indices]
    assert lost(engine, told) == []
    assert audited(engine).size == FIRST + len(numbers)
    engine.dispose()


CHANGES = {
    "entries": "UPDATE {t} SET kind = 'x' WHERE idx = 3",
    "tiles": "UPDATE {t} SET root = leaf FROM entries WHERE {t}.idx = 0 AND entries.idx = 0",
    "checkpoints": "UPDATE {t} SET note = 'x' WHERE size = 8",
    "published": "UPDATE {t} SET note = 'x'",
}


@pytest.mark.parametrize("table", CHANGES)
def test_what_is_in_the_log_stays(engine: Engine, table: str) -> None:
    sequencer_on(engine).append(awards(5, 300))
    note = checkpointer_on(engine).sign()
    Log(engine).publish(308, note)
    before = everything(engine)
    statements = [CHANGES[table].format(t=table), f"DELETE FROM {table}"]
    if engine.dialect.name == "postgresql":
        statements.append(f"TRUNCATE {table}")
    else:
        # Without recursive triggers SQLite would delete the old row and ask nobody.
        statements.append(f"REPLACE INTO {table} SELECT * FROM {table}")
        statements.append(f"UPDATE OR REPLACE {table} SET rowid = rowid + 1")
    for statement in statements:
        with pytest.raises(DatabaseError, match="append-only"), engine.begin() as connection:
            connection.exec_driver_sql(statement)
        assert everything(engine) == before
    # And where the product itself writes.
    with (
        pytest.raises((DatabaseError, StoreFault), match="append-only"),
        writing(engine) as connection,
    ):
        connection.exec_driver_sql(f"DELETE FROM {table}")
    assert everything(engine) == before


def test_control_without_the_triggers_it_does_not_stay(engine: Engine) -> None:
    before = everything(engine)
    with engine.begin() as connection, unprotected(connection):
        connection.exec_driver_sql(CHANGES["entries"].format(t="entries"))
    assert everything(engine) != before
    # From then on it is protected again.
    with pytest.raises(DatabaseError, match="append-only"), engine.begin() as connection:
        connection.exec_driver_sql(CHANGES["entries"].format(t="entries"))


Tamper = Callable[[Connection], None]


def change_byte(index: int, place: int) -> Tamper:
    """Flip one bit of the stored entry `index`, counted from its end where `place` is negative."""

    def tamper(connection: Connection) -> None:
        query = text("SELECT data FROM entries WHERE idx = :idx")
        data = bytearray(connection.execute(query, {"idx": index}).scalar_one())
        data[place] ^= 1
        update = text("UPDATE entries SET data = :data WHERE idx = :idx")
        connection.execute(update, {"idx": index, "data": bytes(data)})

    return tamper


def run(statement: str) -> Tamper:
    return lambda connection: connection.exec_driver_sql(statement) and None


def swap(connection: Connection) -> None:
    for old, new in ((15, -1), (16, 15), (-1, 16)):
        connection.exec_driver_sql(f"UPDATE entries SET idx = {new} WHERE idx = {old}")


TAMPERED: dict[str, Tamper] = {
    "first byte": change_byte(15, 0),
    "middle byte": change_byte(15, 400),
    "last byte": change_byte(15, -1),
    "first new entry": change_byte(13, 500),
    "last entry": change_byte(17, -30),
    "swapped": swap,
    "dropped": run("DELETE FROM entries WHERE idx = 15"),
    "last one dropped": run("DELETE FROM entries WHERE idx = 17"),
    "another root": run("UPDATE head SET root = leaf"),
    "grown": run("UPDATE head SET size = 19"),
    "moved back": run("UPDATE head SET size = 17"),
    "moved back behind the checkpoint": run("UPDATE head SET size = 12"),
    "moved back to nothing": run("UPDATE head SET size = 0"),
}


def tampered(engine: Engine, tamper: Tamper) -> None:
    """With the triggers gone and put back, as nothing here does."""
    with engine.begin() as connection, unprotected(connection):
        tamper(connection)


@pytest.mark.parametrize("what", TAMPERED)
@pytest.mark.parametrize("fresh", [False, True], ids=["running", "restarted"])
def test_tampered_bytes_are_never_signed(engine: Engine, what: str, fresh: bool) -> None:
    checkpointer = checkpointer_on(engine)
    assert checkpointer.sign() == Log(engine).signed()
    sequencer_on(engine).append(awards(5, 5))
    tampered(engine, TAMPERED[what])
    before = everything(engine)
    if fresh:
        checkpointer = checkpointer_on(engine)
    for _ in range(2):
        with pytest.raises(StoreFault):
            checkpointer.sign()
    assert everything(engine) == before


def test_control_untampered_bytes_are_signed(engine: Engine) -> None:
    checkpointer = checkpointer_on(engine)
    sequencer_on(engine).append(awards(5, 5))
    tampered(engine, lambda connection: None)
    assert checkpointer.sign() == Log(engine).signed()
    audited(engine)


@pytest.mark.parametrize(("index", "prev"), [(17, bytes(32)), (16, None)])
def test_a_broken_chain_is_not_signed_though_the_tree_agrees(
    engine: Engine, index: int, prev: bytes | None
) -> None:
    """The last entry says another place or predecessor, and the head row was made to fit."""
    checkpointer = checkpointer_on(engine)
    sequencer_on(engine).append(awards(5, 5))
    last = Entry.parse(Log(engine).entry(17))
    forged = Entry.make(index, last.prev if prev is None else prev, last.time, last.signed)
    leaves = [leaf_hash(data) for data in Log(engine).entries(0, 17)]
    root = root_hash([*leaves, forged.leaf])

    def tamper(connection: Connection) -> None:
        update = text("UPDATE entries SET data = :data, leaf = :leaf WHERE idx = 17")
        connection.execute(update, {"data": forged.data, "leaf": forged.leaf})
        update = text("UPDATE head SET root = :root, leaf = :leaf")
        connection.execute(update, {"root": root, "leaf": forged.leaf})

    tampered(engine, tamper)
    for signer in (checkpointer, checkpointer_on(engine)):
        with pytest.raises(StoreFault, match="entry 17 does not continue the chain"):
            signer.sign()


def test_stored_tiles_that_are_not_the_signed_ones(engine: Engine) -> None:
    """A signer that starts anew has only the stored tree to go on from, and checks it."""
    sequencer_on(engine).append(awards(5, 600))
    checkpointer_on(engine).sign()
    sequencer_on(engine).append([award(900)])
    tampered(engine, run("UPDATE tiles SET root = (SELECT root FROM head) WHERE idx = 1"))
    with pytest.raises(StoreFault, match="has not the root once signed"):
        checkpointer_on(engine).sign()
    with pytest.raises(StoreFault, match="has not the root in the head row"):
        sequencer_on(engine).append([award(901)])


@pytest.mark.parametrize("running", [True, False], ids=["running", "restarted"])
@pytest.mark.parametrize("size", [12, 10])
def test_nothing_is_appended_to_a_head_moved_back(engine: Engine, running: bool, size: int) -> None:
    """With the root and leaf it had then, as a careful forger would."""
    sequencer = sequencer_on(engine)
    sequencer.append([award(0)])
    root = Log(engine).root(size)

    def back(connection: Connection) -> None:
        query = text("SELECT leaf FROM entries WHERE idx = :idx")
        leaf = connection.execute(query, {"idx": size - 1}).scalar_one()
        update = text("UPDATE head SET size = :size, root = :root, leaf = :leaf")
        connection.execute(update, {"size": size, "root": root, "leaf": leaf})

    tampered(engine, back)
    before = everything(engine)
    if not running:
        sequencer = sequencer_on(engine)
    for _ in range(2):
        with pytest.raises(LedgerError):
            sequencer.append([award(50)])
        assert everything(engine) == before
    with pytest.raises(StoreFault, match="already signed"):
        checkpointer_on(engine).sign()


def test_a_store_put_back_is_read_anew_by_a_running_sequencer(engine: Engine) -> None:
    """What it knew of a later time, a key say, holds no more; and nothing is signed over it."""
    sequencer, checkpointer = sequencer_on(engine), checkpointer_on(engine)
    before = everything(engine)
    new = PrivateKey.from_seed(b"n" * 32)
    body = {"key": new.public_key.multikey, "member": MEMBER}
    sequencer.append([Statement.make(BANK, "key.add", body).sign(GOVERNANCE)])
    checkpointer.sign()
    size, root, leaf, last = before["head"][0][1:]

    def put_back(connection: Connection) -> None:
        connection.execute(text("DELETE FROM entries WHERE idx >= :size"), {"size": size})
        connection.execute(text("DELETE FROM checkpoints WHERE size > :size"), {"size": size})
        connection.execute(
            text("UPDATE head SET size = :size, root = :root, leaf = :leaf, time = :time"),
            {"size": size, "root": root, "leaf": leaf, "time": last},
        )

    tampered(engine, put_back)
    assert everything(engine) == before
    (outcome,) = sequencer.append([award(60).statement.sign(new)])
    assert isinstance(outcome, Declined)
    (outcome,) = sequencer.append([award(60)])
    assert isinstance(outcome, Placed)
    # This process signed more than the store now holds of that history.
    with pytest.raises(StoreFault):
        checkpointer.sign()
    sequencer.append([award(61)])
    with pytest.raises(StoreFault):
        checkpointer.sign()


def test_compare_and_swap_refuses_a_moved_head(engine: Engine, url: str) -> None:
    """Though the lock were gone, one that read the head before another moved it gets nothing."""
    sequencer = sequencer_on(engine)
    with reading(engine) as connection:
        stale = read_head(connection)
    sequencer_on(engine).append([award(20)])
    before = everything(engine)
    with writing(engine) as connection:
        state = ledger.sequencer._follow(connection, None, read_head(connection))
        with pytest.raises(Refused, match="the log moved"):
            ledger.sequencer._move_head(connection, stale, state, "")
    assert everything(engine) == before
    assert isinstance(sequencer.append([award(21)])[0], Placed)
    audited(engine)


def halting(engine: Engine) -> None:
    checkpointer = checkpointer_on(engine)
    checkpointer.halt("a witness has seen more")
    with pytest.raises(StoreFault, match="a witness has seen more"):
        checkpointer.sign()


def test_a_halted_signer_signs_nothing(engine: Engine) -> None:
    sequencer_on(engine).append([award(30)])
    before = everything(engine)
    halting(engine)
    assert everything(engine) == before
    checkpointer_on(engine).sign()


# What the store must promise before it is used.


def prepared(*pragmas: str) -> Callable[[Any, object], None]:
    def prepare(connection: Any, record: object) -> None:
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    return prepare


@pytest.mark.parametrize(
    ("pragmas", "good"),
    [
        (("journal_mode = WAL", "synchronous = FULL"), True),
        (("journal_mode = WAL", "synchronous = NORMAL"), False),
        (("journal_mode = WAL", "synchronous = OFF"), False),
        (("journal_mode = DELETE", "synchronous = FULL"), False),
        (("journal_mode = MEMORY", "synchronous = FULL"), False),
        (("synchronous = FULL",), False),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else None,
)
def test_sqlite_that_does_not_promise_durability_is_refused(
    pragmas: tuple[str, ...], good: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'log.db'}"
    monkeypatch.setattr(ledger.store, "_prepare_sqlite", prepared(*pragmas))
    if good:
        open_store(url).dispose()
        return
    with pytest.raises(StoreFault, match="SQLite does not keep its promise"):
        open_store(url)
    monkeypatch.undo()
    open_store(url).dispose()


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:////no/such/folder/log.db",
        "sqlite:////",
        "mysql://localhost/x",
        "postgresql://127.0.0.1:1/none?connect_timeout=2",
        "nonsense",
        "",
        "sqlite+nothing:///x",
        "postgresql+asyncpg://x/y",
    ],
)
def test_addresses_that_cannot_be_used(url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreFault):
        open_store(url)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    path.write_bytes(b"this is no database" * 1000)
    with pytest.raises(StoreFault, match="cannot be opened"):
        open_store(f"sqlite:///{path}")


def test_a_database_that_may_only_be_read(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    create_tables(open_store(f"sqlite:///{path}"))
    engine = open_store(f"sqlite:///file:{path}?mode=ro&uri=true")
    told = pytest.raises(StoreFault, match=r"may not be written here.*run this as the user")
    with told, writing(engine) as connection:
        execute(connection, "UPDATE head SET size = 1")


@pytest.mark.parametrize("setting", ["synchronous_commit"])
def test_postgres_that_does_not_promise_durability_is_refused(
    setting: str, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare(connection: Any, record: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET {setting} = off")
        connection.commit()

    open_store(postgres).dispose()
    monkeypatch.setattr(ledger.store, "_prepare_postgres", prepare)
    with pytest.raises(StoreFault, match=f"PostgreSQL runs with {setting} = off"):
        open_store(postgres)


def test_a_damaged_database_file_is_told_in_words(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    engine = new_log(f"sqlite:///{path}")
    sequencer_on(engine).append(awards(0, 900))
    engine.dispose()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    data = bytearray(path.read_bytes())
    # The schema stands in the first half, and without it no store can be opened at all.
    pages = len(data) // 4096
    for page in range(pages // 2, pages):
        data[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    path.write_bytes(data)
    engine = open_store(f"sqlite:///{path}")
    before = path.read_bytes()
    attempts: list[Callable[[], object]] = [
        lambda: sequencer_on(engine).append([award(400)]),
        lambda: list(Log(engine).entries()),
        checkpointer_on(engine).sign,
    ]
    for attempt in attempts:
        with pytest.raises(StoreFault, match="the database failed"):
            attempt()
    engine.dispose()
    assert path.read_bytes() == before


def test_a_statement_too_large_for_an_entry_is_declined(engine: Engine) -> None:
    """One that came past the parser's limit still finds no place, and harms no other."""
    large = replace(award(40).statement, data=b"x" * 70_000)
    sequencer = sequencer_on(engine)
    sequencer.verify = lambda signed: None
    outcomes = sequencer.append([SignedStatement(large, award(40).signatures), award(41)])
    assert not isinstance(outcomes[0], Placed)
    assert isinstance(outcomes[1], Placed)
    audited(engine)
