"""The regulator's pages of figures: what of a report each shows, in one language."""

from collections.abc import Sequence
from dataclasses import replace

from bank.pages import regulator_words as say
from bank.pages.language import N_, Words
from bank.pages.reading import (
    Column,
    Drawing,
    Name,
    Naming,
    Reading,
    bars,
    chart_size,
    months_reading,
    number,
    reading,
    sankey,
    stacked,
    sums_reading,
)
from bank.reports import Report, Table
from bank.reports.pictures import Series, Sum, flows, over_time, sums, total
from ledger import Registry

_MONTHS = 24
"""Months drawn; all of them are in the files."""
_MOST_SERIES = 6
_MOST_BARS = 20
_MOST_ROWS = 50


class FiguresPage:
    """What every page of figures has at hand."""

    def __init__(self, words: Words, registry: Registry, report: Report) -> None:
        self.words, self.registry, self.report = words, registry, report
        self.naming = Naming(words, registry)

    def table(self, name: str) -> Table:
        """A published table."""
        return self.report.tables[name]

    def note(self, hidden: int) -> str:
        """What a picture leaves out."""
        if not hidden:
            return ""
        text = N_(
            "Cells left out: %(n)s. They are of fewer than %(k)s, or would tell one of those."
        )
        values = {"n": self.words.amount(hidden), "k": self.report.smallest_cell}
        return self.words.say(text) % values

    def monthly(self, table: str, title: str, kind: str) -> Drawing:
        """A table by month as a picture."""
        words, dimension = self.words, table.removeprefix("awards-by-")
        picture = over_time(self.table(table), _MOST_SERIES if kind == "lines" else 10, _MONTHS)
        name = self.name_of(dimension)
        if dimension == "level":
            picture = replace(picture, series=tuple(sorted(picture.series, key=_by_level)))
        spec = stacked(words, picture, name, kind, title)
        told = months_reading(words, picture, name)
        notes = [self.note(picture.hidden)]
        if picture.left_out:
            text = words.say(N_("The %(n)s largest are drawn; the file has them all."))
            notes.append(text % {"n": len(picture.series)})
        empty = words.say(N_("No month with awards has ended yet."))
        note = " ".join(part for part in notes if part)
        return Drawing(f"{kind}-{dimension}", title, note, spec, "", told, table, empty)

    def name_of(self, dimension: str) -> Name:
        """What the values of a dimension are called."""
        return {
            "institution": self.naming.institution,
            "level": self.naming.level,
            "field": self.naming.field,
        }[dimension]


def _by_level(part: Sum | Series) -> float:
    """Levels in their order, and what is none at the end."""
    return float(part.key) if part.key.isdecimal() else float("inf")


class OverviewPage(FiguresPage):
    """Everything at a glance: sums of shown cells, what stands out, awards by month."""

    def __init__(self, words: Words, registry: Registry, report: Report) -> None:
        super().__init__(words, registry, report)
        tables = report.tables
        self.awards = total(sums(tables["awards-by-level"]))
        self.recognised = total(sums(tables["recognition-flows"]))
        self.conferred = total(sums(tables["qualifications"]))
        rules = [row[-1] for row in tables["rules"].rows]
        self.rules, self.unused = len(rules), sum(used == 0 for used in rules)
        self.days = {str(name): days for name, days in tables["median-days"].rows}
        self.appeals = {str(name): count for name, count in tables["appeals"].rows}
        self.active = sum(member.active for member in registry.members.values())
        self.suspended = len(registry.members) - self.active
        self.balances = report.conservation.balances
        self.accounts = len(report.conservation.accounts)
        self.alerts = [
            say.alert(words, found, self.subject(found.kind, found.subject))
            for found in report.alerts
        ]
        title = words.say(N_("Awards by month and level"))
        self.drawing = self.monthly("awards-by-level", title, "stack")

    def subject(self, kind: str, subject: Sequence[str]) -> str:
        """What an alert is about."""
        author = self.naming.institution(subject[0])
        return author if kind == "credits" else f"{author}, {self.naming.rule(*subject)}"


class AwardsPage(FiguresPage):
    """Awards by institution, level and field."""

    def __init__(self, words: Words, registry: Registry, report: Report) -> None:
        super().__init__(words, registry, report)
        self.drawings = [
            self.summed("institution", N_("Awards by institution"), N_("Institution")),
            self.monthly(
                "awards-by-institution", words.say(N_("Institutions month by month")), "lines"
            ),
            self.summed("level", N_("Awards by level"), N_("Level")),
            self.summed("field", N_("Awards by field"), N_("Field")),
        ]

    def summed(self, dimension: str, title: str, heading: str) -> Drawing:
        """The months that may be shown, together."""
        words, table = self.words, f"awards-by-{dimension}"
        parts = sums(self.table(table))
        if dimension == "level":
            parts = tuple(sorted(parts, key=_by_level))
        name, said = self.name_of(dimension), words.say(title)
        spec = bars(words, parts[:_MOST_BARS], name, words.say(N_("awards")), said)
        told = sums_reading(words, parts, name, words.say(heading))
        drawn = sum(1 for part in parts[:_MOST_BARS] if part.lots)
        note, empty = self.note(total(parts).hidden), words.say(N_("Nothing can be shown yet."))
        size = chart_size(drawn)
        return Drawing(f"bars-{dimension}", said, note, spec, size, told, table, empty)


