"""What is published on a log: frameworks, schemes, units, rules and qualifications.

A version never changes; rules and qualifications can be withdrawn, and what was reserved
before is still judged by them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from keys import Json
from ledger.checked import as_names, as_texts
from ledger.errors import Refused
from ledger.frameworks import Framework, Scheme, framework_of, scheme_of
from ledger.rules import (
    NOTHING_SHOWN,
    Pattern,
    Rule,
    Shown,
    SourceFacts,
    add_months,
    derived_credits,
    derived_expiry,
    judge,
    qualifies,
    rule_of,
)
from ledger.standing import Facts

KINDS = frozenset(
    (
        "framework.publish",
        "policy.publish",
        "qualification.publish",
        "qualification.withdraw",
        "rule.publish",
        "rule.withdraw",
        "scheme.publish",
        "unit.publish",
    )
)

ALONE = 1000
"""Awards an institution hands in a day on one person's signature, before a policy says it."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A published certification unit; a version never changes."""

    author: str
    code: str
    version: int
    credits: Decimal
    field: str
    framework: str
    hours: str
    level: int
    scheme: str
    titles: Mapping[str, str]
    overlap: tuple[str, ...] = ()
    """Groups of units that teach the same: of each, one counts in a qualification."""


@dataclass(frozen=True, slots=True)
class Qualification:
    """A published version of a qualification; `body` holds its rules of combination."""

    author: str
    name: str
    level: int
    body: Mapping[str, Json]
    published: str
    withdrawn: str = ""

    def in_force(self, time: str) -> bool:
        """Whether it may be conferred to who applied at `time`."""
        return (
            self.published <= time
            and not (self.withdrawn and self.withdrawn <= time)
            and str(self.body["from"]) <= time[:10] <= str(self.body["until"])
        )


@dataclass(frozen=True, slots=True)
class Gain:
    """What a rule makes of a lot: credits in the target unit, and their last day or ""."""

    credits: Decimal
    expires: str


