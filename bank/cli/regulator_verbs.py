"""`creditbank regulator`: what the log says in figures, for whoever has it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bank.cli.options import DEFAULT_DATA, Data, bank_passphrase
from bank.errors import BadSetup

if TYPE_CHECKING:
    from ledger.conservation import Conservation

regulator_app = typer.Typer(
    name="regulator",
    help="Figures over a ledger, recomputed from its entries alone.",
    no_args_is_help=True,
)

Log = Annotated[
    str, typer.Option("--log", help="A published log, URL or folder, instead of a bank's folder.")
]
DEFAULT_OUT = Path("out/figures")


@regulator_app.command("conservation")
def conservation_command(log: Log = "", data: Data = DEFAULT_DATA) -> None:
    """Recompute that every credit is somewhere. Exit code 1 where the sides differ."""
    from ledger.conservation import conservation

    with _entries(log, data) as entries:
        found = conservation(entries)
    _tell(found)
    if not found.balances:
        raise typer.Exit(1)


@regulator_app.command("report")
def report_command(
    out: Annotated[Path, typer.Option(help="Folder for the tables.")] = DEFAULT_OUT,
    k: Annotated[int, typer.Option(min=1, help="No cell of fewer lots is shown.")] = 10,
    log: Log = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """Write every table as CSV and all as JSON, small cells left out, and print what stands out."""
    from bank.reports import make_report
    from keys import encode
    from verifier.whole_file import write_whole

    with _entries(log, data) as entries:
        report = make_report(entries, k)
    for table in report.tables.values():
        typer.echo(str(write_whole(out / f"{table.name}.csv", table.csv().encode())))
    typer.echo(str(write_whole(out / "figures.json", encode(report.open_data()) + b"\n")))
    for author, rule in report.figures.never_used:
        typer.echo(f"never used: {author} {rule}")
    for alert in report.alerts:
        typer.echo(f"stands out: {alert.sentence}")


def _tell(found: "Conservation") -> None:
    from bank.passbook import plain
    from ledger.conservation import BIRTHS, STATES

    typer.echo(f"after {found.size} entries, {found.time}")
    for (scheme, level, keeper), account in found.accounts.items():
        born = [f"{plain(account.born[n])} {n}" for n in BIRTHS if account.born[n]]
        stand = [f"{plain(account.stand[n])} {n}" for n in STATES if account.stand[n]]
        mark = "=" if account.balances else "IS NOT"
        typer.echo(f"{keeper} {scheme} level {level}: {' + '.join(born)} {mark}")
        typer.echo(f"    {' + '.join(stand)}")
    typer.echo("every credit is accounted for" if found.balances else "CREDITS ARE MISSING")


@contextmanager
def _entries(log: str, data: Path) -> Iterator[Iterator[bytes]]:
    """The entries of a published log, or of the bank in a folder."""
    if log:
        from ledger import Checkpoint, open_note
        from ledger.sources import open_source

        source = open_source(log)
        size = Checkpoint.parse(open_note(source.checkpoint(), ()).text).size
        if not size:
            raise BadSetup(f"the log {log} is empty")
        yield source.entries(0, size)
        return
    from bank.opening import open_bank

    with closing(open_bank(data, bank_passphrase(data))) as bank:
        yield bank.log.entries()
