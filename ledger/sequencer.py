"""The sequencer: gives statements their place, many in one durable commit.

Safety rests on the head row alone: it moves by compare-and-swap in the same transaction as
the entries, so two sequencers can never both append at one size. Everything kept in memory
is a cache of the store, dropped whenever the store has moved on or a commit failed.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from ledger.authority import Registry
from ledger.award_run import signature_fault
from ledger.bulk import Row, insert_rows, select_rows
from ledger.clock import format_time
from ledger.entry import Entry
from ledger.errors import LedgerError, Refused, StoreFault
from ledger.log import Head, read_head, tile_reader
from ledger.lots import Identity, identity_of
from ledger.registry_view import followed
from ledger.statement import SignedStatement
from ledger.store import entries, execute, tiles, writing
from ledger.tiles import Tile, TileEdge
from ledger.tree import leaf_hash


@dataclass(frozen=True, slots=True)
class Placed:
    """A statement's place in the log. `repeated` where it stood there before."""

    index: int
    leaf: bytes
    repeated: bool


@dataclass(frozen=True, slots=True)
class Declined:
    """A statement that was not appended, and why, in one sentence."""

    reason: str


Outcome = Placed | Declined


class Projection(Protocol):
    """Tables derived from the log, kept in step with it inside the same transaction."""

    def begin(
        self, connection: Connection, batch: Sequence[SignedStatement], registry: Registry
    ) -> "Fold":
        """A fold for one batch; may read ahead what the batch will touch.

        `registry` moves on with every entry of the batch.
        """


class Fold(Protocol):
    """One batch on its way into the derived tables."""

    def take(self, entry: Entry) -> None:
        """Fold one entry in; Refused where it contradicts those before, with nothing changed."""

    def flush(self) -> None:
        """Write what was folded."""


class Sequencer:
    """Appends batches of signed statements; safe to call from several threads and processes."""

    def __init__(
        self, engine: Engine, projection: Projection, clock: Callable[[], datetime]
    ) -> None:
        self._engine = engine
        self._projection = projection
        self._clock = clock
        self._lock = threading.Lock()
        self._state: _State | None = None
        self.ended = ""
        """Why nothing is appended any more, or empty."""
        self.verify: Callable[[SignedStatement], str | None] = signature_fault
        """What is wrong with a statement's signatures; replaced only to measure without it."""

    def append(self, batch: Sequence[SignedStatement]) -> list[Outcome]:
        """Append what has authority, in order; when this returns it is durable.

        One outcome for each statement, in order. A statement that stands in the log already
        gets its first place. One that is declined does not hold up the others.
        """
        return self._append(batch, together=False)

    def append_together(self, batch: Sequence[SignedStatement]) -> list[Outcome]:
        """As `append`, but all of them or none: where one is declined, so is what was new."""
        return self._append(batch, together=True)

    def _append(self, batch: Sequence[SignedStatement], *, together: bool) -> list[Outcome]:
        if self.ended:
            raise StoreFault(self.ended)
        verified = [self.verify(signed) for signed in batch]
        with self._lock:
            # Until it is known to be committed, nothing in memory is: the next call reads it anew.
            before, self._state = self._state, None
            with writing(self._engine) as connection:
                outcomes, state = self._sequence(connection, before, batch, verified)
                apart = together and any(isinstance(outcome, Declined) for outcome in outcomes)
                if apart:
                    connection.rollback()
            if not apart:
                self._state = state
        return [_alone(outcome) for outcome in outcomes] if apart else outcomes

    def forget(self) -> None:
        """Read everything from the store again at the next call."""
        with self._lock:
            self._state = None

    def _sequence(
        self,
        connection: Connection,
        known: "_State | None",
        batch: Sequence[SignedStatement],
        verified: Sequence[str | None],
    ) -> "tuple[list[Outcome], _State]":
        before = read_head(connection, lock=True)
        state = _follow(connection, known, before)
        time = max(format_time(self._clock()), before.time)
        fold = self._projection.begin(connection, batch, state.registry)
        identities = [identity_of(signed.statement) for signed in batch]
        places = _places(connection, identities)
        rows: list[Row] = []
        outcomes: list[Outcome] = []
        for signed, identity, fault in zip(batch, identities, verified, strict=True):
            if fault is not None:
                outcomes.append(Declined(fault))
                continue
            place = places.get(identity)
            if place is not None:
                outcomes.append(place)
                continue
            try:
                entry, leaf = state.admit(signed, time, fold)
            except LedgerError as error:
                outcomes.append(Declined(str(error)))
                continue
            places[identity] = Placed(entry.index, leaf, repeated=True)
            outcomes.append(Placed(entry.index, leaf, repeated=False))
            rows.append((entry.index, leaf, *identity, signed.statement.kind, entry.data))
        if rows:
            try:
                insert_rows(connection, entries, rows)
            except IntegrityError as error:
                raise StoreFault(
                    f"the store holds entries beyond the {before.size} of its head row; nothing is "
                    "appended to it, see 'creditbank ledger recover'"
                ) from error
            filled = [(tile.level, tile.index, tile.root, tile.hashes) for tile in state.grow()]
            if filled:
                insert_rows(connection, tiles, filled)
            fold.flush()
            _move_head(connection, before, state, time)
        return outcomes, state


