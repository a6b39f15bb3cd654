"""Which of overlapping lots to take: at most one of each overlap group."""

from collections.abc import Collection, Iterator, Sequence
from heapq import heappop, heappush
from itertools import islice

from bank.qualifications.conditions import Candidate, LimitKey

MOST = 512
"""Combinations that are tried; beyond it only the first is."""


def combinations(
    candidates: Sequence[Candidate], tight: Collection[LimitKey], framework: str
) -> tuple[list[list[Candidate]], bool]:
    """The ways to take as many lots as can be without an overlap, and whether these are all.

    In order: the lot of the higher level first, then of more credits, the later one, the lower id.
    So the first combination takes the best of each group, and is the only one where there are
    more than `MOST`. A lot that an earlier one replaces in every respect is in none.
    """
    ranked = sorted(candidates, key=lambda one: _rank(one, framework))
    ranked = [one for place, one in enumerate(ranked) if not _idle(one, ranked[:place], tight)]
    conflicts = [
        sum(
            1 << other
            for other, lot in enumerate(ranked)
            if other != place and one.holding.overlap & lot.holding.overlap
        )
        for place, one in enumerate(ranked)
    ]
    found = list(islice(_maximal(conflicts), MOST + 1))
    complete = len(found) <= MOST
    chosen = found if complete else found[:1]
    return [[ranked[place] for place in places] for places in chosen], complete


def _rank(one: Candidate, framework: str) -> tuple[int, int, int, str]:
    holding = one.holding
    level = holding.level if holding.framework == framework else 0
    return -level, -one.amount, -holding.awarded.toordinal(), holding.lot


def _idle(one: Candidate, earlier: Sequence[Candidate], tight: Collection[LimitKey]) -> bool:
    """Whether an earlier lot overlaps no more, serves all its goals, and no other cap binds it."""
    return any(
        other.holding.overlap
        and other.holding.overlap <= one.holding.overlap
        and other.amount >= one.amount
        and other.goals >= one.goals
        and other.limits.intersection(tight) <= one.limits
        for other in earlier
    )


def _maximal(conflicts: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Sets without a conflict to which nothing can be added, in lexicographic order.

    Sets are bits of a number, as are the conflicts of each place. The way of Johnson, Yannakakis
    and Papadimitriou (1988), which spends little time between one set and the next.
    """
    first = _filled(0, conflicts)
    seen, waiting = {first}, [(_places(first), first)]
    while waiting:
        places, chosen = heappop(waiting)
        yield places
        for place, against in enumerate(conflicts):
            before = (1 << place) - 1
            if not chosen & before & against:
                continue
            start = chosen & before & ~against | 1 << place
            if any(not (start >> other & 1 or conflicts[other] & start) for other in range(place)):
                continue
            following = _filled(start, conflicts)
            if following not in seen:
                seen.add(following)
                heappush(waiting, (_places(following), following))


def _filled(chosen: int, conflicts: Sequence[int]) -> int:
    """`chosen` with every place added, in order, that conflicts with none."""
    for place, against in enumerate(conflicts):
        if not against & chosen:
            chosen |= 1 << place
    return chosen


def _places(chosen: int) -> tuple[int, ...]:
    return tuple(place for place in range(chosen.bit_length()) if chosen >> place & 1)
