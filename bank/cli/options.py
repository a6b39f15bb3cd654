"""Options that several verbs share, and the passphrase of the keystores."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from bank.errors import BadSetup

Data = Annotated[Path, typer.Option("--data", help="The bank's folder.")]
GovernanceKeys = Annotated[
    list[Path],
    typer.Option("--governance", help="Keystore of a governance key; give it once for each key."),
]
Institutions = Annotated[
    Path, typer.Option("--institutions", help="TOML file that describes the institutions.")
]
Members = Annotated[
    Path, typer.Option("--members", help="Folder with a folder of keys for each institution.")
]

DASHED = {"ignore_unknown_options": True}
"""Of a command whose argument is a name such as a lot, which may begin with a dash."""
PASSPHRASE_FILE = "passphrase"
DEFAULT_DATA = Path("var")


def passphrase(folder: Path | None = None) -> str:
    """The passphrase that is given, or asked for at a terminal."""
    given = given_passphrase(folder)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise BadSetup("the keystores need a passphrase: set CREDITBANK_PASSPHRASE")
    return str(typer.prompt("Passphrase of the keystores", hide_input=True))


def given_passphrase(folder: Path | None = None) -> str | None:
    """CREDITBANK_PASSPHRASE, or what is in the file that CREDITBANK_PASSPHRASE_FILE names, or in
    the demo's file in `folder`; None if there is none of these."""
    given = os.environ.get("CREDITBANK_PASSPHRASE")
    if given:
        return given
    named = os.environ.get("CREDITBANK_PASSPHRASE_FILE")
    if named:
        from bank.settings import read_secret

        return read_secret(Path(named), "CREDITBANK_PASSPHRASE_FILE")
    if folder is not None and (folder / PASSPHRASE_FILE).is_file():
        return (folder / PASSPHRASE_FILE).read_text(encoding="utf-8").strip()
    return None


def bank_passphrase(folder: Path) -> str:
    """The passphrase of the bank in `folder`; BadSetup, before asking, if there is no bank."""
    from bank.settings import read_settings

    read_settings(folder)
    return passphrase(folder)


BankUrl = Annotated[
    str,
    typer.Option("--bank", help="URL of a bank's API, instead of a bank in a folder."),
]
BankDomain = Annotated[str, typer.Option("--domain", help="The bank's domain, with --bank.")]
