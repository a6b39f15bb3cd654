"""Coverage-guided fuzzing of every parser in `tests/fuzz_kit.py`, each in a process of its own."""

from __future__ import annotations

import argparse
import contextlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
OURS = ["keys", "ledger", "credentials", "verifier", "bank"]
_DONE = re.compile(r"Done (\d+) runs in \d+ second|stat::number_of_executed_units: +(\d+)")
_TIMEOUT, _MEMORY = 20, 2048
"""Seconds and megabytes that no input may take."""


class TooLong(BaseException):
    """An input took longer than any may; no parser catches this."""


@dataclass(frozen=True)
class Outcome:
    """What became of one target."""

    name: str
    runs: int
    seconds: int
    crashes: tuple[Path, ...]
    said: str

    def __str__(self) -> str:
        end = f"{len(self.crashes)} crashes" if self.crashes else "no crash"
        return f"{self.name:18} {self.runs:>10,} runs in {self.seconds} s, {end}"


def fuzz(name: str, seconds: int) -> Outcome:
    """Fuzz one target for a while, in a process of its own; crashing inputs join the corpus."""
    from tests.fuzz_kit import CORPUS, TARGETS

    with tempfile.TemporaryDirectory() as folder:
        work, found = Path(folder, "work"), Path(folder, "found")
        work.mkdir()
        found.mkdir()
        arguments = [
            f"-max_total_time={seconds}",
            f"-max_len={TARGETS[name].longest}",
            # Its own alarm ends a process of Python without a word; ours is below.
            "-timeout=0",
            "-handle_alrm=0",
            f"-rss_limit_mb={_MEMORY}",
            f"-artifact_prefix={found}/",
            "-print_final_stats=1",
            "-seed=1",
        ]
        done = subprocess.run(
            [sys.executable, __file__, "--inside", name, *arguments, work, CORPUS / name],
            cwd=REPO,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        said = done.stdout + done.stderr
        crashes = []
        for file in sorted(found.iterdir()):
            place = CORPUS / name / f"crash-{sha256(file.read_bytes()).hexdigest()[:12]}"
            shutil.copy(file, place)
            crashes.append(place)
    runs = [
        int(number) for match in _DONE.finditer(said) for number in match.groups()[::2] if number
    ]
    if done.returncode != 0 and not crashes:
        raise SystemExit(f"{name}: the fuzzer ended with {done.returncode}\n{said[-3000:]}")
    return Outcome(name, max(runs, default=0), seconds, tuple(crashes), said)


def inside(name: str, arguments: list[str]) -> None:
    """Be the fuzzer's process: never returns."""
    import atheris

    with atheris.instrument_imports(include=OURS):
        from tests.fuzz_kit import TARGETS
    target = TARGETS[name]

    def too_long(number: int, frame: object) -> None:
        raise TooLong(f"no end after {_TIMEOUT} seconds")

    def one(data: bytes) -> None:
        signal.setitimer(signal.ITIMER_REAL, _TIMEOUT)
        with contextlib.suppress(target.errors):
            target.run(data)

    signal.signal(signal.SIGALRM, too_long)
    atheris.Setup([name, *arguments], one)
    atheris.Fuzz()


def outcomes(names: list[str], seconds: int, jobs: int) -> Iterator[Outcome]:
    """Each target's outcome, as they come."""
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(lambda name: fuzz(name, seconds), names)


def main() -> int:
    """Fuzz what is asked for; 1 where there was a crash."""
    sys.path.insert(0, str(REPO))
    if sys.argv[1:2] == ["--inside"]:
        inside(sys.argv[2], sys.argv[3:])
    from tests.fuzz_kit import TARGETS, make_corpus

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--only", action="append", choices=sorted(TARGETS), help="a target")
    parser.add_argument("--jobs", type=int, default=1, help="targets at once")
    parser.add_argument("--seeds", type=Path, help="make the corpus from a demonstration's files")
    asked = parser.parse_args()
    if asked.seeds is not None:
        make_corpus(asked.seeds)
        return 0
    crashed = False
    for outcome in outcomes(asked.only or list(TARGETS), asked.seconds, asked.jobs):
        print(outcome, flush=True)
        if outcome.crashes:
            crashed = True
            trace = outcome.said.partition("=== Uncaught Python exception")[2]
            print(trace.partition("INFO:")[0][-3000:], *outcome.crashes, sep="\n", flush=True)
    return 1 if crashed else 0


if __name__ == "__main__":
    sys.exit(main())
