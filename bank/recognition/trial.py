"""Trying a draft of a rule on past lots: what it would change, before anyone signs it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from bank.recognition.decision import Decision, Recogniser
from bank.recognition.errors import BadRule
from keys import Json
from ledger.authority import Registry
from ledger.body import check_body
from ledger.errors import LedgerError
from ledger.rules import Rule, rule_of
from ledger.standing import Facts

_EXAMPLES = 3


class Outcome(StrEnum):
    """What a draft changes for one lot."""

    NEW = "new"
    MORE = "more"
    FEWER = "fewer"
    LOST = "lost"
    SAME = "same"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Change:
    """What a draft changes for one lot: credits before and after, and the lines that fail."""

    lot: str
    facts: Facts
    outcome: Outcome
    before: Decimal
    after: Decimal
    failed: tuple[str, ...]
    unchecked: bool
    """Whether it hangs on a grade, which is not public."""


@dataclass
class Trial:
    """A draft against all lots: counts, credits, and some examples of each outcome."""

    rule: Rule
    replaces: str
    """The version that it takes the place of, or ""."""
    lots: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    before: Decimal = Decimal(0)
    after: Decimal = Decimal(0)
    unchecked: int = 0
    """Lots taken if only the grade suffices."""
    units: dict[tuple[str, str], Counter[Outcome]] = field(default_factory=dict)
    """The same by unit of the lots, (institution, `code@version`), where something changes."""
    refusals: Counter[str] = field(default_factory=Counter)
    """How often each line was what a refused lot failed by, and nothing else."""
    examples: dict[Outcome, list[Change]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Json]:
        """For a file, to be compared with a later trial: counts alone, no lots."""
        return {
            "after": format(self.after, "f"),
            "before": format(self.before, "f"),
            "lots": self.lots,
            "outcomes": {outcome.value: self.outcomes[outcome] for outcome in Outcome},
            "replaces": self.replaces,
            "rule": self.rule.name,
            "unchecked": self.unchecked,
            "units": [
                {
                    "institution": institution,
                    "outcomes": {outcome.value: n for outcome, n in sorted(counts.items())},
                    "unit": unit,
                }
                for (institution, unit), counts in sorted(self.units.items())
            ],
        }


def try_rule(
    author: str,
    body: Mapping[str, Json],
    registry: Registry,
    lots: Iterable[tuple[str, Facts]],
    time: str,
) -> Trial:
    """What the draft would give for each of `lots` at `time`, beside what is given today.

    Today's is the best that the author's rules in force give towards the same unit; the draft
    takes the place of the version before it. BadRule if the ledger would not take the draft.
    """
    try:
        check_body("rule.publish", body)
        registry.catalogue.check("rule.publish", author, body)
    except LedgerError as error:
        raise BadRule(f"the draft would be declined: {error}") from error
    draft = rule_of(author, body, "")
    own = [
        rule
        for rule in registry.catalogue.rules.values()
        if rule.author == author and rule.target == draft.target and not rule.withdrawn
    ]
    replaced = [r for r in own if r.code == draft.code]
    others = [rule for rule in own if rule not in replaced]
    today, then = Recogniser(registry, own), Recogniser(registry, [*others, draft])
    trial = Trial(draft, max(replaced, key=lambda r: r.version).name if replaced else "")
    for lot, facts in lots:
        _note(trial, _change(lot, facts, draft, today, then, time))
    return trial


def _change(
    lot: str, facts: Facts, draft: Rule, today: Recogniser, then: Recogniser, time: str
) -> Change:
    old, new = today.recognise(facts, time), then.recognise(facts, time)
    before, after = _best(old), _best(new)
    unchecked = bool(new and new[0].unchecked)
    failed: tuple[str, ...] = ()
    if bool(old) != bool(new):
        outcome = Outcome.NEW if new else Outcome.LOST
    elif not new:
        outcome = Outcome.REFUSED
    elif before == after:
        outcome = Outcome.SAME
    else:
        outcome = Outcome.MORE if after > before else Outcome.FEWER
    if not new:
        nearest = min(then.explain(draft, facts, time), key=lambda d: len(d.failed))
        failed = tuple(line.sentence for line in nearest.failed)
    return Change(lot, facts, outcome, before, after, failed, unchecked)


def _best(decisions: list[Decision]) -> Decimal:
    return decisions[0].credits if decisions else Decimal(0)


def _note(trial: Trial, change: Change) -> None:
    trial.lots += 1
    trial.outcomes[change.outcome] += 1
    trial.before += change.before
    trial.after += change.after
    trial.unchecked += change.unchecked
    if change.outcome not in (Outcome.REFUSED, Outcome.SAME):
        unit = (change.facts.institution, change.facts.unit)
        trial.units.setdefault(unit, Counter())[change.outcome] += 1
    if change.outcome is Outcome.REFUSED and len(change.failed) == 1:
        trial.refusals[change.failed[0]] += 1
    examples = trial.examples.setdefault(change.outcome, [])
    if len(examples) < _EXAMPLES:
        examples.append(change)
