"""A folder of files, each verified: which files there are, and one row for each of them.

Nothing that a file holds stops the run. What cannot be read is a row that says so, and so is a
file that brings down the process that reads it.
"""

import logging
import os
import signal
import stat
import warnings
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path, PurePath

from credentials.spelling import shown
from verifier.errors import Unreadable, VerifierError
from verifier.file_report import awards_shown, read_any, verify_any
from verifier.files import read_limited
from verifier.report import Check, Outcome, Report
from verifier.trust import Trust

UNREADABLE = 2
"""The exit code of a file that could not be read, as of the command for one file."""
_MOST_WORKERS = 60
"""Windows waits for no more processes than these at once."""
_MOST_NAMED = 3
_MOST_AT_ONCE = 16
"""Files that a process is given together."""


@dataclass(frozen=True, slots=True)
class Line:
    """One check of a file, in the language of the run.

    `open` where its sentence is to be read: not passed, or passed with a caution; `grave` where
    it keeps the verdict from `verified`.
    """

    name: str
    outcome: str
    sentence: str
    open: bool
    grave: bool


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one file. All text is safe to show: controls are spelt out.

    `verdict` is empty where the file could not be read, and `problem` says why. `also_in` names
    other files that show an award which this one shows, `also_more` how many there are besides.
    """

    file: str
    exit_code: int
    verdict: str = ""
    problem: str = ""
    learner: str = ""
    achievement: str = ""
    credits: str = ""
    issuer: str = ""
    credential: str = ""
    signed: str = ""
    recorded: str = ""
    valid_from: str = ""
    valid_until: str = ""
    status_as_of: str = ""
    checks: tuple[Line, ...] = ()
    awards: frozenset[str] = frozenset()
    also_in: tuple[str, ...] = ()
    also_more: int = 0


@dataclass(frozen=True, slots=True)
class Setting:
    """What every file of a run is verified against, and the language it is told in."""

    folder: Path
    trust: Trust
    at: datetime
    language: str


def walk(folder: Path, left_out: Iterable[Path] = ()) -> list[PurePath]:
    """The files under a folder, relative to it and in order; also what is there but unreadable.

    Hidden files and folders are passed over, and so are the files `left_out`. A link to a folder
    is named, not followed: it could lead round in a circle.
    """
    skipped = {identity for path in left_out if (identity := _identity(path)) is not None}
    found: list[PurePath] = []
    folders = [PurePath()]
    while folders:
        relative = folders.pop()
        try:
            with os.scandir(folder / relative) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    path = relative / entry.name
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(path)
                    elif _identity(folder / path) not in skipped:
                        found.append(path)
        except OSError:
            # Its row tells why; of the folder itself there is none.
            if relative.parts:
                found.append(relative)
            else:
                raise
    return sorted(found, key=lambda path: path.parts)


def check_files(
    setting: Setting,
    files: Sequence[PurePath],
    done: Callable[[int], None] = lambda count: None,
    workers: int | None = None,
) -> list[Row]:
    """A row for each file, in the order of `files`; what is shown in several files is marked.

    By `workers` processes, by default one for each processor there is to use; with 0 here, in
    this one. `done` is told how many files are done.
    """
    number = processors() if workers is None else workers
    rows: dict[str, Row] = {}
    source = _in_processes(setting, files, number) if number else _rows(setting, files)
    for path, row in source:
        rows[path] = row
        done(len(rows))
    return mark_repeated([rows[str(path)] for path in files])


def mark_repeated(rows: Sequence[Row]) -> list[Row]:
    """The rows, those marked that show an award which another file shows too."""
    places: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows:
        for award in row.awards:
            places[award].append(row.file)
    # Once for all rows that show the same: a thousand copies are no million steps.
    files: dict[frozenset[str], list[str]] = {}
    marked = []
    for row in rows:
        if row.awards not in files:
            files[row.awards] = sorted({file for award in row.awards for file in places[award]})
        together = files[row.awards]
        if len(together) < 2:
            marked.append(row)
            continue
        others = [file for file in together[: _MOST_NAMED + 1] if file != row.file]
        named = tuple(others[:_MOST_NAMED])
        marked.append(replace(row, also_in=named, also_more=len(together) - 1 - len(named)))
    return marked


def repeated_awards(rows: Sequence[Row]) -> int:
    """How many awards are shown in more than one file."""
    seen: set[str] = set()
    again: set[str] = set()
    for row in rows:
        again |= seen & row.awards
        seen |= row.awards
    return len(again)


def overall(rows: Sequence[Row]) -> int:
    """The exit code for all: 0 all verified, 1 any is not, 2 any unreadable, 3 otherwise."""
    codes = {row.exit_code for row in rows}
    for code in (1, UNREADABLE):
        if code in codes:
            return code
    return 0 if codes <= {0} else 3


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return min(_MOST_WORKERS, len(os.sched_getaffinity(0)))
    return min(_MOST_WORKERS, os.cpu_count() or 1)


def check_file(setting: Setting, path: PurePath) -> Row:
    """The row of one file."""
    name = _printable(path)
    try:
        what = read_any(_read(setting.folder / path, name), name)
        report = verify_any(what, setting.trust, setting.at)
        return _row(name, report, awards_shown(what), setting.language)
    except VerifierError as error:
        return Row(name, UNREADABLE, problem=shown(str(error)))
    except Exception as error:
        # One file must not stop a thousand; that it is our fault is said.
        return _stopped(name, f"{type(error).__name__} in the verifier")


def _row(name: str, report: Report, awards: frozenset[str], language: str) -> Row:
    subject = report.subject
    checks = {check.name: check for check in report.checks}
    validity = checks["validity"].values if "validity" in checks else {}
    issuer = subject.issuer_names.get(language, subject.issuer)
    return Row(
        name,
        report.exit_code,
        report.verdict.value,
        "",
        shown(subject.learner),
        shown(subject.achievement),
        shown(subject.credits),
        shown(issuer),
        shown(subject.credential),
        _date(checks, "signature"),
        _date(checks, "ledger"),
        shown(validity.get("since", "")),
        shown(validity.get("until", "")),
        _date(checks, "status"),
        tuple(_line(check, language) for check in report.checks),
        awards,
    )


def _line(check: Check, language: str) -> Line:
    grave = check.caution or check.unknown
    return Line(
        check.name,
        check.outcome.value,
        shown(check.sentence(language)),
        check.outcome is not Outcome.PASSED or grave,
        check.outcome is Outcome.FAILED or grave,
    )


def _date(checks: dict[str, Check], name: str) -> str:
    return shown(checks[name].date) if name in checks else ""


def _stopped(name: str, what: str) -> Row:
    return Row(name, UNREADABLE, problem=f"{name} could not be checked: {what}")


def _printable(path: PurePath) -> str:
    """The path as text that can be written anywhere, also where its bytes are not UTF-8."""
    raw = path.as_posix().encode("utf-8", "surrogateescape")
    return shown(raw.decode("utf-8", "backslashreplace"))


def _read(path: Path, name: str) -> bytes:
    # A pipe would be waited for, a device might never end.
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise Unreadable(f"{name} cannot be read: {error.strerror}") from error
    if stat.S_ISDIR(mode):
        if path.is_symlink():
            raise Unreadable(f"{name} is a link to a folder, which is not followed")
        raise Unreadable(f"{name} is a folder that cannot be looked into")
    if not stat.S_ISREG(mode):
        raise Unreadable(f"{name} is not a file but a device, a pipe or a socket")
    return read_limited(path, name)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _rows(setting: Setting, files: Iterable[PurePath]) -> Iterator[tuple[str, Row]]:
    for path in files:
        yield str(path), check_file(setting, path)


_setting: Setting | None = None
"""In a process that verifies: what it was started with."""


def _start(setting: Setting) -> None:
    global _setting
    _setting = setting
    # Ctrl-C is for the process that gathers; what libraries murmur over odd files is for nobody.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.disable()
    warnings.simplefilter("ignore")


def _work(files: Sequence[PurePath]) -> list[tuple[str, Row]]:
    assert _setting is not None
    return list(_rows(_setting, files))


def _pool(setting: Setting, workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, get_context("spawn"), _start, (setting,))


def _in_processes(
    setting: Setting, files: Sequence[PurePath], workers: int
) -> Iterator[tuple[str, Row]]:
    size = max(1, min(_MOST_AT_ONCE, len(files) // (4 * workers)))
    waiting = deque(files[start : start + size] for start in range(0, len(files), size))
    workers = min(workers, len(waiting))
    while waiting:
        running: dict[Future[list[tuple[str, Row]]], Sequence[PurePath]] = {}
        try:
            with _pool(setting, workers) as pool:
                while waiting or running:
                    while waiting and len(running) < 2 * workers:
                        running[pool.submit(_work, waiting[0])] = waiting[0]
                        waiting.popleft()
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        found = future.result()
                        del running[future]
                        yield from found
        except BrokenProcessPool:
            # One of these brought its process down, and nobody knows which.
            suspects = [path for given in running.values() for path in given]
            yield from _one_by_one(setting, suspects)


def _one_by_one(setting: Setting, files: Sequence[PurePath]) -> Iterator[tuple[str, Row]]:
    pool: ProcessPoolExecutor | None = None
    try:
        for path in files:
            pool = pool or _pool(setting, 1)
            try:
                yield from pool.submit(_work, [path]).result()
            except BrokenProcessPool:
                pool.shutdown()
                pool = None
                yield str(path), _stopped(_printable(path), "reading it ended the process")
    finally:
        if pool is not None:
            pool.shutdown(cancel_futures=True)
