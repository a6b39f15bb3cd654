"""A federation of witnesses: what an operator with some of them on its side can and cannot do.

Quorums of k out of n share at least 2k-n witnesses. While fewer than that are malicious, an
honest one would have to cosign two histories; with exactly as many it can be done.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from keys import PrivateKey
from ledger import (
    Checkpoint,
    VerifierKey,
    consistency_proof,
    leaf_hash,
    open_note,
    root_hash,
    sign_note,
)
from ledger.cosignature import Ed25519Cosigner
from ledger.tiles import WIDTH, TileEdge, TileTree
from ledger.tree import Frontier
from ledger.witness import AddCheckpoint, Turned, Witness
from tests.witness_kit import CarelessStore, MemoryStore, cosigner

ORIGIN = "bank.example/log"
LOG = PrivateKey.from_seed(b"l" * 32)
LOG_KEY = VerifierKey(ORIGIN, 1, LOG.public_key.raw)
N = 5
NAMES = [f"bank{number}.example/witness" for number in range(N)]


def honest(name: str, store: MemoryStore | None = None) -> Witness:
    kept = store or MemoryStore()
    return Witness({ORIGIN: [LOG_KEY]}, [cosigner(name)], kept, lambda: datetime.now(UTC))


class Malicious:
    """Cosigns whatever it is shown, as often as it is asked."""

    def __init__(self, name: str) -> None:
        self._cosigner: Ed25519Cosigner = cosigner(name)

    def add_checkpoint(self, request: AddCheckpoint) -> str:
        return self._cosigner.cosign(open_note(request.note, ()).text, 1)


class History:
    """One of the operator's versions of the log: its own from the fork on."""

    def __init__(self, seed: int, branch: int, fork: int, size: int) -> None:
        self.leaves = [
            leaf_hash(b"%d %d %d" % (seed, branch if index >= fork else 0, index))
            for index in range(size)
        ]
        self.notes: dict[int, str] = {}

    def note(self, size: int) -> str:
        if size not in self.notes:
            text = Checkpoint(ORIGIN, size, root_hash(self.leaves[:size])).text
            self.notes[size] = sign_note(text, ORIGIN, LOG)
        return self.notes[size]

    def proof(self, old: int, new: int) -> tuple[bytes, ...]:
        leaves = self.leaves
        return tuple(consistency_proof(old, new, lambda lo, hi: root_hash(leaves[lo:hi])))


class Operator:
    """Shows witnesses whatever it likes, and collects what they cosign."""

    def __init__(self, witnesses: Sequence[Witness | Malicious]) -> None:
        self.witnesses = witnesses
        self.cosigned: dict[str, set[str]] = defaultdict(set)
        self._keys = [cosigner(name).key for name in NAMES]

    def show(self, place: int, history: History, size: int) -> bool:
        """Whether witness `place` cosigned this; the old size it names is the one it knows."""
        old, note = 0, history.note(size)
        for _ in range(2):
            # Where the witness has seen more, no old size is right: the largest possible is tried.
            old = min(old, size)
            try:
                lines = self.witnesses[place].add_checkpoint(
                    AddCheckpoint(old, history.proof(old, size), note)
                )
            except Turned as turned:
                if turned.size is None:
                    return False
                old = turned.size
                continue
            # Counted as a verifier counts: who signed it, by the lines alone.
            for signature in open_note(note + lines, self._keys).signatures:
                self.cosigned[note].add(signature.key.name)
            return True
        return False

    def quorums(self, k: int) -> list[str]:
        return [note for note, names in self.cosigned.items() if len(names) >= k]


def federation(f: int, *, careless: bool = False) -> list[Witness | Malicious]:
    made: list[Witness | Malicious] = [Malicious(name) for name in NAMES[:f]]
    return made + [honest(name, CarelessStore() if careless else None) for name in NAMES[f:]]


def best_attack(k: int, f: int, rng: random.Random) -> bool:
    """Those on its side see both histories, the others are shared out between them."""
    size = rng.randint(2, 60)
    fork = rng.randrange(size)
    one, two = (History(rng.getrandbits(32), branch, fork, size) for branch in (1, 2))
    operator = Operator(federation(f))
    rest = list(range(f, N))
    rng.shuffle(rest)
    half = len(rest) // 2
    for place in [*range(f), *rest[:half]]:
        operator.show(place, one, size)
    for place in [*range(f), *rest[half:]]:
        operator.show(place, two, size)
    return one.note(size) in operator.quorums(k) and two.note(size) in operator.quorums(k)


