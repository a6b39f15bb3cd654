"""A folder of files, as an HR department verifies it: on all processors, and on one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.measure import Figure, compare, count
from benchmarks.samples import GOVERNANCE, folder, small_bank
from verifier.bulk import processors

_ALONE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from verifier import open_trust
from verifier.bulk import Setting, check_files, overall, walk
folder = Path(sys.argv[1])
setting = Setting(folder, open_trust(Path(sys.argv[2]).read_bytes()), datetime.now(UTC), "en")
assert overall(check_files(setting, walk(folder), workers=0)) == 0
"""


def verify_folder_1000() -> Figure:
    """1,000 bundles of as many awards: the whole command, from its start to the report."""
    with folder() as out:
        number = _applications(out, count(1000))
        command = [
            *(sys.executable, "-m", "bank.cli", "verify", str(out / "files")),
            *("--trust", str(out / "trust.json"), "--report", str(out / "report.csv")),
        ]
        alone = [sys.executable, "-c", _ALONE, str(out / "files"), str(out / "trust.json")]
        environment = {**os.environ, "CREDITBANK_STATE": str(out / "state")}
        figure = compare(
            lambda: _timed(command, environment),
            lambda: _timed(alone, environment, one=True),
            "the same files in one process on one core",
            "s",
        )
        made = figure.ours or 0.0
        note = f"{number} files, {processors()} processes; {number / made:,.0f} files/s"
        return replace(figure, note=note)


def _applications(out: Path, number: int) -> int:
    """That many bundles in `files`, and the trust bundle beside it."""
    (out / "files").mkdir()
    with small_bank(number) as (bank, awards):
        for place, award in enumerate(awards):
            identifier = str((award.credential or {})["id"])
            token = bank.vault.token(bank.accounts.of_credential(identifier))
            (out / "files" / f"{place:04}.json").write_bytes(
                bank.accounts.bundle(token, identifier)
            )
        (out / "trust.json").write_bytes(bank.trust.export([GOVERNANCE]))
    return number


def _timed(command: Sequence[str], environment: dict[str, str], one: bool = False) -> float:
    pinned = _pin if one and hasattr(os, "sched_setaffinity") else None
    start = time.perf_counter()
    done = subprocess.run(
        command, env=environment, capture_output=True, check=False, preexec_fn=pinned
    )
    assert done.returncode == 0, done.stderr
    return time.perf_counter() - start


def _pin() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
