"""The whole report of a log in one pass: figures, conservation, what stands out, members' acts."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from bank.errors import NoSuchThing
from bank.reports.alerts import Alert, alerts
from bank.reports.balance import balance_table
from bank.reports.figures import Counting, Figures
from bank.reports.tables import Table, tables
from keys import Json
from ledger import Entry
from ledger.body import GOVERNANCE_TYPES
from ledger.conservation import Conservation, Conserving

SMALLEST_CELL = 10
"""No cell of fewer lots is published."""
_STEP = 50


@dataclass(frozen=True, slots=True)
class Act:
    """One statement of the governance about a member."""

    index: int
    time: str
    kind: str
    body: Mapping[str, Json]


@dataclass(frozen=True)
class Report:
    """What a log says after `figures.size` entries; `tables` are all that is published of it."""

    figures: Figures
    conservation: Conservation
    alerts: tuple[Alert, ...]
    tables: Mapping[str, Table]
    acts: Mapping[str, tuple[Act, ...]]
    """What the governance stated about each member, in order."""
    smallest_cell: int

    def open_data(self) -> dict[str, Json]:
        """Every table, small cells left out."""
        every: list[Json] = [table.to_json() for table in self.tables.values()]
        return {**self._of(), "tables": every}

    def table(self, name: str) -> Table:
        """One table; NoSuchThing if none has this name."""
        if name not in self.tables:
            raise NoSuchThing(
                f"there is no table {name[:60]}; there are {', '.join(sorted(self.tables))}"
            )
        return self.tables[name]

    def open_table(self, name: str) -> dict[str, Json]:
        """One table as `open_data` has it, and what it is of."""
        return {**self.table(name).to_json(), **self._of()}

    def _of(self) -> dict[str, Json]:
        return {
            "as_of": self.figures.day,
            "entries": self.figures.size,
            "smallest_cell": self.smallest_cell,
        }


def make_report(
    entries: Iterable[bytes],
    smallest_cell: int = SMALLEST_CELL,
    progress: Callable[[int], None] = lambda done: None,
) -> Report:
    """The report over a whole log, checked before by an audit.

    Refused where an entry contradicts those before it.
    """
    counting, conserving = Counting(), Conserving()
    acts: defaultdict[str, list[Act]] = defaultdict(list)
    for data in entries:
        entry = Entry.parse(data)
        counting.take(entry)
        conserving.take(entry)
        statement = entry.signed.statement
        if statement.kind in GOVERNANCE_TYPES and "member" in statement.body:
            act = Act(entry.index, entry.time, statement.kind, statement.body)
            acts[str(statement.body["member"])].append(act)
        if not (entry.index + 1) % _STEP:
            progress(entry.index + 1)
    found, statement_of_all = counting.figures(), conserving.statement()
    made = [*tables(found, smallest_cell), balance_table(statement_of_all, smallest_cell)]
    return Report(
        found,
        statement_of_all,
        tuple(alerts(found)),
        {table.name: table for table in made},
        {member: tuple(known) for member, known in acts.items()},
        smallest_cell,
    )
