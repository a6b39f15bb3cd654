"""`creditbank ledger`: audit the log, and fold it anew into the tables derived from it."""

from typing import TYPE_CHECKING

import typer

from bank.cli.options import DEFAULT_DATA, Data, passphrase

if TYPE_CHECKING:
    from bank.service import Bank
    from ledger import AuditReport

ledger_app = typer.Typer(name="ledger", help="Audit the ledger.", no_args_is_help=True)


@ledger_app.command("audit")
def audit_command(data: Data = DEFAULT_DATA) -> None:
    """Re-check every hash, chain link, signature and authority, and the tree."""
    from bank.opening import open_bank

    bank = open_bank(data, passphrase(data))
    try:
        tell(run_audit(bank))
    finally:
        bank.close()


@ledger_app.command("rebuild")
def rebuild_command(data: Data = DEFAULT_DATA) -> None:
    """Empty the derived tables, fold the ledger into them anew, and compare."""
    from bank.cli.progress import progress
    from bank.opening import open_bank

    bank = open_bank(data, passphrase(data))
    try:
        with progress("Folding the ledger", bank.log.size()) as done:
            same = bank.rebuild(done)
    finally:
        bank.close()
    if not same:
        typer.echo("the derived tables differed from the ledger and were rebuilt", err=True)
        raise typer.Exit(1)
    typer.echo("the derived tables are what the ledger says")


def run_audit(bank: "Bank") -> "AuditReport":
    """Audit with a progress bar."""
    from bank.cli.progress import progress

    with progress("Auditing the ledger", bank.log.size()) as done:
        return bank.audit(done)


def tell(report: "AuditReport") -> None:
    """Say what an audit found; exit code 1 if anything is wrong."""
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(report.kinds.items()))
    typer.echo(f"log       {report.origin}")
    typer.echo(f"entries   {report.size} ({kinds})")
    typer.echo(f"root      {report.root.hex()}")
    typer.echo(f"signed    {report.checkpoints} checkpoints")
    for problem in report.problems:
        typer.echo(problem, err=True)
    if not report.passed:
        typer.echo(f"audit FAILED with {len(report.problems)} problems", err=True)
        raise typer.Exit(1)
    typer.echo("audit passed: every hash, chain link, signature, authority and the tree")
