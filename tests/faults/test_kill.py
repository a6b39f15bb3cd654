"""kill -9 in mid-append on SQLite: what was acknowledged is there, and nothing stands twice.

A child process appends and says through a pipe what it was told is durable; it is killed at a
random moment, the log is checked, and the next child submits again from before that point.
This shows that a killed process loses nothing. Power cuts are in test_power_loss.py.
"""

from __future__ import annotations

import mmap
import os
import random
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import event

from ledger.log import Log
from ledger.store import open_store
from tests.log_kit import (
    Follower,
    acknowledge,
    acknowledgements,
    append_and_acknowledge,
    audited,
    award,
    checkpointer_on,
    lost,
    new_log,
    opening,
    sequencer_on,
)

FIRST = len(opening())
STARTING, BETWEEN, APPENDING, SIGNING = range(4)
Appending = Callable[[str, int, random.Random, int, mmap.mmap], None]


def honest(url: str, start: int, rng: random.Random, pipe: int, phase: mmap.mmap) -> None:
    """Append for ever from award `start`; acknowledge what the sequencer returned."""
    engine = open_store(url)
    sequencer, checkpointer = sequencer_on(engine), checkpointer_on(engine)
    # The first append is slow, as statements are compiled: it counts as part of starting.
    append_and_acknowledge(sequencer, pipe, range(start, start + 1))
    while True:
        count = rng.randint(1, 12)
        phase[0] = APPENDING
        append_and_acknowledge(sequencer, pipe, range(start, start + count))
        start += count
        phase[0] = SIGNING
        if rng.random() < 0.25:
            checkpointer.sign()
        phase[0] = BETWEEN


def hasty(url: str, start: int, rng: random.Random, pipe: int, phase: mmap.mmap) -> None:
    """The control: acknowledges each batch when its commit begins."""
    engine = open_store(url)
    sequencer = sequencer_on(engine)
    append_and_acknowledge(sequencer, pipe, range(start, start + 1))
    while True:
        numbers = range(start, start + rng.randint(1, 12))
        places = [FIRST + number for number in numbers]

        def before_commit(
            connection: object, numbers: range = numbers, places: list[int] = places
        ) -> None:
            acknowledge(pipe, numbers, places)

        phase[0] = APPENDING
        event.listen(engine, "commit", before_commit)
        sequencer.append([award(number) for number in numbers])
        event.remove(engine, "commit", before_commit)
        phase[0] = BETWEEN
        start = numbers.stop


def kill_one(append: Appending, url: str, start: int, rng: random.Random) -> tuple[int, bytes]:
    """Fork a child that appends, kill it; what it was doing, and what came through the pipe."""
    phase = mmap.mmap(-1, 1)
    out, into = os.pipe()
    seed, whole_start = rng.random(), rng.random() < 0.2
    pid = os.fork()
    if not pid:
        try:
            os.close(out)
            append(url, start, random.Random(seed), into, phase)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    os.close(into)
    # One in five may die while it opens the store, the others once they append.
    while (
        not whole_start
        and phase[0] == STARTING
        and not os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    ):
        time.sleep(0.0002)
    time.sleep(rng.uniform(0, 0.04 if whole_start else 0.03))
    doing = phase[0]
    os.kill(pid, signal.SIGKILL)
    with os.fdopen(out, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), "the child failed by itself; its traceback is above"
    phase.close()
    return doing, said


@dataclass
class Figures:
    kills: int = 0
    appending: int = 0
    unheard: int = 0
    """Kills after a commit whose acknowledgement was never sent."""
    acknowledged: int = 0
    lost: list[int] = field(default_factory=list)
    losing: int = 0
    """Kills that lost something."""
    size: int = 0


def kill_many(append: Appending, folder: Path, count: int, seed: int) -> Figures:
    """Kill `count` children one after the other over one growing log, checking it each time."""
    rng = random.Random(seed)
    url = f"sqlite:///{folder / 'log.db'}"
    new_log(url).dispose()  # no connection may be open where a child is forked
    figures, follower, everything = Figures(), Follower(), {}
    for _ in range(count):
        if append is honest:
            start = max(0, max(everything, default=0) - rng.randint(0, 5))
        else:
            start = max(0, follower.tree.size - FIRST)
        doing, said = kill_one(append, url, start, rng)
        told = acknowledgements(said)
        everything.update(told)
        engine = open_store(url)
        follower.catch_up(engine)
        missing = lost(engine, told)
        engine.dispose()
        figures.lost += missing
        figures.losing += bool(missing)
        if figures.losing == 3:
            break
        figures.kills += 1
        figures.appending += doing == APPENDING
        figures.unheard += follower.tree.size > FIRST + max(everything, default=-1) + 1
    figures.acknowledged, figures.size = len(everything), follower.tree.size
    if append is honest:
        finish(url, everything, figures)
    return figures


def finish(url: str, everything: dict[int, int], figures: Figures) -> None:
    """Audit it all: award k stands at place FIRST + k and nowhere else, for every k."""
    engine = open_store(url)
    report = audited(engine)
    assert report.size == figures.size
    assert report.kinds["award"] == report.size - FIRST
    every = {number: FIRST + number for number in range(report.size - FIRST)}
    assert everything.items() <= every.items()
    assert lost(engine, every) == []
    # Submitting once more changes nothing.
    last = [award(number) for number in list(every)[-50:]]
    assert all(getattr(outcome, "repeated", False) for outcome in sequencer_on(engine).append(last))
    assert Log(engine).size() == report.size
    engine.dispose()


def test_200_kills_lose_nothing(tmp_path: Path) -> None:
    figures = kill_many(honest, tmp_path, 200, seed=1)
    print(figures)
    assert figures.lost == []
    assert figures.kills == 200
    assert figures.appending >= 50, "too few kills fell into an append to show anything"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 20))
def test_10_000_kills_lose_nothing(tmp_path: Path, seed: int) -> None:
    """Ten logs of 1,000 kills each."""
    figures = kill_many(honest, tmp_path, 1000, seed)
    print(figures)
    assert figures.lost == []
    assert figures.kills == 1000


def test_control_acknowledging_before_the_commit_is_caught(tmp_path: Path) -> None:
    figures = kill_many(hasty, tmp_path, 400, seed=2)
    print(figures)
    assert figures.lost, "acknowledging too early went unnoticed"
