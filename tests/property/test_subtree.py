"""Subtrees: each proof verifies, each change to one is refused, and any interval is covered."""

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import BadProofPath, Checkpoint, leaf_hash, root_hash
from ledger.landmarks import HEIGHT, check_landmarks, landmark_subtree, make_landmarks
from ledger.subtree import (
    Subtree,
    covering,
    subtree_consistency_proof,
    subtree_inclusion_proof,
    verify_subtree_consistency,
    verify_subtree_inclusion,
)
from ledger.tree import EMPTY_ROOT, inclusion_proof

LEAVES = [leaf_hash(bytes([n])) for n in range(130)]
MANY = [leaf_hash(n.to_bytes(2, "big")) for n in range(1500)]


def lookup(lo: int, hi: int) -> bytes:
    return root_hash(LEAVES[lo:hi])


@cache
def many(lo: int, hi: int) -> bytes:
    return root_hash(MANY[lo:hi])


def subtrees(size: int) -> list[Subtree]:
    """By the definition: the start is a multiple of the power of two that holds the width."""
    found = []
    for start in range(size):
        for end in range(start + 1, size + 1):
            ceiling = 1
            while ceiling < end - start:
                ceiling *= 2
            if start % ceiling == 0:
                found.append(Subtree(start, end))
    return found


def test_every_subtree_of_every_small_tree() -> None:
    for size in range(1, 34):
        root = lookup(0, size)
        for subtree in subtrees(size):
            own = subtree.hash(lookup)
            proof = subtree_consistency_proof(subtree, size, lookup)
            verify_subtree_consistency(subtree, size, proof, own, root)
            for index in (subtree.start, subtree.end - 1):
                path = subtree_inclusion_proof(index, subtree, lookup)
                verify_subtree_inclusion(LEAVES[index], index, subtree, path, own)
                assert len(path) <= (subtree.end - subtree.start - 1).bit_length()


def test_what_is_no_subtree_is_refused() -> None:
    for start, end in ((1, 3), (2, 5), (3, 3), (4, 2), (6, 9), (-4, 0)):
        with pytest.raises(BadProofPath):
            Subtree(start, end)


def test_there_are_no_subtrees_of_nothing() -> None:
    for start, end in ((3, 3), (0, 0), (4, 3), (-1, 2)):
        with pytest.raises(BadProofPath, match=f"there are no entries {start} to {end}"):
            covering(start, end)
    with pytest.raises(BadProofPath, match="a log of 7 entries has no entries to 8"):
        subtree_consistency_proof(Subtree(4, 8), 7, lookup)
    with pytest.raises(BadProofPath, match="a log of 7 entries has no entries to 8"):
        verify_subtree_consistency(Subtree(4, 8), 7, [], lookup(4, 8), lookup(0, 7))


def test_a_proof_from_a_larger_tree_is_too_long_for_a_smaller_one() -> None:
    """The hashes agree all the way up: only the sizes say that there is one too many."""
    proof = subtree_consistency_proof(Subtree(0, 7), 8, lookup)
    verify_subtree_consistency(Subtree(0, 7), 8, proof, lookup(0, 7), lookup(0, 8))
    with pytest.raises(BadProofPath, match="the subtree's proof is too long"):
        verify_subtree_consistency(Subtree(0, 3), 4, proof, lookup(0, 7), lookup(0, 8))


def test_an_entry_is_in_its_own_subtree_at_its_own_place() -> None:
    subtree = Subtree(8, 13)
    path, own = subtree_inclusion_proof(10, subtree, lookup), lookup(8, 13)
    verify_subtree_inclusion(LEAVES[10], 10, subtree, path, own)
    for leaf, index, other, tried, root in (
        (LEAVES[11], 10, subtree, path, own),
        (LEAVES[10], 11, subtree, path, own),
        (LEAVES[10], 2, Subtree(0, 5), path, lookup(0, 5)),
        (LEAVES[10], 10, subtree, path[::-1], own),
        (LEAVES[10], 10, subtree, path, lookup(8, 12)),
    ):
        with pytest.raises(BadProofPath, match="does not lead to the subtree"):
            verify_subtree_inclusion(leaf, index, other, tried, root)


