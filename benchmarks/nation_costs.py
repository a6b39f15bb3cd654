"""What one award costs, measured here and now: the inputs of the simulation of a nation.

Work is counted in seconds of this process's own processor time, so that whatever else runs on the
machine does not count; a sync of the disk by the clock on the wall, since waiting is what it is.
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from bank.deposits import check_deposit
from bank.institution import Submission
from benchmarks.samples import MOST_ALONE
from keys import encode, parse
from ledger import Checkpoint, SignedStatement, open_note
from ledger.audit import audit
from ledger.cosignature import Ed25519Cosigner, MLDSA44Cosigner
from ledger.publishing import FolderTarget, publish
from ledger.sequencer import Placed
from tests.bank_kit import SmallBank, result, small_bank

_COMMIT = 500
_SYNCS = 200


@dataclass(frozen=True)
class Costs:
    """Seconds of one core, or of waiting, and bytes; each of one award unless it says otherwise."""

    intake: float
    """Parsing it, checking its credential's proofs and its own signature: by any core."""
    append: float
    """Its share of a commit: authority, chain, tree, lots, sealing, rows. By one core at a time."""
    commit: float
    """A commit besides its awards, checkpoint included."""
    sync: float
    """Waiting for the disk, a commit."""
    audit: float
    """Rechecking it, signature included, on one core."""
    rebuild: float
    """Folding it into the derived tables, on one core."""
    publish: float
    """Writing it into public tiles."""
    cosign: float
    """A witness's two cosignatures, of a checkpoint."""
    stored: float
    """Bytes in the database."""
    indexed: float
    """Bytes of those in indices in which it lands at random."""
    indices: int
    """How many such indices there are."""
    public: float
    """Bytes as tiles."""
    files: float
    """Files as tiles."""


def measure(folder: Path, number: int) -> Costs:
    """All of it, from `number` awards in a bank of their own below `folder`."""
    with TemporaryDirectory(dir=folder) as path, small_bank(Path(path) / "bank") as small:
        small.govern("policy.publish", alone=MOST_ALONE)
        made = _awards(small, number)
        sent = [(encode(parse(one.signed.data)), encode(one.credential)) for one in made]
        intake = _spent(lambda: [_take_in(*pair) for pair in sent]) / number
        checks = _spent(lambda: [check_deposit(one) for one in made]) / number
        small.bank._sequencer.verify = lambda signed: None  # counted in the intake
        bare = _bytes(small)
        few, rest = made[: number // 10], made[number // 10 :]
        single = _spent(lambda: [_submit(small, [one]) for one in few]) / len(few) - checks
        chunks = [rest[start : start + _COMMIT] for start in range(0, len(rest), _COMMIT)]
        many = _spent(lambda: [_submit(small, chunk) for chunk in chunks]) / len(rest) - checks
        commit = max(0.0, single - many)
        indexed, indices = _random_indices(small)
        stored = (_bytes(small) - bare) / number
        publishing, public, files = _publish(small, Path(path) / "public")
        size = small.bank.log.size()
        return Costs(
            intake,
            max(0.0, many - commit / _COMMIT),
            commit,
            _sync(folder),
            _spent(lambda: _audit(small)) / size,
            _spent(small.bank.upkeep.rebuild) / size,
            publishing / size,
            _cosign(small),
            stored,
            indexed / number,
            indices,
            public / size,
            files / size,
        )


def _awards(small: SmallBank, number: int) -> list[Submission]:
    made: list[Submission] = []
    for start in range(0, number, _COMMIT):
        results = [result(f"n{n}-1") for n in range(start, min(number, start + _COMMIT))]
        slots = small.port.slots(small.north, [small.north.lot(r.source_key) for r in results])
        now = small.bank.now()
        pairs = zip(results, slots, strict=True)
        made += [small.north.award(one, Decimal(4), slot, now) for one, slot in pairs]
    return made


def _take_in(signed: bytes, credential: bytes) -> None:
    """What a server does with an award before its place is known."""
    document = parse(credential)
    assert isinstance(document, dict)
    taken = SignedStatement.parse(signed)
    taken.verify()
    check_deposit(Submission(taken, document, "learner"))


def _submit(small: SmallBank, awards: list[Submission]) -> None:
    assert all(isinstance(outcome, Placed) for outcome in small.bank.intake.submit_together(awards))


def _audit(small: SmallBank) -> None:
    log = small.bank.log
    assert audit(log.entries(), log.checkpoints()[-1:], workers=1).passed


def _publish(small: SmallBank, folder: Path) -> tuple[float, int, int]:
    """Seconds, bytes and files."""
    log = small.bank.log
    spent = _spent(
        lambda: publish(
            FolderTarget(folder),
            log.checkpoint(),
            log.tile,
            lambda start, end: list(log.entries(start, end)),
            log.root,
        )
    )
    files = [file for file in folder.rglob("*") if file.is_file()]
    return spent, sum(file.stat().st_size for file in files), len(files)


def _cosign(small: SmallBank) -> float:
    note = small.bank.log.checkpoint()
    text = Checkpoint.parse(open_note(note, ()).text).text
    signers = [
        Ed25519Cosigner("witness.example", small.governance),
        MLDSA44Cosigner("witness.example", bytes(32)),
    ]
    turns = 20
    return _spent(lambda: [one.cosign(text, 1) for one in signers for _ in range(turns)]) / turns


def _bytes(small: SmallBank) -> int:
    with closing(sqlite3.connect(_file(small))) as database:
        query = "SELECT sum(pgsize) FROM dbstat WHERE aggregate = TRUE"
        return int(database.execute(query).fetchone()[0])


def _random_indices(small: SmallBank) -> tuple[int, int]:
    """Bytes and number of the indices that are in the order of hashes and random names."""
    wanted = {
        "entries": ("statement",),
        "lots": ("lot", "commitment"),
        "credentials": ("identifier", "lot", "account"),
        "slots": ("lot",),
    }
    total = count = 0
    with closing(sqlite3.connect(_file(small))) as database:
        for table, columns in wanted.items():
            for row in database.execute(f"PRAGMA index_list({table})"):
                of = [one[2] for one in database.execute(f"PRAGMA index_info({row[1]})")]
                if of[0] in columns:
                    query = "SELECT pgsize FROM dbstat WHERE aggregate = TRUE AND name = ?"
                    total += int(database.execute(query, (row[1],)).fetchone()[0])
                    count += 1
    return total, count


def _file(small: SmallBank) -> Path:
    return small.bank.settings.folder / "bank.db"


def _sync(folder: Path) -> float:
    """The median of writing 4 kB and having it on the disk."""
    path, found = folder / "sync", []
    with path.open("wb", buffering=0) as file:
        for _ in range(_SYNCS):
            file.write(bytes(4096))
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            found.append(time.perf_counter() - start)
    path.unlink()
    return statistics.median(found)


def _spent(work: Callable[[], object]) -> float:
    """Seconds of processor time, of all threads of this process."""
    start = time.process_time()
    work()
    return time.process_time() - start
