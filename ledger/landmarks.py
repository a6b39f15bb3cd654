"""Landmarks: the hashes of every complete run of 256 entries, which make short proofs possible.

A verifier that has them needs only the eight hashes from an entry to its landmark, however large
the log. It believes them because together they lead to the root of a witnessed checkpoint (idea:
Merkle Tree Certificates). A landmark is a node of the tree like any other, the same that a tile
of level 1 holds (C2SP tlog-tiles), so that once complete it never changes.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from ledger.checkpoint import Checkpoint
from ledger.errors import BadProofPath, BadReceipt
from ledger.subtree import Subtree
from ledger.tree import Frontier, RangeHash, fold_peaks, peak_ranges

WIDTH = 256
"""Entries under one landmark."""
HEIGHT = 8
"""Hashes from an entry to its landmark."""
HEADER = "creditbank landmark-proof v1"


@dataclass(frozen=True, slots=True)
class Landmarks:
    """The landmarks of a checkpoint's tree in order, and the peaks of what follows them."""

    hashes: tuple[bytes, ...] = ()
    rest: tuple[bytes, ...] = ()

    def of(self, index: int) -> bytes | None:
        """The landmark over entry `index`, or None where there is none yet."""
        number = index // WIDTH
        return self.hashes[number] if number < len(self.hashes) else None

    def over(self, index: int, size: int) -> tuple[Subtree, bytes] | None:
        """The complete subtree over entry `index` and its hash, if they are of a tree of `size`.

        None past its end.
        """
        landmark = self.of(index)
        if landmark is not None:
            return landmark_subtree(index), landmark
        for (lo, hi), node in zip(peak_ranges(size - size % WIDTH, size), self.rest, strict=True):
            if lo <= index < hi:
                return Subtree(lo, hi), node
        return None


def make_landmarks(size: int, range_hash: RangeHash) -> Landmarks:
    """The landmarks of the tree of the first `size` entries."""
    complete = size - size % WIDTH
    hashes = (range_hash(start, start + WIDTH) for start in range(0, complete, WIDTH))
    rest = (range_hash(lo, hi) for lo, hi in peak_ranges(complete, size))
    return Landmarks(tuple(hashes), tuple(rest))


def check_landmarks(landmarks: Landmarks, checkpoint: Checkpoint) -> None:
    """BadProofPath unless they are the landmarks of the checkpoint's tree."""
    count, left = divmod(checkpoint.size, WIDTH)
    if len(landmarks.hashes) != count or len(landmarks.rest) != left.bit_count():
        raise BadProofPath(f"they are not the landmarks of {checkpoint.size} entries")
    frontier = Frontier()
    for node in landmarks.hashes:
        frontier.append(node)
    if fold_peaks((*frontier.peaks, *landmarks.rest)) != checkpoint.root:
        raise BadProofPath("the landmarks do not lead to the checkpoint's root")


def landmark_subtree(index: int) -> Subtree:
    """The entries under the same landmark as entry `index`."""
    start = index - index % WIDTH
    return Subtree(start, start + WIDTH)


@dataclass(frozen=True, slots=True)
class LandmarkReceipt:
    """An entry's exact bytes, its place in the log of `origin`, and the path to its landmark.

    Lines of text: the header; `extra`, `origin` and `index` with their values; eight hashes.
    """

    entry: bytes
    origin: str
    index: int
    path: tuple[bytes, ...]

    def encode(self) -> str:
        """The receipt as text."""
        lines = [
            HEADER,
            f"extra {base64.b64encode(self.entry).decode()}",
            f"origin {self.origin}",
            f"index {self.index}",
            *(base64.b64encode(node).decode() for node in self.path),
        ]
        return "\n".join(lines) + "\n"

    @classmethod
    def parse(cls, text: str) -> "LandmarkReceipt":
        """The receipt of its text; BadReceipt unless it is exactly what `encode` writes."""
        lines = text.split("\n")
        if len(lines) != 5 + HEIGHT or lines[0] != HEADER:
            raise BadReceipt(
                "not a receipt: it does not begin as a landmark proof, or is cut short"
            )
        index = lines[3].removeprefix("index ")
        if not (index.isascii() and index.isdigit() and len(index) <= 16):
            raise BadReceipt("the receipt's index is not a number of the ledger")
        receipt = cls(
            _unbase64(lines[1].removeprefix("extra ")),
            lines[2].removeprefix("origin "),
            int(index),
            tuple(_unbase64(line) for line in lines[4:-1]),
        )
        if any(len(node) != 32 for node in receipt.path) or receipt.encode() != text:
            raise BadReceipt("the receipt is not in its one canonical form")
        return receipt


def joined(hashes: Sequence[bytes]) -> bytes:
    """Hashes one after another, as a trust bundle has them."""
    return b"".join(hashes)


def split(data: bytes) -> tuple[bytes, ...]:
    """The hashes that `joined` put together; BadProofPath if one is cut short."""
    if len(data) % 32:
        raise BadProofPath("a landmark's hash is cut short")
    return tuple(data[at : at + 32] for at in range(0, len(data), 32))


def _unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadReceipt("a line of the receipt is not base64") from error
