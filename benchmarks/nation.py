"""A nation's load on banks of this kind, simulated with costs measured in the same run.

    .venv/bin/python -m benchmarks.nation

300 million learners; ten billion awards kept; 1.5 billion new ones a year, most of them in the
weeks after two terms, in office hours, as files of institutions sent in batches. A day of the peak
is played event by event: intake on some cores, group commit by one sequencer, random reads of
indices that memory does not hold, witness rounds. Then the same with one thing changed at a time.
What is not measured here is an assumption: `Place` and `Prices` have them all.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from pathlib import Path

from benchmarks.nation_costs import Costs, measure

YEAR, KEPT = 1.5e9, 10e9
"""Awards a year, and awards there are, in the nation."""
MOST = 2000
"""Statements in one commit at most, as `ledger.group_commit` has it."""
_DAY = 86_400.0
_GB, _TB = 1e9, 1e12


@dataclass(frozen=True)
class Place:
    """How the nation is served: all of it assumed, and each varied in turn."""

    regions: int = 31
    """Logs that share the load; the largest has three times the mean."""
    cores: int = 8
    memory: float = 64 * _GB
    """For indices, beside what else a server needs."""
    read: float = 100e-6
    """A random read of the disk, in seconds: an SSD's."""
    sync: float = 0.0
    """Waiting for the disk, a commit; 0 for what was measured."""
    peak: float = 0.7
    """The share of a year's awards that falls into its peak days."""
    peak_days: int = 40
    upload: float = 5000.0
    """Awards in an institution's file, on average: few are large, as an exponential has it."""
    batch: int = 1000
    """Awards in a request."""
    round_trip: float = 0.05
    """To the slowest of the witnesses that it takes."""
    kept: float = KEPT

    @property
    def share(self) -> float:
        """Of the nation, of the largest log."""
        return 1.0 if self.regions == 1 else 3 / self.regions


@dataclass(frozen=True)
class Prices:
    """Of hardware, in CNY a month, written off in four years: assumed, to be replaced by offers."""

    core: float = 50.0
    gigabyte: float = 12.0
    ssd: float = 250.0
    """A terabyte on SSD, twice: a database and its replica."""
    store: float = 80.0
    """A terabyte in an object store."""


@dataclass(frozen=True)
class Played:
    """A day of the peak at the largest log: delays in seconds, shares of the day."""

    awards: int
    requests: int
    durable: Sequence[float]
    """From a request's arrival until it is answered, sorted."""
    witnessed: Sequence[float]
    """From its answer until a quorum has cosigned a checkpoint over it, sorted."""
    busy: float
    """The sequencer's share of the busiest hour."""
    misses: float
    """Reads of the disk, an award."""
    commits: int


def play(costs: Costs, place: Place, dice: random.Random) -> Played:
    """Play one day."""
    awards = YEAR * place.share * place.peak / place.peak_days
    misses = costs.indices * _missing(costs, place)
    each = costs.append + misses * place.read
    fixed = costs.commit + (place.sync or costs.sync)
    arrived: list[tuple[float, float, int]] = []
    free = [0.0] * max(1, place.cores - 1)
    count = 0
    for time, number in sorted(_requests(awards, place, dice)):
        # One core is the sequencer's; the others take requests in, whichever is free first.
        start = max(time, heappop(free))
        heappush(free, start + number * costs.intake)
        arrived.append((start + number * costs.intake, time, number))
        count += number
    arrived.sort()
    durable, done, hours, commits = _sequenced(arrived, each, fixed)
    witnessed = _witnessed(done, place.round_trip + costs.cosign)
    return Played(
        count,
        len(arrived),
        sorted(durable),
        sorted(witnessed),
        max(hours) / 3600,
        misses,
        commits,
    )


