"""Power cuts on SQLite: whatever the disk drops or tears of what was not synced, nothing is lost.

The bank's own code (open_store, sequencer, checkpointer) runs on a SQLite whose files live on a
disk in memory. At a random call to that disk the power goes. Of the writes since a file's last
sync, the disk then keeps any of their sectors, in any order, one of them perhaps in part. The
bytes that survive are copied into a folder and opened as after any restart.

Two things differ from the bank in service. SQLAlchemy reaches this SQLite, which is that of the
package apsw, through a small adapter. And the connection holds its lock for good
(locking_mode=EXCLUSIVE), so that the write-ahead log needs no shared memory, which the disk in
memory has not: there is one connection only, and its syncs are the same.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import apsw
import pytest
import sqlalchemy
from sqlalchemy import Engine, event

import ledger.store
from ledger import LedgerError, StoreFault
from ledger.log import Log
from ledger.sequencer import Placed
from ledger.store import open_store
from tests.log_kit import (
    Follower,
    audited,
    awards,
    checkpointer_on,
    lost,
    new_log,
    sequencer_on,
)

SECTOR = 512
NAME = "power"
DATABASE = "log.db"
BEFORE_CUT = 245
"""Awards in the log when a run begins: with the opening, just short of its first full tile."""


class File:
    """A file on the disk: what is on the platter, and what was written since its last sync."""

    def __init__(self, data: bytes = b"", *, exists: bool = False) -> None:
        self.exists = exists
        self.synced = bytes(data)
        self.current = bytearray(data)
        self.pending: list[tuple[int, bytes] | int] = []
        """Writes (offset, data), and truncations as the new size."""

    def surviving(self, rng: random.Random, keep: float) -> bytes | None:
        """The bytes after a power cut, each unsynced piece kept with chance `keep`."""
        if not self.exists and rng.random() >= keep:
            return None
        pieces: list[tuple[int, bytes] | int] = []
        for change in self.pending:
            pieces += [change] if isinstance(change, int) else _sectors(*change)
        kept = [piece for piece in pieces if rng.random() < keep]
        rng.shuffle(kept)
        image = bytearray(self.synced)
        for number, piece in enumerate(kept):
            if isinstance(piece, int):
                del image[piece:]
                continue
            offset, data = piece
            if number == 0:
                data = data[: rng.randrange(len(data)) + 1]
            image.extend(bytes(max(0, offset - len(image))))
            image[offset : offset + len(data)] = data
        return bytes(image)


def _sectors(offset: int, data: bytes) -> Iterator[tuple[int, bytes]]:
    start = 0
    while start < len(data):
        stop = min(len(data), start + SECTOR - (offset + start) % SECTOR)
        yield offset + start, data[start:stop]
        start = stop


class Disk:
    """Files by name, and the call to them at which the power goes."""

    def __init__(self, files: dict[str, bytes], cut_at: int = 0, *, obeys: bool = True) -> None:
        self.files = {name: File(data, exists=True) for name, data in files.items()}
        self.cut_at = cut_at
        self.calls = 0
        self.off = False
        self.obeys = obeys
        """Whether a sync does anything."""

    def call(self) -> None:
        """Count a call that changes the disk; the power goes at the one chosen."""
        self.calls += 1
        if self.calls == self.cut_at:
            self.off = True
        self.check()

    def check(self) -> None:
        if self.off:
            raise apsw.IOError("the power is off")

    def surviving(self, rng: random.Random) -> dict[str, bytes]:
        """What the next start finds."""
        keep = rng.choice([0.0, 0.5, 0.9, 1.0, rng.random()])
        images = {name: file.surviving(rng, keep) for name, file in self.files.items()}
        return {name: image for name, image in images.items() if image is not None}


class OpenFile:
    """SQLite's handle on a file of the disk."""

    def __init__(self, disk: Disk, file: File) -> None:
        self._disk = disk
        self._file = file

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        self._disk.check()
        return bytes(self._file.current[offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        current = self._file.current
        current.extend(bytes(max(0, offset - len(current))))
        current[offset : offset + len(data)] = data
        self._file.pending.append((offset, bytes(data)))
        self._disk.call()

    def xTruncate(self, size: int) -> None:  # noqa: N802
        del self._file.current[size:]
        self._file.pending.append(size)
        self._disk.call()

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._disk.call()
        if self._disk.obeys:
            self._file.synced = bytes(self._file.current)
            self._file.pending.clear()
            self._file.exists = True

    def xFileSize(self) -> int:  # noqa: N802
        self._disk.check()
        return len(self._file.current)

    def xSectorSize(self) -> int:  # noqa: N802
        return SECTOR

    def xDeviceCharacteristics(self) -> int:  # noqa: N802
        return apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE  # as SQLite assumes of any disk

    def xFileControl(self, operation: int, pointer: int) -> bool:  # noqa: N802
        return False

    def xCheckReservedLock(self) -> bool:  # noqa: N802
        return False

    def xLock(self, level: int) -> None: ...  # noqa: N802

    def xUnlock(self, level: int) -> None: ...  # noqa: N802

    def xClose(self) -> None: ...  # noqa: N802


class DiskVfs(apsw.VFS):
    """SQLite's view of the disk that is in just now."""

    def __init__(self) -> None:
        self.disk = Disk({})
        super().__init__(NAME, "")

    def xOpen(self, name: Any, flags: list[int]) -> Any:  # noqa: N802
        self.disk.check()
        path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        flags[1] = flags[0]
        return OpenFile(self.disk, self.disk.files.setdefault(path, File()))

    def xFullPathname(self, name: str) -> str:  # noqa: N802
        return name

    def xAccess(self, path: str, flags: int) -> bool:  # noqa: N802
        self.disk.check()
        return path in self.disk.files

    def xDelete(self, path: str, sync_folder: bool) -> None:  # noqa: N802
        self.disk.call()
        self.disk.files.pop(path, None)


class Cursor:
    """A DB-API cursor on apsw's."""

    arraysize = 1
    lastrowid = None

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._cursor = connection.cursor()
        self._cursor.exec_trace = self._trace
        self.description: Any = None
        self.rowcount = -1

    def _trace(self, cursor: apsw.Cursor, sql: str, bindings: object) -> bool:
        # Asked for here, as apsw has forgotten the columns once the last row was read.
        columns = cursor.get_description()
        self.description = [(column[0], *[None] * 6) for column in columns] or None
        return True

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        self.description = None
        self._cursor.execute(sql, tuple(parameters))
        self.rowcount = self._connection.changes() if self.description is None else -1

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> None:
        self.description = None
        self._cursor.executemany(sql, [tuple(row) for row in parameters])

    def fetchone(self) -> Any:
        return self._cursor.fetchone()

    def fetchall(self) -> list[Any]:
        return self._cursor.fetchall()

    def fetchmany(self, size: int = 1) -> list[Any]:
        rows = (self._cursor.fetchone() for _ in range(size))
        return [row for row in rows if row is not None]

    def close(self) -> None:
        with suppress(apsw.Error):
            self._cursor.close()


class Connection:
    """A DB-API connection on apsw's, that begins and ends transactions as sqlite3's does."""

    isolation_level: object = None

    def __init__(self) -> None:
        self._raw = apsw.Connection(DATABASE, vfs=NAME)
        self._raw.execute("PRAGMA locking_mode = EXCLUSIVE")

    def cursor(self) -> Cursor:
        return Cursor(self._raw)

    def commit(self) -> None:
        if self._raw.in_transaction:
            self._raw.execute("COMMIT")

    def rollback(self) -> None:
        if self._raw.in_transaction:
            self._raw.execute("ROLLBACK")

    def create_function(self, *arguments: Any, **options: Any) -> None:
        """SQLAlchemy offers one for regular expressions; none is used."""

    def close(self) -> None:
        with suppress(apsw.Error):
            self._raw.close(True)


DBAPI = SimpleNamespace(
    **{
        name: getattr(apsw, name, apsw.Error)
        for name in (
            *("Error", "InterfaceError", "DatabaseError", "DataError", "OperationalError"),
            *("IntegrityError", "InternalError", "ProgrammingError", "NotSupportedError"),
        )
    },
    connect=lambda *arguments, **options: Connection(),
    Binary=bytes,
    paramstyle="qmark",
    sqlite_version_info=tuple(int(part) for part in apsw.sqlite_lib_version().split(".")),
    sqlite_version=apsw.sqlite_lib_version(),
)


@dataclass
class Machine:
    """A computer that loses power: the bank's engine over whatever disk is in."""

    vfs: DiskVfs
    engine: Engine
    blank: dict[str, bytes]
    """The files of a log that was shut down well."""

    @contextmanager
    def started(self, disk: Disk) -> Iterator[Engine]:
        """The engine on `disk`; after a power cut the errors that follow from it are dropped."""
        self.vfs.disk = disk
        try:
            yield self.engine
        except (LedgerError, sqlalchemy.exc.DBAPIError, apsw.Error):
            if not disk.off:
                raise
        finally:
            disk.off = True  # closing writes nothing more
            self.engine.dispose()


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """A machine with a log on its disk, just short of its first full tile."""
    real = sqlalchemy.create_engine
    vfs = DiskVfs()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            ledger.store,
            "create_engine",
            lambda *arguments, **options: real(*arguments, module=DBAPI, **options),
        )
        engine = new_log(f"sqlite:///{DATABASE}")
    event.listen(engine, "connect", _checkpoint_often)
    sequencer_on(engine).append(awards(0, BEFORE_CUT))
    engine.dispose()
    blank = {name: bytes(file.current) for name, file in vfs.disk.files.items()}
    assert set(blank) == {DATABASE}
    yield Machine(vfs, engine, blank)
    vfs.unregister()


def _checkpoint_often(connection: Any, record: object) -> None:
    """Move pages from the write-ahead log every few commits, so that cuts fall into that too."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA wal_autocheckpoint = 40")
    cursor.close()


@dataclass
class Run:
    """What was acknowledged before the power went."""

    places: dict[int, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def use(engine: Engine, rng: random.Random, run: Run) -> None:
    """Append batches and sign checkpoints until the power goes, or all is done."""
    sequencer, checkpointer = sequencer_on(engine), checkpointer_on(engine)
    number = BEFORE_CUT
    for _ in range(10):
        numbers = range(number, number + rng.randint(1, 20))
        outcomes = sequencer.append(awards(numbers.start, len(numbers)))
        places = [outcome.index for outcome in outcomes if isinstance(outcome, Placed)]
        run.places.update(zip(numbers, places, strict=True))
        number = numbers.stop
        if rng.random() < 0.5:
            run.notes.append(checkpointer.sign())


@dataclass
class Figures:
    seeds: int = 0
    acknowledged: int = 0
    unsynced: int = 0
    """Cuts at which a file had unsynced writes."""
    losing: int = 0
    """Seeds in which an acknowledged entry or checkpoint was lost."""
    damaged: int = 0
    """Seeds after which the store or its log was not valid."""


def cut_power(machine: Machine, folder: Path, seeds: Iterable[int], **disks: Any) -> Figures:
    """For each seed: run, cut the power at a random call, restart from what survived."""
    figures = Figures()
    whole = Disk(machine.blank)
    with machine.started(whole) as engine:
        use(engine, random.Random(0), Run())
    for seed in seeds:
        rng = random.Random(seed)
        disk = Disk(machine.blank, rng.randint(1, whole.calls), **disks)
        run = Run()
        with machine.started(disk) as engine:
            use(engine, rng, run)
        figures.unsynced += any(file.pending for file in disk.files.values())
        place = folder / str(seed)
        place.mkdir()
        for name, data in disk.surviving(rng).items():
            (place / name).write_bytes(data)
        figures.seeds += 1
        figures.acknowledged += len(run.places)
        restart(f"sqlite:///{place / DATABASE}", run, figures)
    return figures


def restart(url: str, run: Run, figures: Figures) -> None:
    """Open what survived with the bank's own store: is all there, valid, and can it go on?"""
    try:
        engine = open_store(url)
        Follower().catch_up(engine)
        missing = lost(engine, run.places)
        notes = Log(engine).checkpoints()
    except (LedgerError, AssertionError, sqlalchemy.exc.DBAPIError):
        figures.damaged += 1
        return
    if missing or not set(run.notes) <= set(notes):
        figures.losing += 1
    else:
        # The client that heard nothing submits all of it again.
        last = max(run.places, default=BEFORE_CUT - 1) + 21
        sequencer_on(engine).append(awards(BEFORE_CUT, last - BEFORE_CUT))
        report = audited(engine)
        assert report.kinds["award"] == last
    engine.dispose()


def test_150_power_cuts_lose_nothing(machine: Machine, tmp_path: Path) -> None:
    figures = cut_power(machine, tmp_path, range(150))
    print(figures)
    assert (figures.losing, figures.damaged) == (0, 0)
    assert figures.unsynced > 75, "too few cuts fell on unsynced writes to show anything"


@pytest.mark.slow
def test_1000_power_cuts_lose_nothing(machine: Machine, tmp_path: Path) -> None:
    figures = cut_power(machine, tmp_path, range(1000))
    print(figures)
    assert (figures.losing, figures.damaged) == (0, 0)


def test_control_synchronous_normal_loses(machine: Machine, tmp_path: Path) -> None:
    """The setting that open_store refuses: the log stays valid, and what was promised is gone."""

    def weaken(connection: Any, record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.close()

    event.listen(machine.engine, "connect", weaken)
    try:
        figures = cut_power(machine, tmp_path, range(50))
        machine.vfs.disk = Disk(machine.blank)
        with machine.engine.connect() as connection, pytest.raises(StoreFault, match="synchronous"):
            ledger.store._check_durable(connection, "sqlite")
    finally:
        event.remove(machine.engine, "connect", weaken)
        machine.engine.dispose()
    print(figures)
    assert figures.losing > 0, "synchronous=NORMAL lost nothing: the cuts show nothing"


def test_control_a_disk_that_ignores_syncs_loses(machine: Machine, tmp_path: Path) -> None:
    figures = cut_power(machine, tmp_path, range(50), obeys=False)
    print(figures)
    assert figures.losing > 0
