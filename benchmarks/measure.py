"""How a figure is made: ours and the peer take turns, several rounds, and medians are compared."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

ROUNDS = int(os.environ.get("CREDITBANK_BENCH_ROUNDS", "5"))
SCALE = float(os.environ.get("CREDITBANK_BENCH_SCALE", "1"))
"""Multiplies how much is done in a round; the smoke test sets it small."""

Run = Callable[[], float]
"""One round; what it gives is in the benchmark's unit."""


@dataclass(frozen=True)
class Figure:
    """Ours, the peer's, and the ratio, above 1 where it is in our favour."""

    ours: float | None
    peer: float | None
    ratio: float | None
    unit: str
    peer_name: str
    note: str = ""

    def to_json(self) -> dict[str, object]:
        value: dict[str, object] = {
            "ours": self.ours,
            "peer": self.peer,
            "ratio": self.ratio,
            "unit": self.unit,
            "peer_name": self.peer_name,
        }
        return {**value, "note": self.note} if self.note else value


class PeerMissing(Exception):
    """The peer cannot be run on this machine; the message says why."""


def compare(ours: Run, peer: Run, peer_name: str, unit: str, note: str = "") -> Figure:
    """Take turns for `ROUNDS` rounds. Rates where more is better, unless the unit is `s`."""
    mine: list[float] = []
    theirs: list[float] = []
    missing = ""
    for _ in range(ROUNDS):
        mine.append(ours())
        if missing:
            continue
        try:
            theirs.append(peer())
        except PeerMissing as error:
            missing = str(error)
    our = statistics.median(mine)
    if missing:
        return Figure(round(our, 4), None, None, unit, peer_name, missing)
    their = statistics.median(theirs)
    ratio = their / our if unit == "s" else our / their
    return Figure(round(our, 4), round(their, 4), round(ratio, 3), unit, peer_name, note)


def count(number: int) -> int:
    """`number`, scaled."""
    return max(1, int(number * SCALE))


def rate(number: int, work: Callable[[], object]) -> float:
    """How many a second, where `work` does `number`."""
    start = time.perf_counter()
    work()
    return number / (time.perf_counter() - start)
