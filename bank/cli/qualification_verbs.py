"""`creditbank member apply|reserve|redeem` and `learner progress`: from credits to a qualification.

An institution keeps its applications in its own folder, `applications/new`, `reserved` and
`done`. All that wait are handed in together and shuffled, since an application alone shows
which lots belong together.
"""

import secrets
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bank.cli.members import institution_in
from bank.cli.options import (
    DEFAULT_DATA,
    BankDomain,
    BankUrl,
    Data,
    Institutions,
    Members,
    Slug,
    bank_passphrase,
)
from bank.errors import BadSetup

if TYPE_CHECKING:
    from bank.applications import Application
    from bank.cli.counter import Counter
    from bank.passbook import Passbook
    from bank.qualifications import Evaluation
    from bank.service import Bank

Accounts = Annotated[
    list[str],
    typer.Argument(help="A learner's record, or accounts as 'creditbank learners' lists them."),
]
Applicant = Annotated[
    list[str],
    typer.Argument(
        help="A learner's record or accounts; where --bank is a URL, the files the learner shows."
    ),
]
Qualification = Annotated[str, typer.Option(help="The qualification, CODE@VERSION.")]


def progress_command(
    accounts: Accounts,
    author: Annotated[str, typer.Option(help="DID of the institution that confers it.")],
    qualification: Qualification,
    data: Data = DEFAULT_DATA,
) -> None:
    """Say what of a qualification a learner's credits meet, what is missing, and what they use."""
    from bank.opening import open_bank

    with closing(open_bank(data, bank_passphrase(data))) as bank:
        tell(bank.reckoning.progress(_accounts(bank, accounts), author, qualification))


def passbook_command(
    accounts: Accounts,
    form: Annotated[str, typer.Option(help="table, csv or json.")] = "table",
    data: Data = DEFAULT_DATA,
) -> None:
    """Write a learner's statement of account: movements, balances, and what expires when."""
    from bank.opening import open_bank
    from bank.passbook import plain
    from keys import encode

    if form not in ("csv", "json", "table"):
        raise BadSetup(f"--form is table, csv or json, not {form!r}")
    with closing(open_bank(data, bank_passphrase(data))) as bank:
        found = bank.reckoning.passbook(_accounts(bank, accounts))
    if form == "json":
        typer.echo(encode(found.to_json()).decode())
        return
    if form == "csv":
        _as_csv(found)
        return
    for move in found.movements:
        entry = "" if move.entry is None else f"entry {move.entry}"
        typer.echo(
            f"{move.day}  {entry:<12}{plain(move.credits):>8}  {plain(move.balance):>7}  "
            f"{move.scheme} level {move.level}  {move.unit}  {move.kind}"
        )
    for one in found.balances:
        back = "".join(f", {plain(amount)} {state}" for state, amount in one.held_back.items())
        amounts = f"{plain(one.held)} held, {plain(one.usable)} usable{back}"
        typer.echo(f"{one.scheme} level {one.level}: {amounts}")
    for expiry in found.expiring:
        typer.echo(f"{expiry.credits} of {expiry.unit} are valid until {expiry.day}")
    if not found.movements:
        typer.echo("no movements")


def _as_csv(found: "Passbook") -> None:
    import csv
    from dataclasses import asdict, fields

    from bank.passbook import Movement

    writer = csv.DictWriter(sys.stdout, [field.name for field in fields(Movement)])
    writer.writeheader()
    writer.writerows(asdict(move) for move in found.movements)


def apply_command(
    accounts: Applicant,
    qualification: Qualification,
    slug: Slug,
    institutions: Institutions,
    members: Members,
    learner: Annotated[
        str, typer.Option(help="Your own number for the learner; needed where --bank is a URL.")
    ] = "",
    data: Data = DEFAULT_DATA,
    bank: BankUrl = "",
    domain: BankDomain = "",
) -> None:
    """On the institution's side: take up an application whose requirement is met."""
    from bank.applications import apply_for
    from bank.cli.counter import counter
    from bank.results import Learner
    from verifier.whole_file import write_whole

    with counter(data, bank, domain, members, slug) as here:
        own = institution_in(members, slug, institutions, here.domain)
        now = datetime.now(UTC)
        if here.bank is None:
            evaluation, name = _evaluate_shown(accounts, here, own.did, qualification, now)
            if not learner:
                raise BadSetup("give your own number for the learner with --learner")
            person = Learner(learner, name)
        else:
            names = _accounts(here.bank, accounts)
            evaluation = here.bank.reckoning.progress(names, own.did, qualification)
            person = Learner(learner or accounts[0], here.bank.accounts.learner_name(names[0]))
        application = apply_for(own, evaluation, person, now)
    name = f"{own.conferment(application.lots)}.json"
    for stage in ("new", "reserved", "done"):
        if (_stage(members, slug, stage) / name).exists():
            raise BadSetup(f"there is an application with these lots already, {stage}: {name}")
    tell(evaluation)
    typer.echo(str(write_whole(_stage(members, slug, "new") / name, application.encode())))


