"""`creditbank rules`: what institutions recognise, why, and what a draft would change."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bank.cli.options import DASHED, DEFAULT_DATA, Data, bank_passphrase
from bank.errors import BadRequest, NoSuchThing

if TYPE_CHECKING:
    from bank.recognition import Decision, Trial
    from ledger import Lot, Registry

rules_app = typer.Typer(
    name="rules", help="Recognition rules: list, explain, try a draft.", no_args_is_help=True
)

Log = Annotated[
    str, typer.Option("--log", help="A published log, URL or folder, instead of a bank's folder.")
]
Author = Annotated[str, typer.Option(help="DID of the institution whose rules are meant.")]
On = Annotated[str, typer.Option("--on", help="The day to judge by, YYYY-MM-DD; today if left.")]


@rules_app.command("list")
def list_command(author: Author = "", log: Log = "", data: Data = DEFAULT_DATA) -> None:
    """List the rules on the ledger, each with what it gives and until when."""
    with _ledger(log, data) as (registry, _):
        rules = [r for r in registry.catalogue.rules.values() if author in ("", r.author)]
    for rule in sorted(rules, key=lambda r: (r.author, r.code, r.version)):
        state = f"withdrawn {rule.withdrawn[:10]}" if rule.withdrawn else f"until {rule.until}"
        typer.echo(f"{rule.author} {rule.name} → {rule.target}  {state}  {rule.titles['en']}")
    if not rules:
        typer.echo("no rules")


@rules_app.command("explain", context_settings=DASHED)
def explain_command(
    lot: Annotated[str, typer.Argument(help="The lot, as 'creditbank learners' lists it.")],
    author: Author = "",
    rule: Annotated[str, typer.Option(help="One rule, CODE@VERSION: also why it refuses.")] = "",
    grade: Annotated[str, typer.Option(help="The lot's grade, from its credential.")] = "",
    awarded: Annotated[
        str, typer.Option(help="The day of its award, from its credential, YYYY-MM-DD.")
    ] = "",
    on: On = "",
    log: Log = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """Say which rules take a lot and what it comes to, or line by line what one rule says."""
    from bank.recognition import Recogniser
    from ledger.rules import Shown

    time = _time(on)
    shown = Shown(grade, _time(awarded)[:10] if awarded else "")
    with _ledger(log, data) as (registry, lots):
        found = next((item for item in lots if item.lot == lot), None)
        if found is None:
            raise NoSuchThing(f"there is no lot {lot[:60]} in this ledger")
        recogniser = Recogniser(registry)
        if rule:
            known = [r for r in registry.catalogue.rules.values() if r.name == rule]
            chosen = [r for r in known if author in ("", r.author)]
            if not chosen:
                raise NoSuchThing(f"there is no rule {rule[:60]} of {author or 'any institution'}")
            decisions = [
                decision
                for item in chosen
                for decision in recogniser.explain(item, found.facts, time, shown)
            ]
        else:
            every = recogniser.recognise(found.facts, time, shown)
            decisions = [d for d in every if author in ("", d.rule.author)]
    facts = found.facts
    typer.echo(f"{facts.credits} credits of {facts.unit} by {facts.institution}, {found.state}")
    for decision in decisions:
        tell_decision(decision)
    if not decisions:
        typer.echo("no rule takes this lot; ask for one with --rule to see why it does not")


@rules_app.command("try")
def try_command(
    draft: Annotated[Path, typer.Argument(help="The draft: the fields of a rule, TOML or JSON.")],
    author: Annotated[str, typer.Option(help="DID of the institution that would publish it.")],
    expect: Annotated[
        Path | None, typer.Option(help="What an earlier trial said: any difference is an error.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option(help="Keep the counts, for a later --expect.")
    ] = None,
    on: On = "",
    log: Log = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """Replay a draft over every lot of the ledger, and show what it would change.

    Nothing is written to the ledger. Exit code 1 where --expect finds a difference.
    """
    import json

    from bank.cli.proposal_verbs import read_body
    from bank.recognition import try_rule
    from keys import parse
    from verifier.whole_file import write_whole

    body = read_body(draft)
    begins = str(body.get("from", ""))[:10]
    time = _time(on or (begins if begins > datetime.now(UTC).date().isoformat() else ""))
    with _ledger(log, data) as (registry, lots):
        trial = try_rule(author, body, registry, ((lot.lot, lot.facts) for lot in lots), time)
    _tell_trial(trial, time[:10])
    counts = trial.to_json()
    if save is not None:
        content = json.dumps(counts, ensure_ascii=False, indent=2, sort_keys=True)
        typer.echo(str(write_whole(save, content.encode() + b"\n")))
    if expect is not None:
        before = parse(expect.read_bytes())
        if not isinstance(before, dict):
            raise BadRequest(f"{expect} is not what 'rules try --save' writes")
        names = sorted(set(counts) | set(before))
        wrong = [name for name in names if counts.get(name) != before.get(name)]
        if wrong:
            raise BadRequest(f"the trial differs from {expect} in {', '.join(wrong)}")
        typer.echo(f"as expected by {expect}")


def tell_decision(decision: "Decision") -> None:
    """Print a decision, line by line."""
    rule = decision.rule
    verdict = "takes it" if decision.recognised else "does not take it"
    if decision.recognised and decision.unchecked:
        verdict = "takes it, if its grade suffices"
    source = f", source {decision.source + 1}" if len(rule.sources) > 1 else ""
    typer.echo(f"{rule.author} {rule.name}{source} {verdict}")
    for line in decision.lines:
        mark = {True: "met", False: "NOT MET", None: "not checked"}[line.passed]
        typer.echo(f"  {mark:<12}{line.sentence}")
    if decision.expires:
        typer.echo(f"  {'valid':<12}until {decision.expires}")


def _tell_trial(trial: "Trial", day: str) -> None:
    from bank.recognition import Outcome

    instead = f" in place of {trial.replaces}" if trial.replaces else ""
    typer.echo(
        f"{trial.rule.name} → {trial.rule.target}{instead}, on {trial.lots} lots as of {day}"
    )
    for outcome in Outcome:
        typer.echo(f"  {outcome.value:<8}{trial.outcomes[outcome]:>9}  {_MEANING[outcome.value]}")
    typer.echo(f"  credits {trial.before} today, {trial.after} with the draft")
    if trial.unchecked:
        typer.echo(f"  {trial.unchecked} of them only if the grade suffices, which is not public")
    for (institution, unit), counts in sorted(trial.units.items()):
        parts = ", ".join(f"{n} {outcome.value}" for outcome, n in sorted(counts.items()))
        typer.echo(f"  {institution} {unit}: {parts}")
    for sentence, count in trial.refusals.most_common(5):
        typer.echo(f"  {count} refused for this alone: {sentence}")
    for outcome in (Outcome.NEW, Outcome.MORE, Outcome.FEWER, Outcome.LOST):
        for change in trial.examples.get(outcome, []):
            why = f" ({'; '.join(change.failed)})" if change.failed else ""
            typer.echo(f"  e.g. {change.lot} {change.before} → {change.after}{why}")


_MEANING = {
    "new": "taken by the draft, by no rule of yours today",
    "more": "taken today, for more credits with the draft",
    "fewer": "taken today, for fewer credits with the draft",
    "lost": "taken today, and not with the draft",
    "same": "taken as today",
    "refused": "taken neither today nor with the draft",
}


@contextmanager
def _ledger(log: str, data: Path) -> "Iterator[tuple[Registry, Iterator[Lot]]]":
    """Authority and lots of a published log, or of the bank in a folder."""
    if log:
        from ledger import Checkpoint, Entry, LotBook, Registry, open_note
        from ledger.sources import open_source

        source = open_source(log)
        size = Checkpoint.parse(open_note(source.checkpoint(), ()).text).size
        registry, book = Registry(), LotBook()
        for data_bytes in source.entries(0, size):
            entry = Entry.parse(data_bytes)
            book.take(entry)
            registry.apply(entry)
        kinds = ("confer", "transfer.refuse")
        yield registry, iter([lot for lot in book.lots.values() if lot.kind not in kinds])
        return
    from bank.opening import open_bank

    with closing(open_bank(data, bank_passphrase(data))) as bank:
        yield bank.registry(), bank.lots.each()


def _time(day: str) -> str:
    from ledger.clock import format_time, parse_date

    if not day:
        return format_time(datetime.now(UTC))
    return f"{parse_date(day).isoformat()}T23:59:59Z"
