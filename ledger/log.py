"""Reading the log: entries, checkpoints, receipts and consistency proofs from the store."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, and_, func, select

from ledger.bulk import select_rows
from ledger.checkpoint import Checkpoint
from ledger.errors import NotFound, StoreFault
from ledger.landmarks import Landmarks, make_landmarks
from ledger.lots import identity_of
from ledger.note import open_note
from ledger.receipt import Receipt
from ledger.statement import Statement
from ledger.store import checkpoints, entries, fetch, glance, published, reading, writing
from ledger.tiles import WIDTH, ReadTile, TileTree
from ledger.tree import consistency_proof

_PAGE = 1000
_HEAD = "SELECT size, root, leaf, time FROM head WHERE id = 1"
_ENTRY = "SELECT data FROM entries WHERE idx = ?"
_SIGNED = "SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1"
_SHOWN = (
    "SELECT note FROM ("
    "SELECT 0 AS rank, size, note FROM (SELECT size, note FROM published WHERE size >= ? "
    "ORDER BY size DESC LIMIT 1) AS shown UNION ALL "
    "SELECT 1, size, note FROM (SELECT size, note FROM checkpoints "
    "ORDER BY size DESC LIMIT 1) AS signed) AS found ORDER BY rank LIMIT 1"
)
"""The newest that was published, else the newest that was signed."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where the log ends: its size, root, last leaf hash and last entry time."""

    size: int
    root: bytes
    leaf: bytes
    time: str


def read_head(connection: Connection, *, lock: bool = False) -> Head:
    """The head row; with `lock`, no other transaction can move it until this one ends."""
    locks = lock and connection.dialect.name == "postgresql"
    return _head(fetch(connection, f"{_HEAD} FOR UPDATE" if locks else _HEAD))


def _head(rows: list[Any]) -> Head:
    ((size, root, leaf, time),) = rows
    return Head(size, root, leaf, time)


def entry_days(connection: Connection, indices: Sequence[int]) -> dict[int, str]:
    """The day, YYYY-MM-DD, of each of these entries that there is."""
    wanted = [(index,) for index in sorted(set(indices))]
    found = select_rows(connection, entries, ("idx", "data"), ("idx",), wanted)
    # An entry's time is the last of its bytes: `"time":"2026-11-23T18:18:22Z"}`.
    return {row.idx: bytes(row.data)[-22:-12].decode("ascii") for row in found}


def tile_reader(connection: Connection) -> ReadTile:
    """Tiles from the store: full ones as stored, partial ones from the hashes they will hold."""

    def read(level: int, index: int, width: int) -> bytes:
        return _joined(fetch(connection, *_tile_query(level, index, width)))

    return read


def _tile_query(level: int, index: int, width: int) -> tuple[str, tuple[int, ...]]:
    if width == WIDTH:
        return "SELECT hashes FROM tiles WHERE level = ? AND idx = ?", (level, index)
    first = index * WIDTH
    if level == 0:
        query = "SELECT leaf FROM entries WHERE idx >= ? AND idx < ? ORDER BY idx"
        return query, (first, first + width)
    query = "SELECT root FROM tiles WHERE level = ? AND idx >= ? AND idx < ? ORDER BY idx"
    return query, (level - 1, first, first + width)


def _joined(rows: list[Any]) -> bytes:
    return b"".join(bytes(row[0]) for row in rows)


