"""The accumulated subtree vectors of draft-ietf-plants-merkle-tree-certs ("Subtree Test Vectors").

Each is one hash over the answers to every possible question on trees of up to 130 entries. The
draft also calls `[x, x)` a subtree, which here is refused: those lines are written as it says.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from ledger import BadProofPath, leaf_hash
from ledger.subtree import (
    Subtree,
    covering,
    subtree_consistency_proof,
    subtree_inclusion_proof,
    verify_subtree_consistency,
    verify_subtree_inclusion,
)
from ledger.tree import EMPTY_ROOT, node_hash

MOST = 130
LEAVES = [leaf_hash(bytes([number])) for number in range(MOST)]
_known: dict[tuple[int, int], bytes] = {}


def lookup(lo: int, hi: int) -> bytes:
    """MTH(D[lo:hi]), by the definition of RFC 6962 section 2.1."""
    if hi == lo:
        return EMPTY_ROOT
    if hi - lo == 1:
        return LEAVES[lo]
    if (lo, hi) not in _known:
        middle = lo + (1 << ((hi - lo - 1).bit_length() - 1))
        _known[lo, hi] = node_hash(lookup(lo, middle), lookup(middle, hi))
    return _known[lo, hi]


def intervals(most: int) -> Iterator[tuple[int, int, Subtree | None]]:
    """Each interval that the draft calls a subtree, in its order; None where it is empty."""
    for end in range(most + 1):
        for start in range(end + 1):
            if start == end:
                yield start, end, None
                continue
            try:
                yield start, end, Subtree(start, end)
            except BadProofPath:
                continue


def line(head: str, proof: list[bytes]) -> bytes:
    return " ".join((head, *(node.hex() for node in proof))).encode() + b"\n"


def test_subtree_hashes() -> None:
    total = sha256()
    for start, end, subtree in intervals(MOST):
        value = subtree.hash(lookup) if subtree else EMPTY_ROOT
        total.update(f"[{start}, {end}) {value.hex()}\n".encode())
    assert total.hexdigest() == "b82806ad4265bb151c1119c0f4db437bb4d1a1f887b3a7fba1cd4ebf552e3e81"


def test_subtree_inclusion_proofs() -> None:
    total = sha256()
    for start, end, subtree in intervals(MOST):
        for index in range(start, end):
            assert subtree is not None
            proof = subtree_inclusion_proof(index, subtree, lookup)
            verify_subtree_inclusion(LEAVES[index], index, subtree, proof, lookup(start, end))
            total.update(line(f"{index} [{start}, {end})", proof))
    assert total.hexdigest() == "ac2a8f989e44d99e399db448050ff5f19757df53cfb716aa81015d3955d8163f"


def test_subtree_consistency_proofs() -> None:
    total = sha256()
    for size in range(MOST + 1):
        root = lookup(0, size)
        for start, end, subtree in intervals(size):
            proof: list[bytes] = []
            if subtree is not None:
                proof = subtree_consistency_proof(subtree, size, lookup)
                verify_subtree_consistency(subtree, size, proof, lookup(start, end), root)
            total.update(line(f"[{start}, {end}) {size}", proof))
    assert total.hexdigest() == "10fa99b37bf9bf9ffa26b412fbd98bd75363256d0b75d61bc4538b9c9c5a0a74"


def test_covering_subtrees() -> None:
    total = sha256()
    for end in range(MOST + 1):
        for start in range(end + 1):
            found = [(one.start, one.end) for one in covering(start, end)] if start < end else []
            # Where one is enough the draft has an empty second one, and of nothing two empty ones.
            left, right = [*found, (end, end), (end, end)][:2]
            total.update(f"[{left[0]}, {left[1]}) [{right[0]}, {right[1]})\n".encode())
    assert total.hexdigest() == "7fd9c8b926e9d2b5cf831560e8ce295a5ef97ad5c5ede4ea0dea28a8c8fc8bb0"
