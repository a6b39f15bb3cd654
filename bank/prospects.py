"""What a learner could do with credits: who takes which lot, which qualification is near.

Pure. Of thousands of published qualifications only those are evaluated that can be among the
nearest: what each could reach at most is found without choosing among overlapping lots.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from bank.awards import Award
from bank.qualifications import Evaluation, Holding, Requirement, evaluate, requirement_of
from bank.qualifications.admission import amount_in
from bank.qualifications.conditions import conditions_of, goals_of
from bank.recognition import Decision, Recogniser
from ledger import Entry, Lot, LotState
from ledger.catalogue import Catalogue, Qualification
from ledger.rules import Shown

Rule = tuple[str, str]
"""An institution and its rule, `code@version`."""
_GOALS = ("total", "residency", "minimum", "unit")
_UNDONE = (LotState.REVOKED, LotState.SUPERSEDED)


@dataclass(frozen=True, slots=True)
class Option:
    """An award, and what institutions take it for: of each unit there the best decision."""

    award: Award
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True)
class Prospect:
    """A qualification, how the lots there are come to it, and how far that is: 1 is all."""

    qualification: Qualification
    requirement: Requirement
    evaluation: Evaluation
    reached: Fraction


@dataclass(frozen=True, slots=True)
class Prospects:
    """The nearest qualifications, near first, and how many there are in all."""

    nearest: tuple[Prospect, ...]
    known: int


def options(
    awards: Iterable[Award],
    recogniser: Recogniser,
    time: str,
    shown: Callable[[Award], Shown],
    gained: Mapping[Rule, Decimal],
) -> list[Option]:
    """What each award is taken for at `time`, those that come to most first.

    `shown` reads an award's credential; it is asked where a rule asks for a grade or an age
    alone. `gained` as `Recogniser` has it.
    """
    found = []
    for award in awards:
        best: dict[tuple[str, str], Decision] = {}
        decisions = recogniser.recognise(award.lot.facts, time, gained=gained)
        if any(_asks_more(decision) for decision in decisions):
            decisions = recogniser.recognise(award.lot.facts, time, shown(award), gained)
        for decision in decisions:
            best.setdefault((decision.rule.author, decision.rule.target), decision)
        found.append(Option(award, tuple(best.values())))
    return sorted(found, key=_most_first)


def _asks_more(decision: Decision) -> bool:
    """Whether it hangs on what only the credential says."""
    return bool(decision.unchecked) or bool(decision.rule.sources[decision.source].age)


def gained_by(converted: Iterable[tuple[Lot, Entry]]) -> dict[Rule, Decimal]:
    """What was gained by each rule: of derived lots, with the entries that made them."""
    found: defaultdict[Rule, Decimal] = defaultdict(Decimal)
    for lot, entry in converted:
        if lot.state not in _UNDONE:
            statement = entry.signed.statement
            found[statement.author, str(statement.body["rule"])] += Decimal(lot.facts.credits)
    return dict(found)


def prospects(
    holdings: Sequence[Holding],
    catalogue: Catalogue,
    time: str,
    most: int,
    conferred: Collection[tuple[str, str]] = (),
) -> Prospects:
    """How far the lots reach at `time`, for the `most` nearest of the qualifications in force.

    Those conferred already, (institution, `code@version`), are left out.
    """
    day, hours = date.fromisoformat(time[:10]), hours_of(catalogue)
    known = [
        (qualification, requirement_of(qualification))
        for name, qualification in catalogue.qualifications.items()
        if qualification.in_force(time) and name not in conferred
    ]
    amounts = {
        scheme: [amount_in(holding, scheme, hours) or 0 for holding in holdings]
        for scheme in {requirement.scheme for _, requirement in known}
    }
    bounds = [_at_most(holdings, one, amounts[one.scheme]) for _, one in known]
    found: list[Prospect] = []
    for bound, (qualification, requirement) in sorted(
        zip(bounds, known, strict=True), key=lambda one: (-one[0], _name(one[1][0]))
    ):
        # Nothing that follows reaches further than this bound.
        if len(found) >= most and bound <= found[most - 1].reached:
            break
        evaluation = evaluate(holdings, requirement, day, hours)
        found.append(Prospect(qualification, requirement, evaluation, reached(evaluation)))
        found.sort(key=lambda one: (not one.evaluation.met, -one.reached, _name(one.qualification)))
    return Prospects(tuple(found[:most]), len(known))


def reached(evaluation: Evaluation) -> Fraction:
    """How much of everything a qualification asks for is there; a required unit weighs as 1."""
    wanted = got = Fraction(0)
    for line in evaluation.lines:
        if line.code.partition("-")[0] in _GOALS:
            wanted += Fraction(line.wanted)
            got += min(Fraction(line.got), Fraction(line.wanted))
    return got / wanted


def hours_of(catalogue: Catalogue) -> dict[str, Decimal]:
    """The hours of learning that a credit of each scheme stands for."""
    return {scheme.name: scheme.hours for scheme in catalogue.schemes.values()}


def _at_most(
    holdings: Sequence[Holding], requirement: Requirement, amounts: Sequence[int]
) -> Fraction:
    """What `reached` could come to if every lot counted in full for all it matters to.

    `amounts` are the lots' in the requirement's scheme.
    """
    sums: dict[str, int] = {}
    for holding, amount in zip(holdings, amounts, strict=True):
        for code in goals_of(holding, requirement) if amount else ():
            sums[code] = sums.get(code, 0) + amount
    wanted = got = 0
    for goal in conditions_of(requirement).goals:
        most = sums.get(goal.code, 0)
        wanted += goal.wanted
        got += min(most, goal.wanted) if goal.of_credits else goal.wanted * bool(most)
    return Fraction(got, wanted)


def _name(qualification: Qualification) -> tuple[str, str]:
    return qualification.author, qualification.name


def _most_first(option: Option) -> tuple[bool, Decimal, int]:
    most = max((decision.credits for decision in option.decisions), default=Decimal(0))
    return not option.decisions, -most, -option.award.lot.award_index
