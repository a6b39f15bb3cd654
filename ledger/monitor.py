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
from ledger.errors import BadEntry, BadNote, LedgerError
from ledger.lot_rows import lot_columns, lot_of, lot_row
from ledger.lots import LotBook, lot_names
from ledger.note import VerifierKey, open_note
from ledger.static import StaticLog
from ledger.store import NUMBER, open_store, reading, writing
from ledger.tree import Frontier, leaf_hash, verify_consistency

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
            # An older view is no lie if it is a prefix; the tiles of what was seen must show it.
            root = _root_or_none(log, checkpoint.size)
            if root == checkpoint.root:
                raise BadEntry(
                    f"{checkpoint.origin} shows {checkpoint.size} entries where "
                    f"{walk.tree.size} were seen before: it is behind, or was restored"
                )
            raise SplitView(f"{checkpoint.origin} shows another, shorter history", (seen, note))
        try:
            proof = log.consistency(walk.tree.size, checkpoint.size)
            verify_consistency(
                walk.tree.size, checkpoint.size, proof, walk.tree.root, checkpoint.root
            )
        except LedgerError as error:
            raise SplitView(
                f"{checkpoint.origin} shows {checkpoint.size} entries that do not continue the "
                f"{walk.tree.size} seen before ({error})",
                (seen, note),
            ) from error

    def _check_note(
        self, walk: Walk[LotBook], note: str, checkpoint: Checkpoint, keys: Sequence[VerifierKey]
    ) -> None:
        known = _trusted(walk, keys)
        try:
            if not open_note(note, known).signatures:
                raise BadNote("the checkpoint is signed by none of the log's keys")
        except LedgerError as error:
            walk.problem(str(error))
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

    def _save(
        self, checkpoint: Checkpoint, walk: Walk[LotBook], note: str, new: list[Entry]
    ) -> None:
        origin = checkpoint.origin
        others = [e for e in new if e.signed.statement.kind in REGISTERED]
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
            for start in range(0, len(rows), 400):
                part = rows[start : start + 400]
                connection.execute(
                    delete(_lots).where(
                        _lots.c.log == origin, _lots.c.lot.in_([row[1] for row in part])
                    )
                )
                insert_rows(connection, _lots, part)


def compare(logs: Sequence[tuple[str, StaticLog]]) -> None:
    """Check that what several places show of one log is one history; SplitView if it is not."""
    shown: dict[str, tuple[Checkpoint, str, str]] = {}
    for place, log in logs:
        note = log.checkpoint()
        checkpoint = Checkpoint.parse(open_note(note, ()).text)
        other = shown.setdefault(checkpoint.origin, (checkpoint, note, place))
        if other[1] == note:
            continue
        small, large = sorted((other[0], checkpoint), key=lambda item: item.size)
        source = log if large is checkpoint else dict(logs)[other[2]]
        if not _continues(source, small, large):
            raise SplitView(
                f"{other[2]} and {place} show two histories of {checkpoint.origin}",
                (other[1], note),
            )
        if large is checkpoint:
            shown[checkpoint.origin] = (checkpoint, note, place)


def _trusted(walk: Walk[LotBook], keys: Sequence[VerifierKey]) -> Sequence[VerifierKey]:
    identity = walk.registry.identity
    return keys or (identity.log_keys if identity else ())


def _root_or_none(log: StaticLog, size: int) -> bytes | None:
    try:
        return log.root(size)
    except LedgerError:
        return None


def _continues(log: StaticLog, small: Checkpoint, large: Checkpoint) -> bool:
    """Whether the tiles of `large` prove that it continues `small`, which need not have its own."""
    if not small.size:
        return True
    try:
        proof = log.consistency(small.size, large.size)
        verify_consistency(small.size, large.size, proof, small.root, large.root)
    except LedgerError:
        return False
    return True


def _is_opening(data: bytes) -> bool:
    try:
        return Entry.parse(data).signed.statement.kind == "log.open"
    except LedgerError:
        return False
