"""Importing results: signed at the institution, submitted in batches, safe to run again.

A record gives the same lot and the same statement each time, so a second run, or one after a
crash, finds what is in the ledger already and goes on from there.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby

from bank.errors import BadRequest, NeedsSecondPerson
from bank.institution import Institution, unit_credits
from bank.port import BankPort
from bank.results import Preview, Result, UnitRef
from ledger import SignedStatement
from ledger.sequencer import Declined

BATCH = 1000
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: awards new to the ledger, found there, and declined with reasons."""

    awarded: int
    repeated: int
    declined: tuple[str, ...]


def together(parts: Sequence[Imported]) -> Imported:
    """Several imports as one."""
    return Imported(
        sum(part.awarded for part in parts),
        sum(part.repeated for part in parts),
        tuple(sentence for part in parts for sentence in part.declined),
    )


def import_results(
    preview: Preview,
    institutions: Mapping[str, Institution],
    bank: BankPort,
    clock: Callable[[], datetime],
    progress: Callable[[int], None] = lambda done: None,
    approvals: Sequence[SignedStatement] = (),
) -> Imported:
    """Award every result; nothing at all is submitted if the preview has problems.

    BadRequest naming what is wrong, where the file cannot be imported as a whole. Where an
    institution's are more than one person hands in a day, their batch is approved first: by its
    second person's key if that is at hand, else by one of `approvals`, else NeedsSecondPerson.
    """
    if preview.problems:
        shown = "\n".join(str(problem) for problem in preview.problems[:_SHOWN])
        more = len(preview.problems) - _SHOWN
        raise BadRequest(
            f"nothing was imported; {len(preview.problems)} rows need correction:\n{shown}"
            + (f"\n… and {more} more" if more > 0 else "")
        )
    for slug in sorted({result.institution for result in preview.results} - set(institutions)):
        raise BadRequest(f"there is no key here for the institution {slug}; nothing was imported")
    awarded = repeated = done = 0
    declined: list[str] = []
    results = sorted(preview.results, key=lambda result: result.institution)
    for slug, group in groupby(results, key=lambda result: result.institution):
        institution, own = institutions[slug], list(group)
        credits = unit_credits(own)
        _publish(institution, credits, bank)
        if len(own) > bank.alone(institution):
            _approve(institution, own, credits, bank, approvals)
        for batch in _batches(own):
            lots = [institution.lot(result.source_key) for result in batch]
            slots = bank.slots(institution, lots)
            now = clock()
            outcomes = bank.submit(
                [
                    institution.award(result, credits[result.unit], slot, now)
                    for result, slot in zip(batch, slots, strict=True)
                ]
            )
            for result, outcome in zip(batch, outcomes, strict=True):
                if isinstance(outcome, Declined):
                    declined.append(f"line {result.line}: {outcome.reason}")
                elif outcome.repeated:
                    repeated += 1
                else:
                    awarded += 1
            done += len(batch)
            progress(done)
    return Imported(awarded, repeated, tuple(declined))


def _publish(institution: Institution, credits: Mapping[UnitRef, Decimal], bank: BankPort) -> None:
    statements = [institution.publish_unit(unit, most) for unit, most in credits.items()]
    for statement, outcome in zip(statements, bank.submit(statements), strict=True):
        if isinstance(outcome, Declined):
            unit = statement.signed.statement.body["unit"]
            raise BadRequest(
                f"the unit {unit} of {institution.slug} was declined: {outcome.reason}; nothing of "
                "this institution was imported"
            )


def _approve(
    institution: Institution,
    results: Sequence[Result],
    credits: Mapping[UnitRef, Decimal],
    bank: BankPort,
    approvals: Sequence[SignedStatement],
) -> None:
    awards: list[bytes] = []
    for batch in _batches(results):
        slots = bank.slots(institution, [institution.lot(result.source_key) for result in batch])
        for result, slot in zip(batch, slots, strict=True):
            awards.append(institution.awarding(result, credits[result.unit], slot).hash)
    own = institution.approve_batch(awards)
    data = own.statement.data
    signed = next((one for one in approvals if one.statement.data == data), own)
    if len(signed.signatures) < 2:
        raise NeedsSecondPerson(
            f"{len(results)} awards of {institution.slug} are more than one person hands in a day; "
            "nothing of this institution was imported: have a second person sign the batch",
            own,
        )
    outcome = bank.approve_batch(signed, awards)
    if isinstance(outcome, Declined):
        raise BadRequest(
            f"the batch of {institution.slug} was declined: {outcome.reason}; nothing of this "
            "institution was imported"
        )


def _batches(results: Sequence[Result]) -> Iterator[Sequence[Result]]:
    for start in range(0, len(results), BATCH):
        yield results[start : start + BATCH]
