"""`creditbank learners` and `export`: what the bank's counter does for a learner."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bank.cli.options import DEFAULT_DATA, Data, bank_passphrase
from bank.errors import BadSetup, NoSuchThing

if TYPE_CHECKING:
    from bank.service import Bank

DEFAULT_OUT = Path("out")


def learners_command(
    data: Data = DEFAULT_DATA,
    limit: Annotated[int, typer.Option(help="How many accounts to list.")] = 10,
) -> None:
    """List learner accounts with their credentials, those with the most first."""
    from bank.opening import open_bank

    bank = open_bank(data, bank_passphrase(data))
    try:
        for account in bank.accounts.names()[:limit]:
            token = bank.vault.token(account)
            typer.echo(f"{account}  token {token}")
            for identifier, index in bank.accounts.credentials(token):
                typer.echo(f"  {identifier}  entry {index}  lot {bank.lots.awarded_at(index)}")
    finally:
        bank.close()


def export_command(
    credential: Annotated[str, typer.Argument(help="Identifier of the credential, urn:uuid:…")],
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = DEFAULT_OUT,
    data: Data = DEFAULT_DATA,
) -> None:
    """Write one credential as bundle, plain credential, PDF, badge and QR code (PNG and SVG)."""
    from bank.opening import open_bank

    bank = open_bank(data, bank_passphrase(data), witnessed=True)
    try:
        bank.checkpoints.gather()
        for path in export(bank, credential, out):
            typer.echo(str(path))
    finally:
        bank.close()


def transcript_command(
    account: Annotated[str, typer.Argument(help="The account, as 'creditbank learners' lists it.")],
    out: Annotated[Path | None, typer.Option(help="File to write.")] = None,
    form: Annotated[
        str, typer.Option(help="clr, signed by the bank, or elm for Europass, unsigned.")
    ] = "clr",
    data: Data = DEFAULT_DATA,
) -> None:
    """Write all that an account holds as one transcript (CLR 2.0, or the European model 3)."""
    from bank.opening import open_bank
    from keys import encode
    from verifier.whole_file import write_whole

    if form not in ("clr", "elm"):
        raise BadSetup(f"--form is clr or elm, not {form!r}")
    name = "learner.transcript.json" if form == "clr" else "learner.elm.json"
    path = out or DEFAULT_OUT / name
    bank = open_bank(data, bank_passphrase(data), witnessed=form == "clr")
    try:
        token = bank.accounts.token(account)
        bank.checkpoints.gather()
        content = (
            bank.transcripts.make(token) if form == "clr" else encode(bank.transcripts.elm(token))
        )
        typer.echo(str(write_whole(path, content)))
    finally:
        bank.close()


def export(bank: "Bank", identifier: str, out: Path) -> list[Path]:
    """Write a credential's files into `out`; the paths written."""
    from bank.award_files import AwardFiles
    from credentials.certificate import unwritable
    from ledger import NotFound
    from verifier.whole_file import write_whole

    try:
        token = bank.vault.token(bank.accounts.of_credential(identifier))
    except NotFound as error:
        raise NoSuchThing(str(error)) from error
    made = AwardFiles(bank.settings, bank.accounts.bundle(token, identifier), bank.now())
    if made.symbol.note:
        typer.echo(made.symbol.note, err=True)
    facts = made.facts
    for char in unwritable(facts.learner + facts.achievement + facts.issuer):
        typer.echo(f"no typeface here has U+{ord(char):04X}: shown by its number", err=True)
    files = {
        "learner.bundle.json": made.bundle,
        "learner.credential.json": made.credential,
        "learner.certificate.pdf": made.certificate,
        "learner.badge.png": made.badge_png,
        "learner.badge.svg": made.badge_svg,
        "learner.qr.png": made.qr_png,
        "learner.qr.svg": made.qr_svg,
    }
    return [write_whole(out / name, content) for name, content in files.items()]
