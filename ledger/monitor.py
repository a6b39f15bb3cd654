"""A monitor: follows logs from their static files, and keeps the evidence if one lies.

It remembers, for each log, the tree it has checked, who has authority, and every lot. Each
time it fetches only what is new, proves that it continues what was seen, and checks every new
entry as an audit would. Two notes of one log that contradict each other are a split view.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Column, Engine, LargeBinary, MetaData, Table, Text, delete, select

from ledger.audit import Walk
from ledger.authority import REGISTERED
from ledger.award_run import signature_fault
from ledger.bulk import insert_rows
from ledger.checkpoint import Checkpoint
from ledger.entry import Entry
from ledger.errors import BadEntry, BadNote, BadStatement, LedgerError, NotFound
from ledger.identity import identity_of
from ledger.lot_rows import lot_columns, lot_of, lot_row
from ledger.lots import LotBook, lot_names
from ledger.note import VerifierKey, open_note
from ledger.static import StaticLog
from ledger.store import NUMBER, open_store, reading, writing
from ledger.tree import Frontier, fold_peaks, leaf_hash, peak_ranges

_metadata = MetaData()
_logs = Table(
    "monitored",
    _metadata,
    Column("origin", Text, primary_key=True),
    Column("size", NUMBER, nullable=False),
    Column("peaks", LargeBinary, nullable=False),
    Column("prev", LargeBinary, nullable=False),
    Column("time", Text, nullable=False),
    Column("note", Text, nullable=False),
)
_authority = Table(
    "monitored_authority",
    _metadata,
    Column("origin", Text, primary_key=True),
    Column("idx", NUMBER, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)
_statements = Table(
    "monitored_statements",
    _metadata,
    Column("origin", Text, primary_key=True),
    Column("hash", LargeBinary, primary_key=True),
)
"""What was said once, but for awards, whose lots tell a second time."""
_lots = Table(
    "monitored_lots",
    _metadata,
    Column("log", Text, primary_key=True),
    *lot_columns(),
)


class SplitView(LedgerError):
    """Two signed notes of one log that cannot both be true; `notes` are the evidence."""

    def __init__(self, reason: str, notes: tuple[str, str]) -> None:
        super().__init__(reason)
        self.notes = notes


@dataclass(frozen=True, slots=True)
class Followed:
    """What following one log found: how far it was known, how far it is now, what is wrong."""

    origin: str
    old: int
    new: int
    problems: tuple[str, ...]


class Monitor:
    """Follows logs; its memory is a database of its own."""

    def __init__(self, url: str) -> None:
        self._engine: Engine = open_store(url)
        with writing(self._engine) as connection:
            _metadata.create_all(connection)

    def close(self) -> None:
        """Let go of the memory."""
        self._engine.dispose()

    def follow(
        self,
        log: StaticLog,
        keys: Sequence[VerifierKey] = (),
        progress: Callable[[int], None] = lambda done: None,
    ) -> Followed:
        """Check what is new in `log` since the last time, and remember it.

        `keys` are those trusted for the log; without them, those its first entry names are
        believed when it is first seen. SplitView where what it shows contradicts what was seen.
        """
        note = log.checkpoint()
        checkpoint = Checkpoint.parse(open_note(note, ()).text)
        walk, seen = self._load(checkpoint.origin)
        old = walk.tree.size
        if seen is not None:
            self._check_continues(log, walk, seen, note, checkpoint, keys)
        else:
            self._check_new(note, checkpoint.origin, keys)
        said = self._said(checkpoint.origin)
        new: list[Entry] = []
        ours = True
        for data in log.entries(old, checkpoint.size) if checkpoint.size > old else ():
            ours = ours and (walk.registry.identity is not None or _is_opening(data))
            if not ours:
                walk.tree.append(leaf_hash(data))
            else:
                entry = walk.entry(data)
                if entry is not None:
                    new.append(entry)
                    if entry.signed.statement.hash in said:
                        # Within one look the walk itself says so.
                        walk.wrong(walk.tree.size - 1, "its statement is in the log already")
                    fault = signature_fault(entry.signed)
                    if fault is not None:
                        walk.wrong(walk.tree.size - 1, fault)
            if not walk.tree.size % 1000:
                progress(walk.tree.size)
        progress(walk.tree.size)
        self._check_note(walk, note, checkpoint, keys)
        report = walk.report(1)
        if not report.problems:
            self._save(checkpoint, walk, note, new)
        return Followed(checkpoint.origin, old, checkpoint.size, report.problems)

    def _check_continues(
        self,
        log: StaticLog,
        walk: Walk[LotBook],
        seen: str,
        note: str,
        checkpoint: Checkpoint,
        keys: Sequence[VerifierKey],
    ) -> None:
        known = _trusted(walk, keys)
        if not open_note(note, known).signatures:
            raise BadNote(f"the newest checkpoint of {checkpoint.origin} is not signed by the log")
        if checkpoint.size < walk.tree.size:
            _check_older(log, walk.tree, seen, note, checkpoint)
        elif log.prefix_root(walk.tree.size, checkpoint) != walk.tree.root:
            raise SplitView(
                f"{checkpoint.origin} shows {checkpoint.size} entries that do not continue the "
                f"{walk.tree.size} seen before",
                (seen, note),
            )

    def _check_new(self, note: str, origin: str, keys: Sequence[VerifierKey]) -> None:
        """BadNote where a log followed before would go on under another name.

        A checkpoint under a new origin would else have no past that it could contradict.
        """
        signers = {one.key for one in open_note(note, keys).signatures}
        with reading(self._engine) as connection:
            others = connection.execute(select(_logs.c.origin, _logs.c.note)).all()
        for other in others:
            if signers & {one.key for one in open_note(other.note, keys).signatures}:
                raise BadNote(
                    f"a checkpoint of {origin[:100]} is signed by the key of {other.origin}, which "
                    "was followed before: a key signs one log, under one name"
                )

    def _check_note(
        self, walk: Walk[LotBook], note: str, checkpoint: Checkpoint, keys: Sequence[VerifierKey]
    ) -> None:
        known = _trusted(walk, keys)
        try:
            if not open_note(note, known).signatures:
                raise BadNote("the checkpoint is signed by none of the log's keys")
        except LedgerError as error:
            walk.problem(str(error))
        identity = walk.registry.identity
        if identity and checkpoint.origin != identity.origin:
            walk.problem(f"the checkpoint is of another log, {checkpoint.origin}")
        if walk.tree.root != checkpoint.root:
            walk.problem(f"the {checkpoint.size} entries do not hash to the checkpoint's root")

    def _load(self, origin: str) -> tuple[Walk[LotBook], str | None]:
        walk = Walk(LotBook())
        with reading(self._engine) as connection:
            row = connection.execute(select(_logs).where(_logs.c.origin == origin)).first()
            if row is None:
                return walk, None
            peaks = bytes(row.peaks)
            walk.tree = Frontier(row.size, [peaks[i : i + 32] for i in range(0, len(peaks), 32)])
            walk.prev, walk.time = bytes(row.prev), row.time
            query = select(_authority.c.data).where(_authority.c.origin == origin)
            for stored in connection.execute(query.order_by(_authority.c.idx)):
                walk.registry.apply(Entry.parse(bytes(stored.data)))
            for lot in connection.execute(select(_lots).where(_lots.c.log == origin)):
                walk.book.know(lot_of(lot))
        return walk, str(row.note)

    def _said(self, origin: str) -> set[bytes]:
        """The hashes of all statements known, but awards."""
        with reading(self._engine) as connection:
            query = select(_statements.c.hash).where(_statements.c.origin == origin)
            said = {bytes(row.hash) for row in connection.execute(query)}
            authority = select(_authority.c.data).where(_authority.c.origin == origin)
            for row in connection.execute(authority):
                said.add(Entry.parse(bytes(row.data)).signed.statement.hash)
        return said

    def _save(
        self, checkpoint: Checkpoint, walk: Walk[LotBook], note: str, new: list[Entry]
    ) -> None:
        origin = checkpoint.origin
        others = [e for e in new if e.signed.statement.kind in REGISTERED]
        hashes = [
            e.signed.statement.hash
            for e in new
            if e.signed.statement.kind not in (*REGISTERED, "award")
        ]
        names = {name for e in new for name in lot_names(e.signed.statement)}
        rows = [(origin, *lot_row(walk.book.lots[name])) for name in sorted(names)]
        with writing(self._engine) as connection:
            connection.execute(delete(_logs).where(_logs.c.origin == origin))
            connection.execute(
                _logs.insert().values(
                    origin=origin,
                    size=walk.tree.size,
                    peaks=b"".join(walk.tree.peaks),
                    prev=walk.prev,
                    time=walk.time,
                    note=note,
                )
            )
            if others:
                connection.execute(
                    _authority.insert(),
                    [{"origin": origin, "idx": e.index, "data": e.data} for e in others],
                )
            if hashes:
                connection.execute(
                    _statements.insert(), [{"origin": origin, "hash": hash_} for hash_ in hashes]
                )
            for start in range(0, len(rows), 400):
                part = rows[start : start + 400]
                connection.execute(
                    delete(_lots).where(
                        _lots.c.log == origin, _lots.c.lot.in_([row[1] for row in part])
                    )
                )
                insert_rows(connection, _lots, part)


def compare(logs: Sequence[tuple[str, StaticLog]], keys: Sequence[VerifierKey] = ()) -> None:
    """Check that what several places show of one log is one history; SplitView if it is not.

    `keys` are those trusted for the log; without them, those its first entry names in the first
    place are believed. BadNote where a place shows what those keys did not sign: anybody could
    have written that.
    """
    shown: dict[str, _Shown] = {}
    believed: dict[str, Sequence[VerifierKey]] = {}
    for place, log in logs:
        note = log.checkpoint()
        found = _Shown(place, log, note, Checkpoint.parse(open_note(note, ()).text))
        origin = found.checkpoint.origin
        other = shown.setdefault(origin, found)
        if other.note == note:
            continue
        known = believed.setdefault(origin, keys or _keys_named(other))
        for one in (other, found):
            if not open_note(one.note, known).signatures:
                raise BadNote(f"what {one.place} shows of {origin} is not signed by that log's key")
        small, large = sorted((other, found), key=lambda one: one.checkpoint.size)
        root = large.log.prefix_root(small.checkpoint.size, large.checkpoint)
        if root != small.checkpoint.root:
            raise SplitView(
                f"{other.place} and {place} show two histories of {origin}", (other.note, note)
            )
        shown[origin] = large


@dataclass(frozen=True, slots=True)
class _Shown:
    """What one place shows of a log."""

    place: str
    log: StaticLog
    note: str
    checkpoint: Checkpoint


def _keys_named(shown: _Shown) -> tuple[VerifierKey, ...]:
    """The keys of the log's first entry; none where it is not one that names any."""
    try:
        (first,) = shown.log.entries(0, 1, shown.checkpoint.size)
        statement = Entry.parse(first).signed.statement
    except (BadEntry, BadStatement, NotFound):
        return ()
    if statement.kind != "log.open":
        return ()
    return identity_of(statement.author, statement.body).log_keys


