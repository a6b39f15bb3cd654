"""Corrections: a results file compared with what was awarded, and what differs made anew.

The ledger tells no grades, only commitments. But a record always gives the same credential, so
whether a lot says what the file says is found out by making it again and comparing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from bank.errors import BadRequest
from bank.institution import Institution
from bank.port import BankPort
from bank.results import Result
from ledger import Entry, Lot, LotState, Registry
from ledger.sequencer import Declined


@dataclass(frozen=True, slots=True)
class Corrected:
    """What became of a file: lots corrected, rows that say what is there, rows never awarded."""

    corrected: tuple[str, ...]
    """The new lots."""
    alike: int
    unknown: tuple[int, ...]
    """Lines of records that no award was made of."""
    declined: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Change:
    """A result that says something else than the lot for it; `available` is what its unit gives."""

    after: Result
    lot: str
    available: Decimal


def correct_results(
    results: Sequence[Result],
    institution: Institution,
    bank: BankPort,
    registry: Registry,
    lot_of: Callable[[str], Lot | None],
    entry_of: Callable[[int], bytes],
    reason: str,
    now: datetime,
) -> Corrected:
    """Correct each result whose lot says something else; BadRequest where a unit is unknown.

    A lot that was corrected before is followed to the one that stands for the record now.
    """
    changed: list[_Change] = []
    unknown, alike = [], 0
    for result in results:
        lot = lot_of(institution.lot(result.source_key))
        if lot is None:
            unknown.append(result.line)
            continue
        available = _available(result, institution, registry)
        newest, standing = _newest(lot, result, lot_of, entry_of)
        slot = newest.slot
        same = slot is not None and newest.commitment == institution.commits_to(
            standing(institution), available, slot
        )
        if same:
            alike += 1
        else:
            changed.append(_Change(result, newest.lot, available))
    made, declined = _correct(changed, institution, bank, reason, now) if changed else ([], [])
    return Corrected(tuple(made), alike, tuple(unknown), tuple(declined))


def _available(result: Result, institution: Institution, registry: Registry) -> Decimal:
    """What the unit of a result gives; BadRequest where the unit is unknown."""
    name = f"{result.unit.code}@{result.unit.version}"
    unit = registry.units.get((institution.did, name))
    if unit is None:
        raise BadRequest(
            f"line {result.line}: the unit {name} is not published; a correction keeps the "
            "unit or takes another that is"
        )
    return unit.credits


def _correct(
    changed: Sequence[_Change], institution: Institution, bank: BankPort, reason: str, now: datetime
) -> tuple[list[str], list[str]]:
    """Hand the corrections in; the new lots, and why others were declined."""
    names = [institution.correction(change.lot, change.after) for change in changed]
    slots = bank.slots(institution, names)
    outcomes = bank.submit(
        [
            institution.correct(change.lot, change.after, change.available, slot, now, reason)
            for change, slot in zip(changed, slots, strict=True)
        ]
    )
    made: list[str] = []
    declined: list[str] = []
    for change, name, outcome in zip(changed, names, outcomes, strict=True):
        if isinstance(outcome, Declined):
            declined.append(f"line {change.after.line}: {outcome.reason}")
        else:
            made.append(name)
    return made, declined


def _newest(
    lot: Lot,
    result: Result,
    lot_of: Callable[[str], Lot | None],
    entry_of: Callable[[int], bytes],
) -> tuple[Lot, Callable[[Institution], Result]]:
    """The lot at the end of a chain of corrections, and what it would stand for in `result`."""
    before = ""
    while lot.state is LotState.SUPERSEDED:
        successor = Entry.parse(entry_of(lot.standing.consumed)).signed.statement.body["successor"]
        assert isinstance(successor, dict)
        following = lot_of(str(successor["lot"]))
        if following is None:
            break
        before, lot = lot.lot, following

    def standing(institution: Institution) -> Result:
        return institution.corrected_as(before, result) if before else result

    return lot, standing
