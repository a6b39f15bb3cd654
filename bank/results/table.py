"""From rows to results: every cell checked, then every row against the rows before it.

One file may not say two things: a record twice, a unit version described or credited in two ways,
or one learner under two names. Which of the two is right only the registrar knows.
"""

import datetime
import functools
from collections.abc import Callable
from dataclasses import fields, is_dataclass

from bank.results.errors import BadValue
from bank.results.institutions import Institutions
from bank.results.mapping import Condition, Mapping, Rule
from bank.results.model import Learner, Problem, Result, UnitRef
from bank.results.source import Cells, Fill
from bank.results.values import quoted

_Bound = tuple[Rule, Fill, Callable[[str], str]]


class Table:
    """What a file has given so far."""

    def __init__(
        self, mapping: Mapping, positions: dict[str, int], institutions: Institutions
    ) -> None:
        self.results: list[Result] = []
        self.problems: list[Problem] = []
        self.rows = 0
        self.skipped = 0
        self._rules = [_bind(rule, positions, institutions) for rule in mapping.rules]
        self._only = [(positions[one.column], one) for one in mapping.only]
        self._skip = [(positions[one.column], one) for one in mapping.skip]
        self._records: dict[tuple[str, str], Result] = {}
        self._units: dict[tuple[str, str, int], Result] = {}
        self._learners: dict[tuple[str, str], Result] = {}

    def add(self, line: int, cells: Cells, width: int) -> None:
        """Read one row; the header has `width` fields."""
        self.rows += 1
        if len(cells) != width:
            message = (
                f"has {len(cells)} fields where the header has {width}; look for a missing "
                "separator, or one that should stand in quotation marks"
            )
            self.problems.append(Problem(line, "row", message))
            return
        if not _wanted(cells, self._only, self._skip):
            self.skipped += 1
            return
        values: dict[str, str] = {}
        before = len(self.problems)
        for rule, fill, parse in self._rules:
            try:
                if text := fill(cells):
                    values[rule.name] = parse(text)
                elif rule.required:
                    raise BadValue("is empty; fill it in")
            except BadValue as error:
                self.problems.append(Problem(line, rule.name, f"{_columns(rule)}{error}"))
        if len(self.problems) == before:
            self._accept(line, values)

    def _accept(self, line: int, values: dict[str, str]) -> None:
        try:
            result = _result(line, values)
            self._compare(result)
        except _RowFault as fault:
            self.problems.append(Problem(line, fault.field, str(fault)))
        else:
            self.results.append(result)

    def _compare(self, new: Result) -> None:
        """Raise `_RowFault` if an earlier row says otherwise, or the same."""
        first = self._records.setdefault((new.institution, new.source_key), new)
        if first is not new:
            key = f"the same source key {quoted(new.source_key)}"
            differing = _differences(first, new)
            if not differing:
                raise _RowFault(
                    "source_key", f"duplicate of line {first.line} ({key}); remove one of the two"
                )
            raise _RowFault(
                "source_key",
                f"conflicts with line {first.line}: {key}, but another "
                f"{', '.join(differing)}; correct one of the two",
            )
        unit = new.unit
        first = self._units.setdefault((new.institution, unit.code, unit.version), new)
        differing = _differences(first.unit, unit)
        if first.credits != new.credits:
            differing.append("credits")
        if differing:
            raise _RowFault(
                "unit",
                f"unit {unit.code} version {unit.version} has another {', '.join(differing)} on "
                f"line {first.line}; make them agree or give it another version",
            )
        first = self._learners.setdefault((new.institution, new.learner.key), new)
        if first.learner.name != new.learner.name:
            raise _RowFault(
                "learner.name",
                f"learner {quoted(new.learner.key)} is {quoted(first.learner.name)} on line "
                f"{first.line} and {quoted(new.learner.name)} here; make them agree",
            )


class _RowFault(Exception):
    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def _bind(rule: Rule, positions: dict[str, int], institutions: Institutions) -> _Bound:
    parse = institutions.find if rule.name == "institution" else rule.parse
    # Most columns hold few different texts.
    return rule, rule.source.bind(positions), functools.lru_cache(maxsize=4096)(parse)


def _wanted(
    cells: Cells, only: list[tuple[int, Condition]], skip: list[tuple[int, Condition]]
) -> bool:
    return all(cells[place] in one.texts for place, one in only) and not any(
        cells[place] in one.texts for place, one in skip
    )


def _columns(rule: Rule) -> str:
    """The beginning of a message: the columns the value came from, if any."""
    names = ", ".join(f"'{column}'" for column in rule.source.columns)
    return f"column {names}: " if names else ""


def _result(line: int, values: dict[str, str]) -> Result:
    awarded = datetime.date.fromisoformat(values["awarded"])
    expires = datetime.date.fromisoformat(values["expires"]) if "expires" in values else None
    if expires is not None and expires <= awarded:
        raise _RowFault("expires", f"{expires} is not after the day of the award, {awarded}")
    title = values.get("unit.title_en") or values.get("unit.title_zh")
    if title is None:
        raise _RowFault("unit.title_en", "the unit has no title; fill in one of its titles")
    return Result(
        line=line,
        source_key=values["source_key"],
        learner=Learner(values["learner.key"], values["learner.name"]),
        institution=values["institution"],
        unit=UnitRef(
            code=values["unit.code"],
            version=int(values.get("unit.version", "1")),
            title_en=title,
            title_zh=values.get("unit.title_zh", title),
            field=values["unit.field"],
            level=values["unit.level"],
            hours=values["unit.hours"],
            framework=values["unit.framework"],
            scheme=values["unit.scheme"],
        ),
        credits=values["credits"],
        grade=values.get("grade"),
        awarded=awarded,
        expires=expires,
    )


def _differences(first: object, second: object, prefix: str = "") -> list[str]:
    """The names of the fields in which two values of one class differ, but for the line."""
    names: list[str] = []
    if not is_dataclass(first) or first == second:
        return names
    for field in fields(first):
        one, other = getattr(first, field.name), getattr(second, field.name)
        if field.name == "line" or one == other:
            continue
        inner = _differences(one, other, f"{prefix}{field.name}.")
        names += inner or [f"{prefix}{field.name}"]
    return names
