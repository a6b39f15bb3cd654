"""Tables for publication: small cells left out, only months that have ended, CSV and JSON."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from bank.passbook import plain
from bank.reports.figures import Figures
from bank.reports.suppression import Key, suppress
from keys import Json
from ledger.conservation import BIRTHS, STATES, Conservation

Value = str | int | float | None
_TOTALS = ((0, 3), (1, 3), (2, 3))
"""The dimensions of awards that have a table of their own."""
_BALANCE_TOTALS = ((), (0,), (0, 1), (0, 2))
"""Sums of the statement of conservation that are told: all, by scheme, level and institution."""
K = TypeVar("K", bound=tuple[str, ...])


@dataclass(frozen=True, slots=True)
class Table:
    """A table by name: its columns and rows, a value None where it is not to be shown."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]

    def csv(self) -> str:
        """Comma-separated, with a header; what is not shown is empty."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(["" if value is None else value for value in row] for row in self.rows)
        return out.getvalue()

    def to_json(self) -> dict[str, Json]:
        """Columns and rows; what is not shown is null."""
        rows: list[Json] = [list(row) for row in self.rows]
        return {"columns": list(self.columns), "name": self.name, "rows": rows}


def tables(figures: Figures, k: int) -> list[Table]:
    """Everything there is to publish, with no cell of fewer than `k` lots."""
    month = figures.day[:7]
    awarded = {key: tally.lots for key, tally in figures.awarded.items() if key[3] < month}
    flows = {key: tally.lots for key, tally in figures.flows.items()}
    behind = (figures.days_to_decide, figures.days_to_convert)
    medians = tuple(
        (name, value if len(days) >= k else None)
        for (name, value), days in zip(figures.medians().items(), behind, strict=True)
    )
    return [
        _counts("awards", ("institution", "level", "field", "month"), awarded, k, _TOTALS),
        *(
            _counts(f"awards-by-{name}", (name, "month"), _by(awarded, dimensions), k)
            for name, dimensions in zip(("institution", "level", "field"), _TOTALS, strict=True)
        ),
        _counts("recognition-flows", ("from", "to"), flows, k),
        _counts("qualifications", ("institution", "qualification"), figures.conferred, k),
        _counts("adverse-events", ("institution", "event", "reason"), figures.adverse, k),
        # A rule that few lots came by would tell the flow that is left out for the same few.
        _counts("rules", ("institution", "rule"), figures.rules, k, name_of_count="used"),
        # Appeals of the whole bank, by outcome alone: whether it keeps its deadlines is everyone's.
        Table("appeals", ("outcome", "appeals"), tuple(sorted(figures.appeals.items()))),
        Table("median-days", ("from", "days"), medians),
    ]


def balance_table(statement: Conservation, k: int) -> Table:
    """The statement of conservation in credits, with no sum of fewer than `k` lots behind it.

    Both sides of an account are published, so each is a total of the other.
    """
    sides = (
        ("came", BIRTHS, [(a.born, a.born_lots) for a in statement.accounts.values()]),
        ("stands", STATES, [(a.stand, a.stand_lots) for a in statement.accounts.values()]),
    )
    rows: list[tuple[Value, ...]] = []
    for side, ways, accounts in sides:
        credits: dict[Key, Decimal] = {}
        lots: dict[Key, int] = {}
        for key, (sums, counts) in zip(statement.accounts, accounts, strict=True):
            for way in ways:
                if counts[way]:
                    credits[*key, way], lots[*key, way] = sums[way], counts[way]
        for cell in suppress(lots, k, _BALANCE_TOTALS):
            shown = None if cell.count is None else plain(credits[cell.key])
            rows.append((*cell.key[:3], side, cell.key[3], shown))
    columns = ("scheme", "level", "institution", "side", "way", "credits")
    return Table("conservation", columns, tuple(rows))


def open_data(as_of: Figures, made: Sequence[Table], k: int) -> dict[str, Json]:
    """All tables as one JSON object, as `figures.json` has them."""
    every: list[Json] = [table.to_json() for table in made]
    return {"as_of": as_of.day, "entries": as_of.size, "smallest_cell": k, "tables": every}


def _counts(
    name: str,
    columns: Sequence[str],
    counts: Mapping[K, int],
    k: int,
    totals: Sequence[Sequence[int]] = (),
    name_of_count: str = "lots",
) -> Table:
    cells = suppress({tuple(key): count for key, count in counts.items()}, k, totals)
    rows = tuple((*cell.key, cell.count) for cell in cells)
    return Table(name, (*columns, name_of_count), rows)


def _by(counts: Mapping[K, int], dimensions: Sequence[int]) -> dict[tuple[str, ...], int]:
    found: Counter[tuple[str, ...]] = Counter()
    for key, count in counts.items():
        found[tuple(key[place] for place in dimensions)] += count
    return dict(found)
