"""How many credits can count when several caps limit them at once.

Caps cross: a year's, an institution's and a source's may all bind the same lot, and what one lot
gives up another may take. So no order of cutting finds the most that can count; a linear program
does. It is solved in whole numbers (Dantzig's simplex method with Edmonds' exact division and
Bland's rule), so that the answer is the same everywhere, to the last digit.
"""

from collections.abc import Collection, Sequence
from fractions import Fraction


class Program:
    """Amounts from zero up under limits, and the goals that they were made to reach so far.

    A row reads: scale x its basic amount = last column - sum of the others x the free amounts.
    """

    def __init__(self, size: int, limits: Sequence[tuple[Collection[int], int]]) -> None:
        """Amounts 0 to `size` - 1; each limit bounds the sum of some, and each is in one."""
        self._scale = 1
        self._free = list(range(size))
        self._basic = list(range(size, size + len(limits)))
        self._next = size + len(limits)
        self._rows = [
            [*(int(amount in members) for amount in range(size)), bound]
            for members, bound in limits
        ]

    def reach(self, amounts: Collection[int], target: int) -> Fraction:
        """The most up to `target` that `amounts` can sum to, from now on held to at least that."""
        goal = self._goal(amounts)
        while goal[-1] < target * self._scale:
            column = self._rising(goal)
            if column is None:
                break
            goal = self._pivot(self._tightest(column), column, goal)
        reached = Fraction(goal[-1], self._scale)
        if reached >= target:
            goal[-1] -= target * self._scale
            self._basic.append(self._next)
            self._rows.append(goal)
            self._next += 1
            return Fraction(target)
        self._keep([place for place, value in enumerate(goal[:-1]) if value == 0])
        return reached

    def _goal(self, amounts: Collection[int]) -> list[int]:
        goal = [0] * (len(self._free) + 1)
        for basic, row in zip(self._basic, self._rows, strict=True):
            if basic in amounts:
                goal = [a + b for a, b in zip(goal, row, strict=True)]
        for place, amount in enumerate(self._free):
            if amount in amounts:
                goal[place] -= self._scale
        return goal

    def _rising(self, goal: Sequence[int]) -> int | None:
        places = [place for place, value in enumerate(goal[:-1]) if value < 0]
        return min(places, key=self._free.__getitem__, default=None)

    def _tightest(self, column: int) -> int:
        rows = [place for place, row in enumerate(self._rows) if row[column] > 0]
        return min(
            rows,
            key=lambda place: (
                Fraction(self._rows[place][-1], self._rows[place][column]),
                self._basic[place],
            ),
        )

    def _pivot(self, place: int, column: int, goal: list[int]) -> list[int]:
        """Change a basic amount for a free one everywhere; the goal's row so changed."""
        row, scale = self._rows[place], self._scale
        pivot = row[column]

        def changed(other: list[int]) -> list[int]:
            factor = other[column]
            new = [
                (value * pivot - factor * mine) // scale
                for value, mine in zip(other, row, strict=True)
            ]
            new[column] = -factor
            return new

        self._rows = [
            [*row[:column], scale, *row[column + 1 :]] if other is row else changed(other)
            for other in self._rows
        ]
        self._free[column], self._basic[place] = self._basic[place], self._free[column]
        self._scale = pivot
        return changed(goal)

    def _keep(self, places: Sequence[int]) -> None:
        # At its most, a goal stays there just as long as what would lower it stays at zero.
        self._free = [self._free[place] for place in places]
        self._rows = [[*(row[place] for place in places), row[-1]] for row in self._rows]
