"""What is drawn of published tables: made of shown cells alone, so a picture tells no more."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bank.reports.tables import Table


@dataclass(frozen=True, slots=True)
class Sum:
    """The shown cells of one value of a dimension, together; and how many are not shown."""

    key: str
    lots: int
    hidden: int


@dataclass(frozen=True, slots=True)
class Series:
    """One value of a dimension by month; None where a cell is not shown."""

    key: str
    values: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class OverTime:
    """Series over months without a gap; `left_out` keys are there besides those drawn."""

    months: tuple[str, ...]
    series: tuple[Series, ...]
    hidden: int
    left_out: int


@dataclass(frozen=True, slots=True)
class Flow:
    """Lots of one institution that another recognised; None where that is not shown."""

    source: str
    target: str
    lots: int | None


def sums(table: Table) -> tuple[Sum, ...]:
    """By the first column of a table whose last is a count, the largest first."""
    shown: Counter[str] = Counter()
    hidden: Counter[str] = Counter()
    for row in table.rows:
        key, count = str(row[0]), row[-1]
        shown[key] += count if isinstance(count, int) else 0
        hidden[key] += count is None
    return tuple(
        Sum(key, shown[key], hidden[key]) for key in sorted(shown, key=lambda key: -shown[key])
    )


def total(parts: Sequence[Sum]) -> Sum:
    """All of them together, under no key."""
    return Sum("", sum(part.lots for part in parts), sum(part.hidden for part in parts))


def over_time(table: Table, most_series: int, most_months: int) -> OverTime:
    """A table of key, month and count by month: its largest keys, over its last months."""
    cells: Mapping[tuple[str, str], int | None] = {
        (str(key), str(month)): count if isinstance(count, int) else None
        for key, month, count in table.rows
    }
    months = months_between(sorted({month for _, month in cells}))[-most_months:]
    keys = [part.key for part in sums(table)]
    series = tuple(
        Series(key, tuple(cells.get((key, month), 0) for month in months))
        for key in keys[:most_series]
    )
    hidden = sum(value is None for one in series for value in one.values)
    return OverTime(months, series, hidden, len(keys) - len(series))


def flows(table: Table) -> tuple[Flow, ...]:
    """Who recognises whom, the largest first, those not shown last."""
    found = [
        Flow(str(source), str(target), lots if isinstance(lots, int) else None)
        for source, target, lots in table.rows
    ]
    return tuple(sorted(found, key=lambda flow: (-(flow.lots or 0), flow.source, flow.target)))


def months_between(known: Sequence[str]) -> tuple[str, ...]:
    """Every month from the first to the last of `known`, which are in order."""
    if not known:
        return ()
    first, last = (int(month[:4]) * 12 + int(month[5:]) - 1 for month in (known[0], known[-1]))
    return tuple(f"{n // 12:04}-{n % 12 + 1:02}" for n in range(first, last + 1))
