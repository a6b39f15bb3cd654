"""The Merkle tree of RFC 6962 (section 2.1) and its proofs, as pure functions.

A proof is first a list of ranges of leaves, whose hashes are then looked up by whoever
has the tree: in memory, in a database or in tiles.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

from ledger.errors import BadProofPath

EMPTY_ROOT = sha256(b"").digest()
"""The root of a tree without leaves."""

RangeHash = Callable[[int, int], bytes]
"""Looks up the hash of the subtree over the leaves `lo` to `hi` (exclusive)."""


def leaf_hash(entry: bytes) -> bytes:
    """The 32-byte hash of a leaf."""
    return sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The 32-byte hash of an inner node."""
    return sha256(b"\1" + left + right).digest()


class Frontier:
    """The right edge of a growing tree: appends in O(1) amortised, its root in O(log n)."""

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        """A tree of `size` leaves from the hashes of its complete subtrees, largest first."""
        self.size = size
        self._peaks = list(peaks)
        if len(self._peaks) != size.bit_count():
            raise BadProofPath(f"a tree of {size} leaves has {size.bit_count()} peaks")

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        size, peaks = self.size, self._peaks
        while size & 1:
            leaf = sha256(b"\1" + peaks.pop() + leaf).digest()
            size >>= 1
        peaks.append(leaf)
        self.size += 1

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add many leaf hashes, level by level: half the work of one after the other."""
        nodes, rest, low = list(leaves), self.size, []
        self.size += len(nodes)
        while nodes:
            if rest & 1:
                nodes.insert(0, self._peaks.pop())
            if len(nodes) & 1:
                low.append(nodes.pop())
            each = iter(nodes)
            nodes = [sha256(b"\1" + left + next(each)).digest() for left in each]
            rest >>= 1
        self._peaks += reversed(low)

    @property
    def peaks(self) -> tuple[bytes, ...]:
        """The hashes of its complete subtrees, largest first."""
        return tuple(self._peaks)

    @property
    def root(self) -> bytes:
        """The root of the tree as it stands."""
        return fold_peaks(self._peaks)

    def copy(self) -> "Frontier":
        """An independent tree of the same leaves."""
        return Frontier(self.size, self._peaks)


def root_hash(leaves: Iterable[bytes]) -> bytes:
    """The root of the tree over leaf hashes (RFC 6962 section 2.1)."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root


def fold_peaks(peaks: Sequence[bytes]) -> bytes:
    """The hash over complete subtrees of falling size, as left to right they stand."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def peak_ranges(lo: int, hi: int) -> list[tuple[int, int]]:
    """The complete subtrees, largest first, that make up the leaves `lo` to `hi`."""
    ranges = []
    while lo < hi:
        width = 1 << ((hi - lo).bit_length() - 1)
        ranges.append((lo, lo + width))
        lo += width
    return ranges


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """Which subtrees prove leaf `index` in a tree of `size` leaves, from the leaf upwards."""
    if not 0 <= index < size:
        raise BadProofPath(f"a log of {size} entries has no entry {index}")
    lo, hi = 0, size
    ranges = []
    while hi - lo > 1:
        middle = lo + (1 << ((hi - lo - 1).bit_length() - 1))
        if index < middle:
            ranges.append((middle, hi))
            hi = middle
        else:
            ranges.append((lo, middle))
            lo = middle
    return ranges[::-1]


def consistency_ranges(old: int, new: int) -> list[tuple[int, int]]:
    """Which subtrees prove that the tree of `old` leaves is a prefix of that of `new` leaves."""
    if not 0 <= old <= new:
        raise BadProofPath(f"a log of {new} entries cannot continue one of {old}")
    if old == 0:
        return []
    lo, hi, whole = 0, new, True
    ranges = []
    while old != hi:
        middle = lo + (1 << ((hi - lo - 1).bit_length() - 1))
        if old <= middle:
            ranges.append((middle, hi))
            hi = middle
        else:
            ranges.append((lo, middle))
            lo, whole = middle, False
    if not whole:
        ranges.append((lo, hi))
    return ranges[::-1]


def inclusion_proof(index: int, size: int, range_hash: RangeHash) -> list[bytes]:
    """The audit path of leaf `index` (RFC 6962 section 2.1.1)."""
    return [range_hash(lo, hi) for lo, hi in inclusion_ranges(index, size)]


def consistency_proof(old: int, new: int, range_hash: RangeHash) -> list[bytes]:
    """The consistency proof between two sizes (RFC 6962 section 2.1.2)."""
    return [range_hash(lo, hi) for lo, hi in consistency_ranges(old, new)]


def root_from_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that `path` leads to from `leaf` (RFC 9162 section 2.1.3.2).

    BadProofPath if the path has not exactly the length that index and size ask for.
    """
    if not 0 <= index < size:
        raise BadProofPath(f"a log of {size} entries has no entry {index}")
    if len(leaf) != 32:
        raise BadProofPath(f"a leaf hash has 32 bytes, this one {len(leaf)}")
    position, last = index, size - 1
    root = leaf
    for sibling in path:
        if last == 0:
            raise BadProofPath("the inclusion path is too long")
        if position & 1 or position == last:
            root = node_hash(sibling, root)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            root = node_hash(root, sibling)
        position >>= 1
        last >>= 1
    if last:
        raise BadProofPath("the inclusion path is too short")
    return root


def verify_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> None:
    """Check that `leaf` is leaf `index` of the tree of `size` leaves under `root`."""
    if root_from_inclusion(leaf, index, size, path) != root:
        raise BadProofPath(f"the inclusion path of entry {index} does not lead to the root")


def verify_consistency(
    old: int, new: int, path: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Check that the tree `old_root` is a prefix of `new_root` (RFC 9162 section 2.1.4.2).

    An empty tree is a prefix of every tree: there is nothing to check, and that is refused.
    """
    if not 0 < old <= new:
        raise BadProofPath(f"nothing can show that a log of {new} entries continues one of {old}")
    if old == new:
        if path or old_root != new_root:
            raise BadProofPath(f"two logs of {new} entries do not agree")
        return
    hashes = list(path)
    if old & (old - 1) == 0:
        hashes.insert(0, old_root)
    if not hashes:
        raise BadProofPath("the consistency proof is too short")
    position, last = old - 1, new - 1
    while position & 1:
        position >>= 1
        last >>= 1
    first = second = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise BadProofPath("the consistency proof is too long")
        if position & 1 or position == last:
            first = node_hash(sibling, first)
            second = node_hash(sibling, second)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            second = node_hash(second, sibling)
        position >>= 1
        last >>= 1
    if last or first != old_root or second != new_root:
        raise BadProofPath(f"the logs of {old} and {new} entries do not share their history")
