"""The simulation of a nation against what can be worked out by hand."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from benchmarks.nation import (
    Costs,
    Place,
    Prices,
    _sequenced,
    _witnessed,
    at,
    bill,
    changed,
    play,
)

COSTS = Costs(6e-4, 2e-4, 5e-3, 2e-3, 8e-5, 6e-5, 2e-5, 6e-4, 6000, 350, 7, 630, 0.01)
SMALL = Place(regions=10_000, upload=300)


def test_one_request_alone_takes_its_own_time() -> None:
    durable, done, hours, commits = _sequenced([(10.0, 9.5, 100)], 1e-3, 0.01)
    assert durable == [pytest.approx(0.5 + 0.01 + 0.1)]
    assert done == [pytest.approx(10.11)]
    assert (sum(hours), commits) == (pytest.approx(0.11), 1)


def test_what_comes_during_a_commit_is_committed_together() -> None:
    arrived = [(0.0, 0.0, 1000), (0.2, 0.2, 500), (0.3, 0.3, 500)]
    durable, done, _, commits = _sequenced(arrived, 1e-3, 0.0)
    assert commits == 2
    assert done == [pytest.approx(x) for x in (1.0, 2.0, 2.0)]
    assert durable == [pytest.approx(x) for x in (1.0, 1.8, 1.7)]


def test_a_witness_round_takes_what_was_signed_before_it_began() -> None:
    assert _witnessed([0.0, 0.5, 0.6, 5.0], 1.0) == [pytest.approx(x) for x in (1.0, 1.5, 1.4, 1.0)]
    # One after another, each while the round before runs.
    assert _witnessed([0.0, 0.5, 1.5], 1.0) == [pytest.approx(x) for x in (1.0, 1.5, 1.5)]


def test_too_much_for_the_sequencer_is_seen() -> None:
    calm = play(COSTS, SMALL, random.Random(1))
    assert calm.awards == pytest.approx(1.5e9 * SMALL.share * 0.7 / 40, rel=0.2)
    assert calm.busy < 0.05
    assert at(calm.durable, 0.99) < 2
    slow = play(COSTS, replace(SMALL, read=1.0, memory=0), random.Random(1))
    assert slow.busy > 0.99
    assert at(slow.durable, 0.5) > 1000
    assert play(COSTS, SMALL, random.Random(1)) == calm, "the same seed plays the same day"


def test_memory_that_holds_the_indices_saves_the_reads() -> None:
    indexed = COSTS.indexed * SMALL.kept * SMALL.share
    misses = [
        play(COSTS, replace(SMALL, memory=indexed * part), random.Random(1)).misses
        for part in (0, 0.5, 1, 2)
    ]
    assert misses == [pytest.approx(x) for x in (7, 3.5, 0, 0)]


def test_the_bill_grows_with_what_is_kept() -> None:
    small, large = (bill(COSTS, Place(), Prices(), kept) for kept in (1e9, 1e10))
    assert large.ssd == pytest.approx(10 * small.ssd) == pytest.approx(60)
    assert large.cores == small.cores == 2 * 8 * 31
    assert large.month - small.month == pytest.approx(54 * 250 + 5.67 * 80)


def test_each_change_changes_one_thing() -> None:
    every = changed(Place())
    assert len(set(every.values())) == len(every)
