"""`creditbank member convert`: recognise what a learner shows, under a published rule."""

from pathlib import Path
from typing import Annotated

import typer

from bank.cli.options import (
    DEFAULT_DATA,
    BankDomain,
    BankUrl,
    Data,
    Institutions,
    Members,
    Slug,
)
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
    learner: Annotated[
        str,
        typer.Option(help="Your own number for the learner; needed where --bank is a URL."),
    ] = "",
    data: Data = DEFAULT_DATA,
    bank: BankUrl = "",
    domain: BankDomain = "",
) -> None:
    """On the institution's side: verify a credential, decide by the rules, and convert its lot.

    The learner's credits of before are then used, and they hold the derived ones instead.
    """
    from datetime import UTC, datetime

    from bank.cli.counter import counter
    from bank.cli.members import institution_in
    from bank.cli.rules_verbs import tell_decision
    from bank.cli.shown import read_shown
    from bank.recognition import Recogniser
    from bank.results import Learner
    from ledger import format_time
    from ledger.rules import Shown
    from ledger.sequencer import Declined

    with counter(data, bank, domain, members, slug) as here:
        own = institution_in(members, slug, institutions, here.domain)
        now = datetime.now(UTC)
        shown = read_shown(bundle, here, now)
        time = format_time(now)
        decisions = [
            decision
            for decision in Recogniser(here.registry).recognise(
                shown.lot.facts, time, Shown(shown.facts.grade, shown.facts.awarded)
            )
            if decision.rule.author == own.did and rule in ("", decision.rule.name)
        ]
        if not decisions:
            raise BadRequest(
                f"no rule of {own.slug} takes this lot; 'creditbank rules explain {shown.lot.lot} "
                "--rule CODE@VERSION' says why one does not"
            )
        tell_decision(decisions[0])
        if dry_run or decisions[0].exemption:
            return
        if here.bank is None and not learner:
            raise BadRequest("give your own number for the learner with --learner")
        # At a bank in a folder the learner's account there names them, for whoever gives none.
        known = here.bank and here.bank.accounts.of_credential(shown.facts.identifier)
        person = Learner(learner or str(known), shown.facts.learner)
        unit = here.registry.units[own.did, decisions[0].rule.target]
        (slot,) = here.port.slots(own, [own.conversion(shown.lot.lot)])
        made = own.convert(shown.lot, decisions[0], unit, person, slot, now)
        (outcome,) = here.port.submit([made])
    if isinstance(outcome, Declined):
        raise BadRequest(outcome.reason)
    said = "stood in the ledger already" if outcome.repeated else "is in the ledger"
    typer.echo(f"the conversion {said}, entry {outcome.index}: {(made.credential or {})['id']}")
