"""The sequencer on both engines: each statement one place, proofs at many sizes, one chain."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from bank.tables import derived, private
from keys import PrivateKey
from ledger import (
    Checkpoint,
    Entry,
    LedgerError,
    NotFound,
    Receipt,
    SignedStatement,
    Statement,
    leaf_hash,
    open_note,
    root_hash,
    verify_consistency,
    verify_inclusion,
)
from ledger.audit import audit
from ledger.group_commit import GroupCommit
from ledger.log import Log, read_head
from ledger.registry_view import RegistryView
from ledger.sequencer import Declined, Placed, Sequencer
from ledger.store import create_tables, open_store, reading
from ledger.tree import EMPTY_ROOT
from tests.log_kit import (
    APPROVING,
    BANK,
    GOVERNANCE,
    MEMBER,
    SIGNING,
    VERIFIER,
    audited,
    award,
    awards,
    checkpointer_on,
    lot_event,
    new_log,
    opening,
    sequencer_on,
    sizes,
)

FIRST = len(opening())
_databases = iter(range(10_000))


def new_url(kind: str, request: pytest.FixtureRequest, folder: Path) -> str:
    """A new database on the engine asked for."""
    if kind == "sqlite":
        return f"sqlite:///{folder / 'log.db'}"
    server = request.getfixturevalue("postgres")
    name = f"sequencer_{next(_databases)}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return new_url(request.param, request, tmp_path)


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """A log, opened: five entries and their checkpoint."""
    engine = new_log(url)
    yield engine
    engine.dispose()


def places(outcomes: list[Placed | Declined]) -> list[int | None]:
    return [outcome.index if isinstance(outcome, Placed) else None for outcome in outcomes]


class NoTables:
    """A projection without tables."""

    def begin(self, connection: object, batch: object, registry: object) -> NoTables:
        return self

    def take(self, entry: Entry) -> None:
        pass

    def flush(self) -> None:
        pass


def test_an_empty_log(url: str) -> None:
    engine = open_store(url)
    create_tables(engine, derived, private)
    create_tables(engine, derived, private)
    log = Log(engine)
    assert (log.size(), list(log.entries()), log.checkpoints()) == (0, [], [])
    assert log.root(0) == EMPTY_ROOT
    for ask in (log.checkpoint, log.signed, lambda: log.receipt(0), lambda: log.entry(0)):
        with pytest.raises(NotFound):
            ask()
    assert sequencer_on(engine).append([]) == []
    (declined,) = sequencer_on(engine).append([award(0)])
    assert declined == Declined("the first entry of a log is its log.open statement")
    note = checkpointer_on(engine).sign()
    assert Checkpoint.parse(open_note(note, [VERIFIER]).text).root == EMPTY_ROOT
    engine.dispose()


def test_a_statement_has_one_place_however_often_it_comes(engine: Engine) -> None:
    sequencer = sequencer_on(engine)
    first = sequencer.append(awards(0, 3))
    assert places(first) == [8, 9, 10]
    assert all(isinstance(one, Placed) and not one.repeated for one in first)
    for again in (sequencer, sequencer_on(engine)):
        outcomes = again.append([award(2), award(0)])
        assert places(outcomes) == [10, 8]
        for outcome, index in zip(outcomes, (2, 0), strict=True):
            before = first[index]
            assert isinstance(outcome, Placed)
            assert isinstance(before, Placed)
            assert outcome.repeated
            assert outcome.leaf == before.leaf == leaf_hash(Log(engine).entry(outcome.index))
    assert Log(engine).size() == 11
    assert Log(engine).index_of(award(1).statement) == 9
    assert Log(engine).index_of(award(9).statement) is None
    audited(engine)


def test_duplicates_within_one_batch(engine: Engine) -> None:
    outcomes = sequencer_on(engine).append([award(0), award(1), award(0), award(1), award(0)])
    assert places(outcomes) == [8, 9, 8, 9, 8]
    assert [one.repeated for one in outcomes if isinstance(one, Placed)] == [False] * 2 + [True] * 3
    audited(engine)


def test_one_declined_statement_does_not_hold_up_the_others(engine: Engine) -> None:
    sequencer = sequencer_on(engine)
    forged = SignedStatement(award(7).statement, award(8).signatures)
    stranger = award(9).statement.sign(PrivateKey.from_seed(b"s" * 32))
    batch = [award(0), forged, stranger, award(0, "3"), award(20, slot=0), award(1), award(3, "5")]
    batch += [
        lot_event("reinstate", 1),
        lot_event("suspend", 1),
        lot_event("suspend", 99),
        award(2),
    ]
    outcomes = sequencer.append(batch)
    assert places(outcomes) == [8, None, None, None, None, 9, None, None, 10, None, 11]
    reasons = [one.reason for one in outcomes if isinstance(one, Declined)]
    for reason, part in zip(
        reasons,
        (
            "does not match",
            "is not registered for",
            "was awarded already, by entry 8",
            "slot 1#0 is taken",
            "gives 4 credits",
            "is active; it cannot reinstate",
            "there is no lot",
        ),
        strict=True,
    ):
        assert part in reason
    # What was declined leaves no trace, and what was right in it may come again.
    assert places(sequencer.append([award(7), award(3)])) == [12, 13]
    assert audited(engine).size == 14


def test_a_forged_repetition_is_not_told_its_place(engine: Engine) -> None:
    sequencer_on(engine).append([award(0)])
    forged = SignedStatement(award(0).statement, award(1).signatures)
    (outcome,) = sequencer_on(engine).append([forged])
    assert isinstance(outcome, Declined)


def test_authority_made_in_the_same_batch_holds_for_what_follows(engine: Engine) -> None:
    new = PrivateKey.from_seed(b"n" * 32)
    body = {"key": new.public_key.multikey, "member": MEMBER}
    add = Statement.make(BANK, "key.add", body).sign(GOVERNANCE)
    retire = Statement.make(
        BANK, "key.retire", {"key": SIGNING.public_key.multikey, "member": MEMBER}
    ).sign(GOVERNANCE)
    by_new = award(1).statement.sign(new)
    batch = [award(0), by_new, add, by_new, retire, award(2), award(3).statement.sign(new)]
    outcomes = sequencer_on(engine).append(batch)
    assert places(outcomes) == [8, None, 9, 10, 11, None, 12]
    audited(engine)


def test_time_never_runs_backwards(url: str) -> None:
    engine = open_store(url)
    create_tables(engine, derived, private)
    now = datetime(2026, 11, 23, tzinfo=UTC)
    steps = iter([now, now - timedelta(days=30), now + timedelta(days=1), now])
    sequencer = Sequencer(engine, NoTables(), lambda: next(steps))
    for signed in opening()[:4]:
        sequencer.append([signed])
    days = [Entry.parse(data).time[:10] for data in Log(engine).entries()]
    assert days == ["2026-11-23", "2026-11-23", "2026-11-24", "2026-11-24"]
    engine.dispose()


def check_log(engine: Engine, indices: list[int], olds: list[int]) -> None:
    """Receipts and consistency proofs of the log as it stands."""
    log, size = Log(engine), Log(engine).size()
    note = log.checkpoint()
    opened = open_note(note, [VERIFIER])
    assert len(opened.signatures) == 1
    checkpoint = Checkpoint.parse(opened.text)
    assert checkpoint.size == size
    receipts = log.receipts(indices)
    for index, receipt in zip(indices, receipts, strict=True):
        assert Receipt.parse(receipt.encode()) == receipt
        assert (receipt.index, receipt.checkpoint) == (index, note)
        assert Entry.parse(receipt.entry).index == index
        leaf = leaf_hash(receipt.entry)
        verify_inclusion(leaf, index, size, receipt.path, checkpoint.root)
    for old in olds:
        verify_consistency(old, size, log.consistency(old, size), log.root(old), checkpoint.root)
    for index in (size, -1):
        with pytest.raises(NotFound):
            log.receipt(index)
        with pytest.raises(NotFound):
            log.entry(index)
    for old, new in ((0, size + 1), (size, size - 1), (-1, size)):
        with pytest.raises(NotFound):
            log.consistency(old, new)


def test_receipts_and_proofs_at_many_sizes(url: str) -> None:
    engine = open_store(url)
    create_tables(engine, derived, private)
    sequencer, checkpointer = sequencer_on(engine), checkpointer_on(engine)
    wanted = [*opening(), *awards(0, 600 - FIRST)]
    stops = [1, 2, 5, 255, 256, 257, 511, 512, 600]
    done = 0
    for stop in stops:
        assert places(sequencer.append(wanted[done:stop])) == list(range(done, stop))
        done = stop
        checkpointer.sign()
        picked = sorted({0, stop // 2, stop - 1, *(n for n in (254, 255, 256, 257) if n < stop)})
        check_log(engine, picked, [old for old in stops if old <= stop])
    leaves = [leaf_hash(data) for data in Log(engine).entries()]
    for size in (0, *stops, 300):
        assert Log(engine).root(size) == root_hash(leaves[:size])
    assert sizes(Log(engine).checkpoints()) == stops
    # A receipt of an early entry is under the newest checkpoint.
    assert audited(engine).size == 600
    engine.dispose()


@pytest.mark.slow
def test_seventy_thousand_entries(tmp_path: Path) -> None:
    engine = new_log(f"sqlite:///{tmp_path / 'log.db'}")
    sequencer, checkpointer = sequencer_on(engine), checkpointer_on(engine)
    total = 70_000
    for start in range(0, total - FIRST, 1000):
        count = min(1000, total - FIRST - start)
        outcomes = sequencer.append(awards(start, count))
        assert places(outcomes) == list(range(FIRST + start, FIRST + start + count))
        if start % 10_000 == 0:
            checkpointer.sign()
    checkpointer.sign()
    dice = random.Random(70)
    indices = [0, 255, 256, 65_279, 65_280, 65_535, 65_536, 65_537, total - 1]
    indices += [dice.randrange(total) for _ in range(50)]
    check_log(engine, indices, [1, 255, 256, 65_535, 65_536, 65_537, 69_999, total])
    # A sequencer that has seen nothing of it goes on where it stands.
    assert places(sequencer_on(engine).append([award(total), award(3)])) == [total, FIRST + 3]
    assert audited(engine).size == total + 1
    engine.dispose()


def test_sequencers_taking_turns(engine: Engine, url: str) -> None:
    """As processes on one database do: each has to notice what the others appended."""
    other = open_store(url)
    turns = [sequencer_on(engine), sequencer_on(other), sequencer_on(engine)]
    number = 0
    for turn in range(30):
        count = 1 + turn * 7 % 20
        outcomes = turns[turn % 3].append(awards(number, count))
        assert places(outcomes) == list(range(FIRST + number, FIRST + number + count))
        number += count
    new = PrivateKey.from_seed(b"n" * 32)
    body = {"key": new.public_key.multikey, "member": MEMBER}
    turns[0].append([Statement.make(BANK, "key.add", body).sign(GOVERNANCE)])
    assert isinstance(turns[1].append([award(900).statement.sign(new)])[0], Placed)
    retired = {"key": SIGNING.public_key.multikey, "member": MEMBER}
    turns[1].append([Statement.make(BANK, "key.retire", retired).sign(GOVERNANCE)])
    for each in turns:
        (outcome,) = each.append([award(901)])
        assert isinstance(outcome, Declined)
        assert "retired" in outcome.reason
    for reader in (engine, other):
        assert set(RegistryView(reader).now().members[MEMBER].keys) == {
            new.public_key.multikey,
            SIGNING.public_key.multikey,
            APPROVING.public_key.multikey,
        }
    audited(engine)
    other.dispose()


def test_the_registry_is_read_beside_the_sequencer(engine: Engine, url: str) -> None:
    """Another process appends while this one reads; nobody waits for a commit in hand."""
    other = open_store(url)
    sequencer, view = sequencer_on(other), RegistryView(engine)
    before = view.now()
    sequencer.append(awards(0, 3))
    assert view.now() is before, "an award changes nothing of it"
    new = PrivateKey.from_seed(b"n" * 32)
    body = {"key": new.public_key.multikey, "member": MEMBER}
    added = Statement.make(BANK, "key.add", body).sign(GOVERNANCE)
    with sequencer._lock:
        assert view.now() is before
    sequencer.append([added])
    after = view.now()
    assert new.public_key.multikey in after.members[MEMBER].keys
    assert new.public_key.multikey not in before.members[MEMBER].keys, "who has it keeps it"
    view.forget()
    assert set(view.now().members[MEMBER].keys) == set(after.members[MEMBER].keys)
    other.dispose()


def together(work: list[Callable[[], object]]) -> list[object]:
    """Run all at once, as nearly as threads can."""
    gate = threading.Barrier(len(work))

    def run(one: Callable[[], object]) -> object:
        gate.wait(timeout=30)
        return one()

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(run, work))


def test_sequencers_all_at_once(engine: Engine, url: str) -> None:
    """Every one submits its own awards and the same shared ones."""
    engines = [open_store(url) for _ in range(4)]

    def run(racer: int) -> dict[bytes, int]:
        sequencer, told = sequencer_on(engines[racer]), {}
        for turn in range(8):
            batch = [*awards(1000 * (racer + 1) + 5 * turn, 5), *awards(100 * turn, 3)]
            outcomes = sequencer.append(batch)
            for signed, outcome in zip(batch, outcomes, strict=True):
                assert isinstance(outcome, Placed)
                told[signed.statement.hash] = outcome.index
        return told

    everything: dict[bytes, int] = {}
    for told in together([lambda racer=racer: run(racer) for racer in range(4)]):
        assert isinstance(told, dict)
        for identity, index in told.items():
            assert everything.setdefault(identity, index) == index
    assert sorted(everything.values()) == list(range(FIRST, FIRST + 4 * 8 * 5 + 8 * 3))
    assert audited(engine).size == FIRST + len(everything)
    for each in engines:
        each.dispose()


def test_many_callers_through_group_commit(engine: Engine) -> None:
    signed: list[int] = []
    group = GroupCommit(sequencer_on(engine), checkpointer_on(engine), lambda: signed.append(1))
    log = Log(engine)

    def call(caller: int) -> list[int | None]:
        found: list[int | None] = []
        for turn in range(10):
            outcomes = group.append([award(100 * caller + turn), award(5000 + turn)])
            found += places(outcomes)
            # What is answered is under a checkpoint already.
            for outcome in outcomes:
                assert isinstance(outcome, Placed)
                assert log.receipt(outcome.index).index == outcome.index
        return found

    answers = together([lambda caller=caller: call(caller) for caller in range(6)])
    group.close()
    own = {index for answer in answers for index in answer[::2]}  # type: ignore[index]
    shared = [answer[1::2] for answer in answers]  # type: ignore[index]
    assert all(one == shared[0] for one in shared)
    assert own | set(shared[0]) == set(range(FIRST, FIRST + 70))
    assert len(own) == 60
    assert 0 < len(signed) <= 60
    with pytest.raises(LedgerError, match="shutting down"):
        group.append([award(1)])
    assert audited(engine).size == FIRST + 70


def test_group_commit_answers_each_caller_with_its_own(engine: Engine) -> None:
    group = GroupCommit(sequencer_on(engine), checkpointer_on(engine))
    futures = [
        group.enqueue(batch)
        for batch in ([award(0), award(0, "3")], [], [award(0)], [award(1, "5"), award(1)])
    ]
    assert [places(future.result(timeout=30)) for future in futures] == [
        [8, None],
        [],
        [8],
        [None, 9],
    ]
    group.close()
    audited(engine)


def test_every_checkpoint_is_a_prefix_of_the_next(engine: Engine) -> None:
    sequencer, checkpointer, log = sequencer_on(engine), checkpointer_on(engine), Log(engine)
    assert checkpointer.sign() == log.signed()
    for turn in range(12):
        sequencer.append(awards(50 * turn, turn))
        note = checkpointer.sign()
        # Nothing new, nothing new signed; by whoever signs.
        assert checkpointer.sign() == checkpointer_on(engine).sign() == note
    found = [Checkpoint.parse(open_note(note, [VERIFIER]).text) for note in log.checkpoints()]
    for before, after in pairwise(found):
        proof = log.consistency(before.size, after.size)
        verify_consistency(before.size, after.size, proof, before.root, after.root)
    assert audit(log.entries(), log.checkpoints()).passed
    with reading(engine) as connection:
        head = read_head(connection)
    assert (head.size, head.root) == (found[-1].size, found[-1].root)
