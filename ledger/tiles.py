"""The tree in tiles of 256 hashes (C2SP tlog-tiles): stored nodes, read a tile at a time.

A tile of level L holds hashes of complete subtrees of 256**L leaves. The same reader
serves a database, a folder of tiles and a web server: each only supplies `ReadTile`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ledger.errors import NotFound
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
    """Subtree hashes of a log of any size, each read costing at most one tile a level."""

    def __init__(self, read: ReadTile) -> None:
        self._read = read
        self._full: dict[tuple[int, int], list[list[bytes]]] = {}

    def through(self, read: ReadTile) -> "TileTree":
        """The same tree and its cache of full tiles, read through another connection."""
        tree = TileTree(read)
        tree._full = self._full
        return tree

    def range_hash(self, size: int) -> Callable[[int, int], bytes]:
        """A lookup of subtree hashes in the tree of the first `size` leaves."""
        partial: dict[tuple[int, int], list[list[bytes]]] = {}

        def complete(lo: int, hi: int) -> bytes:
            height = (hi - lo).bit_length() - 1
            level, rise = divmod(height, 8)
            position = lo >> height
            index, offset = divmod(position << rise, WIDTH)
            width = min(WIDTH, (size >> (8 * level)) - index * WIDTH)
            rows = self._rows(level, index, width, partial)
            return rows[rise][offset >> rise]

        def lookup(lo: int, hi: int) -> bytes:
            return fold_peaks([complete(*peak) for peak in peak_ranges(lo, hi)])

        return lookup

    def frontier(self, size: int) -> Frontier:
        """The right edge of the tree of the first `size` leaves."""
        lookup = self.range_hash(size)
        return Frontier(size, [lookup(lo, hi) for lo, hi in peak_ranges(0, size)])

    def _rows(
        self, level: int, index: int, width: int, partial: dict[tuple[int, int], list[list[bytes]]]
    ) -> list[list[bytes]]:
        place = (level, index)
        if width < WIDTH:
            if place not in partial:
                partial[place] = _rise(self._hashes(level, index, width))
            return partial[place]
        rows = self._full.get(place)
        if rows is None:
            rows = _rise(self._hashes(level, index, width))
            if len(self._full) >= _CACHED_TILES:
                self._full.clear()
            self._full[place] = rows
        return rows

    def _hashes(self, level: int, index: int, width: int) -> list[bytes]:
        if width <= 0:
            raise NotFound(f"the log has no tile {index} of level {level}")
        data = self._read(level, index, width)
        if len(data) != 32 * width:
            raise NotFound(f"tile {index} of level {level} has not {width} hashes")
        return _split(data)


class TileEdge:
    """The partial tiles at the right edge; gives out each tile as it becomes full."""

    def __init__(self, size: int, read: ReadTile) -> None:
        """The edge of a log of `size` entries, read from where its hashes are stored."""
        self._levels: list[list[bytes]] = []
        self._size = size
        level = 0
        while size >> (8 * level):
            index, width = divmod(size >> (8 * level), WIDTH)
            self._levels.append(_split(read(level, index, width)) if width else [])
            level += 1

    def append(self, leaf: bytes) -> list[Tile]:
        """Add one leaf hash; the tiles it filled, lowest first."""
        self._size += 1
        filled: list[Tile] = []
        level = 0
        while True:
            if level == len(self._levels):
                self._levels.append([])
            hashes = self._levels[level]
            hashes.append(leaf)
            if len(hashes) < WIDTH:
                return filled
            leaf = _rise(hashes)[8][0]
            index = (self._size >> (8 * (level + 1))) - 1
            filled.append(Tile(level, index, b"".join(hashes), leaf))
            self._levels[level] = []
            level += 1


def _split(data: bytes) -> list[bytes]:
    return [data[i : i + 32] for i in range(0, len(data), 32)]


def _rise(hashes: list[bytes]) -> list[list[bytes]]:
    """All complete nodes above a tile's hashes: rows[r][i] covers 2**r of them."""
    rows = [hashes]
    while len(rows[-1]) > 1:
        below = rows[-1]
        rows.append([node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)])
    return rows