def _alone(outcome: Outcome) -> Outcome:
    """What is said of one of a group that was not appended."""
    if isinstance(outcome, Declined) or outcome.repeated:
        return outcome
    return Declined("nothing was appended: another statement of its group was declined")


class _State:
    """What appending needs to know about the log so far."""

    def __init__(self, registry: Registry, edge: TileEdge, leaf: bytes) -> None:
        self.registry = registry
        self.edge = edge
        self.size = edge.size
        self.leaf = leaf
        self._leaves: list[bytes] = []
        """Of entries whose place is not in the tree yet."""

    def admit(self, signed: SignedStatement, time: str, fold: Fold) -> tuple[Entry, bytes]:
        """Take a statement in; its entry and leaf hash."""
        self.registry.check(signed, self.size, time)
        entry = Entry.make(self.size, self.leaf, time, signed)
        fold.take(entry)
        self.registry.apply(entry)
        self.leaf = leaf_hash(entry.data)
        self._leaves.append(self.leaf)
        self.size += 1
        return entry, self.leaf

    def grow(self) -> list[Tile]:
        """Put what was taken in into the tree; the tiles it filled."""
        leaves, self._leaves = self._leaves, []
        return self.edge.extend(leaves)


def _follow(connection: Connection, state: _State | None, now: Head) -> _State:
    """The state at `now`: what is in memory if it is current, else read from the store."""
    if state is not None and state.size == now.size and state.leaf == now.leaf:
        return state
    if state is not None and state.size >= now.size:
        state = None  # The store was put back: what came later holds no more.
    start, registry = (0, Registry()) if state is None else (state.size, state.registry)
    registry = followed(connection, registry, start, now.size)
    edge = TileEdge(now.size, tile_reader(connection))
    if edge.root != now.root:
        raise StoreFault(f"the stored tree of {now.size} entries has not the root in the head row")
    return _State(registry, edge, now.leaf)


def _places(connection: Connection, identities: Sequence[Identity]) -> dict[Identity, Placed]:
    """The places of those of these statements that stand in the log."""
    columns = ("list", "statement", "idx", "leaf")
    found = select_rows(connection, entries, columns, ("list", "statement"), identities)
    return {(row.list, row.statement): Placed(row.idx, row.leaf, True) for row in found}


def _move_head(connection: Connection, before: Head, state: _State, time: str) -> None:
    after = (state.edge.size, state.edge.root, state.leaf, time)
    moved = execute(
        connection,
        "UPDATE head SET size = ?, root = ?, leaf = ?, time = ? "
        "WHERE id = 1 AND size = ? AND root = ?",
        (*after, before.size, before.root),
    )
    if moved != 1:
        raise Refused("the log moved while this batch was appended; try again")
