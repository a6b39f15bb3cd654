"""`creditbank witness`: watch the logs of sister banks, and cosign what never goes back."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bank.cli.bank_verbs import LOOPBACK, Host
from bank.cli.options import (
    DEFAULT_DATA,
    Data,
    GovernanceKeys,
    bank_passphrase,
    passphrase,
    signer_at,
)

witness_app = typer.Typer(
    name="witness", help="Witness the logs of other banks.", no_args_is_help=True
)
DEFAULT_FOLDER = Path("witness")
Folder = Annotated[Path, typer.Option("--folder", help="The witness's folder.")]


@witness_app.command("new")
def new(
    name: Annotated[str, typer.Argument(help="Its name, such as sichuan.example/witness.")],
    folder: Folder = DEFAULT_FOLDER,
) -> None:
    """Make a witness, and print its public keys."""
    from bank.witnesses import create_witness, open_witness

    secret = passphrase(folder)
    create_witness(folder, name, secret)
    for key in open_witness(folder, secret, lambda: datetime.now(UTC)).keys:
        typer.echo(str(key))


@witness_app.command("watch")
def watch_command(
    origin: Annotated[str, typer.Argument(help="The log's origin.")],
    key: Annotated[list[str], typer.Option(help="A key of the log, name+id+base64.")],
    folder: Folder = DEFAULT_FOLDER,
) -> None:
    """Have the witness cosign a log; a running server sees it after a restart."""
    from bank.witnesses import watch
    from ledger import VerifierKey

    watch(folder, origin, [VerifierKey.parse(text) for text in key])
    typer.echo(f"watching {origin}")


@witness_app.command("serve")
def serve_command(
    folder: Folder = DEFAULT_FOLDER,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes any free one.")
    ] = 8500,
    host: Host = LOOPBACK,
) -> None:
    """Serve the witness, on loopback unless told otherwise (C2SP tlog-witness)."""
    import uvicorn

    from bank.api.witness import make_witness_app
    from bank.cli.progress import console
    from bank.listening import listen
    from bank.witnesses import open_witness

    own = open_witness(folder, passphrase(folder), lambda: datetime.now(UTC))
    with closing(own.store), closing(listen(host, port)) as listener:
        address = "{}:{}".format(*listener.getsockname()[:2])
        console.print(f"The witness {own.name} is at http://{address}/ (stop with Ctrl-C)")
        config = uvicorn.Config(make_witness_app(own.witness), log_level="warning")
        uvicorn.Server(config).run([listener])


@witness_app.command("admit")
def admit(
    operator: Annotated[str, typer.Argument(help="Short name of the operator, for the quorum.")],
    url: Annotated[str, typer.Option(help="Where the witness is asked.")],
    key: Annotated[list[str], typer.Option(help="A key of the witness, name+id+base64.")],
    quorum: Annotated[int, typer.Option(help="How many operators must have cosigned, now on.")],
    governance: GovernanceKeys,
    data: Data = DEFAULT_DATA,
) -> None:
    """On the bank's side: admit a witness, by the governance."""
    from bank.opening import govern, open_bank
    from keys import Json

    secret = bank_passphrase(data)
    signers = [signer_at(text, data) for text in governance]
    keys: list[Json] = list(key)
    bank = open_bank(data, secret)
    try:
        body: dict[str, Json] = {"keys": keys, "operator": operator, "quorum": quorum, "url": url}
        govern(bank, [("witness.admit", body)], signers)
    finally:
        bank.close()
    typer.echo(f"{operator} is a witness; the quorum is {quorum}")
