"""Audit: everything an outsider can recompute from the entries and checkpoints alone."""

import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, islice
from multiprocessing import get_context
from operator import itemgetter
from typing import Generic, Protocol, TypeVar

from ledger.authority import Registry
from ledger.award_run import AwardRun, Other, Piece, read_pieces
from ledger.checkpoint import Checkpoint
from ledger.entry import GENESIS, Entry
from ledger.errors import BadEntry, BadNote, LedgerError
from ledger.lot_partitions import LotPartitions
from ledger.note import VerifierKey, open_note
from ledger.tree import Frontier, leaf_hash

_MOST_PROBLEMS = 100
_MOST_KEPT = 10_000
"""Of problems, before they are put in order and the first hundred told."""
_CHUNK = 512
_FEW = 4
"""Chunks that are read before it is worth starting other processes."""

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What an audit found. `problems` is empty where all is well; `root` is the recomputed one."""

    origin: str
    size: int
    root: bytes
    kinds: dict[str, int]
    lots: int
    checkpoints: int
    problems: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing at all was wrong."""
        return not self.problems


def audit(
    entries: Iterable[bytes],
    checkpoints: Sequence[str],
    progress: Progress = lambda done: None,
    workers: int | None = None,
    signatures: bool = True,
) -> AuditReport:
    """Recheck bytes, chain, signatures, authority, lots and tree against signed checkpoints.

    `checkpoints` are signed notes in rising order of size, the last of which must speak of all
    entries. Every problem is one sentence; the audit goes on after one, as far as it can.
    A long log is read by `workers` processes, by default one for each processor; memory does
    not grow with it. Of the roots of the map of lots the last one is recomputed. Without
    `signatures` those of the entries are left out: quicker, for a log
    that was audited before.
    """
    with closing(LotPartitions()) as lots:
        walk = Walk(lots)
        expected = _sizes(checkpoints, walk.problem)
        roots = {0: walk.tree.root}
        wanted = deque(sorted(expected))

        def reached() -> None:
            while wanted and wanted[0] <= walk.tree.size:
                size = wanted.popleft()
                if size == walk.tree.size:
                    roots[size] = walk.tree.root

        reached()
        for chunk, pieces in _read(_chunks(entries), workers or os.cpu_count() or 1, signatures):
            _take(walk, lots, chunk, pieces, wanted, reached)
            progress(walk.tree.size)
        mapped = walk.registry.lots_root
        if mapped is not None:
            lots.map_at(mapped.size)
        for index, kind, fault in lots.faults():
            walk.refused(index, kind, fault)
        if mapped is not None and lots.map_root() != mapped.root:
            walk.wrong(
                mapped.index,
                f"its root of the map of lots is not that of the first {mapped.size} entries",
            )
        for note in checkpoints:
            walk.checkpoint(note, roots)
        if not expected:
            walk.problem("there is no signed checkpoint")
        elif max(expected) != walk.tree.size:
            walk.problem(
                f"the last checkpoint speaks of {max(expected)} entries, the log holds "
                f"{walk.tree.size}"
            )
        return walk.report(len(checkpoints))


def _take(
    walk: "Walk[LotPartitions]",
    lots: LotPartitions,
    chunk: Sequence[bytes],
    pieces: Sequence[Piece],
    wanted: Sequence[int],
    reached: Callable[[], None],
) -> None:
    """Take the entries of a chunk, read into pieces, in order."""
    place = 0
    for piece in pieces:
        count = len(piece) if isinstance(piece, AwardRun) else 1
        within = bool(wanted) and wanted[0] < walk.tree.size + count
        if isinstance(piece, AwardRun) and not within and walk.run(piece):
            lots.take_run(piece)
        else:
            for data in chunk[place : place + count]:
                walk.entry(data, piece.fault if isinstance(piece, Other) else None)
                reached()
        reached()
        place += count


def _read(
    chunks: Iterator[list[bytes]], workers: int, signatures: bool
) -> Iterator[tuple[list[bytes], list[Piece]]]:
    """Each chunk with what stands in it: by other processes, if there are many."""
    for chunk in islice(chunks, None if workers == 1 else _FEW):
        yield chunk, read_pieces(chunk, signatures)
    following = next(chunks, None)
    if following is None:
        return
    chunks = chain([following], chunks)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        # They take a while to start; until then this one reads on by itself.
        starting = [pool.submit(read_pieces, ()) for _ in range(workers)]
        while not all(future.done() for future in starting) and (chunk := next(chunks, [])):
            yield chunk, read_pieces(chunk, signatures)
        waiting: deque[tuple[list[bytes], Future[list[Piece]]]] = deque()
        for chunk in chunks:
            waiting.append((chunk, pool.submit(read_pieces, chunk, signatures)))
            if len(waiting) > 8 * workers:
                done, pieces = waiting.popleft()
                yield done, pieces.result()
        for done, pieces in waiting:
            yield done, pieces.result()


