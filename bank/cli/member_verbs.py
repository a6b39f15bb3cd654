"""`creditbank member`: an institution's keys on its own side, and its admission."""

from pathlib import Path
from typing import Annotated

import typer

from bank.cli.options import (
    DEFAULT_DATA,
    Data,
    GovernanceKeys,
    Institutions,
    bank_passphrase,
    passphrase,
)
from bank.errors import BadSetup

member_app = typer.Typer(
    name="member", help="Members: their keys and their admission.", no_args_is_help=True
)

Slug = Annotated[str, typer.Option(help="The institution's short name in the TOML file.")]
Key = Annotated[str, typer.Option(help="The institution's public key, a Multikey.")]


@member_app.command("key")
def make_key(
    folder: Annotated[Path, typer.Argument(help="The institution's own folder for its keys.")],
) -> None:
    """On the institution's side: make its key, and print what the bank is to register."""
    from bank.opening import create_member

    typer.echo(create_member(folder, passphrase(folder)).public_key.multikey)


@member_app.command("admit")
def admit_command(
    institutions: Institutions,
    slug: Slug,
    key: Key,
    governance: GovernanceKeys,
    data: Data = DEFAULT_DATA,
) -> None:
    """On the bank's side: admit an institution, grant it authority and register its key."""
    from bank.opening import admit, open_bank, read_admissions
    from keys import PublicKey, open_signer

    public = PublicKey.from_multikey(key)
    chosen = [item for item in read_admissions(institutions) if item.slug == slug]
    if not chosen:
        raise BadSetup(f"{institutions} describes no institution {slug!r}")
    secret = bank_passphrase(data)
    signers = [open_signer(f"file:{path}", secret) for path in governance]
    bank = open_bank(data, secret)
    try:
        admit(bank, chosen[0], public, signers)
    finally:
        bank.close()
    typer.echo(f"{slug} is a member, and its key {key} is registered")


@member_app.command("retire-key")
def retire_key(slug: Slug, key: Key, governance: GovernanceKeys, data: Data = DEFAULT_DATA) -> None:
    """On the bank's side: retire a key; what it signed before stays good."""
    from bank.opening import govern, open_bank
    from keys import did_web, open_signer

    secret = bank_passphrase(data)
    signers = [open_signer(f"file:{path}", secret) for path in governance]
    bank = open_bank(data, secret)
    try:
        did = did_web(bank.settings.domain, "members", slug)
        govern(bank, [("key.retire", {"key": key, "member": did})], signers)
    finally:
        bank.close()
    typer.echo(f"the key {key} of {slug} is retired")