def random_attack(k: int, f: int, rng: random.Random) -> tuple[bool, bool]:
    """Any order, any sizes, again and again: (two roots for one size, any two that conflict)."""
    size = rng.randint(3, 40)
    fork = rng.randrange(size)
    seed = rng.getrandbits(32)
    histories = [History(seed, branch, fork, size) for branch in (1, 2)]
    operator = Operator(federation(f))
    sizes = sorted({size, *(rng.randint(1, size) for _ in range(3))})
    for _ in range(rng.randint(20, 60)):
        operator.show(rng.randrange(N), rng.choice(histories), rng.choice(sizes))
    reached = operator.quorums(k)
    points = [Checkpoint.parse(open_note(note, ()).text) for note in reached]
    twice = len({point.size for point in points}) < len({point.text for point in points})
    return twice, not _one_history(points, histories)


def _one_history(points: Iterable[Checkpoint], histories: Sequence[History]) -> bool:
    seen = list(points)
    return any(
        all(root_hash(history.leaves[: point.size]) == point.root for point in seen)
        for history in histories
    )


SAFE = [(k, f) for k in range(3, N + 1) for f in range(2 * k - N)]
BROKEN = [(k, 2 * k - N) for k in range(3, N + 1)]


def test_the_cases_are_what_they_should_be() -> None:
    assert [(3, 0), (4, 0), (4, 1), (4, 2), *((5, f) for f in range(5))] == SAFE
    assert BROKEN == [(3, 1), (4, 3), (5, 5)]


@pytest.mark.parametrize(("k", "f"), SAFE)
def test_below_2k_minus_n_no_two_conflicting_checkpoints_reach_quorum(k: int, f: int) -> None:
    for seed in range(60):
        assert not best_attack(k, f, random.Random(seed)), seed


@pytest.mark.parametrize(("k", "f"), SAFE)
def test_nor_by_any_order_of_asking(k: int, f: int) -> None:
    for seed in range(40):
        assert random_attack(k, f, random.Random(seed)) == (False, False), seed


@pytest.mark.slow
@pytest.mark.parametrize(("k", "f"), SAFE)
def test_nor_over_thousands_of_seeds(k: int, f: int) -> None:
    for seed in range(40, 1500):
        assert not best_attack(k, f, random.Random(seed)), seed
        assert random_attack(k, f, random.Random(seed)) == (False, False), seed


@pytest.mark.parametrize(("k", "f"), BROKEN)
def test_the_control_with_2k_minus_n_malicious_both_do(k: int, f: int) -> None:
    assert all(best_attack(k, f, random.Random(seed)) for seed in range(60))


@pytest.mark.parametrize(("k", "f"), BROKEN)
def test_the_control_some_orders_of_asking_succeed_then(k: int, f: int) -> None:
    found = [random_attack(k, f, random.Random(seed)) for seed in range(60)]
    assert any(twice for twice, _ in found)
    assert any(conflict for _, conflict in found)


def test_the_control_a_memory_that_is_lost_is_as_bad_as_malice() -> None:
    """All five honest, quorum of five; between the two requests each forgets what it saw."""
    one, two = (History(1, branch, 5, 20) for branch in (1, 2))
    operator = Operator(federation(0, careless=True))
    for place in range(N):
        assert operator.show(place, one, 20)
        assert not operator.show(place, two, 20)
    operator.witnesses = federation(0)
    for place in range(N):
        assert operator.show(place, two, 20)
    assert len(operator.quorums(N)) == 2


# --- one entry of the past rewritten

PAST, NOW = 10_000, 10_100
SAMPLE = 300


class Past:
    """A log of 10,000 entries in tiles; any one leaf of it can be another."""

    def __init__(self) -> None:
        self.leaves = [leaf_hash(b"entry %d" % index) for index in range(NOW)]
        edge = TileEdge(0, lambda level, index, width: b"")
        self.roots: list[bytes] = []
        for leaf in self.leaves:
            self.roots += [tile.root for tile in edge.append(leaf) if tile.level == 0]
        self.tree = TileTree(self._read)

    def _read(self, level: int, index: int, width: int) -> bytes:
        row = (self.leaves, self.roots)[level]
        return b"".join(row[index * WIDTH : index * WIDTH + width])

    def rewritten(self, place: int) -> TileTree:
        """The tree with another entry at `place`: the tiles above it are made anew."""
        changed = sha256(b"\0another entry %d" % place).digest()
        tile = place // WIDTH
        above = b""
        if tile < len(self.roots):
            start = tile * WIDTH
            row = [*self.leaves[start:place], changed, *self.leaves[place + 1 : start + WIDTH]]
            above = root_hash(row)

        def read(level: int, index: int, width: int) -> bytes:
            data = self._read(level, index, width)
            if (level, index) == (0, tile):
                at = 32 * (place % WIDTH)
                return data[:at] + changed + data[at + 32 :] if at < len(data) else data
            if level == 1 and 32 * tile < len(data):
                return data[: 32 * tile] + above + data[32 * tile + 32 :]
            return data

        return TileTree(read)