class Catalogue:
    """Everything published, after some number of entries."""

    def __init__(self) -> None:
        self.frameworks: dict[str, Framework] = {}
        self.schemes: dict[str, Scheme] = {}
        self.units: dict[tuple[str, str], Unit] = {}
        self.rules: dict[tuple[str, str], Rule] = {}
        self.qualifications: dict[tuple[str, str], Qualification] = {}
        self.ceiling = 0
        """Months that credits of this bank are valid at most; 0 without a limit."""
        self.alone = ALONE
        """Awards that an institution hands in a day on one person's signature, at most."""

    def copy(self) -> "Catalogue":
        """The same, which later entries do not change."""
        other = Catalogue()
        other.frameworks, other.schemes = dict(self.frameworks), dict(self.schemes)
        other.units, other.rules = dict(self.units), dict(self.rules)
        other.qualifications = dict(self.qualifications)
        other.ceiling, other.alone = self.ceiling, self.alone
        return other

    def check(self, kind: str, author: str, body: Mapping[str, Json]) -> None:
        """Refused unless the statement may be published now."""
        match kind:
            case "framework.publish":
                self._check_framework(body)
            case "policy.publish":
                if not body:
                    raise Refused("a policy says validity, alone, or both; this one says nothing")
            case "scheme.publish":
                scheme = self.schemes.get(str(body["scheme"]))
                _check_newer(f"scheme {body['scheme']}", body, scheme.version if scheme else 0)
            case "unit.publish":
                self._check_unit(author, body)
            case "rule.publish":
                self._check_rule(author, body)
            case "qualification.publish":
                self._check_qualification(author, body)
            case "rule.withdraw" | "qualification.withdraw":
                self._check_withdrawal(kind.partition(".")[0], author, body)
            case _:
                pass

    def apply(self, kind: str, author: str, body: Mapping[str, Json], time: str) -> None:
        """Take a statement, checked before, into the state."""
        match kind:
            case "framework.publish":
                framework = framework_of(body)
                self.frameworks[framework.name] = framework
            case "scheme.publish":
                scheme = scheme_of(body)
                self.schemes[scheme.name] = scheme
            case "policy.publish":
                self.ceiling = int(str(body.get("validity", self.ceiling)))
                self.alone = int(str(body.get("alone", self.alone)))
            case "unit.publish":
                unit = _unit(author, body)
                self.units[author, f"{unit.code}@{unit.version}"] = unit
            case "rule.publish":
                self.rules[author, _name(body)] = rule_of(author, body, time)
            case "rule.withdraw":
                rule = self.rules[author, _name(body)]
                self.rules[author, rule.name] = replace(rule, withdrawn=time)
            case "qualification.publish":
                made = Qualification(author, _name(body), int(str(body["level"])), body, time)
                self.qualifications[author, made.name] = made
            case "qualification.withdraw":
                known = self.qualifications[author, _name(body)]
                self.qualifications[author, known.name] = replace(known, withdrawn=time)
            case _:
                pass

    def levels(self, framework: str, level: int) -> dict[str, int]:
        """A level in each framework that it comes to by a published crosswalk, its own included."""
        known = self.frameworks.get(framework)
        found = {framework: level}
        for other, pairs in known.crosswalks.items() if known else ():
            if level in pairs:
                found[other] = pairs[level]
        return found

    def source(self, facts: Facts, shown: Shown = NOTHING_SHOWN) -> SourceFacts:
        """What a rule asks of a lot. Of a unit not published here only the facts are known."""
        unit = self.units.get((facts.institution, facts.unit))
        scheme = self.schemes.get(facts.scheme)
        return SourceFacts(
            facts.institution,
            facts.unit,
            unit.field if unit else "",
            facts.scheme,
            Decimal(facts.credits),
            self.levels(unit.framework, unit.level) if unit else {},
            facts.awarded,
            facts.expires,
            facts.depth,
            scheme.hours if scheme else Decimal(0),
            shown,
        )

    def check_conversion(
        self, author: str, body: Mapping[str, Json], time: str, derived: Mapping[str, Json]
    ) -> Unit:
        """The unit a lot is converted to; Refused, with the line, where the rule forbids it."""
        rule = self.rules.get((author, str(body["rule"])))
        if rule is None:
            raise Refused(f"{author} has not published the rule {body['rule']}")
        number = int(str(body["source"]))
        if number >= len(rule.sources):
            raise Refused(f"the rule {rule.name} has {len(rule.sources)} sources, not {number + 1}")
        pattern, source = rule.sources[number], self.source(Facts.from_json(body["facts"]))
        lines = judge(rule, pattern, source, str(body.get("as_of", time)))
        if not qualifies(lines):
            failed = [line.sentence for line in lines if line.passed is False]
            raise Refused(f"the rule {rule.name} does not take this lot: {'; '.join(failed)}")
        unit = self.units[author, rule.target]
        if derived["unit"] != rule.target:
            raise Refused(f"the rule {rule.name} gives {rule.target}, not {derived['unit']}")
        gain = self.gain(rule, pattern, source, time[:10])
        if gain is None:
            raise Refused(f"no scheme {source.scheme!r} is published here to convert from")
        if Decimal(str(derived["credits"])) != gain.credits:
            raise Refused(
                f"by the rule {rule.name} the lot comes to {gain.credits} credits, not "
                f"{derived['credits']}"
            )
        limit = gain.expires
        if limit and not (derived.get("expires") and str(derived["expires"]) <= limit):
            raise Refused(f"a conversion never extends validity: this lot ends on {limit}")
        return unit

    def gain(self, rule: Rule, pattern: Pattern, source: SourceFacts, day: str) -> Gain | None:
        """What a source that qualifies comes to on `day`; None if its scheme is unknown here."""
        unit = self.units[rule.author, rule.target]
        hours = self.schemes[unit.scheme].hours
        if not source.hours:
            if source.scheme != unit.scheme:
                return None
            source = replace(source, hours=hours)
        credits = derived_credits(rule, pattern, source, unit.credits, hours)
        ends = [derived_expiry(rule, source, day)]
        if self.ceiling:
            ends.append(add_months(day, self.ceiling))
        return Gain(credits, min((end for end in ends if end), default=""))

    def _check_framework(self, body: Mapping[str, Json]) -> None:
        framework = framework_of(body)
        known = self.frameworks.get(framework.name)
        _check_newer(f"framework {framework.name}", body, known.version if known else 0)
        if not framework.levels:
            raise Refused(f"the framework {framework.name} has no levels")
        for other, pairs in framework.crosswalks.items():
            if not pairs.keys() <= framework.levels.keys():
                raise Refused(f"the crosswalk to {other} speaks of levels that there are not")

    def _check_place(self, framework: str, level: int, scheme: str) -> None:
        known = self.frameworks.get(framework)
        if known is None:
            raise Refused(f"no framework {framework!r} is published in this bank")
        if level not in known.levels:
            raise Refused(f"the framework {framework} has no level {level}")
        if scheme not in self.schemes:
            raise Refused(f"no credit scheme {scheme!r} is published in this bank")

    def _check_unit(self, author: str, body: Mapping[str, Json]) -> None:
        name = f"{body['unit']}@{body['version']}"
        if (author, name) in self.units:
            raise Refused(f"{author} has published unit {name} already; a version never changes")
        self._check_place(str(body["framework"]), int(str(body["level"])), str(body["scheme"]))

    def _check_rule(self, author: str, body: Mapping[str, Json]) -> None:
        rule = rule_of(author, body, "")
        if (author, rule.name) in self.rules:
            raise Refused(
                f"{author} has published rule {rule.name} already; a version never changes"
            )
        if (author, rule.target) not in self.units:
            raise Refused(f"{author} has not published the unit {rule.target} that the rule gives")
        if not rule.sources or rule.start > rule.until:
            raise Refused(f"the rule {rule.name} has no sources, or ends before it begins")
        for pattern in rule.sources:
            given = (pattern.credits is not None, pattern.ratio is not None, pattern.exemption)
            if sum(given) != 1:
                raise Refused(
                    f"each source of the rule {rule.name} gives credits, a ratio or an exemption"
                )
            if pattern.level and not pattern.framework:
                raise Refused(f"the rule {rule.name} asks a level without naming its framework")
        if rule.partner == author:
            raise Refused("the partner of a joint rule is another institution")

    def _check_qualification(self, author: str, body: Mapping[str, Json]) -> None:
        name = _name(body)
        if (author, name) in self.qualifications:
            raise Refused(f"{author} has published {name} already; a version never changes")
        self._check_place(str(body["framework"]), int(str(body["level"])), str(body["scheme"]))
        if str(body["from"]) > str(body["until"]):
            raise Refused(f"the qualification {name} ends before it begins")

    def _check_withdrawal(self, what: str, author: str, body: Mapping[str, Json]) -> None:
        published: Mapping[tuple[str, str], Rule | Qualification] = (
            self.rules if what == "rule" else self.qualifications
        )
        known = published.get((author, _name(body)))
        if known is None:
            raise Refused(f"{author} has not published the {what} {_name(body)}")
        if known.withdrawn:
            raise Refused(f"the {what} {_name(body)} was withdrawn on {known.withdrawn[:10]}")


def _check_newer(what: str, body: Mapping[str, Json], known: int) -> None:
    if body["version"] != known + 1:
        raise Refused(f"the next version of {what} is {known + 1}, not {body['version']}")


def _name(body: Mapping[str, Json]) -> str:
    return f"{body['code']}@{body['version']}"


def _unit(author: str, body: Mapping[str, Json]) -> Unit:
    return Unit(
        author,
        str(body["unit"]),
        int(str(body["version"])),
        Decimal(str(body["credits"])),
        str(body["field"]),
        str(body["framework"]),
        str(body["hours"]),
        int(str(body["level"])),
        str(body["scheme"]),
        as_names(body["title"]),
        as_texts(body.get("overlap")),
    )
