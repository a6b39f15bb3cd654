"""The log against a plain list: whatever is done in whatever order, both say the same.

The list holds the statements that should have been taken, and two dictionaries the lots. The
machine appends batches in which fresh, repeated and refused statements are mixed, through two
sequencers in turn, signs, opens the store anew, and asks for receipts and proofs.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine

import ledger.sequencer
from ledger import (
    Checkpoint,
    Entry,
    NotFound,
    Receipt,
    SignedStatement,
    StoreFault,
    open_note,
    verify_consistency,
    verify_inclusion,
)
from ledger.log import Log
from ledger.sequencer import Declined, Placed
from ledger.store import open_store
from tests.log_kit import (
    VERIFIER,
    audited,
    award,
    checkpointer_on,
    lot_event,
    new_log,
    opening,
    sequencer_on,
)

MOVES = {
    "suspend": ({"active"}, "suspended"),
    "reinstate": ({"suspended"}, "active"),
    "revoke": ({"active", "suspended"}, "revoked"),
}
KINDS = ["fresh", "repeated", "too many credits", "same lot", "slot taken", "forged", *MOVES]


def plain_root(leaves: list[bytes]) -> bytes:
    """RFC 6962's tree, word for word and without any tile."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0]).digest()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + plain_root(leaves[:half]) + plain_root(leaves[half:])).digest()


