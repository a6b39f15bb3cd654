"""The map of lots as the bank keeps it: made from the table of lots, its root put on the log."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, delete, select

from bank.errors import BadSetup, NoSuchThing
from bank.lots import read_lots
from bank.tables import lot_map, lot_map_head, lots
from keys import Json, b64u_encode
from ledger import Lot, Registry
from ledger.bulk import insert_rows
from ledger.log import Log, read_head
from ledger.lot_map import (
    BUCKETS,
    EMPTY,
    LEAF,
    LotRecord,
    MapProof,
    Subtree,
    bucket_of,
    bucket_subtree,
    key_of,
    leaves_by_bucket,
    prove,
    root_of,
)
from ledger.lot_rows import lot_of
from ledger.sequencer import Declined, Outcome
from ledger.store import reading, writing

_PAGE = 5000


@dataclass(frozen=True, slots=True)
class MapHead:
    """After how many entries a map was made, and its root."""

    size: int
    root: bytes


def make_map(engine: Engine) -> MapHead:
    """Make the map of all lots anew, as of one moment, and keep it."""
    with reading(engine) as connection:
        size = read_head(connection).size
        query = select(lots).execution_options(stream_results=True, yield_per=_PAGE)
        rows = connection.execute(query)
        found = leaves_by_bucket(LotRecord.of(lot.lot, lot.standing) for lot in map(lot_of, rows))
    buckets = [Subtree(0, EMPTY)] * BUCKETS
    kept = []
    for number, leaves in sorted(found.items()):
        buckets[number] = made = bucket_subtree(bytes(leaves))
        kept.append((number, made.count, made.hash, bytes(leaves)))
    head = MapHead(size, root_of(buckets))
    with writing(engine) as connection:
        connection.execute(delete(lot_map))
        connection.execute(delete(lot_map_head))
        if kept:
            insert_rows(connection, lot_map, kept)
        connection.execute(lot_map_head.insert().values(size=head.size, root=head.root))
    return head


class LotMap:
    """The map that the bank keeps, and what it proves."""

    def __init__(
        self,
        engine: Engine,
        log: Log,
        registry: Callable[[], Registry],
        state: Callable[[str, dict[str, Json]], Outcome],
        author: tuple[str, str],
    ) -> None:
        """`state` appends a statement of the bank's own, by its kind and body.

        `author` are the bank's DID and the Multikey of its own key.
        """
        self._engine = engine
        self._log = log
        self._registry = registry
        self._state = state
        self._author = author

    def commit(self) -> MapHead:
        """Make the map of lots and put its root on the log; BadSetup where that is declined.

        Nothing if nothing was appended since the last time.
        """
        last = self._registry().lots_root
        if last is not None and last.index == self._log.size() - 1:
            return MapHead(last.size, last.root)
        made = make_map(self._engine)
        body: dict[str, Json] = {"root": b64u_encode(made.root), "size": made.size}
        outcome = self._state("lots.root", body)
        if isinstance(outcome, Declined):
            did, key = self._author
            raise BadSetup(
                f"the root of the map of lots was declined: {outcome.reason} (the governance "
                f"registers the bank's own key {key} with a key.add for {did})"
            )
        return made

    def prove(self, name: str) -> str:
        """Evidence of where a lot stood when the map of lots was last committed, for anyone.

        NoSuchThing where it never was, and where the lot has changed since.
        """
        root = self._registry().lots_root
        if root is None:
            raise NoSuchThing(
                "no root of the map of lots is on the log: 'creditbank ledger commit-lots' puts it "
                "there"
            )
        with reading(self._engine) as connection:
            lot = read_lots(connection, [name]).get(name)
            proof = _prove(connection, name, lot, MapHead(root.size, root.root))
        return f"{proof.encode()}\n{self._log.receipt(root.index).encode()}"


def _prove(connection: Connection, name: str, lot: Lot | None, head: MapHead) -> MapProof:
    """Where a lot stood in the map whose root is on the log; `lot` is as it stands now.

    BadSetup where the map kept here is another; NoSuchThing where the lot changed since, for then
    nothing current can be proved.
    """
    kept = connection.execute(select(lot_map_head)).first()
    if kept is None or (kept.size, bytes(kept.root)) != (head.size, head.root):
        raise BadSetup(
            "the map of lots whose root is on the log is not kept here: commit it anew with "
            "'creditbank ledger commit-lots'"
        )
    columns = select(lot_map.c.bucket, lot_map.c.held, lot_map.c.hash)
    buckets = [Subtree(0, EMPTY)] * BUCKETS
    for row in connection.execute(columns):
        buckets[row.bucket] = Subtree(row.held, bytes(row.hash))
    record = None if lot is None else LotRecord.of(name, lot.standing)
    if record is not None and record.leaf not in _leaves(connection, bucket_of(key_of(name))):
        raise NoSuchThing(
            f"the lot {name} changed since the map of lots was last committed, after {head.size} "
            "entries: commit it anew with 'creditbank ledger commit-lots'"
        )
    return prove(name, buckets, lambda n: b"".join(_leaves(connection, n)), record)


def _leaves(connection: Connection, bucket: int) -> Sequence[bytes]:
    query = select(lot_map.c.leaves).where(lot_map.c.bucket == bucket)
    data = bytes(connection.execute(query).scalar_one_or_none() or b"")
    return [data[start : start + LEAF] for start in range(0, len(data), LEAF)]
