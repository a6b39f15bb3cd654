"""One line for each condition of a requirement: what was wanted, what came, and a sentence."""

import datetime
from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import floor

from bank.qualifications import sentences
from bank.qualifications.amounts import written
from bank.qualifications.conditions import Candidate, Conditions, Goal, LimitKey
from bank.qualifications.model import Line, Requirement


def lines_of(
    requirement: Requirement,
    conditions: Conditions,
    used: Sequence[Candidate],
    counts: Mapping[str, Fraction],
    day: datetime.date,
) -> tuple[Line, ...]:
    """The requirement's days, its goals in their order, then its caps."""
    goals = [_goal_line(requirement, goal, used, counts) for goal in conditions.goals]
    full = fill(used, counts)
    caps = [
        _cap_line(requirement, code, capacity, full)
        for code, capacity in conditions.capacities.items()
    ]
    return (_in_force(requirement, day), *goals, *caps)


def fill(used: Sequence[Candidate], counts: Mapping[str, Fraction]) -> dict[LimitKey, Fraction]:
    """What counts under each cap, for each of its periods or institutions."""
    full: dict[LimitKey, Fraction] = {}
    for one in used:
        for key in one.limits:
            full[key] = full.get(key, Fraction(0)) + counts[one.holding.lot]
    return full


def _in_force(requirement: Requirement, day: datetime.date) -> Line:
    met = requirement.start <= day <= requirement.until
    start, until = requirement.start.isoformat(), requirement.until.isoformat()
    words = sentences.in_force(start, until, day.isoformat(), met)
    return Line("in-force", met, f"{start}/{until}", day.isoformat(), *words)


def _goal_line(
    requirement: Requirement,
    goal: Goal,
    used: Sequence[Candidate],
    counts: Mapping[str, Fraction],
) -> Line:
    serving = [one for one in used if goal.code in one.goals]
    if not goal.of_credits:
        institution, unit = requirement.units[_number(goal.code)]
        words = sentences.unit(institution, unit, bool(serving))
        return Line(goal.code, bool(serving), "1", str(int(bool(serving))), *words)
    got = sum((counts[one.holding.lot] for one in serving), Fraction(0))
    missing = "" if got >= goal.wanted else written(goal.wanted - floor(got))
    wanted, shown = written(goal.wanted), written(got)
    words = sentences.of_credits(_subject(requirement, goal.code), wanted, shown, missing)
    return Line(goal.code, not missing, wanted, shown, *words)


def _subject(requirement: Requirement, code: str) -> sentences.Sentences:
    if code == "total":
        return sentences.TOTAL
    if code == "residency":
        return sentences.RESIDENCY
    return sentences.minimum(requirement.minima[_number(code)], requirement.framework)


def _cap_line(
    requirement: Requirement, code: str, capacity: int, full: Mapping[LimitKey, Fraction]
) -> Line:
    most = max((amount for key, amount in full.items() if key[0] == code), default=Fraction(0))
    limit, got = written(capacity), written(most)
    if code == "institution-cap":
        words = sentences.institution_cap(limit, got)
    elif code.startswith("period-cap-"):
        words = sentences.period_cap(requirement.period_caps[_number(code)].months, limit, got)
    else:
        words = sentences.cap(requirement.caps[_number(code)].source, limit, got)
    return Line(code, True, limit, got, *words)


def _number(code: str) -> int:
    """The place of a numbered condition in its requirement; codes count from 1."""
    return int(code.rpartition("-")[2]) - 1
