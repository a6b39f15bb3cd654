"""`creditbank trust`: the bundle that makes every verifier self-sufficient."""

from pathlib import Path
from typing import Annotated

import typer

from bank.cli.options import DEFAULT_DATA, Data, GovernanceKeys, bank_passphrase, signer_at

trust_app = typer.Typer(name="trust", help="Trust bundles.", no_args_is_help=True)


@trust_app.command("export")
def export_trust(
    governance: GovernanceKeys,
    out: Annotated[Path, typer.Option(help="Where to write the bundle.")] = Path("out/trust.json"),
    data: Data = DEFAULT_DATA,
) -> None:
    """Make a new trust bundle, signed by the governance, and write it."""
    from bank.opening import open_bank
    from verifier.whole_file import write_whole

    secret = bank_passphrase(data)
    signers = [signer_at(key, data) for key in governance]
    bank = open_bank(data, secret, witnessed=True)
    try:
        write_whole(out, bank.trust.export(signers))
    finally:
        bank.close()
    typer.echo(str(out))


@trust_app.command("show")
def show(file: Annotated[Path, typer.Argument(help="A trust bundle.")]) -> None:
    """Say whose a trust bundle is, its version and age, and the fingerprint of its root."""
    from ledger import Checkpoint, open_note
    from verifier import open_trust
    from verifier.trust_file import naming, read_trust

    with naming(file):
        trust = open_trust(read_trust(file))
    typer.echo(f"bank      {trust.names['en']} ({trust.domain})")
    typer.echo(f"log       {trust.origin}")
    if trust.predecessor:
        last = Checkpoint.parse(open_note(trust.predecessor, ()).text)
        typer.echo(f"after     {last.origin}, of {last.size} entries")
    typer.echo(f"version   {trust.version}, issued {trust.issued}, good until {trust.expires}")
    typer.echo(f"members   {len(trust.members)}")
    root = trust.governance
    until = f", until {root.expires[:10]}" if root.expires else ""
    typer.echo(f"root      {root.fingerprint} (version {root.version}{until})")