@pytest.fixture(scope="module")
def past() -> Past:
    return Past()


def signed(tree: TileTree, size: int) -> str:
    return sign_note(Checkpoint(ORIGIN, size, tree.frontier(size).root).text, ORIGIN, LOG)


def path(tree: TileTree, old: int, new: int) -> tuple[bytes, ...]:
    return tuple(consistency_proof(old, new, tree.range_hash(new)))


def seen_by_all(past: Past) -> list[Witness]:
    witnesses = [honest(name) for name in NAMES]
    for witness in witnesses:
        witness.add_checkpoint(AddCheckpoint(0, (), signed(past.tree, PAST)))
    return witnesses


def status(witness: Witness, request: AddCheckpoint) -> int:
    try:
        witness.add_checkpoint(request)
    except Turned as turned:
        return turned.status
    return 200


def all_refuse(past: Past, witnesses: Sequence[Witness], places: Iterable[int]) -> int:
    """How many rewritings were refused, each by every witness and however it was asked."""
    honest_proof = path(past.tree, PAST, NOW)
    count = 0
    for place in places:
        tree = past.rewritten(place)
        same, grown = signed(tree, PAST), signed(tree, NOW)
        asked = [
            (AddCheckpoint(PAST, (), same), 422),
            (AddCheckpoint(PAST, path(tree, PAST, NOW), grown), 422),
            (AddCheckpoint(PAST, honest_proof, grown), 422),
            (AddCheckpoint(0, (), same), 409),
            (AddCheckpoint(place, path(tree, place, NOW), grown), 409),
        ]
        for witness in witnesses:
            for request, expected in asked:
                assert status(witness, request) == expected, (place, request.old)
        count += 1
    return count


def test_whichever_past_entry_is_rewritten_every_witness_refuses(past: Past) -> None:
    witnesses = seen_by_all(past)
    edges = {0, 1, 255, 256, 8191, 8192, 9983, 9984, PAST - 1}
    places = edges | set(random.Random(1).sample(range(PAST), SAMPLE))
    assert all_refuse(past, witnesses, sorted(places)) >= SAMPLE
    # The control: the history that was not rewritten is cosigned by all of them.
    request = AddCheckpoint(PAST, path(past.tree, PAST, NOW), signed(past.tree, NOW))
    assert [status(witness, request) for witness in witnesses] == [200] * N


@pytest.mark.slow
def test_every_one_of_10000_entries(past: Past) -> None:
    assert all_refuse(past, seen_by_all(past), range(PAST)) == PAST


def test_the_control_entries_that_no_witness_has_seen_can_be_rewritten(past: Past) -> None:
    for place in (PAST, PAST + 1, NOW - 1):
        tree = past.rewritten(place)
        request = AddCheckpoint(PAST, path(tree, PAST, NOW), signed(tree, NOW))
        assert [status(witness, request) for witness in seen_by_all(past)] == [200] * N


def test_with_all_that_follows_rewritten_too_it_is_refused(past: Past) -> None:
    """Entries are chained: an honest-looking forgery changes all leaves after the one."""
    witnesses = seen_by_all(past)
    for place in (0, 1, 255, 4096, 9_000, PAST - 1):
        leaves = past.leaves[:place] + [sha256(leaf).digest() for leaf in past.leaves[place:]]
        tree = Frontier()
        for leaf in leaves[:PAST]:
            tree.append(leaf)
        same = sign_note(Checkpoint(ORIGIN, PAST, tree.root).text, ORIGIN, LOG)
        for witness in witnesses:
            assert status(witness, AddCheckpoint(PAST, (), same)) == 422


def test_rewritten_trees_made_with_tiles_are_the_real_ones(past: Past) -> None:
    for place in (0, 255, 256, 9983, 9984, 9999, 10_050):
        leaves = list(past.leaves)
        leaves[place] = sha256(b"\0another entry %d" % place).digest()
        tree = past.rewritten(place)
        for size in (PAST, NOW):
            assert tree.frontier(size).root == root_hash(leaves[:size])
