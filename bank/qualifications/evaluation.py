"""What lots come to under a requirement on a day: met or not, line by line, lot by lot.

The rules, in their order. A lot that is expired, too old, awarded later, or in a scheme that
cannot be compared does not count. Of lots that share an overlap group one counts at most; which
one is tried in all combinations (`bank.qualifications.overlaps`), and the first that meets every
condition is taken, or else the first that reaches most, the earlier conditions weighing more.
Caps bound the credits that count, never the lots. Then lots are dropped that nothing needs, first
those that expire last, so that a learner spends first what would lapse first.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from bank.qualifications import sentences
from bank.qualifications.admission import admitted
from bank.qualifications.amounts import written
from bank.qualifications.conditions import Candidate, Conditions, conditions_of, tight
from bank.qualifications.lines import fill, lines_of
from bank.qualifications.model import Evaluation, Holding, Line, Requirement, Unused, Used
from bank.qualifications.overlaps import combinations
from bank.qualifications.pool import counted, reached
from keys import Json


def evaluate(
    holdings: Iterable[Holding],
    requirement: Requirement,
    day: datetime.date,
    other_schemes: Mapping[str, Decimal],
) -> Evaluation:
    """The evaluation of `holdings` on `day`; their order never matters.

    `other_schemes` are the hours of learning that one credit of each scheme stands for, the
    requirement's own among them; credits of another scheme are converted by them and cut to 0.1.
    BadHolding or BadRequirement where the input cannot be evaluated at all.
    """
    conditions = conditions_of(requirement)
    candidates, left_out = admitted(holdings, requirement, day, other_schemes)
    chosen, most, complete = _best(candidates, conditions, requirement.framework)
    used = _needed(chosen, most, conditions)
    counts = counted(used, conditions)
    lines = lines_of(requirement, conditions, used, counts, day)
    left_out += _not_used(candidates, used, counts, conditions)
    return Evaluation(
        requirement.author,
        requirement.code,
        requirement.version,
        day,
        all(line.met for line in lines),
        lines,
        tuple(sorted((_used(one, counts) for one in used), key=lambda one: one.lot)),
        tuple(sorted(left_out, key=lambda one: one.lot)),
        complete,
    )


def _best(
    candidates: Sequence[Candidate], conditions: Conditions, framework: str
) -> tuple[Sequence[Candidate], tuple[Fraction, ...], bool]:
    """The combination that reaches most, what it reaches, and whether all were tried."""
    wanted = tuple(Fraction(goal.wanted) for goal in conditions.goals)
    found, complete = combinations(candidates, tight(candidates, conditions), framework)
    best, most = found[0], reached(found[0], conditions)
    for combination in found[1:]:
        if most == wanted:
            break
        reaches = reached(combination, conditions)
        if reaches > most:
            best, most = combination, reaches
    return best, most, complete


def _needed(
    chosen: Sequence[Candidate], most: tuple[Fraction, ...], conditions: Conditions
) -> list[Candidate]:
    """The lots without those that can go and leave as much reached, in the order to count them.

    They are tried for dropping from the last to expire to the first; of those that expire
    together the one of more credits goes first, then the later one, then the higher lot id. One
    pass is enough: a lot needed among many is needed among fewer.
    """
    kept = sorted(chosen, key=_worth_using)
    for one in reversed(tuple(kept)):
        without = [other for other in kept if other is not one]
        if reached(without, conditions) == most:
            kept = without
    return kept


def _worth_using(one: Candidate) -> tuple[bool, datetime.date, int, datetime.date, str]:
    holding = one.holding
    expires = holding.expires or datetime.date.max
    return holding.expires is None, expires, one.amount, holding.awarded, holding.lot


def _not_used(
    candidates: Sequence[Candidate],
    used: Sequence[Candidate],
    counts: Mapping[str, Fraction],
    conditions: Conditions,
) -> list[Unused]:
    """The lots that could count by themselves, yet are not used, and why."""
    full = sorted(
        key for key, amount in fill(used, counts).items() if amount == conditions.capacities[key[0]]
    )
    taken = {one.holding.lot for one in used}
    left_out = []
    for one in candidates:
        if one.holding.lot in taken:
            continue
        twins = [other for other in used if one.holding.overlap & other.holding.overlap]
        caps = [code for code, part in full if (code, part) in one.limits]
        if twins:
            reason, by = "duplicate", min(twin.holding.lot for twin in twins)
        elif caps:
            reason, by = "over-cap", caps[0]
        else:
            reason, by = "not-needed", ""
        words = sentences.unused(reason, {"by": by})
        left_out.append(Unused(one.holding.lot, reason, by, *words))
    return left_out


def _used(one: Candidate, counts: Mapping[str, Fraction]) -> Used:
    lot = one.holding.lot
    return Used(lot, written(one.amount), written(counts[lot]))


def evaluation_to_json(evaluation: Evaluation) -> dict[str, Json]:
    """The evaluation as plain JSON, the same for everyone who replays it, to be committed to.

    Without its sentences: they follow from the rest, and better wording must not change what a
    commitment was made to.
    """
    lines: list[Json] = [_line(line) for line in evaluation.lines]
    used: list[Json] = [
        {"lot": one.lot, "credits": one.credits, "counted": one.counted} for one in evaluation.used
    ]
    unused: list[Json] = [_unused(one) for one in evaluation.unused]
    return {
        "requirement": {
            "author": evaluation.author,
            "code": evaluation.code,
            "version": evaluation.version,
        },
        "day": evaluation.day.isoformat(),
        "met": evaluation.met,
        "complete": evaluation.complete,
        "lines": lines,
        "used": used,
        "unused": unused,
    }


def _line(line: Line) -> dict[str, Json]:
    return {"code": line.code, "met": line.met, "wanted": line.wanted, "got": line.got}


def _unused(one: Unused) -> dict[str, Json]:
    shown: dict[str, Json] = {"lot": one.lot, "reason": one.reason}
    return {**shown, "by": one.by} if one.by else shown