def _check_older(
    log: StaticLog, seen_tree: Frontier, seen: str, note: str, checkpoint: Checkpoint
) -> None:
    """Raise what an older checkpoint than the one seen is: a lie, or a place that is behind.

    It is no lie if it is a prefix of what was seen, which the tiles of that show. Where those
    are not served any more, as after a restored backup, the complete subtrees that are
    remembered are compared, as far as the older checkpoint reaches over them.
    """
    newest = Checkpoint.parse(open_note(seen, ()).text)
    sizes = f"shows {checkpoint.size} entries where {newest.size} were seen before"
    try:
        proved = True
        same = log.prefix_root(checkpoint.size, newest) == checkpoint.root
    except (NotFound, BadEntry):
        proved = False
        ranges = [(lo, hi) for lo, hi in peak_ranges(0, newest.size) if hi <= checkpoint.size]
        size = ranges[-1][1] if ranges else 0
        root = fold_peaks(seen_tree.peaks[: len(ranges)])
        same = log.prefix_root(size, checkpoint) == root
    if not same:
        raise SplitView(f"{checkpoint.origin} shows another, shorter history", (seen, note))
    if proved:
        raise BadEntry(f"{checkpoint.origin} {sizes}: it is behind, or was restored")
    raise BadEntry(
        f"{checkpoint.origin} {sizes}, and not what proves that they are the same history: it was "
        "restored from a backup, or is another history; compare it with other copies of the log"
    )


def _trusted(walk: Walk[LotBook], keys: Sequence[VerifierKey]) -> Sequence[VerifierKey]:
    identity = walk.registry.identity
    return keys or (identity.log_keys if identity else ())


def _is_opening(data: bytes) -> bool:
    try:
        return Entry.parse(data).signed.statement.kind == "log.open"
    except LedgerError:
        return False
