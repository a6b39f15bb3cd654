"""The tree in tiles of 256 hashes (C2SP tlog-tiles): stored nodes, read a tile at a time.

A tile of level L holds hashes of complete subtrees of 256**L leaves. The same reader
serves a database, a folder of tiles and a web server: each only supplies `ReadTile`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ledger.errors import BadProofPath, NotFound
from ledger.tree import Frontier, fold_peaks, node_hash, peak_ranges

WIDTH = 256
_CACHED_TILES = 512

ReadTile = Callable[[int, int, int], bytes]
"""(level, index, width) -> the tile's first `width` hashes, 32 bytes each."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A full tile: its place, its 256 hashes as 8,192 bytes, and the hash above them."""

    level: int
    index: int
    hashes: bytes
    root: bytes


class TileTree:
    """Subtree hashes of a log of any size, each read costing at most one tile a level.

    What a tile's first hashes are never changes, so what was read once is kept.
    """

    def __init__(self, read: ReadTile) -> None:
        self._read = read
        self._rows: dict[tuple[int, int, int], list[list[bytes]]] = {}
        self._rests: tuple[int, dict[int, bytes]] = (0, {})

    def range_hash(self, size: int) -> Callable[[int, int], bytes]:
        """A lookup of subtree hashes in the tree of the first `size` leaves."""
        known, load = self._rows, self._load

        def complete(lo: int, hi: int) -> bytes:
            height = (hi - lo).bit_length() - 1
            level, rise = height >> 3, height & 7
            # In the tile's own units: hashes of complete subtrees of 256**level leaves.
            place = lo >> (height - rise)
            index = place >> 8
            width = (size >> (8 * level)) - (index << 8)
            if width > WIDTH:
                width = WIDTH
            rows = known.get((level, index, width)) or load(level, index, width)
            return rows[rise][(place & 255) >> rise]

        def lookup(lo: int, hi: int) -> bytes:
            width = hi - lo
            if width & (width - 1) == 0:
                return complete(lo, hi)
            return fold_peaks([complete(*peak) for peak in peak_ranges(lo, hi)])

        return lookup

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The path that proves leaf `index` in the tree of the first `size` leaves.

        What `ledger.tree.inclusion_proof` gives, read a tile at a time instead of a hash at a time.
        """
        if not 0 <= index < size:
            raise BadProofPath(f"a log of {size} entries has no entry {index}")
        path: list[bytes] = []
        level, place, count, height = 0, index, size, (size - 1).bit_length()
        while height > 0:
            # On this level are `count` complete nodes; ours is the one at `place`, if it is one.
            tile = place >> 8
            within, at = min(WIDTH, count - (tile << 8)), place & 255
            rows = self._rows.get((level, tile, within)) if within > 0 else []
            if rows is None:
                rows = self._load(level, tile, within)
            for rise in range(min(8, height)):
                beside = at ^ 1
                if beside < within:
                    path.append(rows[rise][beside])
                elif beside > at:
                    start = (tile << 8) + (beside << rise) << 8 * level
                    if start < size:
                        path.append(self._rest(start, size))
                at >>= 1
                within >>= 1
            level, place, count, height = level + 1, tile, count >> 8, height - 8
        return path

    def _rest(self, start: int, size: int) -> bytes:
        """The hash of all leaves from `start`: many paths of one size end in the same."""
        of, known = self._rests
        if of != size:
            known = {}
            self._rests = (size, known)
        found = known.get(start)
        if found is None:
            found = known[start] = self.range_hash(size)(start, size)
        return found

    def frontier(self, size: int) -> Frontier:
        """The right edge of the tree of the first `size` leaves."""
        lookup = self.range_hash(size)
        return Frontier(size, [lookup(lo, hi) for lo, hi in peak_ranges(0, size)])

    def _load(self, level: int, index: int, width: int) -> list[list[bytes]]:
        if width <= 0:
            raise NotFound(f"the log has no tile {index} of level {level}")
        data = self._read(level, index, width)
        if len(data) != 32 * width:
            raise NotFound(f"tile {index} of level {level} has not {width} hashes")
        rows = _rise(_split(data))
        if len(self._rows) >= _CACHED_TILES:
            self._rows.clear()
        self._rows[level, index, width] = rows
        return rows


class TileEdge:
    """The right edge of a growing log: its partial tiles, and the tree over all of it.

    Each tile is a tree of its own, whose root is a leaf of the tile above: what an append hashes
    serves the tiles and the log's root alike.
    """

    def __init__(self, size: int, read: ReadTile) -> None:
        """The edge of a log of `size` entries, read from where its hashes are stored."""
        self.size = size
        self._levels: list[_Partial] = [_Partial([])]
        level = 0
        while size >> (8 * level):
            index, width = divmod(size >> (8 * level), WIDTH)
            partial = _Partial(_split(read(level, index, width)) if width else [])
            self._levels[level:] = [partial]
            level += 1

    def append(self, leaf: bytes) -> list[Tile]:
        """Add one leaf hash; the tiles it filled, lowest first."""
        lowest = self._levels[0]
        if len(lowest.hashes) == WIDTH - 1:
            return self.extend([leaf])
        lowest.hashes.append(leaf)
        lowest.tree.append(leaf)
        self.size += 1
        return []

    def extend(self, leaves: Sequence[bytes]) -> list[Tile]:
        """Add leaf hashes; the tiles they filled, of each level in order, lower ones first."""
        filled: list[Tile] = []
        self._extend(0, self.size, leaves, filled)
        self.size += len(leaves)
        return filled

    def _extend(self, level: int, size: int, hashes: Sequence[bytes], filled: list[Tile]) -> None:
        """Add `hashes` to a level that had `size`, and the roots of filled tiles to the next."""
        if level == len(self._levels):
            self._levels.append(_Partial([]))
        roots: list[bytes] = []
        start = 0
        while start < len(hashes):
            partial = self._levels[level]
            part = hashes[start : start + WIDTH - len(partial.hashes)]
            partial.extend(part)
            start += len(part)
            if len(partial.hashes) == WIDTH:
                root = partial.tree.root
                filled.append(
                    Tile(level, (size + start) // WIDTH - 1, b"".join(partial.hashes), root)
                )
                roots.append(root)
                self._levels[level] = _Partial([])
        if roots:
            self._extend(level + 1, size // WIDTH, roots, filled)

    @property
    def root(self) -> bytes:
        """The root of the log as it stands."""
        return fold_peaks([peak for level in reversed(self._levels) for peak in level.tree.peaks])

    def partial(self) -> list[tuple[int, int, bytes]]:
        """The partial tiles as they stand: level, index and hashes."""
        return [
            (level, (self.size >> (8 * level)) // WIDTH, b"".join(partial.hashes))
            for level, partial in enumerate(self._levels)
            if partial.hashes
        ]


class _Partial:
    """A tile on its way: its hashes, and the tree over them."""

    __slots__ = ("hashes", "tree")

    def __init__(self, hashes: list[bytes]) -> None:
        self.hashes = hashes
        self.tree = Frontier()
        self.tree.extend(hashes)

    def extend(self, hashes: Sequence[bytes]) -> None:
        self.hashes += hashes
        self.tree.extend(hashes)


def _split(data: bytes) -> list[bytes]:
    return [data[i : i + 32] for i in range(0, len(data), 32)]


def _rise(hashes: list[bytes]) -> list[list[bytes]]:
    """All complete nodes above a tile's hashes: rows[r][i] covers 2**r of them."""
    rows = [hashes]
    while len(rows[-1]) > 1:
        below = rows[-1]
        rows.append([node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)])
    return rows
