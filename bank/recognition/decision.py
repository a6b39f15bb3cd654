"""Decisions: which rules take a lot, and why or why not."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, replace
from decimal import Decimal

from keys import Json
from ledger.authority import Grant, Registry
from ledger.rules import (
    NOTHING_SHOWN,
    Line,
    Pattern,
    Rule,
    Shown,
    SourceFacts,
    judge,
    qualifies,
)
from ledger.standing import Facts

_Key = tuple[str, str, str]
_NOTHING: Mapping[tuple[str, str], Decimal] = {}


@dataclass(frozen=True, slots=True)
class Decision:
    """What one source of a rule says to a lot, line by line."""

    rule: Rule
    source: int
    """Which of the rule's sources, from 0."""
    lines: tuple[Line, ...]
    credits: Decimal
    """What the lot comes to in the rule's target unit; 0 for an exemption or a refusal."""
    expires: str
    exemption: bool

    @property
    def recognised(self) -> bool:
        """Whether no line failed."""
        return qualifies(self.lines)

    def to_json(self) -> dict[str, Json]:
        """All of it, for people and programs."""
        lines: list[Json] = [
            {"code": line.code, "passed": line.passed, "sentence": line.sentence}
            for line in self.lines
        ]
        return {
            "credits": format(self.credits, "f"),
            "exemption": self.exemption,
            "expires": self.expires,
            "institution": self.rule.author,
            "lines": lines,
            "recognised": self.recognised,
            "rule": self.rule.name,
            "source": self.source,
            "target": self.rule.target,
        }

    @property
    def unchecked(self) -> tuple[Line, ...]:
        """The lines that could not be checked here: grades, without the credential."""
        return tuple(line for line in self.lines if line.passed is None)

    @property
    def failed(self) -> tuple[Line, ...]:
        """The lines that are not met."""
        return tuple(line for line in self.lines if line.passed is False)


class Recogniser:
    """All rules on a log, ready to be asked about many lots.

    Each source of a rule stands under the most telling thing that it asks, so that a lot meets
    only rules that might take it, whatever the number of rules.
    """

    def __init__(self, registry: Registry, rules: Iterable[Rule] | None = None) -> None:
        """Over the rules given, else over all that `registry` knows."""
        self._registry = registry
        self._catalogue = registry.catalogue
        self._sources: defaultdict[_Key, list[tuple[Rule, int]]] = defaultdict(list)
        for rule in self._catalogue.rules.values() if rules is None else rules:
            for number, pattern in enumerate(rule.sources):
                for key in _keys(rule, pattern):
                    self._sources[key].append((rule, number))

    def under(self, registry: Registry) -> "Recogniser":
        """The same rules under a later registry, whose grants are asked from now on."""
        other = copy(self)
        other._registry, other._catalogue = registry, registry.catalogue
        return other

    def recognise(
        self,
        facts: Facts,
        time: str,
        shown: Shown = NOTHING_SHOWN,
        gained: Mapping[tuple[str, str], Decimal] = _NOTHING,
    ) -> list[Decision]:
        """Every rule that takes a lot at `time`, the most credits first.

        `shown` is what its credential says, where that is at hand; `gained` what its owner has had
        of each (institution, rule `code@version`) before.
        """
        source = self._catalogue.source(facts, shown)
        found = [
            decision
            for rule, number in self._candidates(source)
            if (decision := self._decide(rule, number, source, time, gained)).recognised
        ]
        return sorted(found, key=lambda d: (-d.credits, d.rule.author, d.rule.name, d.source))

    def explain(
        self,
        rule: Rule,
        facts: Facts,
        time: str,
        shown: Shown = NOTHING_SHOWN,
        gained: Mapping[tuple[str, str], Decimal] = _NOTHING,
    ) -> list[Decision]:
        """What each source of one rule says to a lot, those refused included."""
        source = self._catalogue.source(facts, shown)
        numbers = range(len(rule.sources))
        return [self._decide(rule, number, source, time, gained) for number in numbers]

    def _candidates(self, source: SourceFacts) -> Iterable[tuple[Rule, int]]:
        fields, institutions = {source.field, ""}, {source.institution, ""}
        keys = [(who, field, "") for who in institutions for field in fields]
        for key in [(source.institution, "", source.unit), *keys]:
            yield from self._sources.get(key, ())

    def _decide(
        self,
        rule: Rule,
        number: int,
        source: SourceFacts,
        time: str,
        gained: Mapping[tuple[str, str], Decimal],
    ) -> Decision:
        pattern = rule.sources[number]
        lines = judge(rule, pattern, source, time)
        if not qualifies(lines):
            return Decision(rule, number, lines, Decimal(0), "", pattern.exemption)
        unit = self._catalogue.units[rule.author, rule.target]
        if pattern.exemption:
            lines = (*lines, Line("rule.exempts", True, {"unit": rule.target}))
            return Decision(rule, number, lines, Decimal(0), "", exemption=True)
        gain = self._catalogue.gain(rule, pattern, source, time[:10])
        credits = Decimal(0) if gain is None else gain.credits
        values = {
            "credits": format(credits, "f"),
            "unit": rule.target,
            "scheme": unit.scheme,
            "level": str(unit.level),
            "field": unit.field,
            "institution": rule.author,
            "day": time[:10],
        }
        grants = self._grants(rule.author)
        granted = any(grant.covers(unit.field, unit.level, time[:10]) for grant in grants)
        more = [Line("rule.grant", granted, values), Line("rule.gives", credits > 0, values)]
        if rule.cap is not None:
            before = gained.get((rule.author, rule.name), Decimal(0))
            wanted = {**values, "gained": format(before, "f"), "wanted": format(rule.cap, "f")}
            more.append(Line("rule.cap", before + credits <= rule.cap, wanted))
        made = Decision(rule, number, (*lines, *more), credits, gain.expires if gain else "", False)
        return made if made.recognised else replace(made, credits=Decimal(0), expires="")

    def _grants(self, institution: str) -> tuple[Grant, ...]:
        member = self._registry.members.get(institution)
        return member.grants if member is not None and member.active else ()


def _keys(rule: Rule, pattern: Pattern) -> list[_Key]:
    if pattern.units:
        return [(institution, "", unit) for institution, unit in pattern.units]
    institutions = (rule.partner,) if rule.partner else pattern.institutions or ("",)
    return [(who, field, "") for who in institutions for field in pattern.fields or ("",)]
