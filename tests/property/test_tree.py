"""Tree and tiles against RFC 6962 as it is written: recursive, over a plain list of leaves."""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import (
    BadProofPath,
    NotFound,
    consistency_proof,
    inclusion_proof,
    root_hash,
    verify_consistency,
    verify_inclusion,
)
from ledger.tiles import WIDTH, TileEdge, TileTree
from ledger.tree import Frontier, peak_ranges

MOST = 70_000
LEAVES = [sha256(b"leaf %d" % number).digest() for number in range(MOST)]
SIZES = st.one_of(st.integers(1, 40), st.sampled_from([255, 256, 257, 511, 512, 513, 600, 1000]))


@functools.cache
def mth(lo: int, hi: int) -> bytes:
    """MTH(D[lo:hi]) of section 2.1; what is kept is the hash, not how it came about."""
    if lo == hi:
        return sha256(b"").digest()
    if hi - lo == 1:
        return LEAVES[lo]
    middle = lo + split(hi - lo)
    return sha256(b"\1" + mth(lo, middle) + mth(middle, hi)).digest()


def split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    half = 1
    while 2 * half < size:
        half *= 2
    return half


def naive_path(index: int, lo: int, hi: int) -> list[bytes]:
    """PATH(m, D[n]) of section 2.1.1."""
    if hi - lo == 1:
        return []
    middle = lo + split(hi - lo)
    if index < middle:
        return [*naive_path(index, lo, middle), mth(middle, hi)]
    return [*naive_path(index, middle, hi), mth(lo, middle)]


def naive_proof(old: int, lo: int, hi: int, whole: bool = True) -> list[bytes]:
    """SUBPROOF(m, D[n], b) of section 2.1.2."""
    if lo + old == hi:
        return [] if whole else [mth(lo, hi)]
    half = split(hi - lo)
    if old <= half:
        return [*naive_proof(old, lo, lo + half, whole), mth(lo + half, hi)]
    return [*naive_proof(old - half, lo + half, hi, False), mth(lo, lo + half)]


class Shelf:
    """Tiles in memory, as a log of `size` leaves would have stored them; counts what is read."""

    def __init__(self, size: int) -> None:
        self._levels = [LEAVES[:size]]
        while len(self._levels[-1]) >= WIDTH:
            below = self._levels[-1]
            whole = len(below) // WIDTH
            width = WIDTH ** len(self._levels)
            self._levels.append([mth(i * width, (i + 1) * width) for i in range(whole)])
        self.reads = 0

    def read(self, level: int, index: int, width: int) -> bytes:
        self.reads += 1
        if level >= len(self._levels):
            return b""
        return b"".join(self._levels[level][index * WIDTH : index * WIDTH + width])


@functools.lru_cache(maxsize=32)
def tree_of(size: int) -> TileTree:
    return TileTree(Shelf(size).read)


def check_size(size: int, indices: list[int], olds: list[int]) -> None:
    tree, root = tree_of(size), mth(0, size)
    lookup = tree.range_hash(size)
    assert tree.frontier(size).root == root
    for index in indices:
        path = inclusion_proof(index, size, lookup)
        assert path == tree.inclusion(index, size) == naive_path(index, 0, size)
        verify_inclusion(LEAVES[index], index, size, path, root)
    for old in olds:
        proof = consistency_proof(old, size, lookup)
        assert proof == naive_proof(old, 0, size)
        verify_consistency(old, size, proof, mth(0, old), root)


def test_every_proof_of_every_small_tree() -> None:
    for size in range(1, 70):
        check_size(size, list(range(size)), list(range(1, size + 1)))


@given(SIZES, st.data())
def test_proofs_from_tiles_are_those_of_the_rfc(size: int, choice: st.DataObject) -> None:
    index = choice.draw(st.integers(0, size - 1))
    old = choice.draw(st.integers(1, size))
    check_size(size, [index], [old])


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 65_793, MOST])
def test_proofs_from_three_levels_of_tiles(size: int) -> None:
    dice = random.Random(size)
    edges = [0, 1, 255, 256, 257, 32_767, 65_279, 65_280, 65_534, size - 1]
    indices = [*edges, *(dice.randrange(size) for _ in range(30))]
    olds = [*(index + 1 for index in edges), *(dice.randrange(1, size + 1) for _ in range(30))]
    check_size(size, indices, olds)


