"""The demo's second chapter: credits recognised elsewhere, and used for a qualification."""

import random
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bank.errors import BadSetup

if TYPE_CHECKING:
    from bank.institution import Institution
    from bank.service import Bank
    from ledger import Lot


_CONVERTED = 12
"""As many as it takes for the flow to be published."""


def recognise(
    bank: "Bank", institutions: "Mapping[str, Institution]", samples: Path, out: Path
) -> None:
    """Publish a rule and a qualification, convert lots, and confer two certificates.

    Run again it finds what was done and does nothing twice.
    """
    from bank.cli.progress import console

    tech, university = institutions["jialing-tech"], institutions["bayu-open"]
    _publish(bank, tech, "rule.publish", samples / "rule.toml")
    _publish(bank, university, "qualification.publish", samples / "qualification.toml")
    learners = [a for a in bank.accounts.names() if a.startswith(university.did)][1:]
    console.print("\n[bold]Recognition[/]  认定与转换")
    _convert(bank, tech, learners)
    console.print("\n[bold]A qualification[/]  资历")
    _confer(bank, university, learners, out)


def _publish(bank: "Bank", institution: "Institution", kind: str, path: Path) -> None:
    from bank.cli.proposal_verbs import read_body
    from bank.institution import Submission
    from ledger import Statement
    from ledger.sequencer import Declined

    statement = Statement.make(institution.did, kind, read_body(path))
    (outcome,) = bank.intake.submit([Submission(statement.sign(institution.signer))])
    if isinstance(outcome, Declined):
        raise BadSetup(f"{path} was declined: {outcome.reason}")


def _convert(bank: "Bank", institution: "Institution", learners: list[str]) -> None:
    """Convert a lot of each of the first dozen learners that a rule takes one of."""
    from bank.cli.progress import console
    from bank.cli.rules_verbs import tell_decision
    from bank.recognition import Recogniser
    from bank.results import Learner
    from ledger import LotState, format_time
    from ledger.sequencer import Declined

    if bank.lots.in_state(LotState.CONVERTED):
        console.print("the lots were converted before")
        return
    registry, time, converted = bank.registry(), format_time(bank.now()), 0
    recogniser = Recogniser(registry)
    for account in learners:
        for lot in _lots(bank, account):
            found = recogniser.recognise(lot.facts, time)
            own = [decision for decision in found if decision.rule.author == institution.did]
            if not own or lot.state is not LotState.ACTIVE:
                continue
            unit = registry.units[institution.did, own[0].rule.target]
            (slot,) = bank.slots.give(institution.did, [institution.conversion(lot.lot)])
            learner = Learner(account, bank.accounts.learner_name(account))
            made = institution.convert(lot, own[0], unit, learner, slot, bank.now())
            (outcome,) = bank.intake.submit([made])
            if isinstance(outcome, Declined):
                raise BadSetup(f"the conversion was declined: {outcome.reason}")
            if not converted:
                tell_decision(own[0])
            converted += 1
            break
        if converted == _CONVERTED:
            break
    console.print(f"{converted} lots converted by the rule")


def _confer(bank: "Bank", institution: "Institution", learners: list[str], out: Path) -> None:
    from bank.applications import apply_for, redeem, reserve
    from bank.cli.learner_verbs import export
    from bank.cli.progress import console
    from bank.cli.qualification_verbs import tell
    from bank.opening import LocalBank
    from bank.results import Learner

    if any(lot.kind == "confer" for account in learners for lot in _lots(bank, account)):
        console.print("the certificates were conferred before")
        return
    known = bank.registry().catalogue.qualifications[institution.did, "CERT-COMMUNITY@1"]
    met = [
        (account, evaluation)
        for account in learners
        if (evaluation := bank.reckoning.progress([account], institution.did, known.name)).met
    ][:2]
    applications = [
        apply_for(
            institution,
            evaluation,
            Learner(account, bank.accounts.learner_name(account)),
            bank.now(),
        )
        for account, evaluation in met
    ]
    tell(met[0][1])
    dice, port = random.SystemRandom(), LocalBank(bank)
    reserve(applications, institution, port, dice)
    every = [known] * len(applications)
    conferred = redeem(applications, every, institution, port, dice, bank.now())
    bank.lot_map.commit()
    lots = sum(len(one.lots) for one in applications)
    console.print(f"{len(conferred)} certificates conferred, {lots} lots used")
    bank.checkpoints.gather()
    identifier = str((conferred[0].credential or {})["id"])
    for path in export(bank, identifier, out / "qualification"):
        console.print(f"wrote {path}")


def _lots(bank: "Bank", account: str) -> "list[Lot]":
    return [
        bank.lots.get(bank.lots.awarded_at(index))
        for _, index in bank.accounts.credentials(bank.vault.token(account))
    ]
