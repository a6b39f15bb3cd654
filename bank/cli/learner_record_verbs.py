"""`creditbank learner`: the bank's sealed records about people, for its counter.

Names and numbers of documents come from a file or standard input, never as arguments: those are
seen by every process on the machine and stay in the shell's history.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bank.cli.options import DASHED, DEFAULT_DATA, Data, bank_passphrase
from bank.errors import BadSetup

if TYPE_CHECKING:
    from bank.service import Bank
    from keys import Json

learner_app = typer.Typer(
    name="learner",
    help="Sealed records about learners: who they are, what they agreed to, export and erasure. "
    "Names and numbers are read from a file or standard input, as JSON or as lines "
    "'field: value', never from the command line, which others can read.",
    no_args_is_help=True,
)
DEFAULT_INPUT = Path("-")
DEFAULT_OUT = Path("out") / "learner.zip"
Learner = Annotated[str, typer.Argument(help="The learner's identifier, as 'open' printed it.")]
_FORM = "File with {}, as JSON or as lines 'field: value'; - is standard input."


@learner_app.command("open", context_settings=DASHED)
def open_command(
    form: Annotated[
        Path,
        typer.Option(
            "--from",
            help=_FORM.format("name, and if there is a document its kind and number")
            + " The kind is citizen-id (taken if it is left out), or like passport/DEU.",
        ),
    ] = DEFAULT_INPUT,
    learner: Annotated[
        str | None,
        typer.Option(help="An identifier of your own making, so that repeating opens no second."),
    ] = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Open a learner's record, or find the one with this document; prints the identifier."""
    from bank.learners.forms import document_of, text_of

    with _opened(data) as bank:
        value, where = _form(form, ("name", "kind", "number"))
        document = document_of(value, where, bank.now().date())
        typer.echo(bank.learners.open(text_of(value, "name", where), document, learner))


@learner_app.command("link", context_settings=DASHED)
def link(
    learner: Learner,
    account: Annotated[str, typer.Argument(help="The account, as 'creditbank learners' lists it.")],
    data: Data = DEFAULT_DATA,
) -> None:
    """Say that an account is this learner's."""
    with _opened(data) as bank:
        bank.learners.link(learner, account)
    typer.echo(f"{account} is linked to {learner}")


@learner_app.command("find", context_settings=DASHED)
def find(
    form: Annotated[
        Path, typer.Option("--from", help=_FORM.format("kind and number of the document"))
    ] = DEFAULT_INPUT,
    data: Data = DEFAULT_DATA,
) -> None:
    """Find the learner with an identity document; prints the identifier and the accounts."""
    from bank.learners.forms import needed_document

    with _opened(data) as bank:
        value, where = _form(form, ("kind", "number"))
        document = needed_document(value, where, bank.now().date())
        learner = bank.learners.find(document)
        typer.echo(learner)
        for account in bank.learners.accounts(learner):
            typer.echo(f"  {account}")


@learner_app.command("identify", context_settings=DASHED)
def identify(
    learner: Learner,
    form: Annotated[
        Path, typer.Option("--from", help=_FORM.format("kind and number of the document"))
    ] = DEFAULT_INPUT,
    data: Data = DEFAULT_DATA,
) -> None:
    """Add an identity document to a record that has none."""
    from bank.learners.forms import needed_document

    with _opened(data) as bank:
        value, where = _form(form, ("kind", "number"))
        document = needed_document(value, where, bank.now().date())
        new = bank.learners.identify(learner, document)
    typer.echo(f"{learner} {'is identified' if new else 'had this document already'}")


@learner_app.command("merge", context_settings=DASHED)
def merge(
    first: Annotated[str, typer.Argument(help="The learner that remains.")],
    second: Annotated[str, typer.Argument(help="The learner that becomes part of the first.")],
    data: Data = DEFAULT_DATA,
) -> None:
    """Make one of two records of the same person."""
    with _opened(data) as bank:
        typer.echo(bank.learners.merge(first, second))


