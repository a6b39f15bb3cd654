"""Subtrees of a log and their proofs (draft-ietf-plants-merkle-tree-certs, section 4).

A subtree is the tree over entries `start` to `end` (exclusive) whose start is a multiple of
the power of two that holds it. So it is a part of the whole tree, or grows into one, and a
proof against it is as short as the subtree is small.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.errors import BadProofPath
from ledger.tree import RangeHash, inclusion_proof, node_hash, root_from_inclusion


@dataclass(frozen=True, slots=True, order=True)
class Subtree:
    """The entries `start` to `end` (exclusive); BadProofPath if they make no subtree."""

    start: int
    end: int

    def __post_init__(self) -> None:
        width = self.end - self.start
        if width < 1 or self.start < 0 or self.start % (1 << (width - 1).bit_length()):
            raise BadProofPath(f"the entries {self.start} to {self.end} make no subtree")

    def hash(self, range_hash: RangeHash) -> bytes:
        """The subtree's hash, 32 bytes, from the hashes of complete subtrees."""
        return range_hash(self.start, self.end)


def covering(start: int, end: int) -> tuple[Subtree, ...]:
    """The one or two subtrees that hold the entries `start` to `end` (section 4.5)."""
    if not 0 <= start < end:
        raise BadProofPath(f"there are no entries {start} to {end}")
    if end - start == 1:
        return (Subtree(start, end),)
    last = end - 1
    split = (start ^ last).bit_length() - 1
    mask = (1 << split) - 1
    middle = last & ~mask
    left = (~start & mask).bit_length()
    return (Subtree(start & ~((1 << left) - 1), middle), Subtree(middle, end))


def subtree_inclusion_proof(index: int, subtree: Subtree, range_hash: RangeHash) -> list[bytes]:
    """The path from entry `index` up to the subtree (section 4.3)."""

    def shifted(lo: int, hi: int) -> bytes:
        return range_hash(subtree.start + lo, subtree.start + hi)

    return inclusion_proof(index - subtree.start, subtree.end - subtree.start, shifted)


def verify_subtree_inclusion(
    leaf: bytes, index: int, subtree: Subtree, path: Sequence[bytes], subtree_hash: bytes
) -> None:
    """Check that `leaf` is entry `index` of the subtree under `subtree_hash`."""
    size = subtree.end - subtree.start
    if root_from_inclusion(leaf, index - subtree.start, size, path) != subtree_hash:
        raise BadProofPath(f"the path of entry {index} does not lead to the subtree")


def subtree_consistency_proof(subtree: Subtree, size: int, range_hash: RangeHash) -> list[bytes]:
    """The proof that the subtree is a part of the tree of `size` entries (section 4.4)."""
    if subtree.end > size:
        raise BadProofPath(f"a log of {size} entries has no entries to {subtree.end}")
    start, end, lo, hi, whole = subtree.start, subtree.end, 0, size, True
    proof: list[bytes] = []
    while (start, end) != (lo, hi):
        middle = lo + (1 << ((hi - lo - 1).bit_length() - 1))
        if end <= middle:
            proof.append(range_hash(middle, hi))
            hi = middle
        else:
            proof.append(range_hash(lo, middle))
            if start < middle:
                start, whole = middle, False
            lo = middle
    if not whole:
        proof.append(range_hash(lo, hi))
    return proof[::-1]


def verify_subtree_consistency(
    subtree: Subtree, size: int, proof: Sequence[bytes], subtree_hash: bytes, root: bytes
) -> None:
    """Check that the subtree under `subtree_hash` is a part of the tree of `size` under `root`."""
    if subtree.end > size:
        raise BadProofPath(f"a log of {size} entries has no entries to {subtree.end}")
    first, last, end = subtree.start, subtree.end - 1, size - 1
    at_edge = last == end
    while first != last and (at_edge or last & 1):
        first, last, end = first >> 1, last >> 1, end >> 1
    hashes = list(proof)
    if first == last:
        below = above = subtree_hash
    elif hashes:
        below = above = hashes.pop(0)
    else:
        raise BadProofPath("the subtree's proof is too short")
    for sibling in hashes:
        if end == 0:
            raise BadProofPath("the subtree's proof is too long")
        if last & 1 or last == end:
            if first < last:
                below = node_hash(sibling, below)
            above = node_hash(sibling, above)
            while not last & 1 and last:
                first, last, end = first >> 1, last >> 1, end >> 1
        else:
            above = node_hash(above, sibling)
        first, last, end = first >> 1, last >> 1, end >> 1
    if end or below != subtree_hash or above != root:
        raise BadProofPath("the subtree is no part of the tree")
