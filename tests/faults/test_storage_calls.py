"""Each storage call of a sequencing round fails in turn, and the next round recovers.

A round appends a batch (entries, a full tile, lots, the head) and signs a checkpoint. Each of
its calls fails once before it takes effect, once after, and once after with the connection gone;
for a commit the latter two mean: durable, but the answer was lost. The caller hears one clear
error, submits the same batch again, and gets one place for each statement.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import OperationalError

import ledger.sequencer
from ledger import LedgerError, SignedStatement, Statement, StoreFault, VerifierKey
from ledger.group_commit import GroupCommit
from ledger.log import Log
from ledger.note import COSIGNATURE_ED25519
from ledger.registry_view import RegistryView
from ledger.sequencer import Placed
from ledger.store import driver_of
from tests.log_kit import (
    BANK,
    GOVERNANCE,
    SIGNING,
    Follower,
    audited,
    award,
    awards,
    checkpointer_on,
    lot_event,
    new_log,
    sequencer_on,
    sizes,
)

BEFORE, AFTER, GONE = "before", "after", "gone"
TILE = 256


class Faults:
    """Counts an engine's storage calls, and has one of them fail."""

    def __init__(self, engine: Engine, patch: pytest.MonkeyPatch) -> None:
        self._dbapi: Any = engine.dialect.loaded_dbapi
        self._commit = engine.dialect.do_commit
        self._armed: tuple[int, str] | None = None
        self._count = 0
        self.hit = ""
        """The call that failed."""
        event.listen(engine, "before_cursor_execute", self._before)
        event.listen(engine, "after_cursor_execute", self._after)
        engine.dialect.do_commit = self._committing  # type: ignore[method-assign]
        for module in ("ledger.store", "ledger.bulk"):
            patch.setattr(f"{module}.driver_of", self._driver)
        if engine.dialect.name == "postgresql":
            # A COPY goes past SQLAlchemy: it is caught where the driver offers it.
            patch.setattr(self._dbapi.Cursor, "copy", self._copying(self._dbapi.Cursor.copy))

    def _driver(self, connection: Connection) -> Any:
        """The driver's connection, for the calls that go past SQLAlchemy."""
        return Driver(self, driver_of(connection))

    def driven(self, connection: Any, call: Any, query: str, values: Any) -> None:
        """One such call, which may fail."""
        self._count += 1
        if self._due(BEFORE):
            self._fail(query, connection)
        call(query, values)
        if self._due(AFTER, GONE):
            self._fail(query, connection)

    def arm(self, call: int, mode: str) -> None:
        """Have the `call`-th call from now fail, counted from 1."""
        self._armed, self._count, self.hit = (call, mode), 0, ""

    def disarm(self) -> None:
        self._armed = None

    def _fail(self, call: str, connection: Any) -> None:
        assert self._armed is not None
        mode, self._armed, self.hit = self._armed[1], None, call
        if mode == GONE:
            connection.close()
        raise self._dbapi.OperationalError("the storage call failed")

    def _due(self, *modes: str) -> bool:
        armed = self._armed
        return armed is not None and armed[0] == self._count and armed[1] in modes

    def _before(
        self, connection: Any, cursor: Any, statement: str, *rest: Any, **more: Any
    ) -> None:
        self._count += 1
        if self._due(BEFORE):
            # Raised by the cursor itself, as the driver would.
            self._armed, self.hit = None, statement
            raise self._wrapped(statement)

    def _after(self, connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if self._due(AFTER, GONE):
            self._fail(statement, cursor.connection)

    def _committing(self, connection: Any) -> None:
        self._count += 1
        if self._due(BEFORE):
            self._fail("COMMIT", connection)
        self._commit(connection)
        if self._due(AFTER, GONE):
            self._fail("COMMIT", getattr(connection, "driver_connection", connection))

    def _copying(self, copy: Any) -> Any:
        @contextmanager
        def copying(cursor: Any, statement: str, *rest: Any, **more: Any) -> Iterator[Any]:
            self._count += 1
            if self._due(BEFORE):
                self._fail(statement, cursor.connection)
            with copy(cursor, statement, *rest, **more) as into:
                yield into
            if self._due(AFTER, GONE):
                self._fail(statement, cursor.connection)

        return copying

    def _wrapped(self, statement: str) -> Exception:
        return OperationalError(statement, None, self._dbapi.OperationalError("not executed"))


class Driver:
    """A driver's connection whose calls are counted."""

    def __init__(self, faults: Faults, connection: Any) -> None:
        self._faults = faults
        self._connection = connection

    def cursor(self) -> DriverCursor:
        return DriverCursor(self._faults, self._connection, self._connection.cursor())


class DriverCursor:
    """Its cursor: what runs on it may fail; the rest is the driver's own."""

    def __init__(self, faults: Faults, connection: Any, cursor: Any) -> None:
        self._faults = faults
        self._connection = connection
        self._cursor = cursor

    def __enter__(self) -> Any:
        return self._cursor.__enter__()

    def __exit__(self, *error: object) -> None:
        self._cursor.__exit__(*error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def execute(self, query: str, values: Any) -> None:
        self._faults.driven(self._connection, self._cursor.execute, query, values)

    def executemany(self, query: str, values: Any) -> None:
        self._faults.driven(self._connection, self._cursor.executemany, query, values)


# SQLite is a part of the process: no connection to it can go by itself.
CASES = [
    ("sqlite", BEFORE),
    ("sqlite", AFTER),
    ("postgresql", BEFORE),
    ("postgresql", AFTER),
    ("postgresql", GONE),
]


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new database on the engine asked for."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'log.db'}"
    return new_database(request.getfixturevalue("postgres"), "storage_calls")


def new_database(server: str, name: str) -> str:
    """A new database on the PostgreSQL server of the tests."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return make_url(server).set(database=name).render_as_string(hide_password=False)


class Rounds:
    """Rounds over one growing log, each of which fills a tile and moves a lot."""

    def __init__(self, engine: Engine, *, warm: bool) -> None:
        self._engine = engine
        self._warm = warm
        self._follower = Follower()
        self._next = 0
        self._group: GroupCommit | None = None
        self.found: Counter[str] = Counter()

    def one(self, faults: Faults, call: int, mode: str) -> bool:
        """A round whose `call`-th storage call fails, and its repetition; False past the last."""
        batch = self._batch()
        group = self._opened()
        start = Log(self._engine).size()
        faults.arm(call, mode)
        heard: LedgerError | None = None
        try:
            outcomes = group.append(batch)
        except LedgerError as error:
            heard = error
        finally:
            faults.disarm()
        # One that is gone before anything was done on it is replaced, and nobody need hear of it.
        healed = mode == GONE and faults.hit == "BEGIN"
        failed = bool(faults.hit) and not healed
        assert failed == (heard is not None), f"who heard that {faults.hit!r} failed?"
        if heard is not None:
            assert isinstance(heard, StoreFault)
            assert str(heard).startswith("the database ")
            assert "\n" not in str(heard)
            outcomes = group.append(batch)
        where = (call, mode, faults.hit)
        places = [outcome for outcome in outcomes if isinstance(outcome, Placed)]
        assert [place.index for place in places] == [*range(start, start + len(batch))], where
        self._follower.catch_up(self._engine)
        log = Log(self._engine)
        assert log.size() == start + len(batch), where
        assert sizes([log.signed()]) == [log.size()], f"acknowledged, but not signed: {where}"
        repeated = {place.repeated for place in places}
        assert len(repeated) == 1, f"half of a batch was appended: {where}"
        if failed:
            self.found["persisted" if True in repeated else "not persisted"] += 1
        return bool(faults.hit)

    def close(self) -> None:
        if self._group is not None:
            self._group.close()

    def _opened(self) -> GroupCommit:
        """The same sequencer again where it is warm, else one that has to read the log first."""
        if self._group is None or not self._warm:
            self.close()
            self._group = GroupCommit(sequencer_on(self._engine), checkpointer_on(self._engine))
        return self._group

    def _batch(self) -> list[SignedStatement]:
        start, self._next = self._next, self._next + TILE
        return [*awards(start, TILE), lot_event("revoke", start)]


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
@pytest.mark.parametrize(("url", "mode"), CASES, indirect=["url"])
def test_every_call_of_a_round(
    url: str, mode: str, warm: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = new_log(url)
    faults, rounds = Faults(engine, monkeypatch), Rounds(engine, warm=warm)
    call = 0
    hit = []
    while True:
        call += 1
        if not rounds.one(faults, call, mode):
            break
        hit.append(faults.hit)
    rounds.close()
    print(call - 1, dict(rounds.found))
    # The round made the calls it is known to make, and each failed.
    for table in ("entries", "tiles", "lots", "head", "checkpoints"):
        ways = tuple(f"{verb} {table}" for verb in ("INSERT INTO", "COPY", "UPDATE"))
        assert any(statement.startswith(ways) for statement in hit), table
    assert hit.count("COMMIT") == 2, "the append's and the checkpoint's"
    # An append persists without its caller hearing of it from its commit on: in the modes after.
    assert rounds.found["persisted"] > 0
    assert rounds.found["not persisted"] > 0
    audited(engine)
    engine.dispose()


def test_control_a_sequencer_that_keeps_its_state_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sequencer that did not forget its state after a failed commit would fork its own tree."""
    engine = new_log(f"sqlite:///{tmp_path / 'log.db'}")
    sequencer = sequencer_on(engine)
    sequencer.append([award(0)])
    kept = sequencer._state

    def refuse(connection: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(engine.dialect, "do_commit", refuse)
        with pytest.raises(StoreFault, match="disk I/O error"):
            sequencer.append([award(1)])
    assert sequencer._state is None
    sequencer._state = kept
    monkeypatch.setattr(ledger.sequencer, "_follow", lambda connection, state, now: state)
    sequencer.append([award(2)])
    with pytest.raises((AssertionError, LedgerError), match=r"chain|missing|head"):
        Follower().catch_up(engine)
    engine.dispose()


def test_a_registry_read_that_fails_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Authority is folded once, although the read that first folded it broke off."""
    url = f"sqlite:///{tmp_path / 'log.db'}"
    engine = new_log(url)
    reader = sequencer_on(engine)
    key = VerifierKey("w.example", COSIGNATURE_ED25519, SIGNING.public_key.raw)
    witness: dict[str, Any] = {
        "keys": [str(key)],
        "operator": "w",
        "quorum": 1,
        "url": "https://w.example",
    }
    reader.append([Statement.make(BANK, "witness.admit", witness).sign(GOVERNANCE)])
    retire = Statement.make(BANK, "witness.retire", {"operator": "w", "quorum": 0})
    sequencer_on(engine).append([retire.sign(GOVERNANCE)])
    faults, view = Faults(engine, monkeypatch), RegistryView(engine)
    failed = 0
    for call in range(1, 20):
        faults.arm(call, AFTER)
        try:
            registry = view.now()
        except StoreFault:
            failed += 1
            continue
        finally:
            faults.disarm()
        assert registry.witnesses == {}
        break
    assert failed >= 3
    engine.dispose()
