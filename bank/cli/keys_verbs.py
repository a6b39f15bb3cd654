"""`creditbank keys`: keystores of whoever signs, made where they are used."""

from pathlib import Path
from typing import Annotated

import typer

from bank.cli.options import passphrase

keys_app = typer.Typer(name="keys", help="Make and look at keystores.", no_args_is_help=True)


@keys_app.command("new")
def new(file: Annotated[Path, typer.Argument(help="The keystore to make.")]) -> None:
    """Make an Ed25519 key in an encrypted keystore, and print its public Multikey."""
    from keys import PrivateKey, write_keystore

    key = PrivateKey.generate()
    write_keystore(file, key.seed, passphrase())
    typer.echo(key.public_key.multikey)


@keys_app.command("show")
def show(file: Annotated[Path, typer.Argument(help="A keystore.")]) -> None:
    """Print the public Multikey of a keystore."""
    from keys import open_signer

    typer.echo(open_signer(f"file:{file}", passphrase(file.parent)).public_key.multikey)
