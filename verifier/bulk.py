"""A folder of files verified at once, on every core: an employer's thousand applications."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from verifier.errors import Unreadable
from verifier.file_report import verify_file
from verifier.files import read_limited
from verifier.report import Check, Outcome, Verdict
from verifier.trust import Trust, open_trust

UNREADABLE = "unreadable"
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one file. `verdict` is a report's, or `unreadable`."""

    file: str
    verdict: str
    credential: str = ""
    learner: str = ""
    achievement: str = ""
    credits: str = ""
    issuer: str = ""
    outcomes: Mapping[str, str] = field(default_factory=dict)
    """The outcome of each check by its name; a failed one counts before any other of that name."""
    remarks: tuple[str, ...] = ()
    """A sentence for each check that did not simply pass."""
    again: bool = False
    """Whether another file shows the same credential."""


def files_in(folder: Path) -> list[Path]:
    """Every file under a folder in the order of names; what begins with a dot is passed over."""
    found = []
    for path, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(path, name) for name in sorted(names) if not name.startswith(".")]
    return sorted(found)


def verify_all(
    files: Sequence[Path], folder: Path, trust: bytes, at: datetime, language: str, workers: int
) -> Iterator[Row]:
    """A row for each file, in their order, made by `workers` processes."""
    names = [str(path.relative_to(folder)) for path in files]
    if workers == 1 or len(files) <= _AT_ONCE:
        opened = open_trust(trust)
        for path, name in zip(files, names, strict=True):
            yield _row(path, name, opened, at, language)
        return
    with ProcessPoolExecutor(workers, initializer=_start, initargs=(trust, at, language)) as pool:
        yield from pool.map(_work, files, names, chunksize=_AT_ONCE)


def mark_repeated(rows: Sequence[Row]) -> list[Row]:
    """The rows, with those that show one and the same credential marked."""
    times = Counter(row.credential for row in rows if row.credential)
    return [replace(row, again=times[row.credential] > 1) for row in rows]


def exit_code(rows: Sequence[Row]) -> int:
    """As of a single file: 1 if any is not verified, else 2 if any is unreadable, else 3 or 0."""
    verdicts = {row.verdict for row in rows}
    if Verdict.NOT_VERIFIED.value in verdicts:
        return 1
    if UNREADABLE in verdicts:
        return 2
    return 3 if verdicts - {Verdict.VERIFIED.value} else 0


_STATE: tuple[Trust, datetime, str] | None = None


def _start(trust: bytes, at: datetime, language: str) -> None:
    global _STATE
    _STATE = open_trust(trust), at, language


def _work(path: Path, name: str) -> Row:
    assert _STATE is not None
    return _row(path, name, *_STATE)


def _row(path: Path, name: str, trust: Trust, at: datetime, language: str) -> Row:
    try:
        report = verify_file(read_limited(path), name, trust, at)
    except Unreadable as error:
        return Row(name, UNREADABLE, remarks=(str(error),))
    subject = report.subject
    return Row(
        name,
        report.verdict.value,
        subject.credential,
        subject.learner,
        subject.achievement,
        subject.credits,
        subject.issuer_names.get(language, subject.issuer),
        _outcomes(report.checks),
        tuple(check.sentence(language) for check in report.checks if _is_remarkable(check)),
    )


def _outcomes(checks: Sequence[Check]) -> dict[str, str]:
    found: dict[str, str] = {}
    for check in checks:
        if found.get(check.name) != Outcome.FAILED.value:
            found[check.name] = check.outcome.value
    return found


def _is_remarkable(check: Check) -> bool:
    return check.outcome is Outcome.FAILED or check.caution or check.unknown