class RecognitionPage(FiguresPage):
    """Who recognises whom, by which rules, and how learners were decided about."""

    def __init__(self, words: Words, registry: Registry, report: Report) -> None:
        super().__init__(words, registry, report)
        institution = self.naming.institution
        found = flows(self.table("recognition-flows"))
        title = words.say(N_("Who recognises whom"))
        columns = [
            Column(words.say(N_("Awarded by"))),
            Column(words.say(N_("Recognised by"))),
            Column(words.say(N_("Conversions")), number=True),
        ]
        told = Reading(
            tuple(columns),
            tuple(
                (institution(one.source), institution(one.target), number(words, one.lots))
                for one in found
            ),
        )
        self.drawing = Drawing(
            "flows",
            title,
            self.note(sum(one.lots is None for one in found)),
            sankey(words, found, institution, title),
            chart_size(2 * sum(1 for one in found if one.lots)),
            told,
            "recognition-flows",
            words.say(N_("No flow is large enough to be shown.")),
        )
        self.rules = self.rule_rows()
        self.unused = sum(used == 0 for *_, used in self.table("rules").rows)
        self.qualifications = reading(
            words,
            [
                Column(words.say(N_("Institution"))),
                Column(words.say(N_("Qualification"))),
                Column(words.say(N_("Conferred")), number=True),
            ],
            [
                (institution(str(author)), self.naming.qualification(str(author), str(name)), count)
                for author, name, count in self.table("qualifications").rows
            ],
            [str, str, None],
        )
        self.adverse = reading(
            words,
            [
                Column(words.say(N_("Institution"))),
                Column(words.say(N_("Decision"))),
                Column(words.say(N_("Reason"))),
                Column(words.say(N_("Number")), number=True),
            ],
            self.table("adverse-events").rows,
            [institution, lambda kind: say.event(words, kind), str, None],
        )
        self.appeals = reading(
            words,
            [Column(words.say(N_("Appeals"))), Column(words.say(N_("Number")), number=True)],
            self.table("appeals").rows,
            [lambda name: say.outcome(words, name), None],
        )
        self.days = reading(
            words,
            [Column(words.say(N_("Days"))), Column(words.say(N_("Median")), number=True)],
            self.table("median-days").rows,
            [lambda name: say.span(words, name), None],
        )

    def rule_rows(self) -> Reading:
        """The rules used most, then those never used, then those too little to be told."""
        words = self.words
        rows = sorted(
            self.table("rules").rows,
            key=lambda row: -float(row[-1]) if isinstance(row[-1], int) else 0.5,
        )
        columns = (
            Column(words.say(N_("Rule"))),
            Column(words.say(N_("Institution"))),
            Column(words.say(N_("Times applied")), number=True),
        )
        told = tuple(
            (
                self.naming.rule(str(author), str(name)),
                self.naming.institution(str(author)),
                words.say(N_("never"))
                if used == 0
                else None
                if used is None
                else words.amount(used),
            )
            for author, name, used in rows[:_MOST_ROWS]
        )
        return Reading(columns, told, max(0, len(rows) - _MOST_ROWS))


class BalancePage(FiguresPage):
    """The statement of conservation, line by line, and whether it balances."""

    def __init__(self, words: Words, registry: Registry, report: Report) -> None:
        super().__init__(words, registry, report)
        statement = report.conservation
        self.balances, self.accounts = statement.balances, len(statement.accounts)
        broken = [key for key, account in statement.accounts.items() if not account.balances]
        self.broken = [" · ".join(self.account(*key)) for key in broken]
        lines: dict[tuple[str, str, str], dict[str, list[tuple[str, str | None]]]] = {}
        hidden = 0
        for scheme, level, keeper, side, way, credits in self.table("conservation").rows:
            key = (str(scheme), str(level), str(keeper))
            sides = lines.setdefault(key, {"came": [], "stands": []})
            value = None if credits is None else words.amount(credits)
            sides[str(side)].append((say.way(words, str(way)), value))
            hidden += credits is None
        self.hidden = self.note(hidden)
        self.lines = [
            (self.account(*key), sides["came"], sides["stands"])
            for key, sides in sorted(lines.items(), key=lambda line: line[0][::-1])[:_MOST_ROWS]
        ]
        self.left_out = max(0, len(lines) - _MOST_ROWS)

    def account(self, scheme: str, level: str, keeper: str) -> tuple[str, str, str]:
        """What an account is called: its institution, scheme and level."""
        words, known = self.words, self.registry.catalogue.schemes.get(scheme)
        return (
            self.naming.institution(keeper),
            words.pick(known.titles) if known is not None else scheme,
            self.naming.level(level),
        )


class MemberFigures(FiguresPage):
    """One member's own figures, out of the published tables."""

    def __init__(self, words: Words, registry: Registry, report: Report, did: str) -> None:
        super().__init__(words, registry, report)
        awarded = self.only("awards-by-institution", did)
        title = words.say(N_("Its awards by month"))
        picture = over_time(awarded, 1, _MONTHS)
        institution = self.naming.institution
        self.drawing = Drawing(
            "member",
            title,
            self.note(picture.hidden),
            stacked(words, picture, institution, "stack", title),
            "short",
            months_reading(words, picture, institution),
            "awards-by-institution",
            words.say(N_("No month with awards has ended yet.")),
        )
        found = flows(self.table("recognition-flows"))
        self.given = [
            (institution(one.target), number(words, one.lots)) for one in found if one.source == did
        ]
        self.taken = [
            (institution(one.source), number(words, one.lots)) for one in found if one.target == did
        ]
        self.rules = [
            (self.naming.rule(did, str(name)), used)
            for author, name, used in self.table("rules").rows
            if author == did
        ][:_MOST_ROWS]

    def only(self, table: str, did: str) -> Table:
        """The rows of one institution."""
        whole = self.table(table)
        return Table(whole.name, whole.columns, tuple(r for r in whole.rows if r[0] == did))