def test_a_tree_asked_for_its_smaller_sizes() -> None:
    """A partial tile kept from one size must not serve another."""
    tree = tree_of(1000)
    for size in (1000, 999, 768, 767, 257, 256, 255, 1, 0, 1000):
        assert tree.frontier(size).root == mth(0, size)
        if size:
            path = tree.inclusion(size - 1, size)
            verify_inclusion(LEAVES[size - 1], size - 1, size, path, mth(0, size))


def test_a_proof_reads_at_most_two_tiles_a_level() -> None:
    shelf = Shelf(MOST)
    TileTree(shelf.read).inclusion(33_333, MOST)
    assert shelf.reads <= 6


@given(st.integers(0, 700), st.integers(0, 700))
def test_frontier_edge_and_list_agree(before: int, more: int) -> None:
    """A log opened again at any size goes on as if it had never been closed."""
    size = before + more
    shelf = Shelf(size)
    grown = tree_of(size).frontier(before)
    grown.extend(LEAVES[before:size])
    assert (grown.size, grown.root) == (size, mth(0, size))
    assert grown.peaks == tuple(mth(lo, hi) for lo, hi in peak_ranges(0, size))
    frontier = tree_of(size).frontier(before)
    edge = TileEdge(before, shelf.read)
    copy = frontier.copy()
    for leaf in LEAVES[before:size]:
        frontier.append(leaf)
        for tile in edge.append(leaf):
            assert tile.hashes == shelf.read(tile.level, tile.index, WIDTH)
            width = WIDTH ** (tile.level + 1)
            assert tile.root == mth(tile.index * width, (tile.index + 1) * width)
    assert (frontier.size, frontier.root) == (size, mth(0, size))
    assert frontier.peaks == tuple(mth(lo, hi) for lo, hi in peak_ranges(0, size))
    assert (copy.size, copy.root) == (before, mth(0, before))


def test_the_edge_fills_a_tile_on_every_level_at_once() -> None:
    shelf = Shelf(65_536)
    edge = TileEdge(65_535, shelf.read)
    assert [(tile.level, tile.index) for tile in edge.append(LEAVES[65_535])] == [(0, 255), (1, 0)]
    assert edge.append(LEAVES[65_536]) == []


def test_the_edge_over_a_whole_log() -> None:
    edge, tree = TileEdge(0, Shelf(0).read), Frontier()
    at_once = TileEdge(0, Shelf(0).read)
    in_lots = [at_once.extend(LEAVES[start : start + 999]) for start in range(0, MOST, 999)]
    filled = []
    for leaf in LEAVES:
        filled += [(tile.level, tile.index) for tile in edge.append(leaf)]
        tree.append(leaf)
    assert sorted(filled) == [*((0, index) for index in range(273)), (1, 0)]
    assert sorted((tile.level, tile.index) for lot in in_lots for tile in lot) == sorted(filled)
    assert edge.partial() == at_once.partial()
    assert tree.root == edge.root == at_once.root == mth(0, MOST) == root_hash(LEAVES)


def test_missing_or_short_tiles_are_told() -> None:
    for found in (b"", bytes(31), bytes(32 * 255), bytes(32 * 257)):
        with pytest.raises(NotFound):
            TileTree(lambda level, index, width, found=found: found).frontier(256 * 3)
    with pytest.raises(NotFound):
        TileTree(Shelf(10).read).range_hash(10)(256, 257)


def changed(path: list[bytes], place: int, byte: int, bit: int) -> Iterator[list[bytes]]:
    """One hash changed, cut short, left out, doubled, moved; one more at any place."""
    if path:
        at = place % len(path)
        other = bytearray(path[at])
        other[byte] ^= 1 << bit
        yield [*path[:at], bytes(other), *path[at + 1 :]]
        yield [*path[:at], path[at][:-1], *path[at + 1 :]]
        yield [*path[:at], path[at] + b"\0", *path[at + 1 :]]
        yield path[:at] + path[at + 1 :]
        yield [*path[:at], path[at], *path[at:]]
    if len(path) > 1:
        yield path[1:] + path[:1]
    more = place % (len(path) + 1)
    yield [*path[:more], bytes(32), *path[more:]]


