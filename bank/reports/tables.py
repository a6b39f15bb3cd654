"""Tables for publication: small cells left out, only months that have ended, CSV and JSON."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bank.reports.figures import Figures
from bank.reports.suppression import suppress
from keys import Json

Value = str | int | float | None
_TOTALS = ((0, 3), (1, 3), (2, 3))
"""The dimensions of awards that have a table of their own."""
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
