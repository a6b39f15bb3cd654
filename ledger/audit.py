"""Audit: everything an outsider can recompute from the entries and checkpoints alone."""

import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from ledger.authority import Registry
from ledger.checkpoint import Checkpoint
from ledger.entry import GENESIS, Entry
from ledger.errors import BadEntry, BadNote, LedgerError
from ledger.lots import LotBook
from ledger.note import VerifierKey, open_note
from ledger.statement import SignedStatement
from ledger.tree import Frontier, leaf_hash

_MOST_PROBLEMS = 100
_CHUNK = 256

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
) -> AuditReport:
    """Recheck bytes, chain, signatures, authority, lots and tree against signed checkpoints.

    `checkpoints` are signed notes in rising order of size, the last of which must speak of all
    entries. Every problem is one sentence; the audit goes on after one, as far as it can.
    Signatures are checked by `workers` threads, by default one for each processor.
    """
    walk = Walk()
    expected = _sizes(checkpoints, walk.problem)
    roots = {0: walk.tree.root}
    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        waiting: deque[Future[list[tuple[int, str]]]] = deque()
        for chunk in _chunks(entries):
            signed = []
            for data in chunk:
                entry = walk.entry(data)
                if entry is not None:
                    signed.append((entry.index, entry.signed))
                if walk.tree.size in expected:
                    roots[walk.tree.size] = walk.tree.root
            waiting.append(pool.submit(_verify, signed))
            while len(waiting) > 64:
                walk.signatures(waiting.popleft().result())
            progress(walk.tree.size)
        for future in waiting:
            walk.signatures(future.result())
    for note in checkpoints:
        walk.checkpoint(note, roots)
    if not expected:
        walk.problem("there is no signed checkpoint")
    elif max(expected) != walk.tree.size:
        walk.problem(
            f"the last checkpoint speaks of {max(expected)} entries, the log holds {walk.tree.size}"
        )
    return walk.report(len(checkpoints))


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


class Walk:
    """The state of whoever follows a log entry by entry, from its beginning or from a state."""

    def __init__(self) -> None:
        self.tree = Frontier()
        self.registry = Registry()
        self.book = LotBook()
        self.kinds: Counter[str] = Counter()
        self.prev = GENESIS
        self.time = ""
        self._statements: set[bytes] = set()
        self._problems: list[str] = []

    def problem(self, sentence: str) -> None:
        """Note one problem, up to a hundred."""
        if len(self._problems) < _MOST_PROBLEMS:
            self._problems.append(sentence)

    def entry(self, data: bytes) -> Entry | None:
        """Take the next entry; the entry if its signatures are worth checking, else None."""
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
            self.problem(f"entry {index}: {error}")
        leaf = leaf_hash(data)
        self.tree.append(leaf)
        self.prev = leaf
        return entry

    def signatures(self, faults: Sequence[tuple[int, str]]) -> None:
        """Take the result of checking signatures: (index, what is wrong)."""
        for index, fault in faults:
            self.problem(f"entry {index}: {fault}")

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
        return AuditReport(
            identity.origin if identity else "",
            self.tree.size,
            self.tree.root,
            dict(self.kinds),
            len(self.book.lots),
            checkpoints,
            tuple(self._problems),
        )

    def _place(self, entry: Entry, index: int) -> None:
        if entry.index != index:
            raise BadEntry(f"says it is entry {entry.index}")
        if entry.prev != self.prev:
            raise BadEntry("its prev is not the leaf hash of the entry before")
        if entry.time < self.time:
            raise BadEntry(f"its time {entry.time} lies before that of the entry before")
        identity = entry.signed.statement.hash
        if identity in self._statements:
            raise BadEntry("its statement is in the log already")
        self._statements.add(identity)


def _verify(signed: Sequence[tuple[int, SignedStatement]]) -> list[tuple[int, str]]:
    faults = []
    for index, statement in signed:
        try:
            statement.verify()
        except LedgerError as error:
            faults.append((index, str(error)))
    return faults


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
