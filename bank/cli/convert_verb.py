"""`creditbank member convert`: recognise what a learner shows, under a published rule."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from bank.cli.options import DEFAULT_DATA, Data, Institutions, Members, bank_passphrase
from bank.cli.qualification_verbs import Slug
from bank.errors import BadRequest


def convert_command(
    bundle: Annotated[Path, typer.Argument(help="What the learner shows: a credential's file.")],
    slug: Slug,
    institutions: Institutions,
    members: Members,
    rule: Annotated[
        str, typer.Option(help="CODE@VERSION; by default the best that takes it.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it comes to.")] = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """On the institution's side: verify a credential, decide by the rules, and convert its lot.

    The learner's credits of before are then used, and they hold the derived ones instead.
    """
    from bank.cli.members import institution_in
    from bank.cli.rules_verbs import tell_decision
    from bank.opening import LocalBank, open_bank
    from bank.recognition import Recogniser
    from bank.results import Learner
    from credentials.certificate import certificate_facts
    from ledger import Entry, Receipt, format_time
    from ledger.lots import certified_by
    from ledger.sequencer import Declined
    from verifier import open_trust, read_evidence, verify
    from verifier.files import read_limited

    evidence = read_evidence(read_limited(bundle), str(bundle))
    with closing(open_bank(data, bank_passphrase(data), witnessed=True)) as bank:
        own = institution_in(members, slug, institutions, bank.settings.domain)
        report = verify(evidence, open_trust(bank.trust()), bank.now())
        if report.exit_code or evidence.receipt is None:
            raise BadRequest(
                f"{bundle} does not verify with its receipt, so nothing is recognised of it: run "
                "'creditbank verify' to see why"
            )
        statement = Entry.parse(Receipt.parse(evidence.receipt).entry).signed.statement
        lot = bank.lot(str((certified_by(statement) or {})["lot"]))
        facts = certificate_facts(evidence.credential)
        registry, time = bank.registry(), format_time(bank.now())
        decisions = [
            decision
            for decision in Recogniser(registry).recognise(lot.facts, time, facts.grade or None)
            if decision.rule.author == own.did and rule in ("", decision.rule.name)
        ]
        if not decisions:
            raise BadRequest(
                f"no rule of {own.slug} takes this lot; 'creditbank rules explain {lot.lot} "
                "--rule CODE@VERSION' says why one does not"
            )
        tell_decision(decisions[0])
        if dry_run or decisions[0].exemption:
            return
        unit = registry.units[own.did, decisions[0].rule.target]
        learner = Learner(bank.account_of_credential(facts.identifier), facts.learner)
        (slot,) = bank.slots(own.did, [own.conversion(lot.lot)])
        made = own.convert(lot, decisions[0], unit, learner, slot, bank.now())
        (outcome,) = LocalBank(bank).submit([made])
    if isinstance(outcome, Declined):
        raise BadRequest(outcome.reason)
    said = "stood in the ledger already" if outcome.repeated else "is in the ledger"
    typer.echo(f"the conversion {said}, entry {outcome.index}: {(made.credential or {})['id']}")
