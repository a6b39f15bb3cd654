"""`creditbank bank`: make a bank, and serve it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from bank.cli.options import DEFAULT_DATA, Data, GovernanceKeys, passphrase

if TYPE_CHECKING:
    from bank.service import Bank

bank_app = typer.Typer(name="bank", help="Make a bank, and serve it.", no_args_is_help=True)
DEFAULT_PORT = 8400


@bank_app.command("create")
def create(
    domain: Annotated[str, typer.Option(help="The bank's domain name.")],
    name_en: Annotated[str, typer.Option(help="The bank's name in English.")],
    name_zh: Annotated[str, typer.Option(help="The bank's name in Chinese.")],
    governance: GovernanceKeys,
    threshold: Annotated[int, typer.Option(help="How many governance keys sign together.")] = 2,
    data: Data = DEFAULT_DATA,
) -> None:
    """Make a bank: its keys, its settings, and the first entry of its log."""
    from bank.opening import create_bank, open_bank
    from keys import open_signer

    secret = passphrase(data)
    signers = [open_signer(f"file:{path}", secret) for path in governance]
    keys = [signer.public_key.multikey for signer in signers]
    settings = create_bank(data, domain, {"en": name_en, "zh": name_zh}, keys, threshold, secret)
    bank = open_bank(data, secret)
    try:
        bank.found(signers[:threshold])
    finally:
        bank.close()
    typer.echo(f"made the bank of {domain} in {data}; its log is {settings.origin}")


@bank_app.command("serve")
def serve_command(
    data: Data = DEFAULT_DATA,
    port: Annotated[int, typer.Option(help="Port on the loopback interface.")] = DEFAULT_PORT,
) -> None:
    """Serve the bank's API and pages on loopback."""
    from bank.opening import open_bank

    serve(lambda: open_bank(data, passphrase(data), witnessed=True), port)


def serve(opener: "Callable[[], Bank]", port: int) -> None:
    """Serve a bank until interrupted."""
    import uvicorn

    from bank.api.app import make_app
    from bank.cli.progress import console

    bank = opener()
    console.print(f"The bank is at http://127.0.0.1:{port}/ (stop with Ctrl-C)")
    try:
        uvicorn.run(make_app(bank), host="127.0.0.1", port=port, log_level="warning")
    finally:
        bank.close()
