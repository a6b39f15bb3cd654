"""What a set of lots reaches, and how many credits of each lot count."""

from collections.abc import Sequence
from fractions import Fraction

from bank.qualifications.conditions import Candidate, Conditions, LimitKey, tight
from bank.qualifications.counting import Program

Group = tuple[frozenset[LimitKey], frozenset[str]]
"""Lots that the same caps bind and the same goals want are interchangeable but for the amount."""


def reached(candidates: Sequence[Candidate], conditions: Conditions) -> tuple[Fraction, ...]:
    """For each goal the most that can count, up to what is wanted, with the goals before it held.

    With a lot added, the first goal that changes reaches more, so results compare as tuples.
    """
    return _Pool(candidates, conditions).reach_all()


def counted(candidates: Sequence[Candidate], conditions: Conditions) -> dict[str, Fraction]:
    """How much of each lot counts, by its id: all that was reached, then the earlier lots first."""
    pool = _Pool(candidates, conditions)
    pool.reach_all()
    return {one.holding.lot: pool.share(one) for one in candidates}


class _Pool:
    """The lots as amounts of a program, those that no cap can bind left out of it."""

    def __init__(self, candidates: Sequence[Candidate], conditions: Conditions) -> None:
        self._candidates, self._goals = candidates, conditions.goals
        self._tight = tight(candidates, conditions)
        sums: dict[Group, int] = {}
        for one in candidates:
            if group := self._group(one):
                sums[group] = sums.get(group, 0) + one.amount
        self._places = {group: place for place, group in enumerate(sums)}
        limits = [({place}, sums[group]) for group, place in self._places.items()]
        limits += [
            ({place for group, place in self._places.items() if key in group[0]}, capacity)
            for key, capacity in self._tight.items()
        ]
        self._program = Program(len(sums), limits)
        self._shared: dict[Group, Fraction] = {}

    def _group(self, one: Candidate) -> Group | None:
        binding = one.limits & self._tight.keys()
        return (frozenset(binding), one.goals) if binding else None

    def reach_all(self) -> tuple[Fraction, ...]:
        return tuple(
            self._reach(goal.code, goal.wanted)
            if goal.of_credits
            else Fraction(goal.wanted * self._present(goal.code))
            for goal in self._goals
        )

    def _present(self, code: str) -> bool:
        return any(code in one.goals for one in self._candidates)

    def _reach(self, code: str, wanted: int) -> Fraction:
        certain = sum(
            one.amount for one in self._candidates if code in one.goals and not self._group(one)
        )
        if certain >= wanted:
            return Fraction(wanted)
        places = {place for group, place in self._places.items() if code in group[1]}
        return certain + self._program.reach(places, wanted - certain)

    def share(self, one: Candidate) -> Fraction:
        group = self._group(one)
        if group is None:
            return Fraction(one.amount)
        before = self._shared.get(group, Fraction(0))
        if before.denominator != 1:
            # Only a group that is at its most has a broken amount: nothing is left of it.
            return Fraction(0)
        after = self._program.reach({self._places[group]}, int(before) + one.amount)
        self._shared[group] = after
        return after - before
