"""Recognition rules: what an institution takes for what, decided line by line.

A rule binds only the institution that signed it. Its lines need nothing but the rule and the
facts of a lot, so the log itself is held to them; a grade is known to the learner and the two
institutions alone, and its line is checked where it is known.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, InvalidOperation

from keys import Json
from ledger.checked import as_names, as_object, as_objects, as_texts
from ledger.clock import parse_date

_ROUNDING = {"down": ROUND_DOWN, "half-even": ROUND_HALF_EVEN, "half-up": ROUND_HALF_UP}


@dataclass(frozen=True, slots=True)
class Pattern:
    """One source that a rule asks for, and what it gives. What is empty is not asked."""

    institutions: tuple[str, ...]
    units: tuple[tuple[str, str], ...]
    fields: tuple[str, ...]
    scheme: str
    framework: str
    level: int
    least: Decimal
    grade: Decimal | None
    grades: tuple[str, ...]
    age: int
    """In months, at most."""
    credits: Decimal | None
    ratio: Decimal | None
    exemption: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """A published version of a recognition rule; it never changes, it can be withdrawn."""

    author: str
    code: str
    version: int
    titles: Mapping[str, str]
    sources: tuple[Pattern, ...]
    target: str
    mode: str
    step: Decimal
    cap: Decimal | None
    """Credits one learner may gain by the rule, at most."""
    depth: int
    validity: int
    """Months a derived lot is valid, at most; 0 without such a limit."""
    start: str
    until: str
    partner: str
    published: str
    """The time of its entry."""
    withdrawn: str = ""

    @property
    def name(self) -> str:
        """`code@version`."""
        return f"{self.code}@{self.version}"

    def in_force(self, time: str) -> bool:
        """Whether it may be applied at `time`."""
        return (
            self.published <= time
            and not (self.withdrawn and self.withdrawn <= time)
            and self.start <= time[:10] <= self.until
        )


@dataclass(frozen=True, slots=True)
class Shown:
    """What a lot's credential says and the ledger does not; empty where it is not known.

    The day of its award may lie long before its entry: results are imported late.
    """

    grade: str = ""
    awarded: str = ""


NOTHING_SHOWN = Shown()


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What a rule asks of a lot. `hours` are what one of its credits stands for."""

    institution: str
    unit: str
    field: str
    scheme: str
    credits: Decimal
    levels: Mapping[str, int]
    """Its level in each framework that its own one is matched with."""
    awarded: str
    expires: str
    depth: int
    hours: Decimal
    shown: Shown = NOTHING_SHOWN


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a decision: `passed` is None where it could not be checked here."""

    code: str
    passed: bool | None
    values: Mapping[str, str]

    @property
    def sentence(self) -> str:
        """In English."""
        return _SENTENCES[self.code][self.passed is False].format_map(self.values)


_SENTENCES: Mapping[str, tuple[str, str]] = {
    "rule.in-force": (
        "the rule {rule} is in force on {day}",
        "the rule {rule} is not in force on {day}",
    ),
    "source.institution": (
        "{institution} is one of the institutions that the rule names",
        "{institution} is not one of the institutions that the rule names",
    ),
    "source.unit": ("the rule names the unit {unit}", "the rule does not name the unit {unit}"),
    "source.field": (
        "the field {field} is one the rule takes",
        "the field {field} is not one the rule takes: {wanted}",
    ),
    "source.scheme": (
        "the credits are in the scheme {wanted}",
        "the credits are in the scheme {scheme}, the rule takes {wanted}",
    ),
    "source.level": (
        "level {level} of {framework} is at least the {wanted} that the rule asks",
        "level {level} of {framework} is below the {wanted} that the rule asks",
    ),
    "source.credits": (
        "{credits} credits are at least the {wanted} that the rule asks",
        "{credits} credits are fewer than the {wanted} that the rule asks",
    ),
    "source.age": (
        "awarded on {awarded}, at most {wanted} months before {day}",
        "awarded on {awarded}, more than {wanted} months before {day}",
    ),
    "source.grade": (
        "the grade {grade} satisfies the rule ({wanted})",
        "the grade {grade} does not satisfy the rule ({wanted})",
    ),
    "source.expiry": (
        "the lot is valid on {day}",
        "the lot expired on {expires}",
    ),
    "rule.cap": (
        "with {gained} gained by the rule before, {credits} credits are within its cap of {wanted}",
        "with {gained} gained by the rule before, {credits} credits exceed its cap of {wanted}",
    ),
    "rule.grant": (
        "{institution} may award in {field} at level {level} on {day}",
        "{institution} holds no grant in force for {field} at level {level} on {day}",
    ),
    "rule.gives": (
        "it comes to {credits} credits of {unit} in {scheme}, of level {level}",
        "it comes to nothing in {unit}",
    ),
    "rule.exempts": ("it exempts from {unit}, without credits", ""),
    "source.depth": (
        "conversions before this one: {depth}; the rule allows {wanted}",
        "conversions before this one: {depth}; the rule allows {wanted}",
    ),
}


def judge(rule: Rule, pattern: Pattern, source: SourceFacts, time: str) -> tuple[Line, ...]:
    """Every line of the rule on one source at `time`, those met and those not.

    The lot qualifies if no line failed; a grade that is not known is told as unchecked.
    """
    day = time[:10]
    lines = [
        Line("rule.in-force", rule.in_force(time), {"rule": rule.name, "day": day}),
        Line(
            "source.expiry",
            not source.expires or source.expires >= day,
            {"day": day, "expires": source.expires},
        ),
        Line(
            "source.depth",
            source.depth < rule.depth,
            {"depth": str(source.depth), "wanted": str(rule.depth - 1)},
        ),
    ]
    lines += _who_and_what(rule, pattern, source)
    lines += _how_much(pattern, source, day)
    grade = _grade(pattern, source.shown.grade)
    return (*lines, *grade)


def qualifies(lines: tuple[Line, ...]) -> bool:
    """Whether no line failed."""
    return all(line.passed is not False for line in lines)


def _who_and_what(rule: Rule, pattern: Pattern, source: SourceFacts) -> list[Line]:
    lines = []
    allowed = (rule.partner,) if rule.partner else pattern.institutions
    if allowed:
        values = {"institution": source.institution}
        lines.append(Line("source.institution", source.institution in allowed, values))
    if pattern.units:
        named = (source.institution, source.unit) in pattern.units
        lines.append(Line("source.unit", named, {"unit": source.unit}))
    if pattern.fields:
        values = {"field": source.field, "wanted": ", ".join(pattern.fields)}
        lines.append(Line("source.field", source.field in pattern.fields, values))
    if pattern.scheme:
        values = {"scheme": source.scheme, "wanted": pattern.scheme}
        lines.append(Line("source.scheme", source.scheme == pattern.scheme, values))
    return lines


def _how_much(pattern: Pattern, source: SourceFacts, day: str) -> list[Line]:
    lines = []
    if pattern.level:
        level = source.levels.get(pattern.framework, 0)
        values = {
            "level": str(level or "unknown"),
            "framework": pattern.framework,
            "wanted": str(pattern.level),
        }
        lines.append(Line("source.level", level >= pattern.level, values))
    if pattern.least:
        values = {"credits": str(source.credits), "wanted": str(pattern.least)}
        lines.append(Line("source.credits", source.credits >= pattern.least, values))
    if pattern.age:
        # By its entry at the latest, whatever the credential says: that day nobody could choose.
        awarded = min(source.awarded, source.shown.awarded or source.awarded)
        young = day <= add_months(awarded, pattern.age)
        values = {"awarded": awarded, "wanted": str(pattern.age), "day": day}
        lines.append(Line("source.age", young, values))
    return lines


def _grade(pattern: Pattern, grade: str) -> list[Line]:
    if pattern.grade is None and not pattern.grades:
        return []
    wanted = [*pattern.grades, *([f"{pattern.grade} or more"] if pattern.grade is not None else [])]
    values = {"grade": grade or "unknown", "wanted": ", ".join(wanted)}
    if not grade:
        return [Line("source.grade", None, values)]
    enough = pattern.grade is not None and (_mark(grade) or Decimal(-1)) >= pattern.grade
    return [Line("source.grade", enough or grade in pattern.grades, values)]


def _mark(grade: str) -> Decimal | None:
    try:
        value = Decimal(grade.removesuffix("%"))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def derived_credits(
    rule: Rule, pattern: Pattern, source: SourceFacts, unit_credits: Decimal, hours: Decimal
) -> Decimal:
    """What the source comes to in the target unit, whose credit stands for `hours`; 0 if nothing.

    Rounded as the rule says, and never more than the unit gives or the learning was worth.
    """
    if pattern.exemption:
        return Decimal(0)
    given = pattern.credits
    if given is None:
        given = source.credits * (pattern.ratio if pattern.ratio is not None else Decimal(1))
    worth = source.credits * source.hours / hours
    return _rounded(min(given, worth, unit_credits), rule.step, rule.mode, (worth, unit_credits))


def _rounded(value: Decimal, step: Decimal, mode: str, limits: tuple[Decimal, ...]) -> Decimal:
    steps = (value / step).to_integral_value(_ROUNDING[mode])
    while steps and any(steps * step > limit for limit in limits):
        steps -= 1
    return (steps * step).normalize()


def derived_expiry(rule: Rule, source: SourceFacts, day: str) -> str:
    """The last day of a lot derived on `day`: the earliest of the source's and the rule's."""
    ends = [source.expires] if source.expires else []
    if rule.validity:
        ends.append(add_months(day, rule.validity))
    return min(ends, default="")


def add_months(day: str, months: int) -> str:
    """The day so many months later; the last of its month where there is no such day."""
    start = parse_date(day)
    count = start.year * 12 + start.month - 1 + months
    year, month = divmod(count, 12)
    if year > date.max.year:
        return date.max.isoformat()
    for last in (start.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(start.day, last)).isoformat()
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def rule_of(author: str, body: Mapping[str, Json], time: str) -> Rule:
    """The rule that a `rule.publish` body, whose shape was checked, states at `time`."""
    rounding = as_object(body["rounding"])
    cap = body.get("cap")
    return Rule(
        author,
        str(body["code"]),
        int(str(body["version"])),
        as_names(body["title"]),
        tuple(map(_pattern, as_objects(body["sources"]))),
        str(body["target"]),
        str(rounding["mode"]),
        Decimal(str(rounding["step"])),
        None if cap is None else Decimal(str(cap)),
        int(str(body.get("depth", 1))),
        int(str(body.get("validity", 0))),
        str(body["from"]),
        str(body["until"]),
        str(body.get("partner", "")),
        time,
    )


def _pattern(item: Mapping[str, Json]) -> Pattern:
    pairs = as_objects(item.get("units"))
    return Pattern(
        as_texts(item.get("institutions")),
        tuple((str(pair["institution"]), str(pair["unit"])) for pair in pairs),
        as_texts(item.get("fields")),
        str(item.get("scheme", "")),
        str(item.get("framework", "")),
        int(str(item.get("level", 0))),
        _decimal(item.get("least")) or Decimal(0),
        _decimal(item.get("grade")),
        as_texts(item.get("grades")),
        int(str(item.get("age", 0))),
        _decimal(item.get("credits")),
        _decimal(item.get("ratio")),
        item.get("exemption") is True,
    )


def _decimal(value: Json) -> Decimal | None:
    return None if value is None else Decimal(str(value))
