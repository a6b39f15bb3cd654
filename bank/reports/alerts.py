"""What stands out: an institution that awards far more than before, a rule suddenly busy.

Each month of a series is compared with the months before it: the median, and the median distance
from it (MAD), which a single wild month does not move; and with those in which there was anything.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from bank.reports.figures import Figures
from bank.reports.pictures import months_between

_FEWEST_MONTHS = 3
_TIMES = 6.0
_TIMES_A_BUSY_MONTH = 2.0
_LEAST = 20
"""Below so many lots in a month nothing stands out."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One month that stands out, against what was usual before."""

    kind: str
    """`credits` of an institution, or `rule`."""
    subject: tuple[str, ...]
    month: str
    value: float
    usual: float

    @property
    def sentence(self) -> str:
        """In English."""
        what = "awarded credits" if self.kind == "credits" else "conversions by the rule"
        return (
            f"{' '.join(self.subject)}: {self.value:g} {what} in {self.month}; "
            f"{self.usual:g} a month were usual before"
        )


def alerts(figures: Figures) -> list[Alert]:
    """Every month that stands out, by subject and month."""
    credits: defaultdict[tuple[str, ...], defaultdict[str, float]]
    credits = defaultdict(lambda: defaultdict(float))
    lots: defaultdict[tuple[tuple[str, ...], str], int] = defaultdict(int)
    for (institution, _, _, month), tally in figures.awarded.items():
        credits[institution,][month] += float(tally.credits)
        lots[(institution,), month] += tally.lots
    rules: defaultdict[tuple[str, ...], defaultdict[str, float]]
    rules = defaultdict(lambda: defaultdict(float))
    for (author, rule, month), count in figures.rule_months.items():
        rules[author, rule][month] += count
        lots[(author, rule), month] += count
    found = [
        Alert(kind, subject, month, value, usual)
        for kind, every in (("credits", credits), ("rule", rules))
        for subject, series in every.items()
        for month, value, usual in _outliers(series)
        if lots[subject, month] >= _LEAST
    ]
    return sorted(found, key=lambda one: (one.kind, one.subject, one.month))


def _outliers(series: Mapping[str, float]) -> Iterable[tuple[str, float, float]]:
    months = months_between(sorted(series))
    values = [series.get(month, 0.0) for month in months]
    for place in range(_FEWEST_MONTHS, len(values)):
        before = values[:place]
        usual = median(before)
        spread = median(abs(value - usual) for value in before)
        # Whoever awards once a term is quiet in most months, and no term stands out for that.
        busy = median([value for value in before if value] or [0.0])
        # A series that never moved still may grow by half.
        bound = max(usual + _TIMES * max(spread, usual / 12, 1.0), _TIMES_A_BUSY_MONTH * busy)
        if values[place] > bound:
            yield months[place], values[place], usual
