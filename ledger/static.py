"""Reading a log from its static files alone: audit, proofs and receipts without its operator."""

from collections.abc import Callable, Iterator
from pathlib import Path

from ledger.checkpoint import Checkpoint
from ledger.errors import BadEntry, BadProofPath, NotFound
from ledger.note import open_note
from ledger.receipt import Receipt
from ledger.tiles import WIDTH, TileEdge, TileTree
from ledger.tlog_tiles import CHECKPOINT, Resource, decode_bundle
from ledger.tree import (
    EMPTY_ROOT,
    consistency_proof,
    fold_peaks,
    leaf_hash,
    peak_ranges,
    verify_consistency,
)

Fetch = Callable[[str], bytes | None]
"""path below the log's prefix -> bytes, or None where there is nothing."""


class StaticLog:
    """A C2SP tlog-tiles log behind `fetch`. Nothing it says is believed before it is hashed."""

    def __init__(self, fetch: Fetch, source: str = "the log") -> None:
        """`source` is how errors call where it is read from."""
        self._fetch, self._source = fetch, source
        self._tree = TileTree(self._read_tile)

    def checkpoint(self) -> str:
        """The newest signed note."""
        data = self._fetch(CHECKPOINT)
        if data is None:
            raise NotFound(f"{self._source} holds no log: there is no {CHECKPOINT} in it")
        return data.decode("utf-8", "replace")

    def root(self, size: int) -> bytes:
        """The root that the tiles give for the first `size` entries."""
        return self._tree.frontier(size).root

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The consistency proof between two sizes."""
        return consistency_proof(old, new, self._tree.range_hash(new))

    def prefix_root(self, size: int, checkpoint: Checkpoint) -> bytes:
        """The root of the first `size` entries of the tree that `checkpoint` commits to, proved.

        NotFound where tiles for it are missing, BadEntry where they are not that tree's.
        """
        if not size:
            return EMPTY_ROOT
        if size == checkpoint.size:
            return checkpoint.root
        lookup = self._tree.range_hash(checkpoint.size)
        proof = consistency_proof(size, checkpoint.size, lookup)
        root = fold_peaks([lookup(*peak) for peak in peak_ranges(0, size)])
        try:
            verify_consistency(size, checkpoint.size, proof, root, checkpoint.root)
        except BadProofPath as error:
            # What came damaged may be whole the next time it is read.
            self._tree = TileTree(self._read_tile)
            raise BadEntry(
                f"the tiles do not lead to the root of the checkpoint of {checkpoint.size} entries"
            ) from error
        return root

    def entries(self, start: int, end: int, size: int | None = None) -> Iterator[bytes]:
        """Entries `start` to `end` (exclusive) of a log of `size` entries, by default `end`."""
        for index in range(start // WIDTH, -(-end // WIDTH)):
            first = index * WIDTH
            found = self._bundle(index, min(WIDTH, (size or end) - first))
            yield from found[max(0, start - first) : end - first]

    def checked_entries(self, size: int, faults: list[str]) -> Iterator[bytes]:
        """All entries of a log of `size`; what is wrong with its tiles goes to `faults`."""
        edge = TileEdge(0, self._read_tile)
        for entry in self.entries(0, size):
            for tile in edge.append(leaf_hash(entry)):
                faults += self._tile_faults(tile.level, tile.index, tile.hashes)
            yield entry
        for level, index, hashes in edge.partial():
            faults += self._tile_faults(level, index, hashes)

    def receipt(self, index: int) -> Receipt:
        """The receipt of an entry under the newest checkpoint."""
        note = self.checkpoint()
        size = Checkpoint.parse(open_note(note, ()).text).size
        if not 0 <= index < size:
            raise NotFound(f"the log has {size} entries, none at {index}")
        first = index - index % WIDTH
        entry = self._bundle(index // WIDTH, min(WIDTH, size - first))[index % WIDTH]
        path = tuple(self._tree.inclusion(index, size))
        receipt = Receipt(entry, index, path, note)
        row = self._read_tile(0, index // WIDTH, min(WIDTH, size - first))
        if row[32 * (index % WIDTH) :][:32] != leaf_hash(entry):
            raise BadEntry(f"entry {index} does not hash to its leaf in the tiles")
        return receipt

    def _tile_faults(self, level: int, index: int, hashes: bytes) -> list[str]:
        try:
            if self._read_tile(level, index, len(hashes) // 32) == hashes:
                return []
        except NotFound as error:
            return [str(error)]
        return [f"the entries do not hash to tile {index} of level {level}"]

    def _bundle(self, index: int, width: int) -> list[bytes]:
        entries = decode_bundle(self._get_either(Resource(None, index, width)))
        if len(entries) not in (width, WIDTH):
            raise BadEntry(f"entry bundle {index} holds {len(entries)} entries, not {width}")
        return entries[:width]

    def _read_tile(self, level: int, index: int, width: int) -> bytes:
        return self._get_either(Resource(level, index, width))[: 32 * width]

    def _get_either(self, resource: Resource) -> bytes:
        """A partial resource, or the full one it has become since."""
        data = self._fetch(resource.path)
        if data is None and resource.width < WIDTH:
            data = self._fetch(Resource(resource.level, resource.index, WIDTH).path)
        if data is None:
            raise NotFound(f"the log does not serve {resource.path}")
        return data


def folder_fetch(folder: Path) -> Fetch:
    """Static files in a folder."""

    def fetch(path: str) -> bytes | None:
        try:
            return (folder / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    return fetch
