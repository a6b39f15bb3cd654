"""Figures over a log: what was awarded, who recognises whom, which rules are used, appeals."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from statistics import median

from ledger import Entry, Registry
from ledger.checked import as_object
from ledger.lots import made_by

Awarded = tuple[str, str, str, str]
"""Institution, level, field, month."""
Flow = tuple[str, str]
"""From the institution that awarded to the one that recognised."""


@dataclass
class Tally:
    """So many lots, and their credits."""

    lots: int = 0
    credits: Decimal = Decimal(0)

    def add(self, credits: str) -> None:
        """Count one lot more."""
        self.lots += 1
        self.credits += Decimal(credits)


@dataclass
class Figures:
    """What a log says in figures, up to `day`."""

    day: str = ""
    size: int = 0
    awarded: defaultdict[Awarded, Tally] = field(default_factory=lambda: defaultdict(Tally))
    flows: defaultdict[Flow, Tally] = field(default_factory=lambda: defaultdict(Tally))
    rules: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often each rule in the catalogue was applied, by author and `code@version`."""
    rule_months: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """The same by month."""
    conferred: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Qualifications conferred, by institution and `code@version`."""
    adverse: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Revocations, suspensions and corrections, by institution, kind and reason."""
    appeals: Counter[str] = field(default_factory=Counter)
    """By outcome; `open` and, of those, `overdue`."""
    days_to_decide: list[int] = field(default_factory=list)
    days_to_convert: list[int] = field(default_factory=list)
    """From an award's entry to its conversion's."""

    @property
    def never_used(self) -> list[tuple[str, str]]:
        """Rules that were never applied."""
        return sorted(name for name, count in self.rules.items() if not count)

    def medians(self) -> dict[str, float | None]:
        """Median days, None where there is none."""
        return {
            "appeal to decision": median(self.days_to_decide) if self.days_to_decide else None,
            "award to conversion": median(self.days_to_convert) if self.days_to_convert else None,
        }


class Counting:
    """Follows a log entry by entry, and gives the figures where it has come to."""

    def __init__(self) -> None:
        self._found, self._registry = Figures(), Registry()

    def take(self, entry: Entry) -> None:
        """The next entry of a log that an audit has checked before."""
        self._registry.apply(entry)
        _take(self._found, self._registry, entry)
        self._found.day, self._found.size = entry.time[:10], entry.index + 1

    def figures(self) -> Figures:
        """The figures over what was taken; nothing is to be taken afterwards."""
        found = self._found
        for author, name in self._registry.catalogue.rules:
            found.rules.setdefault((author, name), 0)
        for appeal in self._registry.appeals.appeals.values():
            if appeal.outcome:
                found.appeals[appeal.outcome] += 1
                found.days_to_decide.append(_days(appeal.lodged, appeal.decided))
            else:
                found.appeals["open"] += 1
                found.appeals["overdue"] += appeal.due < found.day
        return found


def figures(entries: Iterable[bytes]) -> Figures:
    """The figures over a whole log, checked before by an audit."""
    counting = Counting()
    for data in entries:
        counting.take(Entry.parse(data))
    return counting.figures()


def _take(found: Figures, registry: Registry, entry: Entry) -> None:
    statement = entry.signed.statement
    kind, body, author = statement.kind, statement.body, statement.author
    month = entry.time[:7]
    if kind in ("award", "supersede"):
        made = made_by(entry)
        if made is not None:
            unit = registry.units.get((author, made.facts.unit))
            cell = (author, made.facts.level, unit.field if unit else "", month)
            found.awarded[cell].add(made.facts.credits)
    if kind in ("revoke", "supersede", "suspend"):
        found.adverse[author, kind, str(body["reason"])] += 1
    if kind == "convert":
        facts = as_object(body["facts"])
        found.flows[str(facts["institution"]), author].add(str(facts["credits"]))
        rule = str(body["rule"])
        found.rules[author, rule] += 1
        found.rule_months[author, rule, month] += 1
        found.days_to_convert.append(_days(str(facts["awarded"]), entry.time[:10]))
    if kind == "exempt":
        found.rules[author, str(body["rule"])] += 1
        found.rule_months[author, str(body["rule"]), month] += 1
    if kind == "confer":
        found.conferred[author, str(body["qualification"])] += 1


def _days(start: str, end: str) -> int:
    return (date.fromisoformat(end) - date.fromisoformat(start)).days