CHANGE = st.tuples(st.integers(0, 99), st.integers(0, 31), st.integers(0, 7))
ANY_SIZE = st.one_of(SIZES, st.sampled_from([65_536, MOST]))


@given(ANY_SIZE, CHANGE, st.data())
@settings(deadline=None)
def test_a_changed_inclusion_proof_is_refused(
    size: int, change: tuple[int, int, int], choice: st.DataObject
) -> None:
    index = choice.draw(st.integers(0, size - 1))
    path, root, leaf = naive_path(index, 0, size), mth(0, size), LEAVES[index]
    verify_inclusion(leaf, index, size, path, root)
    for other in changed(path, *change):
        with pytest.raises(BadProofPath):
            verify_inclusion(leaf, index, size, other, root)
    _, byte, bit = change
    for wrong in (flipped(leaf, byte, bit), leaf[:-1], leaf + b"\0"):
        with pytest.raises(BadProofPath):
            verify_inclusion(wrong, index, size, path, root)
    with pytest.raises(BadProofPath):
        verify_inclusion(leaf, index, size, path, flipped(root, byte, bit))
    for wrong_index in {index - 1, index + 1, index ^ 1, size, -1, size - 1 - index} - {index}:
        with pytest.raises(BadProofPath):
            verify_inclusion(leaf, wrong_index, size, path, root)


@given(ANY_SIZE, CHANGE, st.data())
@settings(deadline=None)
def test_a_changed_consistency_proof_is_refused(
    size: int, change: tuple[int, int, int], choice: st.DataObject
) -> None:
    old = choice.draw(st.integers(1, size))
    proof, before, after = naive_proof(old, 0, size), mth(0, old), mth(0, size)
    verify_consistency(old, size, proof, before, after)
    for other in changed(proof, *change):
        with pytest.raises(BadProofPath):
            verify_consistency(old, size, other, before, after)
    _, byte, bit = change
    with pytest.raises(BadProofPath):
        verify_consistency(old, size, proof, flipped(before, byte, bit), after)
    with pytest.raises(BadProofPath):
        verify_consistency(old, size, proof, before, flipped(after, byte, bit))
    for wrong in (0, -1, size + 1):
        with pytest.raises(BadProofPath):
            verify_consistency(wrong, size, proof, before, after)
    if old < size:
        with pytest.raises(BadProofPath):
            verify_consistency(old, size, proof, after, before)


def test_another_size_is_refused_wherever_the_shape_of_the_proof_differs() -> None:
    """A path binds the shape of the tree; the size itself is bound by the signed checkpoint."""
    for size in range(1, 40):
        root = mth(0, size)
        for index in range(size):
            path = naive_path(index, 0, size)
            for wrong in range(1, 40):
                shape = [turns(index, wrong), turns(index, size)] if index < wrong else []
                if shape and shape[0] == shape[1]:
                    verify_inclusion(LEAVES[index], index, wrong, path, root)
                    continue
                with pytest.raises(BadProofPath):
                    verify_inclusion(LEAVES[index], index, wrong, path, root)


def turns(index: int, size: int) -> list[bool]:
    """On which side the sibling stands at each step from the root down to the leaf."""
    lo, hi, found = 0, size, []
    while hi - lo > 1:
        middle = lo + split(hi - lo)
        found.append(index < middle)
        lo, hi = (lo, middle) if index < middle else (middle, hi)
    return found


def test_control_the_checks_do_not_refuse_everything() -> None:
    verify_inclusion(LEAVES[0], 0, 1, [], LEAVES[0])
    verify_consistency(3, 3, [], mth(0, 3), mth(0, 3))
    verify_consistency(1, 2, [LEAVES[1]], LEAVES[0], mth(0, 2))


def flipped(data: bytes, byte: int, bit: int) -> bytes:
    return data[:byte] + bytes([data[byte] ^ 1 << bit]) + data[byte + 1 :]
