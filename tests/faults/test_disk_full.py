"""The disk is full, at 50 points: one clear error, nothing lost, and on it goes once there is room.

Where the tests may mount, the log lies in a small file system of its own, filled to the page;
elsewhere, and once more everywhere, the limit on the size of a process's files takes its place.
"""

from __future__ import annotations

import os
import random
import resource
import subprocess
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

import pytest
from sqlalchemy import create_engine, make_url, text

from ledger import StoreFault
from ledger.group_commit import GroupCommit
from ledger.log import Log
from ledger.sequencer import Placed
from tests.log_kit import (
    Follower,
    audited,
    awards,
    checkpointer_on,
    lost,
    new_log,
    opening,
    sequencer_on,
    sizes,
)
from tests.postgres_server import NOBODY, serving

POINTS = 50
PAGE = 4096
FULL = "the disk is full, so the database stored nothing of this; make room and try again"
FAILED = "the database failed (disk I/O error); try again, nothing is stored twice"


class Room(Protocol):
    """A folder whose space can be taken and given back."""

    folder: Path

    def leave(self, pages: int) -> None:
        """Take all space but this."""

    def free(self) -> None:
        """Give it back."""


class SmallDisk:
    """A file system of its own, with a file that takes up its space."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def leave(self, pages: int) -> None:
        self.free()
        free = os.statvfs(self.folder).f_bavail * os.statvfs(self.folder).f_frsize
        with self._ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, free - pages * PAGE)
        assert os.statvfs(self.folder).f_bavail * PAGE == pages * PAGE

    def free(self) -> None:
        self._ballast.unlink(missing_ok=True)


class SmallFiles:
    """A process whose files may not grow past a limit."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def leave(self, pages: int) -> None:
        largest = max(path.stat().st_size for path in self.folder.iterdir())
        limit = largest + pages * PAGE + 100  # mid-page: a write then goes through in part
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    def free(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@contextmanager
def mounted() -> Iterator[Path | None]:
    """A tmpfs of 32 MB, or None where this process may not mount one."""
    folder = Path(tempfile.mkdtemp(prefix="cb-full-"))
    options = ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(folder)]
    try:
        done = subprocess.run(options, capture_output=True).returncode == 0
    except FileNotFoundError:
        done = False
    try:
        yield folder if done else None
    finally:
        if done:
            subprocess.run(["umount", str(folder)], check=True)
        folder.rmdir()


def in_child(body: Callable[[], None]) -> None:
    """Run `body` in a forked process, whose limits are its own."""
    pid = os.fork()
    if not pid:
        status = 1
        try:
            body()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    _, ended = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(ended) == 0, "it failed in the child; see its traceback"


def run_full(room: Room, points: int, told: str, url: str | None = None) -> None:
    """Append until the disk is full, make room, go on; `points` times."""
    rng = random.Random(4)
    engine = new_log(url or f"sqlite:///{room.folder / 'log.db'}")
    log, follower = Log(engine), Follower()
    group = GroupCommit(sequencer_on(engine), checkpointer_on(engine))
    number, appended, heard = 0, 0, Counter[str]()
    places: dict[int, int] = {}
    for point in range(points):
        room.leave(point)
        fault = None
        while fault is None:
            batch = awards(number, rng.randint(1, 40))
            try:
                outcomes = group.append(batch)
            except StoreFault as error:
                fault = error
                heard[str(error)] += 1
            else:
                appended += 1
                placed = [outcome.index for outcome in outcomes if isinstance(outcome, Placed)]
                places.update(zip(range(number, number + len(batch)), placed, strict=True))
                number += len(batch)
        # A full disk can still be read: all that was acknowledged is there.
        assert lost(engine, places) == []
        follower.catch_up(engine)
        room.free()
        again = group.append(batch)
        placed = [outcome.index for outcome in again if isinstance(outcome, Placed)]
        assert placed == [*range(len(opening()) + number, len(opening()) + number + len(batch))]
        places.update(zip(range(number, number + len(batch)), placed, strict=True))
        number += len(batch)
        assert sizes([log.signed()]) == [log.size()] == [len(opening()) + number]
    group.close()
    print(f"{points} points, {appended} batches and {number} awards before and after, {heard}")
    assert heard == {told: points}
    assert lost(engine, places) == []
    assert audited(engine).kinds["award"] == number
    engine.dispose()


def test_full_at_fifty_points(tmp_path: Path) -> None:
    with mounted() as folder:
        if folder is not None:
            run_full(SmallDisk(folder), POINTS, FULL)
        else:
            in_child(lambda: run_full(SmallFiles(tmp_path), POINTS, FAILED))


def test_files_at_their_limit(tmp_path: Path) -> None:
    """The other way to the same end, also where the first was possible."""
    in_child(lambda: run_full(SmallFiles(tmp_path), 20, FAILED))


def test_postgres_tables_on_a_full_disk() -> None:
    """Its tables lie on the full disk, its write-ahead log does not: without that it stops."""
    with mounted() as folder:
        if folder is None:
            pytest.skip("a small file system can be mounted by root only")
        tables = folder / "tables"
        tables.mkdir()
        for path in (folder, tables):
            os.chown(path, NOBODY, NOBODY)
        folder.chmod(0o755)
        with serving() as server:
            engine = create_engine(server.url, isolation_level="AUTOCOMMIT")
            with engine.connect() as connection:
                connection.execute(text(f"CREATE TABLESPACE small LOCATION '{tables}'"))
                connection.execute(text("CREATE DATABASE log TABLESPACE small"))
            engine.dispose()
            url = make_url(server.url).set(database="log")
            text_url = url.render_as_string(hide_password=False)
            run_full(SmallDisk(folder), 20, FULL, text_url)


def test_control_an_acknowledgement_on_a_full_disk_is_caught(tmp_path: Path) -> None:
    """A sequencer that swallowed the error would be found out."""

    def swallow() -> None:
        room = SmallFiles(tmp_path)
        engine = new_log(f"sqlite:///{tmp_path / 'log.db'}")
        sequencer = sequencer_on(engine)
        room.leave(0)
        places = {}
        for number in range(100):
            with suppress(StoreFault):
                sequencer.append(awards(number, 1))
            places[number] = len(opening()) + number
        room.free()
        assert lost(engine, places) != []

    in_child(swallow)