@learner_app.command("rename", context_settings=DASHED)
def rename(
    learner: Learner,
    form: Annotated[
        Path, typer.Option("--from", help=_FORM.format("the new name"))
    ] = DEFAULT_INPUT,
    data: Data = DEFAULT_DATA,
) -> None:
    """Change a learner's name; earlier names are kept, credentials stay as they were issued."""
    from bank.learners.forms import text_of

    with _opened(data) as bank:
        value, where = _form(form, ("name",))
        bank.learners.rename(learner, text_of(value, "name", where))
    typer.echo(f"{learner} is renamed")


@learner_app.command("consent", context_settings=DASHED)
def consent(
    learner: Learner,
    form: Annotated[
        Path,
        typer.Option(
            "--from",
            help=_FORM.format("purpose, recipient, credentials, from and until")
            + " The credentials are 'all' or identifiers, in lines with commas between them.",
        ),
    ] = DEFAULT_INPUT,
    data: Data = DEFAULT_DATA,
) -> None:
    """Note what a learner agrees to; prints the consent's identifier."""
    from bank.learners.records import read_terms

    with _opened(data) as bank:
        value, _ = _form(form, ("purpose", "recipient", "credentials", "from", "until"))
        scope = value.get("credentials")
        if isinstance(scope, str) and scope != "all":
            value["credentials"] = [name.strip() for name in scope.split(",")]
        given = bank.learners.consent(learner, read_terms(value, bank.now().date()))
    typer.echo(given.consent)


@learner_app.command("consents", context_settings=DASHED)
def consents(learner: Learner, data: Data = DEFAULT_DATA) -> None:
    """List a learner's consents."""
    with _opened(data) as bank:
        for item in bank.learners.consents(learner):
            terms = item.terms
            state = "in force" if item.in_force(bank.now()) else "not in force"
            state = f"withdrawn {item.withdrawn}" if item.withdrawn else state
            typer.echo(f"{item.consent}  {terms.start} to {terms.until}  {state}")
            typer.echo(f"  for {terms.purpose}, to {terms.recipient}")
            for name in ("all credentials",) if terms.credentials is None else terms.credentials:
                typer.echo(f"  {name}")


@learner_app.command("withdraw", context_settings=DASHED)
def withdraw(
    learner: Learner,
    consent: Annotated[str, typer.Argument(help="The consent, as 'consents' lists it.")],
    data: Data = DEFAULT_DATA,
) -> None:
    """End a consent now."""
    with _opened(data) as bank:
        ended = bank.learners.withdraw(learner, consent)
    typer.echo(f"{ended.consent} was withdrawn {ended.withdrawn}")


@learner_app.command("export", context_settings=DASHED)
def export(
    learner: Learner,
    out: Annotated[Path, typer.Option(help="The ZIP file to write.")] = DEFAULT_OUT,
    data: Data = DEFAULT_DATA,
) -> None:
    """Write everything held about a learner into one ZIP, for the learner alone."""
    from verifier.whole_file import write_whole

    with _opened(data, witnessed=True) as bank:
        bank.checkpoints.gather()
        content = bank.learners.export(learner)
    write_whole(out, content, mode=0o600)
    typer.echo(str(out))


@learner_app.command("erase", context_settings=DASHED)
def erase(
    learner: Learner,
    yes: Annotated[bool, typer.Option("--yes", help="It cannot be undone, and is meant.")] = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """Erase a learner and the linked accounts for good; the ledger stays as it is."""
    if not yes:
        raise BadSetup(
            f"erasing {learner[:40]} cannot be undone: export first if the learner wants a copy, "
            "then run this again with --yes"
        )
    with _opened(data) as bank:
        done = bank.learners.erase(learner)
    typer.echo(f"{learner} is erased" if done else f"{learner} was erased before")


@contextmanager
def _opened(data: Path, *, witnessed: bool = False) -> "Iterator[Bank]":
    from bank.opening import open_bank

    bank = open_bank(data, bank_passphrase(data), witnessed=witnessed)
    try:
        yield bank
    finally:
        bank.close()


def _form(path: Path, fields: tuple[str, ...]) -> "tuple[dict[str, Json], str]":
    """The fields in a file or standard input, and what to call it."""
    from bank.learners.forms import read_form

    if str(path) == "-":
        return read_form(sys.stdin.buffer.read(), fields, "standard input"), "standard input"
    return read_form(path.read_bytes(), fields, str(path)), str(path)
