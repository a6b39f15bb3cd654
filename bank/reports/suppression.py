"""Small cells are not shown, nor can they be found by taking shown ones from their totals.

Cells below k are left out first. Then, along every line of the table (all dimensions but one
fixed) whose total could be had, as many of the next smallest are left out that at least two are
missing and together come to k: what is missing is then never told by a difference. Over time the
same holds as long as only months that have ended are shown, which the tables see to.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table: its count, None where it is not shown."""

    key: Key
    count: int | None


def suppress(counts: Mapping[Key, int], k: int, totals: Sequence[Sequence[int]] = ()) -> list[Cell]:
    """The cells in order of their keys, those not to be shown without their count.

    Keys have one value for each dimension. A count of 0 tells nothing of anybody and is shown.
    `totals` are the dimensions of tables that are published beside this one.
    """
    return suppress_lines(counts, k, _lines(list(counts), totals))


def suppress_lines(counts: Mapping[Key, int], k: int, lines: Sequence[Sequence[Key]]) -> list[Cell]:
    """The same where the keys whose sum may be known are said one line after another."""
    hidden = {key for key, count in counts.items() if 0 < count < k}
    while True:
        more = {
            key
            for line in lines
            if (missing := [key for key in line if key in hidden])
            for key in _needed(line, missing, counts, k)
        }
        if more <= hidden:
            break
        hidden |= more
    return [Cell(key, None if key in hidden else counts[key]) for key in sorted(counts)]


def _lines(keys: Sequence[Key], totals: Sequence[Sequence[int]]) -> list[list[Key]]:
    """Keys whose sum may be known: those that share all dimensions but one, or those of a total."""
    every = range(len(keys[0]) if keys else 0)
    shared = [tuple(other for other in every if other != one) for one in every]
    lines: list[list[Key]] = []
    for dimensions in [*shared, *totals]:
        groups: defaultdict[Key, list[Key]] = defaultdict(list)
        for key in keys:
            groups[tuple(key[place] for place in dimensions)].append(key)
        lines += groups.values()
    return lines


def _needed(
    line: Sequence[Key], missing: Sequence[Key], counts: Mapping[Key, int], k: int
) -> list[Key]:
    """What else of a line is to be hidden, so that its hidden cells protect one another."""
    total = sum(counts[key] for key in missing)
    shown = sorted(
        (key for key in line if key not in missing and counts[key]), key=lambda key: counts[key]
    )
    more: list[Key] = []
    while shown and (len(missing) + len(more) < 2 or total < k):
        more.append(shown.pop(0))
        total += counts[more[-1]]
    return more