def audit_tree(
    entries: Iterable[bytes],
    note: str,
    keys: Sequence[VerifierKey],
    progress: Progress = lambda done: None,
) -> AuditReport:
    """Recheck the tree of any C2SP log, whatever its entries mean, against a signed note."""
    opened = open_note(note, keys)
    checkpoint = Checkpoint.parse(opened.text)
    problems = []
    if not opened.signatures:
        problems.append("the checkpoint is signed by none of the keys given")
    tree = Frontier()
    for data in entries:
        tree.append(leaf_hash(data))
        if not tree.size % 1000:
            progress(tree.size)
    if tree.size != checkpoint.size or tree.root != checkpoint.root:
        problems.append(
            f"the {tree.size} entries do not hash to the root of the checkpoint of "
            f"{checkpoint.size}"
        )
    return AuditReport(
        checkpoint.origin, tree.size, tree.root, {"entry": tree.size}, 0, 1, tuple(problems)
    )


class Book(Protocol):
    """Whoever keeps the lots of a log."""

    def take(self, entry: Entry) -> None:
        """Fold one entry in; Refused where it contradicts those before."""

    def __len__(self) -> int:
        """How many lots there are."""


B = TypeVar("B", bound=Book)


class Walk(Generic[B]):
    """The state of whoever follows a log entry by entry, from its beginning or from a state."""

    def __init__(self, book: B) -> None:
        self.tree = Frontier()
        self.registry = Registry()
        self.book = book
        self.kinds: Counter[str] = Counter()
        self.prev = GENESIS
        self.time = ""
        self._statements: set[bytes] = set()
        self._entry_problems: list[tuple[int, str]] = []
        self._problems: list[str] = []

    def problem(self, sentence: str) -> None:
        """Note one problem of the log as a whole."""
        if len(self._problems) < _MOST_PROBLEMS:
            self._problems.append(sentence)

    def entry(self, data: bytes, fault: str | None = None) -> Entry | None:
        """Take the next entry; `fault` is what is wrong with its signatures."""
        index = self.tree.size
        entry = None
        try:
            entry = Entry.parse(data)
            self._place(entry, index)
            self.registry.check(entry.signed, entry.index, entry.time)
            self.registry.apply(entry)
            self.book.take(entry)
            self.kinds[entry.signed.statement.kind] += 1
            self.time = entry.time
        except LedgerError as error:
            self.wrong(index, str(error))
        if fault is not None:
            self.wrong(index, fault)
        leaf = leaf_hash(data)
        self.tree.append(leaf)
        self.prev = leaf
        return entry

    def run(self, run: AwardRun) -> bool:
        """Take a run of awards, but for its lots; False where each has to be looked at."""
        end = run.start + len(run)
        if run.start != self.tree.size or run.prev != self.prev or run.first < self.time:
            return False
        try:
            for signed, time in run.cases:
                # A key is good for a range of entries: good at both ends, good between.
                self.registry.check(signed, run.start, time)
                self.registry.check(signed, end - 1, time)
        except LedgerError:
            return False
        self.tree.extend(run.leaves)
        self.kinds["award"] += len(run)
        self.prev, self.time = run.leaves[-1], run.last
        return True

    def refused(self, index: int, kind: str, fault: str) -> None:
        """Note that an entry taken before contradicts those before it."""
        self.kinds[kind] -= 1
        self.wrong(index, fault)

    def wrong(self, index: int, fault: str) -> None:
        """Note what is wrong with an entry."""
        if len(self._entry_problems) < _MOST_KEPT:
            self._entry_problems.append((index, f"entry {index}: {fault}"))

    def checkpoint(self, note: str, roots: dict[int, bytes]) -> None:
        """Check a signed note against the `roots` that were recomputed, by size."""
        identity = self.registry.identity
        try:
            opened = open_note(note, identity.log_keys if identity else ())
            checkpoint = Checkpoint.parse(opened.text)
            if identity and checkpoint.origin != identity.origin:
                raise BadNote(f"the checkpoint is of another log, {checkpoint.origin}")
            if not opened.signatures:
                raise BadNote(f"the checkpoint of {checkpoint.size} is not signed by the log")
            if roots.get(checkpoint.size) != checkpoint.root:
                raise BadNote(
                    f"the checkpoint of {checkpoint.size} entries has another root than they have"
                )
        except LedgerError as error:
            self.problem(str(error))

    def report(self, checkpoints: int) -> AuditReport:
        """What was found so far."""
        identity = self.registry.identity
        entries = [sentence for _, sentence in sorted(self._entry_problems, key=itemgetter(0))]
        return AuditReport(
            identity.origin if identity else "",
            self.tree.size,
            self.tree.root,
            {kind: count for kind, count in self.kinds.items() if count},
            len(self.book),
            checkpoints,
            tuple([*entries, *self._problems][:_MOST_PROBLEMS]),
        )

    def _place(self, entry: Entry, index: int) -> None:
        if entry.index != index:
            raise BadEntry(f"says it is entry {entry.index}")
        if entry.prev != self.prev:
            raise BadEntry("its prev is not the leaf hash of the entry before")
        if entry.time < self.time:
            raise BadEntry(f"its time {entry.time} lies before that of the entry before")
        if entry.signed.statement.kind == "award":
            return  # A second one would award the same lot.
        identity = entry.signed.statement.hash
        if identity in self._statements:
            raise BadEntry("its statement is in the log already")
        self._statements.add(identity)


def _chunks(entries: Iterable[bytes]) -> Iterator[list[bytes]]:
    iterator = iter(entries)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk


def _sizes(checkpoints: Sequence[str], problem: Callable[[str], None]) -> set[int]:
    sizes = set()
    for note in checkpoints:
        try:
            sizes.add(Checkpoint.parse(open_note(note, ()).text).size)
        except LedgerError as error:
            problem(str(error))
    return sizes