class Log:
    """The log as a reader sees it; safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # Committed hashes never change: the tree needs no view of its own for each question.
        self._tree = TileTree(self._read_tile)

    def head(self) -> Head:
        """Where the log ends."""
        return _head(glance(self._engine, _HEAD))

    def size(self) -> int:
        """How many entries are committed."""
        return self.head().size

    def entry(self, index: int) -> bytes:
        """The exact bytes of entry `index`; NotFound past the end."""
        return _only(glance(self._engine, _ENTRY, (index,)), index)

    def entries(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The exact bytes of entries from `start` up to `end` (exclusive), page by page."""
        with reading(self._engine) as connection:
            stop = read_head(connection).size if end is None else end
            yield from read_entries(connection, start, stop)

    def index_of(self, statement: Statement) -> int | None:
        """Where a statement stands, or None."""
        number, identity = identity_of(statement)
        where = and_(entries.c.list == number, entries.c.statement == identity)
        with reading(self._engine) as connection:
            return connection.execute(select(entries.c.idx).where(where)).scalar_one_or_none()

    def checkpoint(self) -> str:
        """The newest checkpoint to show: cosigned by a quorum where witnesses are asked.

        NotFound before the first.
        """
        return _newest(glance(self._engine, _SHOWN, (0,)))

    def signed(self) -> str:
        """The newest checkpoint that the log signed, witnessed or not yet."""
        return _newest(glance(self._engine, _SIGNED))

    def signed_size(self) -> int:
        """How many entries are under the newest signed checkpoint; 0 before the first."""
        with reading(self._engine) as connection:
            query = select(func.max(checkpoints.c.size))
            return int(connection.execute(query).scalar_one() or 0)

    def publish(self, size: int, note: str) -> None:
        """Show the checkpoint of `size` entries as `note`, which a quorum has cosigned."""
        with writing(self._engine) as connection:
            query = select(published.c.size).where(published.c.size == size)
            if connection.execute(query).first() is None:
                connection.execute(published.insert().values(size=size, note=note))

    def root(self, size: int) -> bytes:
        """The root of the first `size` entries."""
        return self._tree.frontier(size).root

    def landmarks(self, size: int) -> Landmarks:
        """The landmarks of the tree of the first `size` entries."""
        return make_landmarks(size, self._tree.range_hash(size))

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The path that proves entry `index` in the log of the first `size` entries."""
        return self._tree.inclusion(index, size)

    def tile(self, level: int, index: int, width: int) -> bytes:
        """The first `width` hashes of a tile (C2SP tlog-tiles); NotFound past the end."""
        data = self._read_tile(level, index, width)
        if len(data) != 32 * width:
            raise NotFound(f"the log has no tile {index} of level {level} and width {width}")
        return data

    def checkpoints(self) -> list[str]:
        """Every signed checkpoint, in order of size."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(checkpoints.c.note).order_by(checkpoints.c.size))
            return [row.note for row in rows]

    def receipt(self, index: int) -> Receipt:
        """The receipt of entry `index` under the newest witnessed checkpoint that reaches it.

        Under the newest signed one where none was witnessed yet; NotFound before that.
        """
        return self.receipts([index])[0]

    def receipts(self, indices: Sequence[int]) -> list[Receipt]:
        """The receipts of several entries, all under the same checkpoint."""
        with reading(self._engine) as connection:
            note = _shown_checkpoint(connection, max(indices, default=0) + 1)
            size = _checkpoint(note).size
            for index in indices:
                if not 0 <= index < size:
                    raise NotFound(
                        f"the latest checkpoint, of {size} entries, has no entry {index}"
                    )
            found = [_only(fetch(connection, _ENTRY, (index,)), index) for index in indices]
        return [
            Receipt(data, index, tuple(self.inclusion(index, size)), note)
            for index, data in zip(indices, found, strict=True)
        ]

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the first `old` entries are a prefix of the first `new`."""
        with reading(self._engine) as connection:
            size = read_head(connection).size
        if not 0 <= old <= new <= size:
            raise NotFound(f"no proof from {old} to {new}: the log has {size} entries")
        return consistency_proof(old, new, self._tree.range_hash(new))

    def _read_tile(self, level: int, index: int, width: int) -> bytes:
        return _joined(glance(self._engine, *_tile_query(level, index, width)))


def read_entries(connection: Connection, start: int, end: int) -> Iterator[bytes]:
    """Entry bytes in order; NotFound where one is missing."""
    while start < end:
        stop = min(start + _PAGE, end)
        query = "SELECT data FROM entries WHERE idx >= ? AND idx < ? ORDER BY idx"
        rows = fetch(connection, query, (start, stop))
        if len(rows) != stop - start:
            raise NotFound(f"an entry between {start} and {stop} is missing from the store")
        for (data,) in rows:
            yield _exact(data)
        start = stop


def latest_checkpoint(connection: Connection) -> str:
    """The latest signed checkpoint; NotFound before the first."""
    return _newest(fetch(connection, _SIGNED))


def _shown_checkpoint(connection: Connection, reach: int) -> str:
    """The newest published checkpoint of at least `reach` entries, else the newest signed."""
    return _newest(fetch(connection, _SHOWN, (reach,)))


def _newest(rows: list[Any]) -> str:
    if not rows:
        raise NotFound("the log has no signed checkpoint yet")
    return str(rows[0][0])


def _only(rows: list[Any], index: int) -> bytes:
    if not rows:
        raise NotFound(f"the log has no entry {index}")
    return _exact(rows[0][0])


def _exact(data: object) -> bytes:
    if not isinstance(data, bytes | memoryview):
        raise StoreFault("a stored entry is not a string of bytes: the database was changed")
    return bytes(data)


def _checkpoint(note: str) -> Checkpoint:
    return Checkpoint.parse(open_note(note, ()).text)
