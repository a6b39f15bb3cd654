"""Audit: everything an outsider can recompute from the entries and checkpoints alone."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ledger.authority import Registry
from ledger.checkpoint import Checkpoint
from ledger.entry import GENESIS, Entry
from ledger.errors import BadEntry, BadNote, LedgerError
from ledger.lots import LotBook
from ledger.note import open_note
from ledger.tree import Frontier, leaf_hash

_MAX_PROBLEMS = 100


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
    progress: Callable[[int], None] = lambda done: None,
) -> AuditReport:
    """Recheck bytes, chain, signatures, authority, lots and tree against signed checkpoints.

    `checkpoints` are signed notes in rising order of size, the last of which must speak of all
    entries. Every problem is one sentence; the audit goes on after one, as far as it can.
    """
    walk = _Walk()
    expected = _sizes(checkpoints, walk.problem)
    for data in entries:
        walk.entry(data)
        if walk.tree.size in expected:
            walk.roots[walk.tree.size] = walk.tree.root
        if not walk.tree.size % 1000:
            progress(walk.tree.size)
    progress(walk.tree.size)
    for note in checkpoints:
        walk.checkpoint(note)
    if not expected:
        walk.problem("there is no signed checkpoint")
    elif max(expected) != walk.tree.size:
        walk.problem(
            f"the last checkpoint speaks of {max(expected)} entries, the log holds {walk.tree.size}"
        )
    identity = walk.registry.identity
    return AuditReport(
        identity.origin if identity else "",
        walk.tree.size,
        walk.tree.root,
        dict(walk.kinds),
        len(walk.book.lots),
        len(checkpoints),
        tuple(walk.problems),
    )


class _Walk:
    """The state of an audit on its way through the log."""

    def __init__(self) -> None:
        self.tree = Frontier()
        self.registry = Registry()
        self.book = LotBook()
        self.kinds: Counter[str] = Counter()
        self.roots: dict[int, bytes] = {}
        self.problems: list[str] = []
        self._statements: set[bytes] = set()
        self._prev = GENESIS
        self._time = ""

    def problem(self, sentence: str) -> None:
        if len(self.problems) < _MAX_PROBLEMS:
            self.problems.append(sentence)

    def entry(self, data: bytes) -> None:
        index = self.tree.size
        try:
            entry = Entry.parse(data)
            self._place(entry, index)
            entry.signed.verify()
            self.registry.check(entry.signed, entry.index, entry.time)
            self.registry.apply(entry)
            self.book.take(entry)
            self.kinds[entry.signed.statement.kind] += 1
            self._time = entry.time
        except LedgerError as error:
            self.problem(f"entry {index}: {error}")
        leaf = leaf_hash(data)
        self.tree.append(leaf)
        self._prev = leaf

    def checkpoint(self, note: str) -> None:
        identity = self.registry.identity
        try:
            keys = identity.log_keys if identity else ()
            opened = open_note(note, keys)
            checkpoint = Checkpoint.parse(opened.text)
            if identity and checkpoint.origin != identity.origin:
                raise BadNote(f"the checkpoint is of another log, {checkpoint.origin}")
            if not any(signature.time is None for signature in opened.signatures):
                raise BadNote(f"the checkpoint of {checkpoint.size} is not signed by the log")
            if self.roots.get(checkpoint.size) != checkpoint.root:
                raise BadNote(
                    f"the checkpoint of {checkpoint.size} entries has another root than they have"
                )
        except LedgerError as error:
            self.problem(str(error))

    def _place(self, entry: Entry, index: int) -> None:
        if entry.index != index:
            raise BadEntry(f"says it is entry {entry.index}")
        if entry.prev != self._prev:
            raise BadEntry("its prev is not the leaf hash of the entry before")
        if entry.time < self._time:
            raise BadEntry(f"its time {entry.time} lies before that of the entry before")
        identity = entry.signed.statement.hash
        if identity in self._statements:
            raise BadEntry("its statement is in the log already")
        self._statements.add(identity)


def _sizes(checkpoints: Sequence[str], problem: Callable[[str], None]) -> set[int]:
    sizes = set()
    for note in checkpoints:
        try:
            sizes.add(Checkpoint.parse(open_note(note, ()).text).size)
        except LedgerError as error:
            problem(str(error))
    return sizes