def _requests(awards: float, place: Place, dice: random.Random) -> Iterator[tuple[float, int]]:
    """When requests come, and how many awards are in each: files sent one batch after another."""
    left = awards
    while left > 0:
        size = max(1, min(int(dice.expovariate(1 / place.upload)), int(left) + 1))
        left -= size
        time = _moment(dice)
        while size > 0:
            number = min(place.batch, size)
            yield time, number
            size -= number
            time += number / 1000  # an institution signs a thousand a second


def _moment(dice: random.Random) -> float:
    """Mostly in office hours, most of all at ten and at three."""
    if dice.random() < 0.1:
        return dice.random() * _DAY
    hour = dice.gauss(10, 1) if dice.random() < 0.5 else dice.gauss(15, 1)
    return min(max(hour, 0.0), 23.9) * 3600


def _missing(costs: Costs, place: Place) -> float:
    """The share of index pages that memory does not hold; roots and branches always fit."""
    indexed = costs.indexed * place.kept * place.share
    return max(0.0, 1 - place.memory / indexed)


def _sequenced(
    arrived: Sequence[tuple[float, float, int]], each: float, fixed: float
) -> tuple[list[float], list[float], list[float], int]:
    """Group commit: delays, moments of answers, busy seconds by hour, and commits."""
    durable: list[float] = []
    done: list[float] = []
    hours = [0.0] * 48
    clock, place, commits = 0.0, 0, 0
    while place < len(arrived):
        clock = max(clock, arrived[place][0])
        group, number = place, 0
        while group < len(arrived) and arrived[group][0] <= clock and number < MOST:
            number += arrived[group][2]
            group += 1
        spent = fixed + number * each
        hours[min(47, int(clock // 3600))] += spent
        clock += spent
        commits += 1
        durable += [clock - came for _, came, _ in arrived[place:group]]
        done += [clock] * (group - place)
        place = group
    return durable, done, hours, commits


def _witnessed(done: Sequence[float], took: float) -> list[float]:
    """Rounds follow one another; what is signed while one runs waits for the next."""
    delays: list[float] = []
    free = 0.0
    for moment in done:
        # The round under way, if there is one, began without it.
        if moment > free:
            free = moment
            delays.append(took)
            free += took
        else:
            delays.append(free - moment + took)
            if len(delays) < len(done) and done[len(delays)] > free:
                free += took
    return delays


def at(values: Sequence[float], share: float) -> float:
    """The value below which that share lies."""
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0.0


@dataclass(frozen=True)
class Bill:
    """What the nation's banks need together, and CNY a month."""

    cores: float
    gigabytes: float
    ssd: float
    store: float
    files: float
    audit_hours: float
    """On all cores of the largest log."""
    rebuild_hours: float
    """Of the largest log, on one core."""
    month: float


def bill(costs: Costs, place: Place, prices: Prices, kept: float) -> Bill:
    """The bill when `kept` awards are there."""
    # A second server at each log, ready to take over.
    cores = 2.0 * place.cores * place.regions
    gigabytes = 2 * (place.memory / _GB + 16) * place.regions
    ssd, store = kept * costs.stored / _TB, kept * costs.public / _TB
    return Bill(
        cores,
        gigabytes,
        ssd,
        store,
        kept * costs.files,
        kept * place.share * costs.audit / place.cores / 3600,
        kept * place.share * costs.rebuild / 3600,
        cores * prices.core + gigabytes * prices.gigabyte + ssd * prices.ssd + store * prices.store,
    )


def changed(place: Place) -> dict[str, Place]:
    """The same with one thing changed at a time."""
    return {
        "as assumed": place,
        "one log for all": replace(place, regions=1, cores=64, memory=1024 * _GB),
        "one log, 64 GB": replace(place, regions=1, cores=64),
        "in its first year": replace(place, kept=YEAR),
        "ten times the awards kept": replace(place, kept=10 * KEPT),
        "8 GB for indices": replace(place, memory=8 * _GB),
        "a disk of 10 ms a read": replace(place, read=10e-3),
        "a sync of 10 ms": replace(place, sync=10e-3),
        "all in twenty days": replace(place, peak=0.9, peak_days=20),
        "files of 100,000": replace(place, upload=100_000),
        "two cores": replace(place, cores=2),
        "a witness at 500 ms": replace(place, round_trip=0.5),
    }


def main() -> None:
    """Measure, play, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--awards", type=int, default=5000, help="Measured on so many.")
    parser.add_argument(
        "--folder", type=Path, default=Path("build"), help="On the disk to measure."
    )
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    costs = measure(arguments.folder, arguments.awards)
    _tell_costs(costs)
    _tell_days(costs, arguments.seed)
    _tell_months(costs)


def _tell_costs(costs: Costs) -> None:
    print("measured, of one award unless it says otherwise")
    for name, value in (
        ("taken in, any core", f"{costs.intake * 1e6:,.0f} us"),
        ("its share of a commit, one core at a time", f"{costs.append * 1e6:,.0f} us"),
        ("a commit besides", f"{costs.commit * 1e3:,.1f} ms"),
        ("a sync of the disk, a commit", f"{costs.sync * 1e3:,.2f} ms"),
        ("audited, signature included", f"{costs.audit * 1e6:,.0f} us"),
        ("folded anew", f"{costs.rebuild * 1e6:,.0f} us"),
        ("published as tiles", f"{costs.publish * 1e6:,.0f} us"),
        ("a witness's cosignatures of a checkpoint", f"{costs.cosign * 1e3:,.2f} ms"),
        ("in the database", f"{costs.stored:,.0f} bytes"),
        (f"of those in {costs.indices} random indices", f"{costs.indexed:,.0f} bytes"),
        ("as tiles", f"{costs.public:,.0f} bytes, {costs.files:.4f} files"),
    ):
        print(f"  {name:<44} {value:>18}")


def _tell_days(costs: Costs, seed: int) -> None:
    print("\na day of the peak at the largest log: seconds until durable, until witnessed besides")
    head = ("awards", "reads each", "busiest hour", "p50", "p99", "worst", "witnessed p99")
    print(f"  {'':<28}" + "".join(f"{name:>14}" for name in head))
    for name, place in changed(Place()).items():
        day = play(costs, place, random.Random(seed))
        shown = (
            f"{day.awards:,}",
            f"{day.misses:.1f}",
            f"{day.busy:.0%}",
            f"{at(day.durable, 0.5):,.2f}",
            f"{at(day.durable, 0.99):,.2f}",
            f"{at(day.durable, 1):,.1f}",
            f"{at(day.witnessed, 0.99):.2f}",
        )
        print(f"  {name:<28}" + "".join(f"{value:>14}" for value in shown))


def _tell_months(costs: Costs) -> None:
    print("\nwhat the nation's banks need together, and CNY a month at the prices assumed")
    head = ("SSD TB", "tiles TB", "files", "audit h", "rebuild h", "CNY a month")
    print(f"  {'':<28}" + "".join(f"{name:>14}" for name in head))
    place, prices = Place(), Prices()
    for months in (1, 12, 36, 80):
        kept = YEAR / 12 * months
        made = bill(costs, place, prices, kept)
        shown = (
            f"{made.ssd:,.1f}",
            f"{made.store:,.1f}",
            f"{made.files / 1e6:,.1f} M",
            f"{made.audit_hours:,.1f}",
            f"{made.rebuild_hours:,.1f}",
            f"{made.month:,.0f}",
        )
        label = f"month {months}, {kept / 1e9:.2f} billion"
        print(f"  {label:<28}" + "".join(f"{value:>14}" for value in shown))
    print(
        f"  with {2 * place.regions} servers of {place.cores} cores and "
        f"{place.memory / _GB + 16:.0f} GB, one of each pair to take over"
    )


if __name__ == "__main__":
    main()