@given(st.integers(1, 130), st.data())
def test_a_changed_proof_is_refused(size: int, choice: st.DataObject) -> None:
    options = covering(*sorted(choice.draw(st.sets(st.integers(0, size), min_size=2, max_size=2))))
    subtree = choice.draw(st.sampled_from(options))
    own, root = subtree.hash(lookup), lookup(0, size)
    proof = subtree_consistency_proof(subtree, size, lookup)
    verify_subtree_consistency(subtree, size, proof, own, root)
    for changed in (
        [*proof, own],
        proof[:-1] if proof else [root],
        [bytes(32), *proof[1:]] if proof else [own],
    ):
        with pytest.raises(BadProofPath):
            verify_subtree_consistency(subtree, size, changed, own, root)
    if (subtree.start, subtree.end) != (0, size):
        with pytest.raises(BadProofPath):
            verify_subtree_consistency(subtree, size, proof, bytes(32), root)
    with pytest.raises(BadProofPath):
        verify_subtree_consistency(subtree, size, proof, own, bytes(32))


@given(st.integers(0, 10**9), st.integers(1, 10**6))
def test_one_or_two_subtrees_cover_any_interval(start: int, width: int) -> None:
    found = covering(start, start + width)
    assert 1 <= len(found) <= 2
    assert found[0].start <= start
    assert found[-1].end == start + width
    assert len(found) == 1 or found[0].end == found[1].start
    assert found[-1].end - found[0].start < 4 * width


@given(st.integers(0, 1500))
def test_every_complete_run_of_256_entries_has_its_landmark(size: int) -> None:
    landmarks = make_landmarks(size, many)
    checkpoint = Checkpoint("cq.example/log", size, many(0, size) if size else EMPTY_ROOT)
    check_landmarks(landmarks, checkpoint)
    for index in range(0, size, 97):
        subtree = landmark_subtree(index)
        known = landmarks.of(index)
        assert (known is None) == (subtree.end > size)
        if known is not None:
            path = inclusion_proof(index, size, many)[:HEIGHT]
            verify_subtree_inclusion(MANY[index], index, subtree, path, known)


@pytest.mark.parametrize("size", [0, 1, 2, 7, 8, 255, 256, 257, 511, 512, 700, 1023, 1300])
def test_every_entry_has_one_complete_subtree_that_is_known(size: int) -> None:
    landmarks = make_landmarks(size, many)
    place = 0
    while place < size:
        found = landmarks.over(place, size)
        assert found is not None
        subtree, node = found
        assert (subtree.start, node) == (place, many(subtree.start, subtree.end))
        width = subtree.end - place
        assert width & (width - 1) == 0
        assert all(landmarks.over(index, size) == found for index in range(place, subtree.end))
        place = subtree.end
    assert place == size
    assert landmarks.over(size, size) is None


def test_landmarks_are_believed_only_as_part_of_a_checkpoint() -> None:
    checkpoint = Checkpoint("cq.example/log", 1000, many(0, 1000))
    landmarks = make_landmarks(1000, many)
    check_landmarks(landmarks, checkpoint)
    first, *others = landmarks.hashes
    for wrong in (
        replace(landmarks, hashes=(bytes(32), *others)),
        replace(landmarks, hashes=(others[0], first, *others[1:])),
        replace(landmarks, hashes=tuple(others)),
        replace(landmarks, rest=landmarks.rest[1:]),
        replace(landmarks, rest=(bytes(32), *landmarks.rest[1:])),
    ):
        with pytest.raises(BadProofPath):
            check_landmarks(wrong, checkpoint)
