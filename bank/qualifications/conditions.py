"""A requirement taken apart: what is to be reached, what bounds it, which lots matter to each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bank.qualifications.amounts import SCALE, scaled
from bank.qualifications.errors import BadRequirement
from bank.qualifications.model import Holding, Minimum, Requirement, Source

LimitKey = tuple[str, str]
"""The code of a cap, and which year, half-year or institution; the latter empty if all are one."""


@dataclass(frozen=True, slots=True)
class Goal:
    """Something to reach, in ten-thousandths of a credit; a unit that must be there is one too."""

    code: str
    wanted: int
    of_credits: bool = True


@dataclass(frozen=True, slots=True)
class Candidate:
    """A lot that may count: its amount in the requirement's scheme, and what it matters to."""

    holding: Holding
    amount: int
    goals: frozenset[str]
    limits: frozenset[LimitKey]


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the lots are held to. The goals stand in order: each is judged with those before it."""

    goals: tuple[Goal, ...]
    capacities: Mapping[str, int]
    """By the code of a cap."""


def conditions_of(requirement: Requirement) -> Conditions:
    """The goals and caps of a requirement; BadRequirement where credits are not an amount."""
    goals = [_goal("total", requirement.total)]
    if requirement.residency is not None:
        goals.append(_goal("residency", requirement.residency))
    goals += [
        _goal(f"minimum-{number}", minimum.credits)
        for number, minimum in enumerate(requirement.minima, 1)
    ]
    goals += [
        Goal(f"unit-{number}", SCALE, of_credits=False)
        for number, _ in enumerate(requirement.units, 1)
    ]
    capacities = {
        f"cap-{number}": _amount(f"cap-{number}", cap.credits)
        for number, cap in enumerate(requirement.caps, 1)
    }
    for number, period_cap in enumerate(requirement.period_caps, 1):
        code = f"period-cap-{number}"
        capacities[code] = _amount(code, period_cap.credits)
    if requirement.institution_cap is not None:
        code = "institution-cap"
        capacities[code] = _amount(code, requirement.institution_cap.credits)
    return Conditions(tuple(goals), capacities)


def _goal(code: str, credits: Decimal) -> Goal:
    return Goal(code, _amount(code, credits))


def _amount(code: str, credits: Decimal) -> int:
    amount = scaled(credits)
    if amount is None:
        raise BadRequirement(
            f"the credits of {code} are {credits}; they must be above 0 with at most four decimals"
        )
    return amount


def candidate(holding: Holding, amount: int, requirement: Requirement) -> Candidate:
    """The lot, with the goals and caps that it matters to."""
    return Candidate(holding, amount, goals_of(holding, requirement), _limits(holding, requirement))


def goals_of(holding: Holding, requirement: Requirement) -> frozenset[str]:
    """The codes of the goals that a lot matters to."""
    goals = {"total"}
    if requirement.residency is not None and _own_award(holding, requirement):
        goals.add("residency")
    for number, minimum in enumerate(requirement.minima, 1):
        if _within(holding, minimum, requirement.framework):
            goals.add(f"minimum-{number}")
    for number, unit in enumerate(requirement.units, 1):
        if unit == (holding.institution, holding.unit):
            goals.add(f"unit-{number}")
    return frozenset(goals)


def _own_award(holding: Holding, requirement: Requirement) -> bool:
    return holding.source is Source.AWARD and holding.institution == requirement.author


def _within(holding: Holding, minimum: Minimum, framework: str) -> bool:
    if minimum.fields is not None and holding.field not in minimum.fields:
        return False
    if minimum.level_from is None:
        return True
    return holding.framework == framework and holding.level >= minimum.level_from


def _limits(holding: Holding, requirement: Requirement) -> frozenset[LimitKey]:
    limits = {
        (f"cap-{number}", "")
        for number, cap in enumerate(requirement.caps, 1)
        if holding.source in cap.source
    }
    month = holding.awarded.year * 12 + holding.awarded.month - 1
    for number, period_cap in enumerate(requirement.period_caps, 1):
        limits.add((f"period-cap-{number}", str(month // period_cap.months)))
    if requirement.institution_cap is not None and holding.institution != requirement.author:
        limits.add(("institution-cap", holding.institution))
    return frozenset(limits)


def tight(candidates: Sequence[Candidate], conditions: Conditions) -> dict[LimitKey, int]:
    """The capacities that the candidates together go beyond; no other can bind."""
    sums: dict[LimitKey, int] = {}
    for one in candidates:
        for key in one.limits:
            sums[key] = sums.get(key, 0) + one.amount
    return {
        key: conditions.capacities[key[0]]
        for key, amount in sums.items()
        if amount > conditions.capacities[key[0]]
    }
