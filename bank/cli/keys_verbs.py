"""`creditbank keys`: the keys of whoever signs, made where they are used."""

from typing import Annotated

import typer

from bank.cli.options import passphrase, secret_of, signer_at

Key = Annotated[
    str, typer.Argument(help="A keystore's path, or a URI: pkcs11:… of a token, command:…")
]
keys_app = typer.Typer(name="keys", help="Make and look at keys.", no_args_is_help=True)


@keys_app.command("new")
def new(key: Key) -> None:
    """Make an Ed25519 key in an encrypted keystore or a token, and print its public Multikey."""
    from keys import create_key, signer_uri
    from keys.signers import key_file

    uri = signer_uri(key)
    # The demo's passphrase is not for new keystores of others: those ask for their own.
    secret = passphrase() if key_file(uri) else secret_of(uri)
    typer.echo(create_key(uri, secret).multikey)


@keys_app.command("show")
def show(
    key: Key,
    digest: Annotated[
        bool, typer.Option("--digest", help="Its SHA-256 too, to announce it as a next key.")
    ] = False,
) -> None:
    """Print the public Multikey of a key."""
    from ledger.key_periods import next_digest

    public = signer_at(key).public_key.multikey
    typer.echo(public)
    if digest:
        typer.echo(next_digest(public))