def _evaluate_shown(
    files: list[str], here: "Counter", author: str, qualification: str, now: datetime
) -> "tuple[Evaluation, str]":
    """What the credentials in files come to, and the name of the one person they are of."""
    from bank.cli.shown import read_shown
    from bank.qualifications import evaluate_lots

    shown = [read_shown(Path(file), here, now) for file in files]
    people = {one.facts.learner for one in shown}
    if len(people) > 1:
        raise BadSetup(f"these credentials are of several people: {', '.join(sorted(people))}")
    catalogue = here.registry.catalogue
    known = catalogue.qualifications.get((author, qualification))
    if known is None:
        raise BadSetup(f"{author} has not published the qualification {qualification[:40]}")
    lots = {one.lot.lot: one.lot for one in shown}
    return evaluate_lots(lots.values(), catalogue, known, now), people.pop()


def reserve_command(
    slug: Slug,
    institutions: Institutions,
    members: Members,
    data: Data = DEFAULT_DATA,
    bank: BankUrl = "",
    domain: BankDomain = "",
) -> None:
    """On the institution's side: reserve the lots of all new applications, all or none."""
    from bank.applications import reserve
    from bank.cli.counter import counter

    waiting = _waiting(members, slug, "new")
    with counter(data, bank, domain, members, slug) as here:
        own = institution_in(members, slug, institutions, here.domain)
        applications = [application for _, application in waiting]
        reserve(applications, own, here.port, secrets.SystemRandom())
    _move(waiting, members, slug, "reserved")
    lots = sum(len(application.lots) for application in applications)
    typer.echo(f"{len(waiting)} applications: {lots} lots are reserved")
    _warn_of_one(len(waiting))


def redeem_command(
    slug: Slug,
    institutions: Institutions,
    members: Members,
    data: Data = DEFAULT_DATA,
    bank: BankUrl = "",
    domain: BankDomain = "",
) -> None:
    """On the institution's side: use what is reserved and confer what it is for, all or none."""
    from bank.applications import redeem
    from bank.cli.counter import counter

    waiting = _waiting(members, slug, "reserved")
    with counter(data, bank, domain, members, slug) as here:
        own = institution_in(members, slug, institutions, here.domain)
        applications = [application for _, application in waiting]
        known = here.registry.catalogue.qualifications
        every = [known[own.did, application.qualification] for application in applications]
        dice = secrets.SystemRandom()
        conferred = redeem(applications, every, own, here.port, dice, datetime.now(UTC))
    _move(waiting, members, slug, "done")
    for application, submission in zip(applications, conferred, strict=True):
        identifier = (submission.credential or {})["id"]
        typer.echo(f"{application.qualification} is conferred: {identifier}")
    _warn_of_one(len(waiting))


def tell(evaluation: "Evaluation") -> None:
    """Print an evaluation: each condition, then each lot."""
    state = "met" if evaluation.met else "not met"
    typer.echo(f"{evaluation.code}@{evaluation.version} is {state} as of {evaluation.day}")
    for line in evaluation.lines:
        typer.echo(f"  {'met' if line.met else 'NOT MET':<8}{line.en}")
    for used in evaluation.used:
        typer.echo(f"  {'uses' if evaluation.met else 'counts':<8}{used.lot}  {used.counted}")
    for unused in evaluation.unused:
        typer.echo(f"  {'leaves':<8}{unused.lot}  {unused.en}")


def _accounts(bank: "Bank", names: list[str]) -> list[str]:
    """The accounts themselves, those of a learner's record among them."""
    found = [
        account
        for name in names
        for account in ([name] if "|" in name else bank.learners.accounts(name))
    ]
    if not found:
        raise BadSetup("this learner's record has no account yet: link one with 'learner link'")
    return list(dict.fromkeys(found))


def _stage(members: Path, slug: str, stage: str) -> Path:
    return members / slug / "applications" / stage


def _waiting(members: Path, slug: str, stage: str) -> "list[tuple[Path, Application]]":
    from bank.applications import Application

    found = sorted(_stage(members, slug, stage).glob("*.json"))
    if not found:
        raise BadSetup(f"no application waits in {_stage(members, slug, stage)}")
    return [(path, Application.parse(path.read_bytes())) for path in found]


def _move(waiting: "list[tuple[Path, Application]]", members: Path, slug: str, stage: str) -> None:
    for path, _ in waiting:
        target = _stage(members, slug, stage)
        target.mkdir(parents=True, exist_ok=True)
        path.replace(target / path.name)


def _warn_of_one(count: int) -> None:
    if count == 1:
        typer.echo(
            "alone, its lots stand side by side in the ledger: whoever reads it sees that they "
            "belong together; wait for more applications where that matters",
            err=True,
        )
