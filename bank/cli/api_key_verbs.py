"""`creditbank member api-key`: keys that open a bank's API to an institution's software."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bank.cli.options import DEFAULT_DATA, Data, bank_passphrase, passphrase
from bank.errors import BadSetup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank.client import RemoteBank
    from bank.service import Bank
    from keys import Signer

api_key_app = typer.Typer(
    name="api-key",
    help="Keys that open a bank's API. They sign requests, never statements.",
    no_args_is_help=True,
)
Key = Annotated[str, typer.Option(help="The public key, a Multikey.")]
Slug = Annotated[
    str, typer.Option(help="The institution's short name; without it, the bank's own staff.")
]


@api_key_app.command("new")
def new(
    folder: Annotated[Path, typer.Argument(help="The folder of whoever calls the API.")],
) -> None:
    """On the caller's side: make an API key, and print what the bank is to register."""
    from bank.opening import create_api_key

    typer.echo(create_api_key(folder, passphrase(folder)).public_key.multikey)


@api_key_app.command("add")
def add(
    key: Key,
    name: Annotated[str, typer.Option(help="What the key is for, such as student-records.")],
    slug: Slug = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """On the bank's side: register an API key, as an institution's administrator does on a page."""
    with _opened(data) as bank:
        made = bank.api_keys.add(_did(bank, slug), key, name)
    typer.echo(f"{made.key} opens the API for {made.institution}")


@api_key_app.command("list")
def list_command(slug: Slug = "", data: Data = DEFAULT_DATA) -> None:
    """On the bank's side: the keys of an institution, or all there are."""
    with _opened(data) as bank:
        for item in bank.api_keys.all_of(_did(bank, slug) if slug else None):
            state = f"retired {item.retired}" if item.retired else f"since {item.added}"
            typer.echo(f"{item.key}  {item.institution}  {item.name}  {state}")


@api_key_app.command("retire")
def retire(key: Key, data: Data = DEFAULT_DATA) -> None:
    """On the bank's side: let a key open nothing any more, its sessions included."""
    with _opened(data) as bank:
        bank.api_keys.retire(key)
    typer.echo(f"{key} is retired")


@contextmanager
def remote(url: str, keys: "Mapping[str, Signer]") -> "Iterator[RemoteBank]":
    """The bank behind `url`, called with the API keys at hand, by the DID of whose they are."""
    import httpx

    from bank.cli.web_address import web_address
    from bank.client import RemoteBank

    with httpx.Client(base_url=web_address(url), timeout=120) as http:
        yield RemoteBank(http, lambda: datetime.now(UTC), keys)


def api_key_of(members: Path, slug: str) -> "Signer":
    """The API key in an institution's folder; BadSetup, saying how to make one, without."""
    from bank.cli.import_verb import passphrase_of

    folder = members / slug
    return open_api_key(folder, passphrase_of(members, folder))


def open_api_key(folder: Path, secret: str) -> "Signer":
    """The API key in a folder; BadSetup, saying how to make one, without."""
    from bank.opening import API_KEY, find_member_key

    found = find_member_key(folder, API_KEY, secret)
    if found is None:
        raise BadSetup(
            f"{folder} has no API key, which a bank behind a URL takes: make one with 'creditbank "
            f"member api-key new {folder}', and have what it prints registered at the bank"
        )
    return found


def _did(bank: "Bank", slug: str) -> str:
    from keys import did_web

    domain = bank.settings.domain
    return did_web(domain, "members", slug) if slug else bank.settings.did


@contextmanager
def _opened(data: Path) -> "Iterator[Bank]":
    from bank.opening import open_bank

    with closing(open_bank(data, bank_passphrase(data))) as bank:
        yield bank