class LogMachine(RuleBasedStateMachine):
    """Rules that act on the log and on the list alike."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.url = f"sqlite:///{self.folder / 'log.db'}"
        self.engine: Engine = new_log(self.url)
        self.model: list[SignedStatement] = list(opening())
        self.places = {s.statement.hash: index for index, s in enumerate(self.model)}
        self.states: dict[int, str] = {}
        """The state of the lot of each award in the log."""
        self.signed = [len(self.model)]
        """The sizes that checkpoints were signed at."""
        self.number = 0
        self.reason = 0
        self.use_engine()

    def use_engine(self) -> None:
        self.log = Log(self.engine)
        self.sequencers = [sequencer_on(self.engine), sequencer_on(self.engine)]
        self.checkpointer = checkpointer_on(self.engine)
        self.known_bytes: list[bytes] = list(self.log.entries())

    def teardown(self) -> None:
        audited(self.engine)
        self.engine.dispose()
        shutil.rmtree(self.folder)

    @initialize(count=st.sampled_from([0, 0, 245, 250]))
    def begin(self, count: int) -> None:
        """Some logs begin just short of their first full tile."""
        self.submit(0, ["fresh"] * count, 0)

    @rule(
        which=st.integers(0, 1),
        kinds=st.lists(st.sampled_from(KINDS), max_size=12),
        pick=st.integers(0, 1 << 16),
    )
    def append(self, which: int, kinds: list[str], pick: int) -> None:
        """A batch of mixed statements through one of the sequencers."""
        self.submit(which, kinds, pick)

    @rule(which=st.integers(0, 1), count=st.integers(100, 300))
    def append_many(self, which: int, count: int) -> None:
        """Enough to fill a tile now and then."""
        self.submit(which, ["fresh"] * count, 0)

    def submit(self, which: int, kinds: list[str], pick: int) -> None:
        batch: list[SignedStatement] = []
        expected: list[int | None] = []
        for turn, kind in enumerate(kinds):
            signed, taken = self.one(kind, pick + 7 * turn)
            identity = signed.statement.hash
            if identity not in self.places and taken:
                self.places[identity] = len(self.model)
                self.model.append(signed)
            batch.append(signed)
            expected.append(self.places[identity] if taken else None)
        before = len(self.known_bytes)
        outcomes = self.sequencers[which].append(batch)
        assert len(outcomes) == len(batch)
        for signed, outcome, index in zip(batch, outcomes, expected, strict=True):
            if index is None:
                assert isinstance(outcome, Declined), signed.statement
                assert outcome.reason
            else:
                assert isinstance(outcome, Placed), outcome
                assert outcome.index == index
        self.known_bytes += self.log.entries(before)

    def one(self, kind: str, pick: int) -> tuple[SignedStatement, bool]:
        """A statement of this kind, and whether the log should take it (or has it)."""
        if kind in MOVES:
            number = pick % (self.number + 1)  # the last one was never awarded
            self.reason += 1
            signed = lot_event(kind, number, f"r{self.reason}")
            allowed, state = MOVES[kind]
            if self.states.get(number) not in allowed:
                return signed, False
            self.states[number] = state
            return signed, True
        if kind == "repeated":
            return self.model[pick % len(self.model)], True
        if kind == "same lot" and self.number:
            return award(pick % self.number, "3"), False
        if kind == "too many credits":
            return award(500_000 + pick, "5"), False
        if kind == "slot taken" and self.number:
            return award(600_000 + pick, slot=pick % self.number), False
        if kind == "forged":
            signed = award(700_000 + pick)
            ((key, _),) = signed.signatures
            return replace(signed, signatures=((key, bytes(64)),)), False
        self.number += 1
        self.states[self.number - 1] = "active"
        return award(self.number - 1), True

    @rule()
    def sign(self) -> None:
        """A checkpoint of everything, and the same one again while nothing is new."""
        note = self.checkpointer.sign()
        checkpoint = Checkpoint.parse(open_note(note, [VERIFIER]).text)
        assert checkpoint.size == len(self.model)
        assert checkpoint.root == plain_root(self.known_bytes)
        assert self.checkpointer.sign() == note == self.log.signed()
        if self.signed[-1] != checkpoint.size:
            self.signed.append(checkpoint.size)

    @rule()
    def reopen(self) -> None:
        """As after a restart."""
        self.engine.dispose()
        self.engine = open_store(self.url)
        self.use_engine()

    @rule(picks=st.lists(st.integers(0, 1 << 16), min_size=1, max_size=4))
    def receipts(self, picks: list[int]) -> None:
        """Receipts under the last checkpoint lead to its root; there are none past it."""
        size = self.signed[-1]
        for receipt in self.log.receipts([pick % size for pick in picks]):
            assert Receipt.parse(receipt.encode()) == receipt
            checkpoint = Checkpoint.parse(open_note(receipt.checkpoint, [VERIFIER]).text)
            assert checkpoint.size == size
            assert checkpoint.root == plain_root(self.known_bytes[:size])
            assert receipt.entry == self.known_bytes[receipt.index]
            leaf = sha256(b"\0" + receipt.entry).digest()
            verify_inclusion(leaf, receipt.index, size, receipt.path, checkpoint.root)
        with pytest.raises(NotFound):
            self.log.receipt(size)

    @rule(first=st.integers(0, 1 << 16), second=st.integers(0, 1 << 16))
    def consistency(self, first: int, second: int) -> None:
        """A proof between any two sizes there were."""
        old, new = sorted((first % (len(self.model) + 1), second % (len(self.model) + 1)))
        roots = [plain_root(self.known_bytes[:size]) for size in (old, new)]
        assert [self.log.root(old), self.log.root(new)] == roots
        proof = self.log.consistency(old, new)
        if old:
            verify_consistency(old, new, proof, *roots)
        else:
            assert proof == []

    @precondition(lambda self: len(self.model) > 256)
    @rule(width=st.integers(1, 256))
    def tile(self, width: int) -> None:
        """The first tile holds the first leaf hashes."""
        leaves = [sha256(b"\0" + data).digest() for data in self.known_bytes[:width]]
        assert self.log.tile(0, 0, width) == b"".join(leaves)

    @rule(pick=st.integers(0, 1 << 16))
    def look_up(self, pick: int) -> None:
        """An entry by its place, its place by its statement; nothing past the end."""
        index = pick % len(self.model)
        entry = Entry.parse(self.log.entry(index))
        assert (entry.index, entry.signed) == (index, self.model[index])
        assert self.log.index_of(self.model[index].statement) == index
        assert self.log.index_of(replace(self.model[index].statement, data=b"{}")) is None
        with pytest.raises(NotFound):
            self.log.entry(len(self.model))

    @invariant()
    def same(self) -> None:
        """The log holds the list's statements, in its order."""
        assert self.log.size() == len(self.model) == len(self.known_bytes)
        last = Entry.parse(self.known_bytes[-1])
        assert last.signed == self.model[-1]


FAST = settings(max_examples=40, stateful_step_count=20, deadline=None)


def test_the_log_is_a_list() -> None:
    run_state_machine_as_test(LogMachine, settings=FAST)


@pytest.mark.slow
def test_the_log_is_a_list_for_longer() -> None:
    slow = settings(max_examples=1000, stateful_step_count=50, deadline=None)
    run_state_machine_as_test(LogMachine, settings=slow)


def run_without_shrinking() -> None:
    once = settings(FAST, report_multiple_bugs=False, database=None, phases=[Phase.generate])
    run_state_machine_as_test(LogMachine, settings=once)


def test_control_a_forged_signature_let_in_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SignedStatement, "verify", lambda self: None)
    with pytest.raises(AssertionError):
        run_without_shrinking()


def test_control_a_repetition_appended_again_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here the unique index on statements is what notices."""
    monkeypatch.setattr(ledger.sequencer, "_places", lambda connection, hashes: {})
    with pytest.raises((AssertionError, StoreFault)):
        run_without_shrinking()
