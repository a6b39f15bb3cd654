"""Recovery: what is wrong with a stored log, and repair of what can be repaired without forking.

Nothing is ever signed here, and no entry is made up: a damaged or missing entry is put back
only from a published copy, and only if the whole then hashes to a checkpoint that the log's
own key signed. What was signed or witnessed and is nowhere to be found cannot be repaired; a
new log under a new origin, which names the old one's last checkpoint, must follow it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, delete, select

from ledger.bulk import insert_rows
from ledger.checkpoint import Checkpoint
from ledger.entry import GENESIS, Entry
from ledger.errors import LedgerError
from ledger.log import read_head
from ledger.lots import identity_of
from ledger.note import VerifierKey, open_note
from ledger.static import StaticLog
from ledger.store import checkpoints, entries, head, tiles, unprotected, writing
from ledger.tiles import Tile, TileEdge
from ledger.tree import Frontier, leaf_hash

_PAGE = 1000
_MOST_SHOWN = 20

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Recovery:
    """What was found, what was put right, and what is left, a sentence each."""

    found: tuple[str, ...]
    repaired: tuple[str, ...]
    left: tuple[str, ...]


def recover(
    engine: Engine,
    log_keys: Sequence[VerifierKey],
    copy: StaticLog | None = None,
    progress: Progress = lambda done: None,
) -> Recovery:
    """Examine the stored log and repair it from `copy`, a published one, as far as that goes."""
    with writing(engine) as connection:
        return _Patient(connection, log_keys, copy, progress).treat()


class _Patient:
    def __init__(
        self,
        connection: Connection,
        log_keys: Sequence[VerifierKey],
        copy: StaticLog | None,
        progress: Progress,
    ) -> None:
        self._connection = connection
        self._keys = log_keys
        self._copy = copy
        self._progress = progress
        self._tree = Frontier()
        self._prev = GENESIS
        self._edge = TileEdge(0, lambda level, index, width: b"")
        self._tiles: list[Tile] = []
        self._patches: dict[int, bytes] = {}
        self._found: list[str] = []
        self._repaired: list[str] = []
        self._left: list[str] = []
        self._roots: dict[int, bytes] = {}

    def treat(self) -> Recovery:
        signed = self._signed()
        note, published = self._published()
        sizes = {size for size, _ in signed} | ({published.size} if published else set())
        stored = read_head(self._connection)
        whole = self._walk(stored.size, max([*sizes, stored.size]), sizes)
        self._check_checkpoints(signed, published)
        if whole and not self._left:
            self._check_head(stored.size, stored.root, note, published)
            self._write(stored.size)
        return Recovery(tuple(self._found), tuple(self._repaired), tuple(self._left))

    def _signed(self) -> list[tuple[int, bytes]]:
        query = select(checkpoints.c.size, checkpoints.c.root)
        rows = self._connection.execute(query.order_by(checkpoints.c.size))
        return [(row.size, bytes(row.root)) for row in rows]

    def _published(self) -> tuple[str, Checkpoint | None]:
        """The copy's checkpoint, if this log's own key signed it."""
        if self._copy is None:
            return "", None
        note = self._copy.checkpoint()
        opened = open_note(note, self._keys)
        if not opened.signatures:
            self._left.append("the published copy's checkpoint is not signed by this log's key")
            return "", None
        return note, Checkpoint.parse(opened.text)

    def _walk(self, stored: int, goal: int, sizes: set[int]) -> bool:
        """Hash every entry up to `goal`, from the store or else from the copy."""
        for start in range(0, goal, _PAGE):
            end = min(goal, start + _PAGE)
            query = select(entries.c.idx, entries.c.leaf, entries.c.data)
            rows = self._connection.execute(
                query.where(entries.c.idx >= start, entries.c.idx < end)
            )
            page = {row.idx: (row.leaf, row.data) for row in rows}
            for index in range(start, end):
                data = self._entry(index, page.get(index), stored)
                if data is None:
                    return False
                self._prev = leaf_hash(data)
                self._tree.append(self._prev)
                self._tiles += self._edge.append(self._prev)
                if self._tree.size in sizes or self._tree.size == stored:
                    self._roots[self._tree.size] = self._tree.root
            self._progress(end)
        return True

    def _entry(self, index: int, row: tuple[object, object] | None, stored: int) -> bytes | None:
        """The entry's bytes; from the copy where the store's are missing or do not fit."""
        if row is not None:
            leaf, data = row
            exact = bytes(data) if isinstance(data, bytes | memoryview) else b""
            if leaf_hash(exact) == leaf and self._fits(index, exact):
                return exact
            self._found.append(f"stored entry {index} is damaged")
        elif index < stored:
            self._found.append(f"stored entry {index} is missing")
        elif not self._patches or index - 1 not in self._patches:
            self._found.append(
                f"the store ends at entry {index}, short of what was signed or published: it was "
                "restored from an old backup"
            )
        data = self._from_copy(index)
        if data is None:
            self._left.append(
                f"entry {index} is in no copy given; name a published copy with --from, a folder "
                "or URL. If it exists nowhere, this log has ended: keep it for audits, and open a "
                "new bank, whose log gets a new origin"
            )
            return None
        self._patches[index] = data
        return data

    def _from_copy(self, index: int) -> bytes | None:
        if self._copy is None:
            return None
        try:
            size = Checkpoint.parse(open_note(self._copy.checkpoint(), ()).text).size
            if index >= size:
                return None
            (data,) = self._copy.entries(index, index + 1, size)
        except (LedgerError, ValueError):
            return None
        return data if self._fits(index, data) else None

    def _fits(self, index: int, data: bytes) -> bool:
        """Whether the bytes are an entry that stands at `index` after the one before."""
        start = b'{"index":%d,"prev":"%s",' % (index, self._prev.hex().encode())
        return data.startswith(start)

    def _check_checkpoints(
        self, signed: Sequence[tuple[int, bytes]], published: Checkpoint | None
    ) -> None:
        claims = [*signed, *([(published.size, published.root)] if published else [])]
        for size, root in claims:
            if size and self._roots.get(size) not in (root, None):
                self._left.append(
                    f"the entries do not hash to the root that was signed for {size} entries: two "
                    "histories exist. Nothing here may be changed or signed; keep both as evidence "
                    "and call the governance"
                )

    def _check_head(
        self, stored: int, root: bytes, note: str, published: Checkpoint | None
    ) -> None:
        if self._roots.get(stored, root) != root and stored:
            self._found.append("the head row does not fit the stored entries")
        if published is not None and published.size > max([0, *(s for s, _ in self._signed())]):
            values = {"size": published.size, "root": published.root, "note": note}
            self._connection.execute(checkpoints.insert().values(**values))
            self._repaired.append(f"took over the signed checkpoint of {published.size} entries")

    def _write(self, stored: int) -> None:
        """Put back entries and tiles, and set the head, all in the caller's transaction."""
        with unprotected(self._connection):
            for index in self._patches:
                self._connection.execute(delete(entries).where(entries.c.idx == index))
            rows = []
            for index, data in self._patches.items():
                entry = Entry.parse(data)
                statement = entry.signed.statement
                identity = identity_of(statement)
                rows.append((index, entry.leaf, *identity, statement.kind, data))
            if rows:
                insert_rows(self._connection, entries, rows)
                self._repaired.append(f"put back {len(rows)} entries from the published copy")
            self._write_tiles()
        size, root = self._tree.size, self._tree.root
        now = read_head(self._connection)
        if (now.size, now.root, now.leaf) != (size, root, self._prev):
            time = max([now.time, *(Entry.parse(data).time for data in self._patches.values())])
            self._connection.execute(
                head.update()
                .where(head.c.id == 1)
                .values(size=size, root=root, leaf=self._prev, time=time)
            )
            self._repaired.append(f"set the head to {size} entries")
        if self._found and not self._repaired:
            self._left.append("what was found could not be repaired")

    def _write_tiles(self) -> None:
        wanted = {(tile.level, tile.index): tile for tile in self._tiles}
        query = select(tiles.c.level, tiles.c.idx, tiles.c.root, tiles.c.hashes)
        there = {
            (row.level, row.idx): (bytes(row.root), bytes(row.hashes))
            for row in self._connection.execute(query)
        }
        wrong = [
            place for place, tile in wanted.items() if there.get(place) != (tile.root, tile.hashes)
        ]
        spare = [place for place in there if place not in wanted]
        for level, index in [*wrong, *spare]:
            self._connection.execute(
                delete(tiles).where(tiles.c.level == level, tiles.c.idx == index)
            )
        if wrong:
            rows = [(*place, wanted[place].root, wanted[place].hashes) for place in wrong]
            insert_rows(self._connection, tiles, rows)
        if any(place in there for place in wrong) or spare:
            self._found.append("stored tiles do not fit the entries")
        if wrong or spare:
            self._repaired.append(f"computed {len(wrong)} tiles anew from the entries")
