"""Landmarks: witnessed tree sizes at a set rhythm, whose subtrees make short proofs possible.

Each landmark covers the entries since the one before by one or two subtrees. A verifier that
has their hashes needs only the path inside one of them: twelve hashes for 4,096 entries,
however large the log. It believes them because each is proved to be part of the tree of a
witnessed checkpoint (idea: Merkle Tree Certificates, section 6).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ledger.checkpoint import Checkpoint
from ledger.subtree import (
    Subtree,
    covering,
    subtree_consistency_proof,
    verify_subtree_consistency,
)
from ledger.tree import RangeHash

ENTRIES = 4096
"""A landmark is due after so many entries,"""
PAUSE = timedelta(days=1)
"""or after so long, whichever comes first."""


@dataclass(frozen=True, slots=True)
class ProvedSubtree:
    """A subtree's hash, and the proof that it is part of a checkpoint's tree."""

    subtree: Subtree
    hash: bytes
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Landmark:
    """A tree size, and the subtrees over what came since the landmark before."""

    size: int
    subtrees: tuple[ProvedSubtree, ...]


def choose(published: Iterable[tuple[int, datetime]]) -> list[int]:
    """The landmarks' sizes, from the sizes and times of witnessed checkpoints, in order."""
    sizes: list[int] = []
    last_size, last_time = 0, None
    for size, time in published:
        if last_time is None:
            last_time = time
        if size - last_size >= ENTRIES or (size > last_size and time - last_time >= PAUSE):
            sizes.append(size)
            last_size, last_time = size, time
    return sizes


def make_landmarks(
    sizes: Sequence[int], checkpoint: Checkpoint, range_hash: RangeHash
) -> tuple[Landmark, ...]:
    """Landmarks of rising `sizes`, each proved to be part of `checkpoint`."""
    landmarks = []
    for before, size in zip([0, *sizes], sizes, strict=False):
        proved = tuple(
            ProvedSubtree(
                subtree,
                subtree.hash(range_hash),
                tuple(subtree_consistency_proof(subtree, checkpoint.size, range_hash)),
            )
            for subtree in covering(before, size)
        )
        landmarks.append(Landmark(size, proved))
    return tuple(landmarks)


def check_landmarks(landmarks: Sequence[Landmark], checkpoint: Checkpoint) -> None:
    """BadProofPath unless every subtree is part of the checkpoint's tree."""
    for landmark in landmarks:
        for proved in landmark.subtrees:
            verify_subtree_consistency(
                proved.subtree, checkpoint.size, proved.proof, proved.hash, checkpoint.root
            )
